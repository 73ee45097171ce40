"""Boundaries of masks, and the tolerance within which two boundaries match.

Source: Perazzi et al., CVPR 2016, section 4.1; `f_measure` and `_seg2bmap` of the
DAVIS evaluation; the adaptive tolerance is that of the MOSE v2 challenge.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evaluation.masks.label_map import Mask

TOLERANCE = 0.008
"""Tolerance of the boundary match as a share of the image diagonal."""

Element = NDArray[np.uint8]
"""[n, m] structuring element of 0 and 1, anchored at (n // 2, m // 2)."""


def boundary_map(mask: Mask) -> Mask:
    """Mark the pixels that differ from their east, south or south-east neighbour.

    Beyond the last row and column a pixel's neighbour is the pixel itself, so a
    mask that fills the frame has no boundary.

    Args:
        mask: [H, W] bool.

    Returns:
        [H, W] bool.
    """
    if not mask.size:
        return mask.copy()
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    east, south, south_east = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    return (mask ^ east) | (mask ^ south) | (mask ^ south_east)


def diagonal(shape: tuple[int, ...]) -> float:
    """Length of the image diagonal in pixels, for a shape (H, W)."""
    return float(np.linalg.norm(shape))


@lru_cache(maxsize=64)
def tolerance_radius(shape: tuple[int, ...]) -> int:
    """Boundary tolerance in whole pixels, ceil(0.008 * diagonal); 8 at 480p."""
    return math.ceil(TOLERANCE * diagonal(shape))


def disk(radius: float) -> Element:
    """Structuring element {x^2 + y^2 <= radius^2} as scikit-image's `disk` makes it.

    With a whole radius it is the disk of 2 radius + 1 pixels across. With another,
    the sampling starts at -radius, so that the element is lopsided: MOSE v2 uses
    it that way.

    Args:
        radius: pixels, at least 0.
    """
    steps = np.arange(-radius, radius + 1)
    x, y = np.meshgrid(steps, steps)
    return np.array((x**2 + y**2) <= radius**2, dtype=np.uint8)


def dilate(mask: Mask, element: Element) -> Mask:
    """Grow a mask: out(y, x) = OR over the element of mask(y + dy, x + dx).

    Args:
        mask: [H, W] bool.
        element: [n, m] of 0 and 1, anchored at (n // 2, m // 2).

    Returns:
        [H, W] bool.
    """
    import cv2

    if not mask.size:
        return mask.copy()
    return cv2.dilate(mask.astype(np.uint8), element).astype(bool)


def adaptive_radii(gt_area: int, shape: tuple[int, ...]) -> tuple[float, float]:
    """Tolerances of F and of adaptive F in MOSE v2, in pixels.

    The adapted tolerance is at most a tenth of the side of a square as large as the
    object. Where that is no less than the usual tolerance, both scores use the
    usual one without rounding it to whole pixels, hence a lopsided element. Source:
    scoring program of the MOSE v2 challenge.

    Args:
        gt_area: pixels of the ground-truth mask.
        shape: (H, W).
    """
    usual = TOLERANCE * diagonal(shape)
    side = math.sqrt(gt_area) if gt_area else diagonal(shape)
    adapted = math.ceil(0.1 * side)
    if adapted < usual:
        return math.ceil(usual), adapted
    return usual, usual


def adaptive_elements(gt_area: int, shape: tuple[int, ...]) -> tuple[Element, Element]:
    """Structuring elements of F and of adaptive F in MOSE v2."""
    radius, adapted = adaptive_radii(gt_area, shape)
    return disk(radius), disk(adapted)
