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

_SHORT_REACH = 2
"""The same for a hole that tells half as much."""

_SOLID = 3
"""Pixels around a hole that the object must fill: real gaps are seldom far inside."""

_FITS = 0.9
"""Share of the better place's overlap from which the other one fits, too."""

_STEADY = 0.4
"""Least area over largest one, this frame's and those beside, of an object in view."""

_HALF = 20
"""Pixels of a hole that counts for half: real gaps are seldom smaller."""


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
    parts = _small_parts(mask, region.area)
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
) -> list[tuple[int, float]]:
    """Small holes in the middle of the object that the frames beside fill.

    None of an object that is being hidden, through which one sees what hides it.

    Args:
        region: the object in its frame.
        beside: the object in the frame before, after, or both.
        objects: all of the frame: what another one fills is no hole.
        object_id: the object.

    Returns:
        Pixels of each such hole and what it weighs: near 1 for a few pixels, less for
        more, and half as much where the frames beside fill little around it.
    """
    areas = [region.area, *(one.area for one in beside)]
    if min(areas) < _STEADY * max(areas):
        return []
    holes = _small_holes(region)
    if not holes:
        return []
    others = [other for key, other in objects.items() if key != object_id]
    places = [place for one in beside for place in _fitting(one, region)]
    found = []
    for size, part in holes:
        covered = any(_inside(part, other, region) for other in others)
        if covered or _empty(part, region, region, _SOLID) > size:
            continue
        reaches = (_REACH, _SHORT_REACH)
        filled = [not any(_empty(part, region, p, r) for p in places) for r in reaches]
        if any(filled):
            found.append((size, (1.0 if filled[0] else 0.5) * _HALF / (_HALF + size)))
    return found


def _empty(part: Pixels, own: Region, other: Region, reach: int) -> int:
    """Pixels around a part that another mask does not fill."""
    window = _window(part, own, other, reach)
    return window.size - int(np.count_nonzero(window))


Pixels = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Rows and columns inside a region's box."""


def _small_parts(mask: NDArray[np.uint8], area: int) -> list[tuple[int, Pixels]]:
    """Size and pixels of each small part, 8-connected, but the largest one."""
    rest = mask.copy()
    column = int(rest[0].argmax())  # the mask fills its box
    first = cv2.floodFill(rest, None, (column, 0), 0, flags=8)[0]
    others = _parts(rest, 8)
    sizes = [first, *(size for size, _ in others)]
    largest = int(np.argmax(sizes))
    if largest:  # the first part is one of the others
        start = rest ^ mask
        others = [*_parts(start, 8), *others[: largest - 1], *others[largest:]]
    return [(size, part) for size, part in others if size < SMALL * area]


def _small_holes(region: Region) -> list[tuple[int, Pixels]]:
    """Size and pixels of each small hole, 4-connected, in the region's box."""
    mask = np.ascontiguousarray(region.mask).view(np.uint8)
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    cv2.floodFill(padded, None, (0, 0), 1, flags=4)  # all but the holes
    holes = _parts((padded[1:-1, 1:-1] == 0).view(np.uint8), 4)
    return [(size, part) for size, part in holes if size < SMALL * region.area]


def _parts(mask: NDArray[np.uint8], connectivity: int) -> list[tuple[int, Pixels]]:
    """Size and pixels of each connected part."""
    left, top, width, height = cv2.boundingRect(mask)
    if not width:
        return []
    crop = mask[top : top + height, left : left + width]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        crop, connectivity=connectivity
    )
    found = []
    for number in range(1, count):
        x, y, across, down, size = stats[number].tolist()
        own = labels[y : y + down, x : x + across] == number
        rows, columns = np.nonzero(own)
        found.append((size, (rows + y + top, columns + x + left)))
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
