"""Probabilities on disk, and several runs fused into one.

A run at another size, mirrored or with other weights sees other details; summing the
probabilities of several runs before the arg max is the field's multi-scale testing.
"""

from __future__ import annotations

import io
import struct
import time
import zipfile
import zlib
from collections.abc import Sequence
from itertools import groupby
from os import PathLike
from pathlib import Path

import numpy as np

from evaluation._utils.atomic import new_folder, write_atomically
from evaluation._utils.input_files import read_input
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.runs.schema import RUN_FILE, RunRecord, read_run_file

_FORMER = "merge-scores"


def probabilities_file(folder: Path, sequence: str, frame: str) -> Path:
    """Where the probabilities of a frame lie."""
    return folder / sequence / f"{frame}.npz"


def write_probabilities(
    path: Path, probabilities: np.ndarray, ids: Sequence[int]
) -> None:
    """Write the probabilities of a frame, in steps of 1/255.

    Args:
        path: the .npz file.
        probabilities: [K + 1, H, W], background first.
        ids: the K objects.
    """
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        probabilities=(probabilities * 255).astype(np.uint8),
        ids=np.array(ids, np.int64),
    )
    write_atomically(path, buffer.getvalue())


def read_probabilities(path: Path) -> tuple[np.ndarray, list[int]]:
    """Probabilities [K + 1, H, W] uint8 and the K ids, as written.

    Raises:
        InputError: missing or broken file.
    """
    try:
        with np.load(io.BytesIO(read_input(path))) as file:
            return _check(file["probabilities"], file["ids"])
    except InputError:
        raise
    except _DAMAGED as error:
        raise InputError(
            path,
            f"no readable probabilities ({error})",
            "probabilities of a frame",
            "Delete the file and repeat s3fo predict with --save-probs.",
        ) from error


_DAMAGED = (
    OSError, KeyError, ValueError, EOFError, MemoryError, NotImplementedError,
    RuntimeError, zipfile.BadZipFile, zlib.error, SyntaxError, struct.error,
)  # fmt: skip
"""What numpy and zipfile raise at damaged archives."""


def _check(probabilities: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """What was read, if it is what was written.

    Raises:
        ValueError: it is something else.
    """
    if probabilities.dtype != np.uint8 or probabilities.ndim != 3:
        raise ValueError(f"{probabilities.dtype} of shape {probabilities.shape}")
    if ids.dtype.kind != "i" or ids.shape != (len(probabilities) - 1,):
        raise ValueError(f"ids of {ids.dtype}, shape {ids.shape}")
    return probabilities, [int(number) for number in ids]


def fuse(
    runs: Sequence[str | PathLike[str]],
    out: str | PathLike[str],
    *,
    progress: ProgressCallback | None = None,
) -> Path:
    """Sum the probabilities of several runs and write the winners as a results folder.

    Args:
        runs: folders of probabilities over the same videos, ``<sequence>/<frame>.npz``.
        out: the results folder, ``<sequence>/<frame>.png``.
        progress: told after every frame.

    Returns:
        The results folder.

    Raises:
        InputError: the runs differ in their frames or frame sizes, or `out` holds the
            masks of a run.
    """
    folders, out = [Path(run) for run in runs], Path(out)
    _refuse_twice(folders)
    record = _begin(out, [str(folder.absolute()) for folder in folders])
    frames = [_frames(folder) for folder in folders]
    for folder, found in zip(folders, frames, strict=True):
        different = sorted(found ^ frames[0])
        if different or not found:
            example = f"; only one has {different[0]}" if different else ""
            raise InputError(
                folder,
                f"{len(found)} frames, {len(frames[0])} in {folders[0]}{example}",
                "folders of probabilities with the same frames",
                "Finish all runs over the same videos first.",
            )
    done, total = 0, len(frames[0])
    for name, group in groupby(sorted(frames[0]), key=lambda frame: frame.parent.name):
        started, own = time.perf_counter(), list(group)
        if name not in record.sequences:
            with new_folder(out / name) as passing:
                for frame in own:
                    label_map = _winners([folder / frame for folder in folders])
                    write_label_map(passing / f"{frame.stem}.png", label_map)
                    if progress:
                        done += 1
                        progress(done, total, name)
                _refuse_others(out, name, record)
            made = record.video(len(own), time.perf_counter() - started)
            record = record.with_videos({**record.sequences, name: made})
            record.save(out)
        else:
            done += len(own)
    return out


def _refuse_twice(folders: Sequence[Path]) -> None:
    """Refuse a run that is named twice: its probabilities would count twice.

    Raises:
        InputError: there is one.
    """
    places = [folder.resolve() for folder in folders]
    for folder, place in zip(folders, places, strict=True):
        if places.count(place) > 1:
            raise InputError(
                folder,
                "a run that is named twice",
                "different runs over the same videos",
                "Name each folder once.",
            )


def _begin(out: Path, runs: list[str]) -> RunRecord:
    """The record to go on with."""
    old = RunRecord.load(out)
    # Records of older versions have the former name.
    former = old is not None and old.method == _FORMER
    fresh = RunRecord.begin(_FORMER if former else "fuse", {"runs": runs})
    return old if old is not None and not fresh.changes_from(old) else fresh


def _refuse_others(out: Path, name: str, record: RunRecord) -> None:
    """Masks of anything else than this fusion are never replaced."""
    there = read_run_file(out / RUN_FILE)
    if (out / name).exists() or (there is not None and there.run != record.run):
        raise InputError(
            out,
            "the masks of one run" if there else f"masks of {name}",
            "a folder for fused masks",
            "Choose another folder with --out (out=).",
        )


def _frames(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.glob("*/*.npz")}


def _winners(paths: Sequence[Path]) -> np.ndarray:
    """Label map of the objects with the largest sum of probabilities."""
    total: np.ndarray | None = None
    channels: dict[int, int] = {}
    for path in paths:
        probabilities, ids = read_probabilities(path)
        if total is None:
            channels = {object_id: k for k, object_id in enumerate([0, *ids])}
            total = np.zeros(probabilities.shape, np.uint32)
        if set(ids) != channels.keys() - {0} or probabilities.shape != total.shape:
            raise InputError(
                path,
                f"objects {ids}, shape {probabilities.shape}",
                f"objects {sorted(channels)[1:]}, shape {total.shape}",
                "Fuse runs over the same objects at the same output size.",
            )
        total[[channels[object_id] for object_id in [0, *ids]]] += probabilities
    assert total is not None
    winners = np.array(list(channels))[total.argmax(axis=0)]
    return winners.astype(np.uint8 if max(channels) < 256 else np.uint16)
