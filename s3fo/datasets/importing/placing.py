"""Masks of FiftyOne labels at their place in the frame."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np


def place_mask(
    mask: np.ndarray, box: Sequence[float], size: tuple[int, int]
) -> np.ndarray:
    """A label's mask at its place in a frame, to the nearest pixel.

    The mask fills its box, whatever its own size; what leaves the frame is cut off.

    Args:
        mask: [h, w]; non-zero pixels belong to the object.
        box: left, top, width and height as fractions of the frame's.
        size: height and width of the frame in pixels.

    Returns:
        [H, W] bool.
    """
    height, width = size
    left, top = round(box[0] * width), round(box[1] * height)
    right = max(round((box[0] + box[2]) * width), left + 1)
    bottom = max(round((box[1] + box[3]) * height), top + 1)
    inside = (mask > 0).astype(np.uint8)
    if inside.shape != (bottom - top, right - left):
        target = (right - left, bottom - top)
        resized = cv2.resize(inside, target, interpolation=cv2.INTER_NEAREST_EXACT)
        inside = resized.astype(np.uint8)
    full = np.zeros(size, bool)
    rows = slice(max(top, 0), min(bottom, height))
    columns = slice(max(left, 0), min(right, width))
    full[rows, columns] = inside[
        rows.start - top : max(rows.stop - top, 0),
        columns.start - left : max(columns.stop - left, 0),
    ]
    return full
