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


def unsupported_specks(region: Region, beside: Sequence[Region]) -> list[int]:
    """Sizes of small parts where the frames beside have no part of the object.

    Args:
        region: the object in its frame.
        beside: the object in the frame before, after, or both.

    Returns:
        Pixels of each part, 8-connected, apart from the largest one.
    """
    mask = np.ascontiguousarray(region.mask).view(np.uint8)
    return [
        size
        for size, part in _small_parts(mask, region.area, 8)
        if not any(_near(part, one, region, wanted=True) for one in beside)
    ]


def unsupported_holes(
    region: Region,
    beside: Sequence[Region],
    objects: Mapping[int, Region],
    object_id: int,
) -> list[int]:
    """Sizes of small holes where the frames beside are filled.

    Args:
        region: the object in its frame.
        beside: the object in the frame before, after, or both.
        objects: all of the frame: what another one fills is no hole.
        object_id: the object.
    """
    filled = cv2.copyMakeBorder(
        np.ascontiguousarray(region.mask).view(np.uint8),
        1,
        1,
        1,
        1,
        cv2.BORDER_CONSTANT,
    )
    outside = (filled == 0).view(np.uint8)
    others = [other for key, other in objects.items() if key != object_id]
    found = []
    for size, part in _small_parts(outside, region.area, 4):
        place = (part[0] - 1, part[1] - 1)
        covered = any(_inside(place, other, region) for other in others)
        if not covered and not any(
            _near(place, one, region, wanted=False) for one in beside
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


def _near(part: Pixels, other: Region, own: Region, *, wanted: bool) -> bool:
    """Whether the other frame has (or lacks) the object within reach of the part."""
    down, right = np.subtract(own.centroid, other.centroid).round().astype(int).tolist()
    moved = Region(other.box.moved(down, right), other.mask)
    for place in (other, moved):
        seen = _window(part, own, place, _REACH)
        if (seen if wanted else ~seen).any():
            return True
    return False


def _inside(part: Pixels, other: Region, own: Region) -> bool:
    """Whether another object of the same frame touches the box of the part."""
    return bool(_window(part, own, other, 0).any())
