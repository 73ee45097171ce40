"""The compiled half: bit planes, boundaries and the tolerance search.

A *bit plane* is one object's mask with 64 pixels of a row in a word: pixel (y, x) is
bit ``x % 64`` of word ``x // 64 * height + y``. So a plane is stored in columns of
words, and loops run down the rows of a column, several rows an instruction. Bits
beyond the image are zero. Everything is counted in bits, so every number is exact.

A *box* is four integers: first row, last row, first column, last column, inclusive.
An empty one has last row -1. A plane is zero outside its box.

`planes` and `boxes` hold those of several objects one after the other.

This module is imported only to be compiled (see `native`), once on a machine: a
process that finds the machine code in the cache never imports numba.
"""

from __future__ import annotations

from typing import Any

import numba
import numba.extending
import numpy as np
from llvmlite import ir
from numba import types

jit: Any = numba.njit(error_model="numpy")
intrinsic: Any = numba.extending.intrinsic

ONE = np.uint64(1)
TOP, BOTTOM, FIRST, LAST = 0, 1, 2, 3
UNKNOWN, IGNORED = -1, -2
"""Slots of labels without a plane: never heard of, and not wanted."""
ADD_ROW, GROW, MOVE = range(3)
"""Operations of a dilation."""


@intrinsic
def offset(_typing: Any, pointer: Any, count: Any) -> Any:
    """`pointer` moved on by `count` elements."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])

    return pointer(pointer, types.int64), generate


@intrinsic
def equal_pixels(_typing: Any, pixels: Any, label: Any) -> Any:
    """Which of the 64 pixels from `pixels` on are `label`, as one word."""
    vector = ir.VectorType(ir.IntType(pixels.dtype.bitwidth), 64)
    lanes = ir.VectorType(ir.IntType(32), 64)

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        loaded = builder.load(builder.bitcast(args[0], vector.as_pointer()), align=1)
        nothing = ir.Constant(vector, ir.Undefined)
        first = builder.insert_element(nothing, args[1], ir.IntType(32)(0))
        wanted = builder.shuffle_vector(first, nothing, ir.Constant(lanes, None))
        same = builder.icmp_unsigned("==", loaded, wanted)
        return builder.bitcast(same, ir.IntType(64))

    return types.uint64(pixels, pixels.dtype), generate


@intrinsic
def count_ones(_typing: Any, _word: Any) -> Any:
    """How many bits of a word are set."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), generate


@intrinsic
def lowest_one(_typing: Any, _word: Any) -> Any:
    """Where the lowest set bit is, in a word that is not zero."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.IntType(1)(1))

    return types.int64(types.uint64), generate


# --- label maps to bit planes -------------------------------------------------------


@jit
def grow_box(box: Any, y: int, column: int) -> None:
    """Make `box` reach `column` in row `y`; rows come in order."""
    if box[BOTTOM] < 0:
        box[TOP] = y
        box[FIRST] = column
        box[LAST] = column
    box[BOTTOM] = y
    box[FIRST] = min(box[FIRST], column)
    box[LAST] = max(box[LAST], column)


@jit
def peel(pixels: Any, skip: int, y: int, column: int, slots: Any, masks: Any) -> bool:
    """Spread 64 pixels over the planes of the objects they show.

    Args:
        pixels: 64 pixels, of which the `skip` first belong to the column before.
        skip: 0..63.
        y: their row.
        column: where in the row they go.
        slots: label -> plane.
        masks: planes, boxes, height and words of a plane.

    Returns:
        whether a label was seen that is `UNKNOWN`.
    """
    planes, boxes, height, size = masks
    strangers = False
    rest = ~equal_pixels(pixels, pixels[0] * 0) >> np.uint64(skip)
    while rest:
        label = pixels[lowest_one(rest) + skip]
        same = equal_pixels(pixels, label) >> np.uint64(skip)
        rest &= ~same
        slot = slots[label]
        if slot >= 0:
            planes[slot * size + column * height + y] = same
            grow_box(offset(boxes, 4 * slot), y, column)
        elif slot == UNKNOWN:
            strangers = True
    return strangers


@jit
def peel_all(
    labels: Any, pitch: int, width: int, room: Any, slots: Any, masks: Any
) -> bool:
    """Peel a whole label map; `room` holds 64 pixels.

    Returns:
        whether a label was seen that is `UNKNOWN`.
    """
    height, whole, skip = masks[2], width // 64, -width % 64
    strangers = False
    for i in range(64):
        room[i] = 0
    for y in range(height):
        row = offset(labels, y * pitch)
        for column in range(whole):
            strangers |= peel(offset(row, 64 * column), 0, y, column, slots, masks)
        if skip and whole:
            # The last 64 pixels of the row: the first of them were peeled before.
            strangers |= peel(offset(row, width - 64), skip, y, whole, slots, masks)
        elif skip:
            for x in range(width):
                room[x] = row[x]
            strangers |= peel(room, 0, y, whole, slots, masks)
    return strangers


@jit
def note_labels(labels: Any, pitch: int, height: int, width: int, seen: Any) -> None:
    """Set ``seen[label]`` to 1 for every label of a label map, except background."""
    for y in range(height):
        row = offset(labels, y * pitch)
        for x in range(width if width < 64 else 0):
            seen[row[x]] = 1
        for word in range((width + 63) // 64 if width >= 64 else 0):
            pixels = offset(row, min(64 * word, width - 64))
            rest = ~equal_pixels(pixels, pixels[0] * 0)
            while rest:
                label = pixels[lowest_one(rest)]
                rest &= ~equal_pixels(pixels, label)
                seen[label] = 1
    seen[0] = 0


# --- areas and outlines -------------------------------------------------------------


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


# --- dilation -----------------------------------------------------------------------


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


# --- PNG row filters ----------------------------------------------------------------


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


# --- what Python calls: functions of pointers and integers, see `native` ------------


def scan(
    labels: Any, pitch: int, height: int, width: int, slots: Any, room: Any,
    planes: Any, boxes: Any, strangers: Any,
) -> None:  # fmt: skip
    """Fill the planes of the labels that have one.

    `labels` is [height, pitch], of which `width` a row are the label map; ``slots[k]``
    is the number of label k's plane, or `UNKNOWN` or `IGNORED`; `room` is for 64
    pixels; `strangers` becomes 1 if there is an `UNKNOWN` label.
    """
    masks = (planes, boxes, height, (width + 63) // 64 * height)
    if peel_all(labels, pitch, width, room, slots, masks):
        strangers[0] = 1


def find(labels: Any, pitch: int, height: int, width: int, seen: Any) -> None:
    """Set ``seen[label]`` to 1 for every label of a label map, except background."""
    note_labels(labels, pitch, height, width, seen)


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
