"""What every layout reader shares: sequences from two trees, gaps told at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from evaluation.errors import InputError
from s3fo.benchmarks.layouts.files import (
    IMAGE_SUFFIXES,
    MASK_SUFFIXES,
    find_archives,
    list_frames,
)
from s3fo.benchmarks.video import VideoSequence


@dataclass(frozen=True)
class Found:
    """What a layout reader found.

    Attributes:
        root: the folder that really holds the benchmark.
        sequences: its videos.
        notes: what to tell a person about how the folder was read.
        missing_files: what seems to be missing, though the rest can be read.
        strata: official tags of which each video has one, in their order.
        is_of_its_own: whether videos are others than those of the benchmark, which a
            note tells.
    """

    root: Path
    sequences: tuple[VideoSequence, ...]
    notes: tuple[str, ...] = ()
    missing_files: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    is_of_its_own: bool = False


def sequence_from_folders(
    name: str, image_folder: Path, mask_folder: Path | None, **fields: Any
) -> VideoSequence:
    """A sequence whose frames and index masks lie in one folder each.

    Args:
        name: name of the sequence.
        image_folder: holds its frames.
        mask_folder: holds its index masks; None if there are none.
        fields: further fields of `VideoSequence`.
    """
    images = list_frames(image_folder, IMAGE_SUFFIXES)
    masks = list_frames(mask_folder, MASK_SUFFIXES) if mask_folder else {}
    return VideoSequence(
        name=name, frames=tuple(images), images=images, annotations=masks, **fields
    )


def find_missing(
    sequences: Iterable[VideoSequence], *, annotated: bool = True
) -> list[str]:
    """Everything without which the sequences cannot be used, one line each.

    Args:
        sequences: what was found.
        annotated: whether each must have at least one annotation.
    """
    return [gap for sequence in sequences for gap in _gaps(sequence, annotated)]


def _gaps(sequence: VideoSequence, annotated: bool) -> Iterator[str]:
    if not sequence.frames:
        yield f"no frames of {sequence.name}"
        return
    if sequence.video is None:
        masked = sequence.annotations or sequence.annotated_frames
        absent = [name for name in masked if name not in sequence.images]
        if absent:
            what = f"annotated frame of {sequence.name}"
            yield f"no image for {describe_frames(absent, what)}"
            return
    if not annotated:
        return
    if not sequence.annotated_frames:
        yield f"no masks of {sequence.name}"
    elif not sequence.late_objects and sequence.frames[0] not in sequence.annotations:
        yield f"no mask of the first frame of {sequence.name} ({sequence.frames[0]})"


def find_missing_files(
    sequences: Iterable[VideoSequence],
    masked: Callable[[VideoSequence], Sequence[str]],
    lengths: Mapping[str, int] | None = None,
) -> list[str]:
    """What the sequences seem to lack, though they can be used; one line each.

    Args:
        sequences: what was found; frames are numbered evenly.
        masked: frames of a sequence that should have a mask.
        lengths: frames that sequences should have, by name, where it is known.
    """
    return [
        f"{sequence.name}: {text}"
        for sequence in sequences
        for text in _missing_files(
            sequence, masked(sequence), (lengths or {}).get(sequence.name)
        )
    ]


def _missing_files(
    sequence: VideoSequence, masked: Sequence[str], length: int | None
) -> Iterator[str]:
    if length not in (None, len(sequence.frames)):
        yield f"{len(sequence.frames)} frames of {length}"
    odd = unnumbered(sequence.frames)
    if odd:
        yield f"not numbered like the others: {describe_frames(odd)}"
    holes = _holes([frame for frame in sequence.frames if frame not in odd])
    if holes:
        yield f"no image for {describe_frames(holes)}"
    annotated = set(sequence.annotated_frames)
    bare = [frame for frame in masked if frame not in annotated]
    if bare:
        yield f"no mask of {describe_frames(bare)}"


def unnumbered(frames: Sequence[str]) -> list[str]:
    """Frames whose names are no numbers, or of other digits, though most are.

    Whatever lies among the frames, such as a title picture, would be one of them.
    """
    kinds = Counter(re.sub(r"\d", "0", frame) for frame in frames)
    usual, count = next(iter(kinds.most_common(1)), ("", 0))
    if 2 * count <= len(frames):
        return []
    alike = re.sub("0+", r"\\d+", re.escape(usual))
    return [frame for frame in frames if not re.fullmatch(alike, frame)]


def _holes(frames: Sequence[str]) -> list[str]:
    """Names that evenly numbered frames skip."""
    if not all(frame.isdecimal() for frame in frames):
        return []
    numbers = [int(frame) for frame in frames]
    steps = [after - before for before, after in pairwise(numbers)]
    step = min(steps, default=0)
    if step < 1 or max(steps) == step:
        return []
    return [
        f"{number:0{len(frames[0])}d}"
        for before, after in pairwise(numbers)
        for number in range(before + step, after, step)
    ]


def describe_frames(names: Sequence[str], what: str = "frame") -> str:
    """Number and names of frames, e.g. ``2 frames of ape (00001, 00002)``.

    Args:
        names: of the frames.
        what: what they are, in e.g. ``"listed frame of ape"``.
    """
    kind, *rest = what.split(" of ", 1)
    kind += "s" if len(names) > 1 else ""
    return f"{len(names)} {' of '.join([kind, *rest])} ({shorten(names)})"


def shorten(names: Sequence[str]) -> str:
    """The first few names, for messages."""
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def refuse_missing(root: Path, gaps: list[str], expected: str, remedy: str) -> None:
    """Complain about all the gaps at once, if there are any.

    Archives that lie in `root` are named: they may hold what is missing.

    Raises:
        InputError: with one line for each gap.
    """
    if not gaps:
        return
    listed = "".join(f"\n  - {gap}" for gap in gaps)
    archives = ", ".join(find_archives(root))
    if archives:
        remedy += f" Archives wait there to be unpacked: {archives}."
    count = "1 gap" if len(gaps) == 1 else f"{len(gaps)} gaps"
    raise InputError(root, f"{count}:{listed}\n", expected, remedy)
