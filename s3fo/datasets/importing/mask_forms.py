"""How masks are kept in a dataset, and for how long a video that works."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from evaluation.errors import InputError
from s3fo.benchmarks import VideoSequence
from s3fo.choices import AnyMaskForm, MaskForm

MAX_INSTANCE_FRAMES = 20_000
"""Frames of a benchmark up to which ``"auto"`` keeps masks inside the labels."""

MAX_INSTANCE_FRAMES_OF_A_VIDEO = 1_000
"""The same of one video; with ground truth and eight methods it fills `ROOM`."""

# Measured: masks inside the labels cost about 1.6 kB per frame and source of masks.
# FiftyOne's frame filters gather all frames of a video in one of MongoDB's documents,
# which hold 16 MB.
ROOM = 9_000
"""Frames of a video, times sources of masks inside labels, that filters can handle."""


def choose_form(masks: AnyMaskForm, sequences: Sequence[VideoSequence]) -> MaskForm:
    """What ``"auto"`` means for a benchmark; else check what was asked for.

    Raises:
        InputError: there is no such form, or a video is too long for it.
    """
    forms = get_args(AnyMaskForm)
    if masks not in forms:
        raise InputError(
            "masks", repr(masks), " or ".join(forms), "Pass one of these as `masks`."
        )
    if masks == "auto":
        lengths = [len(sequence.frames) for sequence in sequences]
        small = sum(lengths) <= MAX_INSTANCE_FRAMES
        short = max(lengths, default=0) <= MAX_INSTANCE_FRAMES_OF_A_VIDEO
        return "instances" if small and short else "reference"
    # One method at least will be looked at beside the ground truth.
    check_room(sequences, masks, sources=2)
    return masks


def check_room(
    sequences: Sequence[VideoSequence], form: MaskForm, sources: int
) -> None:
    """Refuse videos whose frames would not fit into one document of MongoDB.

    Args:
        sequences: the videos.
        form: how their masks are kept.
        sources: ground truth and methods.

    Raises:
        InputError: a video is too long.
    """
    longest = max(sequences, key=lambda entry: len(entry.frames), default=None)
    if form == "reference" or longest is None:
        return
    if len(longest.frames) * sources > ROOM:
        raise InputError(
            longest.name,
            f"{len(longest.frames)} frames, with masks of {sources} sources (ground "
            'truth and methods) kept inside the labels (masks="instances")',
            f"at most {ROOM // sources} frames: FiftyOne's frame filters gather all "
            "frames of a video in one MongoDB document of 16 MB",
            'Load the benchmark with masks="reference".',
        )
