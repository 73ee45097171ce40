"""Count what objects and tracks share in one frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evaluation.counting import kernels
from evaluation.counting.overlaps import FrameOverlaps, frame_overlaps
from evaluation.masks.pairs import Masks


def count_overlaps(gt: Masks, tracks: Masks, void: int | None = None) -> FrameOverlaps:
    """Count the overlaps of one frame, of label maps or of masks that may overlap.

    Args:
        gt: [H, W] label map, or object id -> [H, W] mask.
        tracks: the same, of the same size.
        void: label of the ground truth that is no object. Pixels of tracks under it
            count, as TrackEval removes them only after it has compared the masks.
    """
    if isinstance(gt, Mapping) or isinstance(tracks, Mapping):
        return frame_overlaps(_by_object(gt, void), _by_object(tracks, None))
    gt_ids, track_ids = kernels.present_ids(gt), kernels.present_ids(tracks)
    gt_ids = gt_ids[gt_ids != void]
    counts = kernels.count_overlaps(gt, tracks, gt_ids, track_ids)
    return FrameOverlaps(gt_ids, track_ids, *counts)


def count_box_overlaps(
    gt: Masks, tracks: Masks, void: int | None = None
) -> FrameOverlaps:
    """Count what the boxes around objects and tracks share in one frame.

    The evaluation code of BURST compares boxes, not masks.

    Args:
        gt: [H, W] label map, or object id -> [H, W] mask.
        tracks: the same, of the same size.
        void: label of the ground truth that is no object.
    """
    gt_ids, gt_boxes = _boxes(gt, void)
    track_ids, track_boxes = _boxes(tracks, None)
    ends = np.minimum(gt_boxes[:, None, 1::2], track_boxes[None, :, 1::2])
    starts = np.maximum(gt_boxes[:, None, 0::2], track_boxes[None, :, 0::2])
    return FrameOverlaps(
        gt_ids,
        track_ids,
        _box_area(gt_boxes),
        _box_area(track_boxes),
        np.maximum(ends - starts, 0).prod(axis=2),
    )


def _boxes(
    masks: Masks, void: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[n] ids, and [n, 4] first row, row after the last, the same of columns."""
    if not isinstance(masks, Mapping):
        ids, boxes = kernels.object_boxes(masks)
        kept = ids != void
        return ids[kept], boxes[kept]
    objects = _outside(masks, void)
    kept_ids = sorted(k for k, mask in objects.items() if mask.any())
    around = [
        kernels.object_boxes(np.ascontiguousarray(objects[k]).view(np.uint8))[1][0]
        for k in kept_ids
    ]
    ids = np.array(kept_ids, np.int64)
    return ids, np.array(around, np.int64).reshape(len(ids), 4)


def _box_area(boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    area: NDArray[np.int64] = (boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2])
    return area


def _by_object(masks: Masks, void: int | None) -> Mapping[int, NDArray[np.bool_]]:
    if isinstance(masks, Mapping):
        return _outside(masks, void)
    ids = kernels.present_ids(masks)
    return {k: masks == k for k in ids[ids != void].tolist()}


def _outside(
    masks: Mapping[int, NDArray[np.bool_]], void: int | None
) -> Mapping[int, NDArray[np.bool_]]:
    """The objects without the pixels of the void label, as in a label map."""
    if void is None or void not in masks:
        return masks
    return {k: mask & ~masks[void] for k, mask in masks.items() if k != void}


def first_overlap(masks: Masks, area: int | None = None) -> tuple[int, int] | None:
    """Ids of the first two masks of a frame that share pixels; None where none do.

    >>> one, other = np.array([[1, 1, 0]], bool), np.array([[0, 1, 1]], bool)
    >>> first_overlap({1: one, 2: other}), first_overlap({1: one, 2: ~one})
    ((1, 2), None)

    Args:
        masks: object id -> [H, W] mask; a label map [H, W] has no overlaps.
        area: pixels of all masks together, where they are counted already.
    """
    if not isinstance(masks, Mapping) or len(masks) < 2:
        return None
    ids = sorted(masks)
    if area is None:
        area = sum(int(np.count_nonzero(masks[k])) for k in ids)
    union = masks[ids[0]] | masks[ids[1]]
    for k in ids[2:]:
        np.logical_or(union, masks[k], out=union)
    if area == int(np.count_nonzero(union)):
        return None
    pairs = ((a, b) for i, b in enumerate(ids) for a in ids[:i])
    return next((a, b) for a, b in pairs if (masks[a] & masks[b]).any())
