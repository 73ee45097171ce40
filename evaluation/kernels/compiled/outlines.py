"""Areas and outlines of masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from evaluation.kernels.compiled.words import (
    BOTTOM,
    FIRST,
    LAST,
    ONE,
    TOP,
    count_ones,
    jit,
    offset,
)


@jit
def area(plane: Any, box: Any, height: int) -> int:
    """Pixels set in a plane."""
    total = 0
    for column in range(box[FIRST], box[LAST] + 1):
        words = offset(plane, column * height)
        for y in range(box[TOP], box[BOTTOM] + 1):
            total += count_ones(words[y])
    return total


@jit
def overlap(a: Any, a_box: Any, b: Any, b_box: Any, height: int) -> int:
    """Pixels set in both planes, as far as both boxes go."""
    total = 0
    first, last = max(a_box[FIRST], b_box[FIRST]), min(a_box[LAST], b_box[LAST])
    top, bottom = max(a_box[TOP], b_box[TOP]), min(a_box[BOTTOM], b_box[BOTTOM])
    for column in range(first, last + 1):
        a_words, b_words = offset(a, column * height), offset(b, column * height)
        for y in range(top, bottom + 1):
            total += count_ones(a_words[y] & b_words[y])
    return total


@jit
def edge_word(here: Any, east: Any, south: Any, south_east: Any, self_east: Any) -> Any:
    """Which of 64 pixels differ from an eastern, southern or south-eastern neighbour.

    Args:
        here: the pixels.
        east: the 64 pixels to their east.
        south: the row below `here`.
        south_east: the row below `east`.
        self_east: the pixels that stand in for their own eastern neighbour.
    """
    last = np.uint64(63)
    right = here >> ONE | east << last | here & self_east
    below_right = south >> ONE | south_east << last | south & self_east
    return (here ^ right) | (here ^ south) | (here ^ below_right)


@jit
def outline(plane: Any, box: Any, height: int, width: int, zeros: Any) -> int:
    """Replace a mask by its boundary map, and its box by that of the boundary.

    A boundary pixel differs from its eastern, southern or south-eastern neighbour;
    beyond the last row and column the neighbour is the pixel itself.

    Args:
        plane: the mask.
        box: its box.
        height: of the frame.
        width: of the frame.
        zeros: an empty column.

    Returns:
        the number of boundary pixels.
    """
    if box[BOTTOM] < 0:
        return 0
    box[TOP] = max(box[TOP] - 1, 0)
    box[FIRST] = max(box[FIRST] - 1, 0)
    edge_column, edge = (width - 1) // 64, ONE << np.uint64((width - 1) % 64)
    # In place, eastwards and downwards: what is still to be read is untouched.
    for column in range(box[FIRST], box[LAST] + 1):
        words = offset(plane, column * height)
        at_edge = column == edge_column
        east = zeros if at_edge else offset(words, height)
        self_east = edge if at_edge else np.uint64(0)
        for y in range(box[TOP], min(box[BOTTOM], height - 2) + 1):
            words[y] = edge_word(
                words[y], east[y], words[y + 1], east[y + 1], self_east
            )
        if box[BOTTOM] == height - 1:
            here, right = words[height - 1], east[height - 1]
            words[height - 1] = edge_word(here, right, here, right, self_east)
    return area(plane, box, height)


def measure(
    planes: Any, boxes: Any, count: int, height: int, width: int, zeros: Any,
    pairs: Any, pair_count: int, areas: Any, overlaps: Any, outlines: Any,
) -> None:  # fmt: skip
    """Count the pixels of `count` masks, then turn each into its outline.

    `pairs` is [pair_count, 2] numbers of planes; `zeros` is an empty column. Results:
    `areas` and `outlines` [count], and `overlaps` [pair_count], pixels in both masks.
    """
    size = (width + 63) // 64 * height
    for k in range(count):
        areas[k] = area(offset(planes, k * size), offset(boxes, 4 * k), height)
    for p in range(pair_count):
        a, b = pairs[2 * p], pairs[2 * p + 1]
        a_plane, a_box = offset(planes, a * size), offset(boxes, 4 * a)
        b_plane, b_box = offset(planes, b * size), offset(boxes, 4 * b)
        overlaps[p] = overlap(a_plane, a_box, b_plane, b_box, height)
    for k in range(count):
        plane, box = offset(planes, k * size), offset(boxes, 4 * k)
        outlines[k] = outline(plane, box, height, width, zeros)


def clear(planes: Any, boxes: Any, count: int, height: int, width: int) -> None:
    """Make `count` planes zero and their boxes empty again."""
    columns = (width + 63) // 64
    for k in range(count):
        box = offset(boxes, 4 * k)
        for column in range(box[FIRST], box[LAST] + 1):
            words = offset(planes, (k * columns + column) * height)
            for y in range(box[TOP], box[BOTTOM] + 1):
                words[y] = 0
        box[TOP], box[BOTTOM], box[FIRST], box[LAST] = 0, -1, 0, -1
