"""What one mask says by itself: size, place, border contact, shape."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.attributes.regions import Region

CANVAS_SIDE = 64
"""Side of the square canvas on which two shapes are laid over each other."""

_CANVAS_OBJECT = 24
"""Square root of the object's area on that canvas, pixels."""

_MIN_COMPONENT = 0.01
"""Connected parts below this share of the object's area do not count."""


def contour(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of a mask [h, w] with a 4-neighbour outside it or outside the array."""
    inside = np.zeros_like(mask)
    inside[1:-1, 1:-1] = (
        mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    )
    return mask & ~inside


def border_contact(region: Region, shape: tuple[int, int]) -> float:
    """Share of the object's contour that lies on the frame's border, 0..1."""
    height, width = shape
    box, mask = region.box, region.mask
    on_border = np.zeros_like(mask)
    if box.top == 0:
        on_border[0] |= mask[0]
    if box.left == 0:
        on_border[:, 0] |= mask[:, 0]
    if box.bottom == height:
        on_border[-1] |= mask[-1]
    if box.right == width:
        on_border[:, -1] |= mask[:, -1]
    touching = np.count_nonzero(on_border)
    return touching / np.count_nonzero(contour(mask)) if touching else 0.0


def shape_of(mask: NDArray[np.uint8]) -> dict[str, float]:
    """How intricate an outline is, independent of the object's size.

    Args:
        mask: [h, w] 0/1 a `Region.normalised`.

    Returns:
        `complexity`: contour length^2 / (4 pi area), 1 for a disk, holes included;
        `solidity`: area / area of the convex hull, at most 1;
        `components`: connected parts of at least 1 % of the area;
        `thinness`: 1 - 6 x mean distance to the outside / (side of the square of
        equal area): 0 for a square, towards 1 for threads, below 0 for a disk.
    """
    mask = np.asarray(
        cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT), dtype=np.uint8
    )
    area = int(np.count_nonzero(mask))
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    length = sum(cv2.arcLength(line, True) for line in contours)
    hull = np.zeros_like(mask)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.vstack(contours)), 1)
    parts = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:, 4]
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    return {
        "complexity": max(1.0, length**2 / (4 * np.pi * area)),
        "solidity": area / int(np.count_nonzero(hull)),
        "components": float(np.count_nonzero(parts >= _MIN_COMPONENT * area)),
        "thinness": 1 - 6 * float(depth[mask > 0].mean()) / area**0.5,
    }


def canvas_of(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The shape alone: moved to the centre of a canvas and scaled to a fixed area.

    Args:
        mask: [h, w] 0/1 a `Region.normalised`.

    Returns:
        [64, 64] bool; parts further than the canvas reaches are cut off.
    """
    moments = cv2.moments(mask, binaryImage=True)
    column, row = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    scale = _CANVAS_OBJECT / moments["m00"] ** 0.5
    centre = (CANVAS_SIDE - 1) / 2
    matrix = np.array(
        [[scale, 0.0, centre - scale * column], [0.0, scale, centre - scale * row]]
    )
    canvas = cv2.warpAffine(mask * 255, matrix, (CANVAS_SIDE, CANVAS_SIDE))
    return canvas >= 128
