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


def _by_object(masks: Masks, void: int | None) -> Mapping[int, NDArray[np.bool_]]:
    if isinstance(masks, Mapping):
        return masks
    ids = kernels.present_ids(masks)
    return {k: masks == k for k in ids[ids != void].tolist()}
