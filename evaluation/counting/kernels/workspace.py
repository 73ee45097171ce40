"""Bit planes of one frame's objects, in buffers that a thread recycles."""

from __future__ import annotations

import threading
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evaluation._utils.native import function
from evaluation.counting.kernels.buffers import (
    Buffer,
    address_of,
    filled,
    void_arguments,
)
from evaluation.counting.kernels.elements import Tolerance
from evaluation.masks.label_map import LabelMap, Marks, Mask

Ids = NDArray[np.int64]
"""[n] object ids in 1..65535, ascending."""

Shape = tuple[int, int]
"""(H, W)."""

MAX_IDS = 1 << 16
"""Ids are below this: label maps have at most 16 bits."""

_UNKNOWN, _IGNORED = -1, -2  # as in csrc/words.h


class Workspace(threading.local):
    """The objects of one frame as numbered bit planes, and pairs of them to compare.

    A frame goes through `open`, `look_for` and `scan` for each label map, `measure`,
    and `match` once for each tolerance. Every thread sees buffers of its own.

    Attributes:
        expected: ids to look for while a frame's own are unknown.
    """

    def __init__(self) -> None:
        self.expected: Ids = np.zeros(0, np.int64)
        self._shape, self._count = (0, 0), 0
        self._pairs = filled([])
        self._planes = Buffer(0, np.uint64)
        self._boxes = Buffer(0)
        self._grown = Buffer(0, np.uint64)
        self._zeros = Buffer(0, np.uint64)
        self._slots, self._listed = Buffer(MAX_IDS, np.int32), self.expected
        self._slots.array[:] = _UNKNOWN
        self._areas, self._outlines = Buffer(0), Buffer(0)
        self._overlaps, self._matched = Buffer(0), Buffer(0)

    def open(self, shape: Shape, count: int, pairs: Buffer) -> None:
        """Make `count` empty planes.

        Args:
            shape: of the frame.
            count: how many planes.
            pairs: [n, 2] numbers of the planes to compare.
        """
        # Not at the end of a frame: an interrupted one must not leave planes full.
        planes, boxes = self._planes.address, self._boxes.address
        function("clear")(planes, boxes, self._count, *self._shape)
        self._shape, self._count, self._pairs = shape, count, pairs
        self._planes.reserve(count * plane_words(shape))
        self._grown.reserve(plane_words(shape) + 2 * shape[0])
        self._zeros.reserve(shape[0])
        if self._areas.array.size < count:
            self._boxes = filled([[0, -1, 0, -1]] * count)
            self._areas.reserve(count)
            self._outlines.reserve(count)
        self._overlaps.reserve(pairs.array.size // 2)
        self._matched.reserve(pairs.array.size // 2)

    def look_for(self, ids: Ids, known: Ids) -> None:
        """Say which objects the next scans are to find.

        Args:
            ids: the objects, in the order of their planes.
            known: these and other objects that may occur.
        """
        slots = self._slots.array
        slots[self._listed] = _UNKNOWN
        self._listed = known
        slots[known] = _IGNORED
        slots[ids] = np.arange(len(ids))

    def scan(self, label_map: LabelMap, first: int) -> bool:
        """Fill the planes from `first` on with the objects of a label map.

        Args:
            label_map: [H, W], uint8 or uint16, the pixels of a row side by side.
            first: number of the first object's plane.

        Returns:
            whether the label map holds other objects than one was told to expect.
        """
        unknown = function("scan8" if label_map.itemsize == 1 else "scan16")(
            address_of(label_map),
            label_map.strides[0] // label_map.itemsize,
            *self._shape,
            self._slots.address,
            self._planes.address + 8 * first * plane_words(self._shape),
            self._boxes.address + 32 * first,
        )
        return bool(unknown)

    def pack(self, mask: Mask, void: Marks | None, plane: int) -> None:
        """Fill a plane with a mask, without void pixels.

        Args:
            mask: [H, W] in one piece, one byte per pixel, not 0 where the object is.
            void: [H, W] in one piece, not 0 in the pixels to leave out; None for none.
            plane: its number.
        """
        function("pack")(
            address_of(mask),
            *void_arguments(void),
            *self._shape,
            self._planes.address + 8 * plane * plane_words(self._shape),
            self._boxes.address + 32 * plane,
        )

    def digests(self, count: int) -> NDArray[np.uint64]:
        """[count] checksums of the first planes, which hold masks, not yet outlines."""
        found = np.empty(count, np.uint64)
        function("digest")(
            self._planes.address,
            self._boxes.address,
            count,
            *self._shape,
            found.ctypes.data,
        )
        return found

    def measure(self) -> tuple[NDArray[np.int64], ...]:
        """Count pixels; masks turn into outlines.

        Returns:
            areas [planes], overlaps [pairs], boundary pixels [planes], all int64 and
            valid until the next frame.
        """
        pairs = self._pairs.array.size // 2
        function("measure")(
            self._planes.address,
            self._boxes.address,
            self._count,
            *self._shape,
            self._zeros.address,
            self._pairs.address,
            pairs,
            self._areas.address,
            self._overlaps.address,
            self._outlines.address,
        )
        areas, outlines = self._areas.array, self._outlines.array
        return (
            areas[: self._count],
            self._overlaps.array[:pairs],
            outlines[: self._count],
        )

    def match(self, tolerance: Tolerance) -> NDArray[np.int64]:
        """Count, per pair, the boundary pixels of the first within reach of the second.

        Returns:
            [pairs] int64, valid until the next call.
        """
        pairs = self._pairs.array.size // 2
        function("match")(
            self._planes.address,
            self._boxes.address,
            *self._shape,
            self._zeros.address,
            self._pairs.address,
            pairs,
            tolerance.elements.steps.address,
            tolerance.elements.table.address,
            tolerance.use.address,
            self._grown.address,
            self._matched.address,
        )
        return self._matched.array[:pairs]


def plane_words(shape: Shape) -> int:
    """Words of one bit plane."""
    return shape[0] * ((shape[1] + 63) // 64)


@lru_cache(maxsize=256)
def same_objects(count: int) -> Buffer:
    """Pairs of plane k with plane ``count + k``, both ways round."""
    return filled(
        [(k, count + k) for k in range(count)] + [(count + k, k) for k in range(count)]
    )


@lru_cache(maxsize=256)
def all_objects(gt_count: int, pred_count: int) -> Buffer:
    """Pairs of every true object with every proposal, both ways round."""
    gt, pred = range(gt_count), range(gt_count, gt_count + pred_count)
    return filled(
        [(i, j) for j in pred for i in gt] + [(j, i) for i in gt for j in pred]
    )
