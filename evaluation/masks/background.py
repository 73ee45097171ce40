"""The background among the masks of a frame."""

from __future__ import annotations

from math import hypot

import numpy as np
from numpy.typing import NDArray

from evaluation.masks.label_map import Mask

_RIM = 0.02
"""Part of the diagonal within which a gap between two masks is a rim."""

_RIM_PART, _LEAK = 0.9, 0.1
"""Part of the uncovered pixels that lie in rims, and of the other masks that the
background may cover."""


def surrounds(layers: NDArray[np.bool_], k: int) -> bool:
    """Whether one mask has what the others leave, but for rims between them.

    Args:
        layers: [K, H, W] masks of one frame.
        k: which of them; it has most of the frame's border, too.
    """
    ground = layers[k]
    edges = np.concatenate([ground[0], ground[-1], ground[:, 0], ground[:, -1]])
    if 2 * np.count_nonzero(edges) <= len(edges):
        return False
    others: Mask = np.logical_or.reduce(np.delete(layers, k, axis=0))
    if np.count_nonzero(others & ground) > _LEAK * np.count_nonzero(others):
        return False
    gaps = ~(others | ground)
    rims = gaps & _near(others) & _near(ground)
    return bool(np.count_nonzero(rims) >= _RIM_PART * np.count_nonzero(gaps))


def _near(mask: Mask) -> Mask:
    from scipy.ndimage import maximum_filter

    reach = 2 * max(3, round(_RIM * hypot(*mask.shape))) + 1
    grown = maximum_filter(mask.view(np.uint8), size=reach, mode="constant")
    return np.asarray(grown != 0)
