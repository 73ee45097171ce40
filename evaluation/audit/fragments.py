"""Specks and pinholes: small parts and holes that the frames beside do not have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.attributes.regions import Box, Region

SMALL = 0.01
"""A part or hole is small below this share of the object's area."""

_REACH = 4
"""Pixels within which the frames beside must have something alike, at the same place
or where the object's motion has carried it."""

_FITS = 0.9
"""Share of the better place's overlap from which the other one fits, too."""

_STEADY = 0.6
"""Least area over largest one, this frame's and those beside, of an object in view."""

_HALF = 10
"""Pixels of a hole that counts for half: real gaps are seldom smaller."""


def hole_weight(pixels: int) -> float:
    """How much a hole tells of an error: near 1 for a few pixels, less for more.

    >>> hole_weight(10)
    0.5
    """
    return _HALF / (_HALF + pixels)


def unsupported_specks(
    region: Region, beside: Sequence[Region]
) -> tuple[list[int], int]:
    """Sizes of small parts where the frames beside have no part of the object.

    Args:
        region: the object in its frame.
        beside: the object in the frame before, after, or both.

    Returns:
        Pixels of each such part, 8-connected, and the number of all small parts, the
        largest part left out.
    """
    mask = np.ascontiguousarray(region.mask).view(np.uint8)
    parts = _small_parts(mask, region.area, 8)
    sizes = [
        size
        for size, part in parts
        if not any(_near(part, one, region) for one in beside)
    ]
    return sizes, len(parts)


def unsupported_holes(
    region: Region,
    beside: Sequence[Region],
    objects: Mapping[int, Region],
    object_id: int,
) -> list[int]:
    """Sizes of small holes where the frames beside are filled.

    None of an object that is being hidden, through which one sees what hides it.

    Args:
        region: the object in its frame.
        beside: the object in the frame before, after, or both.
        objects: all of the frame: what another one fills is no hole.
        object_id: the object.
    """
    areas = [region.area, *(one.area for one in beside)]
    if min(areas) < _STEADY * max(areas):
        return []
    filled = cv2.copyMakeBorder(
        np.ascontiguousarray(region.mask).view(np.uint8),
        1,
        1,
        1,
        1,
        cv2.BORDER_CONSTANT,
    )
    outside = (filled == 0).view(np.uint8)
    holes = _small_parts(outside, region.area, 4)
    if not holes:
        return []
    others = [other for key, other in objects.items() if key != object_id]
    places = [place for one in beside for place in _fitting(one, region)]
    found = []
    for size, part in holes:
        place = (part[0] - 1, part[1] - 1)
        covered = any(_inside(place, other, region) for other in others)
        if not covered and all(
            _window(place, region, one, _REACH).all() for one in places
        ):
            found.append(size)
    return found


Pixels = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Rows and columns inside a region's box."""


def _small_parts(
    mask: NDArray[np.uint8], area: int, connectivity: int
) -> list[tuple[int, Pixels]]:
    """Size and pixels of each small part but the largest one."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask, connectivity=connectivity
    )
    if count <= 2:
        return []
    sizes = stats[1:, cv2.CC_STAT_AREA]
    found = []
    for number in np.flatnonzero(sizes < SMALL * area).tolist():
        if number == int(sizes.argmax()):
            continue
        left, top, width, height = stats[number + 1, :4].tolist()
        own = labels[top : top + height, left : left + width] == number + 1
        rows, columns = np.nonzero(own)
        found.append((int(sizes[number]), (rows + top, columns + left)))
    return found


def _window(part: Pixels, own: Region, other: Region, reach: int) -> NDArray[np.bool_]:
    """Another mask around the box of a part; False beyond its region."""
    rows, columns = part
    box = Box(
        int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1
    )
    return other.seen_in(box.moved(own.box.top, own.box.left).grown(reach))


def _near(part: Pixels, other: Region, own: Region) -> bool:
    """Whether the other frame has the object within reach of the part."""
    return any(
        bool(_window(part, own, place, _REACH).any()) for place in _places(other, own)
    )


def _places(other: Region, own: Region) -> tuple[Region, Region]:
    """Another frame's region as it is, and moved as the object has."""
    down, right = np.subtract(own.centroid, other.centroid).round().astype(int).tolist()
    return other, Region(other.box.moved(down, right), other.mask)


def _fitting(other: Region, own: Region) -> list[Region]:
    """Those of `_places` that fit: of a fast object there is nothing where it was."""
    places = _places(other, own)
    shared = [_shared_pixels(place, own) for place in places]
    least = _FITS * max(shared)
    return [one for one, n in zip(places, shared, strict=True) if n >= least]


def _shared_pixels(one: Region, other: Region) -> int:
    window = one.box.intersection(other.box)
    if not window.area:
        return 0
    return int(np.count_nonzero(one.seen_in(window) & other.seen_in(window)))


def _inside(part: Pixels, other: Region, own: Region) -> bool:
    """Whether another object of the same frame touches the box of the part."""
    return bool(_window(part, own, other, 0).any())
