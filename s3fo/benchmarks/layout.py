"""What every layout reader shares: sequences from two trees, gaps told at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.errors import InputError
from s3fo.benchmarks.files import IMAGE_SUFFIXES, MASK_SUFFIXES, list_frames
from s3fo.benchmarks.video import VideoSequence


@dataclass(frozen=True)
class Found:
    """What a layout reader found.

    Attributes:
        root: the folder that really holds the benchmark.
        sequences: its videos.
        notes: what to tell a person about how the folder was read.
    """

    root: Path
    sequences: tuple[VideoSequence, ...]
    notes: tuple[str, ...] = ()


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


def gaps_in(sequences: Iterable[VideoSequence], *, annotated: bool = True) -> list[str]:
    """Everything the sequences lack, one line each.

    Args:
        sequences: what was found.
        annotated: whether each must have at least one annotation.
    """
    gaps = []
    for sequence in sequences:
        if not sequence.frames:
            gaps.append(f"no frames of {sequence.name}")
            continue
        strays = [name for name in sequence.annotations if name not in sequence.images]
        if strays and sequence.video is None:
            gaps.append(
                f"no image for {len(strays)} annotated frames of {sequence.name} "
                f"({', '.join(strays[:3])}{', ...' if len(strays) > 3 else ''})"
            )
        elif annotated and not sequence.annotated_frames:
            gaps.append(f"no masks of {sequence.name}")
    return gaps


def refuse_gaps(root: Path, gaps: list[str], expected: str, remedy: str) -> None:
    """Complain about all the gaps at once, if there are any.

    Raises:
        InputError: with one line for each gap.
    """
    if gaps:
        listed = "".join(f"\n  - {gap}" for gap in gaps)
        raise InputError(root, f"{len(gaps)} gaps:{listed}\n", expected, remedy)
