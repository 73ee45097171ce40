"""PNG row filters. Source: PNG Specification, W3C, 2003, section 9."""

from __future__ import annotations

from typing import Any

import numpy as np

from evaluation.kernels.compiled.words import jit, offset


@jit
def paeth(left: int, up: int, corner: int) -> int:
    """PNG's predictor: whichever neighbour is nearest to left + up - corner."""
    to_left, to_up = abs(up - corner), abs(left - corner)
    to_corner = abs(left + up - 2 * corner)
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else corner


@jit
def unfilter_row(row: Any, above: Any, has_above: bool, kind: int, width: int) -> bool:
    """Undo one row's filter; False if there is no such filter."""
    left: Any = 0
    corner: Any = 0
    for x in range(width if 0 < kind <= 4 else 0):
        up: Any = np.int64(above[x]) if has_above else 0
        predicted: Any
        if kind == 1:
            predicted = left
        elif kind == 2:
            predicted = up
        elif kind == 3:
            predicted = (left + up) // 2
        else:
            predicted = paeth(left, up, corner)
        left = (row[x] + predicted) & 255
        corner = up
        row[x] = left
    return kind <= 4


def unfilter(data: Any, height: int, width: int, valid: Any) -> None:
    """Undo the PNG row filters of one-byte pixels, in place.

    `data` is [height, 1 + width], each row led by its filter type; `valid` becomes 0
    if a type is not in 0..4.
    """
    for y in range(height):
        kind = data[y * (width + 1)]
        row = offset(data, y * (width + 1) + 1)
        above = offset(data, max(y - 1, 0) * (width + 1) + 1)
        if not unfilter_row(row, above, y > 0, kind, width):
            valid[0] = 0
