"""Which frame is the worst one: decided here for events, objects and videos."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

_DIGITS = 9
"""Means over several objects that differ by rounding alone are equal."""


def worst_position(scores: ArrayLike) -> int:
    """Position of the worst frame: the one with the lowest J&F, the first of several.

    Args:
        scores: [T] J&F 0..1, in playing order: of an object, or the mean over the
            objects of a video. T is at least 1, and none is NaN.

    Example:
        >>> worst_position([1.0, 0.2, 0.2])
        1
    """
    return int(np.round(np.asarray(scores, dtype=np.float64), _DIGITS).argmin())
