"""Instance masks at their place in the picture, by FiftyOne's rules.

A mask fills its box, whatever its own resolution; a box may leave the frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError

_LARGEST = 1 << 27
"""Pixels of the largest box that a mask is stretched into."""

_ROUNDING = 1e-4
"""Pixels that a corner may lie before the pixel that it means."""


def place_mask(
    mask: NDArray[np.integer | np.floating | np.bool_],
    box: Sequence[float],
    shape: tuple[int, int],
    where: str = "a label",
) -> NDArray[np.bool_]:
    """Lay the mask of a `Detection` into its frame, as FiftyOne renders it.

    Args:
        mask: [h, w], not 0 where the object is, of any resolution.
        box: ``[x, y, width, height]`` relative to the frame; may reach over its edges.
        shape: height and width of the frame.
        where: what to name in an error.

    Returns:
        [H, W] bool; what lies outside the frame is cut off.

    Raises:
        InputError: the box is no box, or the mask none.

    >>> place_mask(np.ones((1, 1)), [0.5, 0, 0.5, 1], (2, 4))[0].tolist()
    [False, False, True, True]
    """
    top, bottom, left, right = _pixel_box(box, shape, where)
    inside = _as_mask(mask, where)
    full = np.zeros(shape, bool)
    if bottom <= top or right <= left or not inside.size:
        return full
    if inside.shape != (bottom - top, right - left):
        inside = _stretch(inside, bottom - top, right - left, where)
    rows = slice(max(top, 0), max(min(bottom, shape[0]), 0))
    columns = slice(max(left, 0), max(min(right, shape[1]), 0))
    if rows.stop > rows.start and columns.stop > columns.start:
        full[rows, columns] = inside[
            rows.start - top : rows.stop - top,
            columns.start - left : columns.stop - left,
        ]
    return full


def _pixel_box(
    box: Sequence[float], shape: tuple[int, int], where: str
) -> tuple[int, int, int, int]:
    """Top, bottom, left and right edge in pixels; FiftyOne rounds them down."""
    if len(box) != 4 or not all(math.isfinite(value) for value in box):
        raise InputError(
            where,
            f"a bounding box {list(box)}",
            "[x, y, width, height] relative to the frame",
            "Correct or delete this label.",
        )
    x, y, width, height = box
    edges = (
        y * shape[0],
        (y + height) * shape[0],
        x * shape[1],
        (x + width) * shape[1],
    )
    top, bottom, left, right = (math.floor(edge + _ROUNDING) for edge in edges)
    return top, bottom, left, right


def _as_mask(
    mask: NDArray[np.integer | np.floating | np.bool_], where: str
) -> NDArray[np.bool_]:
    mask = np.asarray(mask)
    if mask.ndim == 3:
        mask = mask[..., 0]
    if mask.ndim != 2:
        raise InputError(
            where,
            f"a mask of shape {mask.shape}",
            "a mask of rows and columns",
            "Correct or delete this label.",
        )
    inside: NDArray[np.bool_] = mask > 0
    return inside


def _stretch(
    mask: NDArray[np.bool_], height: int, width: int, where: str
) -> NDArray[np.bool_]:
    if height * width > _LARGEST:
        raise InputError(
            where,
            f"a bounding box of {width}x{height} pixels",
            "a box about as large as the frame",
            "Correct or delete this label.",
        )
    # The very call of FiftyOne, so that both show the same pixels.
    stretched: NDArray[np.bool_] = cv2.resize(
        mask.astype(np.uint8), (width, height)
    ).astype(bool)
    return stretched
