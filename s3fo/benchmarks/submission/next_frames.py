"""Masks of the frames after the given ones: of other frames, videos or runs?

A method starts from the first masks, so that those of the next frame are near them.
What lies beyond that frame cannot be known without the ground truth.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from evaluation.errors import InputError, InputWarning
from evaluation.masks.label_map import LabelMap, Mask
from evaluation.masks.numbering import mask_iou
from evaluation.results.checks.misreadings import flipped
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.submission.mask_files import MaskFiles, VideoFiles
from s3fo.benchmarks.video import VideoSequence

Wanted = Callable[[VideoSequence], Iterable[str]]
"""Names of the frames of a video that a server wants."""

MOVED = 0.5
"""IoU with the given masks that those of their frame have at least."""

_ELSEWHERE = 0.1
"""IoU with the given masks below which those of the next frame are others: only small
objects move so fast."""

_OF_OTHER, _CLEAR = 0.65, 0.3
"""IoU with the first masks of another video that is no chance, and by how much it must
be above that with the video's own. Of 573 pairs of videos the masks of none agree so
well."""


def exchanged_with(
    label_map: LabelMap, sequence: VideoSequence, frame: str
) -> list[int]:
    """Ids of objects most of whose given masks lie under each other's ids.

    Args:
        label_map: of the results.
        sequence: the video.
        frame: of which masks are given.
    """
    given = sequence.read_prompt(frame)
    called = {
        object_id: int(np.bincount(label_map[given == object_id]).argmax())
        for object_id in sequence.prompt_frames()[frame]
        if (given == object_id).any()
    }
    return [
        object_id
        for object_id, name in called.items()
        if name != object_id and called.get(name, name) != name
    ]


def warn_of_next(
    files: MaskFiles, frame: str, sequence: VideoSequence, given: str
) -> None:
    """Warn where the frame after that of the given masks belongs to something else.

    The first masks may be copies of what was given, beside which a method's own have
    other ids, or are those of another video.

    Args:
        files: of the video.
        frame: name of that frame.
        sequence: the video.
        given: name of the frame of the given masks.
    """
    try:
        label_map = files.read(frame)
    except InputError:
        return  # told as damaged
    first = sequence.read_prompt(given)
    if label_map.shape != first.shape:
        return
    own = np.isin(label_map, list(sequence.prompt_frames()[given]))
    if not own.any():
        return
    fit = mask_iou(first != 0, own)
    exchanged = exchanged_with(label_map, sequence, given)
    turned = None
    if fit < MOVED:
        turned = flipped("", [(first, np.where(own, label_map, 0))])
    turned = turned if turned and turned[0] >= _OF_OTHER else None
    what = ""
    if fit > MOVED and len(exchanged) > 1:
        what = f"objects {exchanged} lie under each other's ids, unlike those given"
    elif turned:
        fits = turned[1].removeprefix(": ").partition(" (")[0]
        what = fits.replace("the ground truth", "those given")
    elif fit < _ELSEWHERE and _may_not_jump(first, frame, sequence, given):
        what = "masks lie elsewhere than those given"
    if what:
        warnings.warn(
            f"{sequence.name}: in {files[frame].name}, the frame after {given}, {what}"
            f"{': were images flipped?' if turned else _MIXED}",
            InputWarning,
            stacklevel=3,
        )


_MIXED = " there: were masks of another run or video mixed in?"


def _may_not_jump(
    first: LabelMap, frame: str, sequence: VideoSequence, given: str
) -> bool:
    """Whether objects are too large to be elsewhere in a frame: it is the very next."""
    names = list(sequence.frames)
    follows = names.index(frame) == names.index(given) + 1
    return follows and 200 * int(np.count_nonzero(first)) > first.size


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


def _given(sequence: VideoSequence) -> LabelMap | None:
    """The first masks that are given; None where there are none."""
    frame = next(iter(sequence.prompt_frames()), None)
    return None if frame is None else sequence.read_prompt(frame)


def _masks_after(
    sequence: VideoSequence, files: MaskFiles, wanted: Wanted
) -> Iterator[LabelMap]:
    """Masks of the wanted frames after the one of the first given masks."""
    names = list(sequence.frames)
    start = names.index(next(iter(sequence.prompt_frames())))
    for frame in wanted(sequence):
        if frame not in files or names.index(frame) <= start:
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
        if fits[best] >= max(_OF_OTHER, fits[name] + _CLEAR):
            warnings.warn(
                f"{name}: the masks of the frame after the given ones fit the first "
                f"masks of {best} (IoU {fits[best]:.2f}, and {fits[name]:.2f} with its "
                "own): were masks of that video mixed in?",
                InputWarning,
                stacklevel=3,
            )
