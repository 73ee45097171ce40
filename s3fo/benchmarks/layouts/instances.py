"""The layout of YouTube-VIS, OVIS and LV-VIS: one JSON of run lengths, and frames."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from evaluation._utils.input_files import is_file, is_folder
from evaluation._utils.json_files import read_json
from evaluation._utils.names import safe_name
from evaluation.errors import InputError
from evaluation.masks.open import read_document
from evaluation.masks.sequence import MaskSequence
from s3fo.benchmarks.layouts.files import (
    IMAGE_SUFFIXES,
    FrameFiles,
    list_frames,
    locate_root,
)
from s3fo.benchmarks.layouts.layout import Found, find_missing, refuse_missing
from s3fo.benchmarks.layouts.split_folders import SPLIT_FOLDERS
from s3fo.benchmarks.video import VideoSequence

_FIX = "Unpack or copy the annotations again."


def read_instances(root: Path, split: str, *, title: str, fps: float | None) -> Found:
    """Read one split of a benchmark for instance segmentation in video.

    The frames are those that the JSON file lists; others beside them are not used.

    Args:
        root: holds the annotations (``<split>.json``, ``<split>_instances.json``,
            ``annotations_<split>.json`` or ``instances.json`` in the split's folder or
            in ``annotations``) and the frames (``<split>/JPEGImages/<video>`` or
            ``<split>/<video>``).
        split: ``"train"``, ``"val"`` or ``"test"``.
        title: of the benchmark, for messages.
        fps: frames per second of the listed frames.

    Raises:
        InputError: not such a tree, or pieces are missing: all of them are named.
    """
    sources = _annotation_files(split)
    base, note = locate_root(root, sources, f"{title} {split}")
    source = next(base / name for name in sources if is_file(base / name))
    document = read_json(source, _FIX, f"annotations of {title}")
    masks = read_document(document, source)
    if not (isinstance(document, dict) and "videos" in document):
        raise InputError(source, "another form of JSON", f"{title} annotations", _FIX)
    frames_root = _frames_root(base, split, title)
    sequences = tuple(
        _sequence(name, own, video["file_names"], frames_root, fps, source)
        for (name, own), video in zip(masks.items(), document["videos"], strict=True)
    )
    refuse_missing(
        frames_root,
        find_missing(sequences)
        or ([] if sequences else [f"no videos in {source.name}"]),
        f"the frames of every video in {source.name}",
        "Unpack the missing frames.",
    )
    return Found(base, sequences, (note,) if note else ())


def _annotation_files(split: str) -> list[str]:
    names = [
        name.format(folder)
        for folder in SPLIT_FOLDERS[split]
        for name in (
            "{0}.json", "{0}_instances.json", "annotations_{0}.json",
            "instances_{0}.json", "{0}/instances.json",
        )
    ]  # fmt: skip
    return [f"{folder}{name}" for name in names for folder in ("", "annotations/")]


def _frames_root(base: Path, split: str, title: str) -> Path:
    places = [base / folder / "JPEGImages" for folder in SPLIT_FOLDERS[split]]
    places += [base / folder for folder in SPLIT_FOLDERS[split]]
    places.append(base / "JPEGImages")
    for place in places:
        if is_folder(place):
            return place
    wanted = f"{SPLIT_FOLDERS[split][0]}/JPEGImages or {SPLIT_FOLDERS[split][0]}"
    raise InputError(base, f"no frames of {title} {split}", wanted, "Unpack them.")


def _sequence(
    name: str,
    masks: MaskSequence,
    files: Sequence[str],
    frames_root: Path,
    fps: float | None,
    source: Path,
) -> VideoSequence:
    folder = frames_root
    for part in PurePosixPath(str(files[0]).replace("\\", "/")).parts[:-1]:
        folder = folder / safe_name(part, "folder of frames", source)
    there = list_frames(folder, IMAGE_SUFFIXES).names
    images = {frame: there[frame] for frame in masks.listed if frame in there}
    return VideoSequence(
        name=name,
        frames=masks.listed,
        images=FrameFiles(folder, images),
        annotations={},
        load_object_masks=partial(_same, masks),
        fps=fps,
    )


def _same(masks: MaskSequence) -> MaskSequence:
    return masks
