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
