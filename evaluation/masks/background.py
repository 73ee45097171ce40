"""The background among the masks of a frame."""

from __future__ import annotations

from math import hypot

import numpy as np
from numpy.typing import NDArray

from evaluation.masks.label_map import Mask

_RIM = 0.03
"""Part of the diagonal within which a gap between two masks is a rim."""

_RIM_PART, _LEAK = 0.9, 0.1
"""Part of the uncovered pixels that lie in rims, and of the other masks that the
background may cover."""


def may_surround(layers: NDArray[np.bool_], k: int) -> bool:
    """Whether one mask has most of the frame and of its border, and none of the others.

    Args:
        layers: [K, H, W] masks of one frame.
        k: which of them.
    """
    ground = layers[k]
    edges = np.concatenate([ground[0], ground[-1], ground[:, 0], ground[:, -1]])
    if not all(2 * np.count_nonzero(m) > m.size for m in (edges, ground)):
        return False
    others = _but(layers, k)
    return bool(np.count_nonzero(others & ground) <= _LEAK * np.count_nonzero(others))


def surrounds(layers: NDArray[np.bool_], k: int) -> bool:
    """Whether one mask has what the others leave, but for rims between them.

    Args:
        layers: [K, H, W] masks of one frame.
        k: which of them, one that `may_surround` the others.
    """
    others, ground = _but(layers, k), layers[k]
    gaps = ~(others | ground)
    rims = gaps & _near(others) & _near(ground)
    return bool(np.count_nonzero(rims) >= _RIM_PART * np.count_nonzero(gaps))


def _but(layers: NDArray[np.bool_], k: int) -> Mask:
    """What all masks but one cover."""
    found: Mask = np.logical_or.reduce(np.delete(layers, k, axis=0))
    return found


def _near(mask: Mask) -> Mask:
    from scipy.ndimage import maximum_filter

    reach = 2 * max(3, round(_RIM * hypot(*mask.shape))) + 1
    grown = maximum_filter(mask.view(np.uint8), size=reach, mode="constant")
    return np.asarray(grown != 0)
