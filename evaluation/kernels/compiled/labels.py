"""From label maps to bit planes, in one look at every pixel."""

from __future__ import annotations

from typing import Any

import numpy as np

from evaluation.kernels.compiled.words import (
    BOTTOM,
    FIRST,
    LAST,
    TOP,
    equal_pixels,
    highest_one,
    jit,
    lowest_one,
    offset,
)

UNKNOWN, IGNORED = -1, -2
"""Slots of labels without a plane: never heard of, and not wanted."""


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


@jit
def widen(box: Any, y: int, first: int, last: int) -> None:
    """Make a half-open box reach the pixels `first` to `last` of row `y`."""
    if box[BOTTOM] == 0:
        box[TOP] = y
        box[FIRST] = first
    box[BOTTOM] = y + 1
    box[FIRST] = min(box[FIRST], first)
    box[LAST] = max(box[LAST], last + 1)


def bound(labels: Any, pitch: int, height: int, width: int, boxes: Any) -> None:
    """Find the box of every label of a label map, except background.

    `boxes` holds four zeros for each possible label; those of labels that occur
    become first row, the row after the last, first column, the column after the last.
    """
    for y in range(height):
        row = offset(labels, y * pitch)
        for x in range(width if width < 64 else 0):
            if row[x]:
                widen(offset(boxes, 4 * np.int64(row[x])), y, x, x)
        for word in range((width + 63) // 64 if width >= 64 else 0):
            start = min(64 * word, width - 64)
            pixels = offset(row, start)
            rest = ~equal_pixels(pixels, pixels[0] * 0)
            while rest:
                label = pixels[lowest_one(rest)]
                same = equal_pixels(pixels, label)
                rest &= ~same
                first, last = start + lowest_one(same), start + highest_one(same)
                widen(offset(boxes, 4 * np.int64(label)), y, first, last)
