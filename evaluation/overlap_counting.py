"""Count what objects and tracks share in one frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evaluation.counting import kernels
from evaluation.masks.label_map import LabelMap
from evaluation.masks.pairs import Masks
from evaluation.overlaps import FrameOverlaps, Indices, frame_overlaps


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
    rows, columns = _numbers(gt_ids), _numbers(track_ids)
    window = _window(gt, tracks)
    gt, tracks = gt[window], tracks[window]
    n, m = len(gt_ids) + 1, len(track_ids) + 1
    pairs = rows[gt] * m + columns[tracks]
    table = np.bincount(pairs.ravel(), minlength=n * m).reshape(n, m)
    return FrameOverlaps(
        gt_ids,
        track_ids,
        table[1:].sum(axis=1),
        table[:, 1:].sum(axis=0),
        table[1:, 1:],
    )


def _numbers(ids: Indices) -> NDArray[np.int64]:
    """Table from label to 1, 2, ... in order of `ids`; 0 for other labels."""
    table = np.zeros(1 << 16, np.int64)
    table[ids] = np.arange(1, len(ids) + 1)
    return table


def _window(gt: LabelMap, tracks: LabelMap) -> tuple[slice, slice]:
    """The part of the frame outside of which both are background."""
    boxes = [kernels.object_boxes(label_map)[1] for label_map in (gt, tracks)]
    corners = np.concatenate(boxes)
    if not len(corners):
        return slice(0, 0), slice(0, 0)
    top, left = corners[:, 0].min(), corners[:, 2].min()
    return slice(top, corners[:, 1].max()), slice(left, corners[:, 3].max())


def _by_object(masks: Masks, void: int | None) -> Mapping[int, NDArray[np.bool_]]:
    if isinstance(masks, Mapping):
        return masks
    ids = kernels.present_ids(masks)
    return {k: masks == k for k in ids[ids != void].tolist()}
