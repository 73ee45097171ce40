"""Masks of the frames after the given ones: of other frames, videos or runs?

A method starts from the first masks, so that those of the next frame are near them.
What lies beyond that frame cannot be known without the ground truth.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping

import numpy as np

from evaluation.errors import InputError, InputWarning
from evaluation.masks.label_map import LabelMap, Mask
from evaluation.masks.names import shown
from evaluation.masks.numbering import mask_iou
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.submission.checks import MOVED, OF_OTHER, Wanted, first_prompt
from s3fo.benchmarks.submission.mask_files import MaskFiles, VideoFiles
from s3fo.benchmarks.video import VideoSequence

_FEWEST = 4
"""Masks of a video that tell whether the last of them stands twice."""

_CLEAR = 0.3
"""IoU by which masks must fit the first ones of another video better than their own."""


def warn_of_other_frames(
    found: Mapping[str, VideoFiles], benchmark: Benchmark, wanted: Wanted
) -> None:
    """Warn of masks that look one frame late, or like those of another video.

    Args:
        found: the mask files of all videos.
        benchmark: the videos.
        wanted: which frames of a video are handed in.
    """
    poor: dict[str, Mask] = {}
    for sequence in benchmark:
        files, first = found.get(sequence.name), _given(sequence)
        if not isinstance(files, MaskFiles) or first is None:
            continue
        later = _masks_after(sequence, files, wanted)
        nearest = next(later, None)
        if nearest is None or nearest.shape != first.shape or not nearest.any():
            continue
        if np.array_equal(nearest, first):
            _warn_of_late(sequence, nearest, later)
        elif mask_iou(first != 0, nearest != 0) < MOVED:
            poor[sequence.name] = nearest != 0
    if poor:
        _warn_of_others(poor, benchmark)
    _warn_of_early(found, benchmark, wanted)


def _given(sequence: VideoSequence) -> LabelMap | None:
    """The first masks that are given; None where there are none."""
    frame = first_prompt(sequence)
    return None if frame is None else sequence.read_prompt(frame)


def _masks_after(
    sequence: VideoSequence, files: MaskFiles, wanted: Wanted
) -> Iterator[LabelMap]:
    """Masks of the wanted frames after the one of the first given masks."""
    places = {frame: place for place, frame in enumerate(sequence.frames)}
    start = places[next(iter(sequence.prompt_frames()))]
    for frame in wanted(sequence):
        if frame not in files or places[frame] <= start:
            continue
        try:
            yield files.read(frame)
        except InputError:
            return  # told as damaged


def _warn_of_late(
    sequence: VideoSequence, nearest: LabelMap, later: Iterator[LabelMap]
) -> None:
    """Warn where the given masks stand in the next frame, and others in those after.

    No method draws an object to the pixel twice, unless it looks at every second frame
    only, or copies.
    """
    second, third = next(later, None), next(later, None)
    if second is None or third is None:
        return
    if np.array_equal(nearest, second) or np.array_equal(second, third):
        return
    warnings.warn(
        f"{sequence.name}: the masks of the frame after the given ones are, to the "
        "pixel, those given, and the next ones are not: are masks one frame late?",
        InputWarning,
        stacklevel=3,
    )


def _warn_of_early(
    found: Mapping[str, VideoFiles], benchmark: Benchmark, wanted: Wanted
) -> None:
    """Warn where masks are not those given, and the last one stands twice.

    So do those of most videos where all are named a frame early, and the last is
    doubled for want of another.
    """
    early, n_videos = [], 0
    for sequence in benchmark:
        files, frame = found.get(sequence.name), first_prompt(sequence)
        if not isinstance(files, MaskFiles) or frame is None or frame not in files:
            continue
        names = [name for name in wanted(sequence) if name in files]
        if len(names) < _FEWEST:
            continue
        n_videos += 1
        try:
            own, *ends = (files.read(name) for name in (frame, *names[-3:]))
        except InputError:
            continue  # told as damaged
        is_given = np.array_equal(own, sequence.read_prompt(frame))
        twice = np.array_equal(ends[1], ends[2]) and bool(ends[2].any())
        if twice and not is_given and not np.array_equal(ends[0], ends[1]):
            early.append(sequence.name)
    if early and 3 * len(early) >= 2 * n_videos:
        warnings.warn(
            f"{shown(early)}: the last two masks are the same to the pixel, those "
            "before are not, and the first ones are not those given: are masks one "
            "frame early?",
            InputWarning,
            stacklevel=3,
        )


def _warn_of_others(poor: Mapping[str, Mask], benchmark: Benchmark) -> None:
    """Warn where masks fit the first masks of another video, and not their own."""
    given = {one.name: first for one in benchmark if (first := _given(one)) is not None}
    for name, own in poor.items():
        fits = {
            other: mask_iou(first != 0, own)
            for other, first in given.items()
            if first.shape == own.shape
        }
        best = max(fits, key=lambda other: fits[other])
        if fits[best] >= max(OF_OTHER, fits[name] + _CLEAR):
            warnings.warn(
                f"{name}: the masks of the frame after the given ones fit the first "
                f"masks of {best} (IoU {fits[best]:.2f}, and {fits[name]:.2f} with its "
                "own): were masks of that video mixed in?",
                InputWarning,
                stacklevel=3,
            )
