"""Clicks and boxes that a simulated user gives for an object of known mask.

Source: Ravi et al., "SAM 2: Segment Anything in Images and Videos" (2024), appendix on
promptable video segmentation: the first click is at the centre of the object, each
further one at the centre of the error region. The centre of a region is the pixel
farthest from its boundary (maximum of the Euclidean distance transform).
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]


class Click(NamedTuple):
    """A click into a frame.

    Attributes:
        x: column in pixels, from 0.
        y: row in pixels, from 0.
        on_object: whether it says "this is the object"; else "this is not".
    """

    x: int
    y: int
    on_object: bool


class Box(NamedTuple):
    """Bounding box; `right` and `bottom` are the last column and row in it."""

    left: int
    top: int
    right: int
    bottom: int


def next_click(truth: Mask, predicted: Mask) -> Click | None:
    """The click that a user would give next to correct a mask.

    It is at the centre of the larger of two error regions, by the largest circle that
    fits in: pixels of the object that are missed, and pixels that are wrongly taken for
    it. At equal size it is on the missed ones.

    Args:
        truth: [H, W] bool, the object.
        predicted: [H, W] bool; all False before the first click, which then is at the
            centre of the object.

    Returns:
        None where nothing is wrong.

    Example:
        >>> truth = np.zeros((9, 9), bool)
        >>> truth[2:7, 2:7] = True
        >>> next_click(truth, np.zeros((9, 9), bool))
        Click(x=4, y=4, on_object=True)
    """
    missed = _depth(truth & ~predicted)
    wrong = _depth(predicted & ~truth)
    if not missed.any() and not wrong.any():
        return None
    on_object = bool(missed.max() >= wrong.max())
    depth = missed if on_object else wrong
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return Click(int(column), int(row), on_object)


def bounding_box(mask: Mask) -> Box | None:
    """The box around a mask [H, W] bool; None around an empty one.

    Example:
        >>> mask = np.zeros((5, 6), bool)
        >>> mask[1:3, 2:5] = True
        >>> bounding_box(mask)
        Box(left=2, top=1, right=4, bottom=2)
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1]))


def _depth(region: Mask) -> NDArray[np.float32]:
    """Distance [H, W] of every pixel of a region to what is outside it; else 0.

    Beyond the edge of the image is outside.
    """
    padded = np.pad(region, 1).astype(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(depth[1:-1, 1:-1], dtype=np.float32)
