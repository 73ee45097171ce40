"""Masks that are blank because nobody drew them, not because there is no object.

Objects vanish one by one, and for as long as it happens. Blank masks that stand for
frames nobody annotated or predicted come at regular intervals, or in the same frames of
all videos.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.masks.names import shown

_FEWEST_VIDEOS = 3
"""Videos that are blank in the same frames by no chance."""

_FEWEST_FRAMES = 4
"""Frames below which two videos are alike by chance."""

_FEWEST_ENDING = 3
"""Blank frames at the end from which they can be told from a loss."""

_FOUND, _AS_BEFORE = 0.5, 0.8
"""IoU from which objects are found, and how near it must be to that of before."""

WRITTEN = "were masks of frames without annotation written? Leave their files out"
"""What to ask of a ground truth with blank masks, and what to do."""

PREDICTED = (
    "were only some frames predicted, and blank masks written for the others? They "
    "count as empty"
)
"""What to ask of predictions."""


def blank_between(visible: Sequence[bool] | NDArray[np.bool_]) -> str:
    """What to say of ground truth that is blank but for single frames; else nothing.

    Likewise where blank frames come at regular intervals.

    Args:
        visible: of each annotated frame, whether it has any object.

    >>> blank_between([True, False, False, True, False, False, True])[:44]
    '4 of 7 frames of the ground truth are empty,'
    """
    there = np.asarray(visible, bool)
    places = np.flatnonzero(there)
    how = at_intervals(there)
    if len(places) >= 3 and (np.diff(places) >= 2).all():
        how = "and no two in a row have objects"
    if not how:
        return ""
    count = len(there) - len(places)
    of = f"{count} of {len(there)} frames of the ground truth"
    return f"{of} are empty, {how}: {WRITTEN}"


def at_intervals(visible: Sequence[bool] | NDArray[np.bool_]) -> str:
    """How blank frames alternate with others, if regularly; else nothing.

    Args:
        visible: of each frame, whether it has any object.

    >>> at_intervals([True, False, False, True, False, False, True, False])
    'at regular intervals (2 after each with objects)'
    """
    there = np.asarray(visible, bool)
    edges = np.flatnonzero(np.diff(there.astype(np.int8), prepend=0, append=0))
    starts, ends = edges[::2], edges[1::2]
    gaps = starts[1:] - ends[:-1]
    lengths = ends - starts
    least = 2 if 2 * np.count_nonzero(there) <= len(there) else 3
    if len(gaps) < least or len(set(gaps.tolist())) > 1:
        return ""
    # The frames cut the first and the last run short.
    if starts[0] == 0:
        cut_first = lengths[0] <= lengths[1]
    else:
        cut_first = lengths[0] == lengths[1] and starts[0] <= gaps[0]
    if len(set(lengths[1:-1].tolist())) > 1 or not cut_first:
        return ""
    if lengths[-1] > lengths[1] or len(there) - ends[-1] > gaps[0]:
        return ""
    run = "each" if lengths[1] == 1 else f"every {lengths[1]}"
    return f"at regular intervals ({gaps[0]} after {run} with objects)"


def blank_together(visible: Mapping[str, NDArray[np.bool_]], side: str) -> str:
    """What to say of videos that are all blank in the same frames; else nothing.

    Args:
        visible: of each video, [T] whether there is any object.
        side: of which masks, ``"ground truth"`` or ``"prediction"``.
    """
    if len(visible) < _FEWEST_VIDEOS or not _are_alike(list(visible.values())):
        return ""
    longest = max(visible.values(), key=len)
    blank = int(np.count_nonzero(~longest))
    ask = WRITTEN if side == "ground truth" else PREDICTED
    return (
        f"{shown(visible)}: the {side} is empty in the same frames of all "
        f"{len(visible)} videos ({blank} of {len(longest)}, from frame "
        f"{int(longest.argmin()) + 1} of those scored on): {ask}"
    )


def ends_abruptly(
    true: NDArray[np.integer[Any]],
    own: NDArray[np.integer[Any]],
    iou: NDArray[np.float64],
) -> int | None:
    """From where on masks are blank to the end, though they had just fit.

    A method loses its objects one by one, while they shrink or hide, or after its
    masks became worse. A run that breaks off ends all of them at once.

    Args:
        true: [n, T] pixels of the objects.
        own: [n, T] pixels of their masks.
        iou: [n, T] how far both agree.

    Returns:
        The first of the blank frames; None where masks do not end so.
    """
    goes_on, drawn = (side.sum(axis=0, dtype=np.int64) for side in (true, own))
    count = len(drawn)
    start = int(np.flatnonzero(drawn)[-1]) + 1 if drawn.any() else 0
    lacking = np.count_nonzero(goes_on[start:])
    if not start or lacking < max(_FEWEST_ENDING, count / 3):
        return None
    # Objects that shrink or leave in these very frames are lost for good reason.
    if 2 * goes_on[start : start + _FEWEST_ENDING].min() < goes_on[start - 1]:
        return None
    fits = _agreement(true[:, :start], own[:, :start], iou[:, :start])
    usual = float(np.median(fits[goes_on[:start] > 0])) if goes_on[:start].any() else 1
    return start if fits[-1] >= max(_FOUND, _AS_BEFORE * usual) else None


def _agreement(
    true: NDArray[np.integer[Any]],
    own: NDArray[np.integer[Any]],
    iou: NDArray[np.float64],
) -> NDArray[np.float64]:
    """[T] IoU of all objects of a frame together."""
    both = (true + own).astype(np.float64)
    shared = both * iou / (1 + iou)
    union = (both - shared).sum(axis=0)
    return np.asarray(shared.sum(axis=0) / np.maximum(union, 1))


def _are_alike(patterns: Collection[NDArray[np.bool_]]) -> bool:
    """Whether all are blank in the same frames, and so in a third of each or more."""
    longest = max(patterns, key=len)
    return all(
        len(one) >= _FEWEST_FRAMES
        and np.array_equal(one, longest[: len(one)])
        and 3 * np.count_nonzero(~one) >= len(one)
        and bool(one.any())
        for one in patterns
    )
