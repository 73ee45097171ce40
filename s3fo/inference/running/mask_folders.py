"""Folders of masks: which are finished, what may not be written over."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace

from evaluation._utils.atomic import (
    swap_in,
)
from evaluation.errors import InputError
from evaluation.masks.png import is_complete
from evaluation.runs.outputs import refuse_among_inputs, resolved
from s3fo.benchmarks.layouts.files import FrameFiles
from s3fo.benchmarks.video import VideoSequence

_TAIL = 64
"""Bytes at the end of a PNG in which its last chunk is looked for."""


def is_finished(folder: Path, frames: Iterable[str]) -> bool:
    """Whether there is a whole mask file for each frame in a video's folder."""
    try:
        with os.scandir(folder) as entries:
            there = {entry.name for entry in entries if entry.is_file()}
        names = [f"{frame}.png" for frame in frames]
        return all(name in there and _is_whole(folder / name) for name in names)
    except OSError:
        return False


def _is_whole(path: Path) -> bool:
    """Whether a PNG reaches to its end; only its last bytes are read."""
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
        return is_complete(file.read())


def refuse_inputs(out: Path, sequences: Sequence[VideoSequence]) -> None:
    """Refuse results in the place of what images or masks are read from.

    Raises:
        InputError: the results of a video would lie at or above its inputs, or the
            results folder is one that frames are read from, or lies inside it.
    """
    top = resolved(out)
    every = [_inputs(sequence) for sequence in sequences]
    whole = {path for one in every for path, is_whole in one.items() if is_whole}
    refuse_among_inputs([out], [SimpleNamespace(sequences=sequences), *whole])
    for sequence, sources in zip(sequences, every, strict=True):
        target = top / sequence.name
        for source in sources:
            if target == source or target in source.parents:
                raise InputError(
                    out,
                    f"the place that {sequence.name} is read from ({source})",
                    "a folder for results, apart from images and annotations",
                    "Choose another folder with --out (out=).",
                )


def put_in_place(made: Path, target: Path, *, replaces: bool) -> None:
    """Give a finished folder of masks its name; an old one there is replaced.

    Raises:
        InputError: something that s3fo did not make lies there.
    """
    if not os.path.lexists(target):
        os.rename(made, target)
    elif replaces and not target.is_symlink():
        swap_in(made, target)
    else:
        raise InputError(
            target,
            "something that s3fo did not make",
            "no such folder, or masks of an earlier run",
            "Choose another folder with --out (out=).",
        )


def _inputs(sequence: VideoSequence) -> dict[Path, bool]:
    """Files and folders that a video is read from, links resolved.

    Returns:
        Of each, whether it is a folder that is read as a whole.
    """
    found: dict[Path, bool] = {}
    if sequence.video is not None:
        found[resolved(sequence.video)] = False
    for group in (sequence.images, sequence.annotations):
        if isinstance(group, FrameFiles):
            found[resolved(group.folder)] = True
        else:
            found |= {resolved(Path(path)): False for path in group.values()}
    made = getattr(sequence.load_object_masks, "args", ())
    found |= {resolved(item): True for item in made if isinstance(item, Path)}
    return found
