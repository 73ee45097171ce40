"""What a prediction has in common with its object, and with the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.attributes.regions import Box, Region
from evaluation.counting.boundaries import tolerance_radius


@dataclass(frozen=True)
class Overlap:
    """Pixels of one object, its prediction and the other objects in one frame.

    Attributes:
        gt_area: A, of the object.
        pred_area: P, of the prediction.
        intersection: I, in both.
        missed_bulk: of the object, not predicted, off the true contour by more than
            the contour tolerance.
        false_bulk: predicted, not of the object, off the contour by more than that.
        on_others: other object id -> pixels predicted on it (where it is not also
            the object itself).
        covered: other object id -> share of it that the prediction covers, 0..1.
        taken_by: other object id -> pixels of this object predicted as that one.
    """

    gt_area: int
    pred_area: int
    intersection: int
    missed_bulk: int = 0
    false_bulk: int = 0
    on_others: dict[int, int] = field(default_factory=dict)
    covered: dict[int, float] = field(default_factory=dict)
    taken_by: dict[int, int] = field(default_factory=dict)


def measure_overlap(
    object_id: int,
    objects: Mapping[int, Region],
    predictions: Mapping[int, Region],
    shape: tuple[int, int],
) -> Overlap:
    """Compare one object with its prediction and everything else in the frame.

    Args:
        object_id: the object; the prediction carries the same id.
        objects: visible objects of the ground truth.
        predictions: non-empty predictions.
        shape: (height, width) of the frame.
    """
    gt, pred = objects.get(object_id), predictions.get(object_id)
    if gt is None and pred is None:
        return Overlap(0, 0, 0)
    if pred is None and gt is not None:
        return Overlap(
            gt.area,
            0,
            0,
            missed_bulk=gt.area,
            taken_by=_shared_pixels(gt, predictions, object_id),
        )
    assert pred is not None
    on_others, covered = _others(object_id, gt, pred, objects)
    if gt is None:
        return Overlap(
            0,
            pred.area,
            0,
            false_bulk=pred.area,
            on_others=on_others,
            covered=covered,
        )
    # One pixel of surroundings, so that the contour is inside the window.
    window = _around(gt.box, pred.box).grown(1)
    true, predicted = gt.seen_in(window), pred.seen_in(window)
    band = contour_tolerance(gt.area, shape)
    return Overlap(
        gt.area,
        pred.area,
        int(np.count_nonzero(true & predicted)),
        missed_bulk=_deep(true & ~predicted, true, band),
        false_bulk=_deep(predicted & ~true, ~true, band),
        on_others=on_others,
        covered=covered,
        taken_by=_shared_pixels(gt, predictions, object_id),
    )


def contour_tolerance(area: int, shape: tuple[int, int]) -> int:
    """How far off the true contour an error is one of the boundary, pixels.

    The tolerance of F, but for small objects a tenth of the side, as in the adaptive
    F of MOSE v2.
    """
    return min(tolerance_radius(shape), int(np.ceil(0.1 * np.sqrt(area))))


def _deep(wrong: NDArray[np.bool_], mask: NDArray[np.bool_], tolerance: int) -> int:
    """Pixels of `wrong`, a part of `mask` [h, w], deeper inside it than a tolerance.

    Depth is the distance to the nearest pixel outside the mask; what lies outside
    the array does not count as such a pixel.
    """
    if not wrong.any():
        return 0
    depth = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return int(np.count_nonzero(wrong & (depth > tolerance)))


def _others(
    object_id: int, gt: Region | None, pred: Region, objects: Mapping[int, Region]
) -> tuple[dict[int, int], dict[int, float]]:
    """Pixels predicted on each other object, and the share of it covered."""
    on_others, covered = {}, {}
    alien = pred.mask if gt is None else pred.mask & ~gt.seen_in(pred.box)
    for other, region in objects.items():
        if other == object_id or not region.box.intersection(pred.box).area:
            continue
        there = region.seen_in(pred.box)
        pixels = int(np.count_nonzero(alien & there))
        if pixels:
            on_others[other] = pixels
            covered[other] = pixels / region.area
    return on_others, covered


def _shared_pixels(
    gt: Region, predictions: Mapping[int, Region], object_id: int
) -> dict[int, int]:
    """Pixels of the object that are predicted as each other id."""
    taken = {
        other: int(np.count_nonzero(gt.mask & region.seen_in(gt.box)))
        for other, region in predictions.items()
        if other != object_id and region.box.intersection(gt.box).area
    }
    return {other: pixels for other, pixels in taken.items() if pixels}


def _around(one: Box, two: Box) -> Box:
    return Box(
        min(one.top, two.top),
        min(one.left, two.left),
        max(one.bottom, two.bottom),
        max(one.right, two.right),
    )
