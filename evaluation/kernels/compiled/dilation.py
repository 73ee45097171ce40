"""Boundary pixels within tolerance of other boundary pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from evaluation.kernels.compiled.outlines import overlap
from evaluation.kernels.compiled.words import BOTTOM, FIRST, LAST, TOP, jit, offset

ADD_ROW, GROW, MOVE = range(3)
"""Operations of a dilation."""


@jit
def add_row(
    grown: Any, region: Any, plane: Any, box: Any, height: int, dy: int
) -> None:
    """OR the plane into `grown`, moved up by `dy` rows."""
    top = max(region[TOP], box[TOP] - dy)
    bottom = min(region[BOTTOM], box[BOTTOM] - dy)
    first, last = max(region[FIRST], box[FIRST]), min(region[LAST], box[LAST])
    for column in range(first, last + 1):
        words = offset(grown, column * height)
        source = offset(plane, column * height + dy)
        for y in range(top, bottom + 1):
            words[y] |= source[y]


@jit
def shift(
    grown: Any, region: Any, height: int, pixels: int, keep: Any, zeros: Any
) -> None:
    """Move `grown` by 1..63 pixels, east or (negative) west.

    Args:
        grown: a plane.
        region: where.
        height: of the frame.
        pixels: how far.
        keep: bits of the old words to OR with the new ones.
        zeros: an empty column.
    """
    side = -1 if pixels > 0 else 1
    first, last = region[FIRST], region[LAST]
    bits, rest = np.uint64(abs(pixels)), np.uint64(64 - abs(pixels))
    for i in range(last - first + 1):
        # In the direction that reads each column before it is overwritten.
        column = last - i if pixels > 0 else first + i
        words = offset(grown, column * height)
        outside = column + side < first or column + side > last
        beside = zeros if outside else offset(words, side * height)
        if pixels > 0:
            for y in range(region[TOP], region[BOTTOM] + 1):
                words[y] = words[y] & keep | words[y] << bits | beside[y] >> rest
        else:
            for y in range(region[TOP], region[BOTTOM] + 1):
                words[y] = words[y] & keep | words[y] >> bits | beside[y] << rest


@jit
def dilate(
    grown: Any, region: Any, plane: Any, box: Any, height: int, zeros: Any, steps: Any,
    count: int,
) -> None:  # fmt: skip
    """Fill the region of `grown` with the plane, dilated by a structuring element.

    Args:
        grown: result, a plane.
        region: the box of `grown` to fill.
        plane: what to dilate.
        box: its box.
        height: of the frame.
        zeros: an empty column.
        steps: the element as a list of ``(operation, pixels)``, see
            `evaluation.kernels.elements`.
        count: how many steps.
    """
    for column in range(region[FIRST], region[LAST] + 1):
        words = offset(grown, column * height)
        for y in range(region[TOP], region[BOTTOM] + 1):
            words[y] = 0
    for i in range(count):
        operation, pixels = steps[2 * i], steps[2 * i + 1]
        if operation == ADD_ROW:
            add_row(grown, region, plane, box, height, pixels)
        else:
            keep = ~np.uint64(0) if operation == GROW else np.uint64(0)
            shift(grown, region, height, pixels, keep, zeros)


@jit
def join_boxes(joined: Any, box: Any) -> None:
    """Make `joined` cover `box`, too."""
    if joined[BOTTOM] < 0:
        for side in range(4):
            joined[side] = box[side]
    elif box[BOTTOM] >= 0:
        joined[TOP] = min(joined[TOP], box[TOP])
        joined[BOTTOM] = max(joined[BOTTOM], box[BOTTOM])
        joined[FIRST] = min(joined[FIRST], box[FIRST])
        joined[LAST] = max(joined[LAST], box[LAST])


@jit
def cut_region(region: Any, box: Any, reach: int, columns: int) -> None:
    """Cut a box of interest to where dilating a plane can matter to it.

    Args:
        region: what is asked for; becomes what has to be computed, which is wider:
            pixels may move through `reach` others on their way.
        box: of the plane to dilate.
        reach: farthest pixel of the structuring element.
        columns: of a plane.
    """
    margin = (reach + 63) // 64
    region[TOP] = max(region[TOP], box[TOP] - reach)
    region[BOTTOM] = min(region[BOTTOM], box[BOTTOM] + reach)
    # A lopsided element may carry pixels past the frame's edge and back.
    region[FIRST] = max(max(region[FIRST], box[FIRST]) - margin, -1)
    region[LAST] = min(min(region[LAST], box[LAST]) + margin, columns)


def match(
    planes: Any, boxes: Any, height: int, width: int, zeros: Any,
    pairs: Any, pair_count: int,
    steps: Any, elements: Any, use: Any, grown: Any, region: Any, matched: Any,
) -> None:  # fmt: skip
    """Count the pixels of one outline that are within tolerance of another.

    `zeros` is an empty column; `pairs` is [pair_count, 2] numbers of planes, those
    with the same second one (the target) together; `use` [pair_count] says which
    structuring element they take. For `steps` and `elements` see
    `evaluation.kernels.elements`; `grown` is room for a plane with a column before and
    one behind it, `region` for a box. Result: `matched` [pair_count].
    """
    columns = (width + 63) // 64
    size = columns * height
    start = 0
    while start < pair_count:
        target, e = pairs[2 * start + 1], 3 * use[start]
        plane, box = offset(planes, target * size), offset(boxes, 4 * target)
        region[BOTTOM] = -1
        end = start
        while end < pair_count and pairs[2 * end + 1] == target and 3 * use[end] == e:
            join_boxes(region, offset(boxes, 4 * pairs[2 * end]))
            end += 1
        if box[BOTTOM] < 0 or region[BOTTOM] < 0:
            region[BOTTOM] = -1
            region[LAST] = -1
        else:
            cut_region(region, box, elements[e + 2], columns)
            element = offset(steps, 2 * elements[e])
            count = elements[e + 1]
            dilate(grown, region, plane, box, height, zeros, element, count)
        for p in range(start, end):
            source, source_box = (
                offset(planes, pairs[2 * p] * size),
                offset(boxes, 4 * pairs[2 * p]),
            )
            matched[p] = overlap(source, source_box, grown, region, height)
        start = end
