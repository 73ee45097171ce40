"""Scores that hardly any method gets: near 0 throughout, or 1 in every so many frames.

They come from the numbers alone; no mask is read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.video import SequenceScores
from evaluation.protocols import ScoringProtocol
from evaluation.results.checks.given_frame import gives_masks

_NOWHERE = 0.05
"""Mean J of a video whose masks lie nowhere near the objects."""

_FEWEST = 3
"""Frames that tell something: of a video, and of those equal to the ground truth."""

_WRONG = 100
"""Pixels by which frames beside those that are equal must differ: a method whose masks
differ by so many is not right to the pixel by chance."""

_LARGE = 500
"""Pixels of an object that nobody hits to the pixel in all frames."""

_CLOSE = 0.97
"""J from which frames beside those that are equal tell nothing."""


def tell_odd_scores(
    videos: Sequence[SequenceScores],
    asked: Collection[str],
    rules: ScoringProtocol,
    begun: Collection[str] = (),
) -> list[str]:
    """Notes on videos whose scores look like those of masks that are not meant.

    Args:
        videos: all videos of one set of results.
        asked: names of those about which something was asked already.
        rules: under which they were scored.
        begun: names of those whose masks fit the frame that a method is given.
    """
    left = [one for one in videos if one.name not in asked and one.J.size]
    nowhere = [one.name for one in left if lies_nowhere(one)]
    # Without given masks a method may well take other objects, in some videos.
    if not gives_masks(rules) and 2 * len(nowhere) <= len(videos):
        nowhere = []
    return [
        *(f"{k}: {_LOST_TOLD if k in begun else _NOWHERE_TOLD}" for k in nowhere),
        *_note_copied(left),
    ]


_NOWHERE_TOLD = (
    f"J is below {_NOWHERE}, though most frames have predicted masks: they look as if "
    "they were read wrongly, or were those of other videos or objects, rather than a "
    "method's; look at a few of them over the ground truth"
)

_LOST_TOLD = (
    f"J is below {_NOWHERE}, though masks fit in the given frame and most others have "
    "some: all objects are lost at once"
)


def _visible(one: SequenceScores) -> NDArray[np.bool_]:
    """[n, T] where an object that is visible counts."""
    return np.asarray(one.counted & (one.gt_area > 0))


def lies_nowhere(one: SequenceScores) -> bool:
    """Whether masks of most frames share hardly a pixel with the objects."""
    visible = _visible(one)
    frames = visible.any(axis=0)
    if frames.sum() < _FEWEST or one.J[visible].mean() >= _NOWHERE:
        return False
    predicted = (visible & (one.pred_area > 0)).any(axis=0)
    return bool(2 * predicted.sum() >= frames.sum())


def _note_copied(videos: Sequence[SequenceScores]) -> list[str]:
    """Notes where masks equal the ground truth, and those beside them do not."""
    exact = [one.name for one in videos if _is_exact(one)]
    others = [one.J[_visible(one)] for one in videos if one.name not in exact]
    if not any(J.size and J.mean() < _CLOSE for J in others):
        exact = []
    notes = [
        f"{name}: all scored masks equal the ground truth to the pixel, and those of "
        f"other videos do not: {_COPIED}"
        for name in exact
    ]
    return notes + [
        f"{one.name}: {found} of {_n_frames(one)} scored frames equal the ground truth "
        f"to the pixel, and those beside them do not: {_COPIED}"
        for one in videos
        if (found := _copied_frames(one))
    ]


_COPIED = "was ground truth copied into the results?"


def _n_frames(one: SequenceScores) -> int:
    """How many frames show an object that counts."""
    return int(_visible(one).any(axis=0).sum())


def _is_exact(one: SequenceScores) -> bool:
    """Whether masks of a large object equal the ground truth in all frames."""
    visible = _visible(one)
    if _n_frames(one) < _FEWEST or not (one.J[visible] == 1).all():
        return False
    return bool(one.gt_area[visible].max() >= _LARGE)


def _copied_frames(one: SequenceScores) -> int:
    """In how many frames a mask equals the ground truth, though not in the next."""
    copied = np.zeros(one.J.shape[1], np.bool_)
    for o, visible in enumerate(_visible(one)):
        at = np.flatnonzero(visible)
        J = one.J[o, at]
        sizes = one.gt_area[o, at].astype(float) + one.pred_area[o, at]
        wrong = sizes * (1 - J) / (1 + J)
        places = _apart(J == 1, (wrong >= _WRONG) & (J < _CLOSE))
        copied[at[places]] = len(places) >= _FEWEST
    return int(copied.sum())


def _apart(equal: NDArray[np.bool_], clear: NDArray[np.bool_]) -> list[int]:
    """Frames in runs that are equal, with frames before and after that clearly are not.

    A run from the first frame on may be that of an object that has not moved yet, and
    is where a method is given it.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], equal, [False]])))
    found: list[int] = []
    for start, stop in edges.reshape(-1, 2).tolist():
        if start > 0 and clear[start - 1] and (stop == len(equal) or clear[stop]):
            found += range(start, stop)
    return found
