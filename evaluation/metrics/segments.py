"""Scores of the stretches in which an object is gone, or back again.

A disappearance lasts from the frame in which the object's ground truth goes empty
until it returns or the video ends; a reappearance from the return until the next
disappearance. Source: MOSE v2, scoring program of the challenge.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.statistics import Series, mean

Segment = tuple[int, int]
"""First frame index, and the index after the last."""


def disappearances(visible: NDArray[np.bool_]) -> list[Segment]:
    """Stretches without the object, not counting one at the very start.

    Args:
        visible: [T] True where the ground truth of the object is not empty.
    """
    return [run for run in _runs(~visible) if run[0] > 0]


def reappearances(visible: NDArray[np.bool_]) -> list[Segment]:
    """Stretches after the object came (back) into view, a late first time included.

    Args:
        visible: [T] True where the ground truth of the object is not empty.
    """
    return [run for run in _runs(visible) if run[0] > 0]


def mean_over_segments(series: Series, segments: list[Segment]) -> float:
    """Mean over segments of the mean within each; NaN without segments."""
    means = [mean(series[start:stop]) for start, stop in segments]
    return mean(np.array(means))


def _runs(flags: NDArray[np.bool_]) -> list[Segment]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
