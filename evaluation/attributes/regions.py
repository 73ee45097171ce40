"""An object in a frame as a small crop: everything geometric works on crops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.masks.label_map import LabelMap, Mask, object_digest

SHAPE_SIDE = 48
"""Shapes are measured after shrinking them to about this square root of area, in
pixels: contour length depends on resolution, so every shape gets the same one."""


@dataclass(frozen=True)
class Box:
    """Pixel rows `top` to `bottom` and columns `left` to `right`, ends excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows, 0 where the box is empty."""
        return max(0, self.bottom - self.top)

    @property
    def width(self) -> int:
        """Columns, 0 where the box is empty."""
        return max(0, self.right - self.left)

    @property
    def area(self) -> int:
        """Pixels inside."""
        return self.height * self.width

    def intersection(self, other: Box) -> Box:
        """The part inside both boxes; its area is 0 where they are apart."""
        return Box(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def moved(self, rows: int, columns: int) -> Box:
        """The box shifted down and to the right."""
        return Box(
            self.top + rows,
            self.left + columns,
            self.bottom + rows,
            self.right + columns,
        )

    def grown(self, pixels: int) -> Box:
        """The box widened on all sides; may reach outside the frame."""
        return Box(
            self.top - pixels,
            self.left - pixels,
            self.bottom + pixels,
            self.right + pixels,
        )

    def doubled(self) -> Box:
        """The box of twice the side lengths about the same centre, not clipped."""
        return Box(
            self.top - self.height // 2,
            self.left - self.width // 2,
            self.bottom + (self.height + 1) // 2,
            self.right + (self.width + 1) // 2,
        )


@dataclass(frozen=True)
class Region:
    """A non-empty set of pixels, as its box and the mask inside it.

    Attributes:
        box: tight bounding box in the frame.
        mask: [box.height, box.width] bool.
    """

    box: Box
    mask: NDArray[np.bool_]

    @cached_property
    def area(self) -> int:
        """Number of pixels."""
        return int(np.count_nonzero(self.mask))

    @cached_property
    def centroid(self) -> tuple[float, float]:
        """Mean (row, column) of the pixels, pixel centres at integers."""
        moments = cv2.moments(
            np.ascontiguousarray(self.mask).view(np.uint8), binaryImage=True
        )
        return (
            self.box.top + moments["m01"] / moments["m00"],
            self.box.left + moments["m10"] / moments["m00"],
        )

    @property
    def digest(self) -> int:
        """Checksum of the pixels and their place, as `object_digest` gives it."""
        return object_digest(self.box.top, self.box.left, self.mask)

    @cached_property
    def normalised(self) -> NDArray[np.uint8]:
        """The mask, 0/1, averaged down to sqrt(area) = 48 pixels where it is larger."""
        mask = np.ascontiguousarray(self.mask).view(np.uint8)
        factor = SHAPE_SIDE / self.area**0.5
        if factor >= 1:
            return mask
        height, width = mask.shape
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        small = cv2.resize(mask * 255, size, interpolation=cv2.INTER_AREA) >= 128
        return small.view(np.uint8) if small.any() else mask

    def seen_in(self, window: Box) -> NDArray[np.bool_]:
        """The region's mask [window.height, window.width] in another window."""
        seen = np.zeros((window.height, window.width), dtype=bool)
        part = self.box.intersection(window)
        if part.area:
            seen[
                part.top - window.top : part.bottom - window.top,
                part.left - window.left : part.right - window.left,
            ] = self.mask[
                part.top - self.box.top : part.bottom - self.box.top,
                part.left - self.box.left : part.right - self.box.left,
            ]
        return seen


def regions_of(annotation: LabelMap | Mapping[int, Mask]) -> dict[int, Region]:
    """The visible objects of a frame.

    Args:
        annotation: an [H, W] label map, or one [H, W] boolean mask per object id
            where objects may overlap.

    Returns:
        object id -> region, sorted by id; objects without pixels are left out.
    """
    if isinstance(annotation, Mapping):
        return {
            object_id: region
            for object_id, mask in sorted(annotation.items())
            for region in [region_of(mask)]
            if region is not None
        }
    around = _bounds(annotation)
    crop = annotation[around.top : around.bottom, around.left : around.right]
    regions = {}
    for object_id in _ids(crop):
        region = region_of(crop == object_id)
        if region is not None:
            box = region.box.moved(around.top, around.left)
            regions[object_id] = Region(box, region.mask)
    return regions


def region_of(mask: Mask) -> Region | None:
    """The region of one [H, W] boolean mask; None for an empty mask."""
    box = _bounds(mask)
    if not box.area:
        return None
    return Region(box, mask[box.top : box.bottom, box.left : box.right])


def union(regions: Iterable[Region], window: Box) -> NDArray[np.bool_]:
    """Pixels of any of the regions, [window.height, window.width] bool."""
    seen = np.zeros((window.height, window.width), dtype=bool)
    for region in regions:
        if region.box.intersection(window).area:
            seen |= region.seen_in(window)
    return seen


def _ids(crop: LabelMap) -> list[int]:
    """Object ids in a label map, ascending."""
    if crop.dtype != np.uint8:
        return [int(value) for value in np.unique(crop) if value]
    counts = cv2.calcHist([np.ascontiguousarray(crop)], [0], None, [256], [0, 256])
    return [int(value) for value in np.flatnonzero(counts) if value]


def _bounds(annotation: NDArray[np.integer | np.bool_]) -> Box:
    """Tight box of the non-zero pixels; empty where there are none."""
    if annotation.dtype == bool:
        annotation = annotation.view(np.uint8)
    elif annotation.dtype != np.uint8:
        annotation = (annotation > 0).view(np.uint8)
    left, top, width, height = cv2.boundingRect(np.ascontiguousarray(annotation))
    return Box(top, left, top + height, left + width)
