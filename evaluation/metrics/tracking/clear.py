"""CLEAR: MOTA, MOTP, identity switches, fragmentations, mostly tracked objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.overlaps import Indices, Overlaps
from evaluation.metrics.tracking.similarity import (
    EPSILON,
    Values,
    assign,
    sum_in_order,
)

THRESHOLD = 0.5
"""IoU from which an object and a track may be matched."""

Clear = Mapping[str, float]

SUMMED = (
    "CLR_TP", "CLR_FN", "CLR_FP", "IDSW", "MT", "PT", "ML", "Frag", "CLR_Frames",
    "MOTP_sum",
)  # fmt: skip
_DERIVED = (
    "MOTA", "MOTP", "MODA", "CLR_Re", "CLR_Pr", "MTR", "PTR", "MLR", "sMOTA", "CLR_F1",
    "FP_per_frame", "MOTAL",
)  # fmt: skip
_KEEPS_TRACK = 1000
"""Worth of staying with the track of the frame before, against an IoU of up to 1."""


def clear(overlaps: Overlaps) -> dict[str, float]:
    """CLEAR metrics of one video.

    Returns:
        ``MOTA``, ``MOTP``, ``MODA``, ``sMOTA``, ``MOTAL``, ``CLR_Re``, ``CLR_Pr``,
        ``CLR_F1``, ``FP_per_frame``, ``MTR``, ``PTR``, ``MLR`` and the counts
        ``CLR_TP``, ``CLR_FN``, ``CLR_FP``, ``IDSW`` (identity switches), ``Frag``
        (fragmentations), ``MT``, ``PT``, ``ML`` (objects mostly, partly, hardly
        tracked), ``CLR_Frames``, ``MOTP_sum``.
    """
    overlaps = overlaps.visible
    n_gt = int(np.count_nonzero(overlaps.gt_area))
    n_tracks = int(np.count_nonzero(overlaps.track_area))
    if not n_gt or not n_tracks:
        return _nothing_to_match(n_gt, n_tracks, len(overlaps.gt_ids))
    matched, similarity = match_frames(overlaps)
    return combine_clear([_counts(overlaps, matched, similarity)])


def match_frames(overlaps: Overlaps) -> tuple[Indices, Values]:
    """Match objects and tracks frame by frame, staying with the same track if allowed.

    Returns:
        [V, n] position of each object's track, -1 for none, and [V, n] their IoU; V
        frames show objects and tracks both.
    """
    frames = _frames_with_both(overlaps)
    iou = overlaps.iou[frames]
    allowed = iou >= THRESHOLD - EPSILON
    matched = np.where(allowed.any(axis=2), allowed.argmax(axis=2), -1)
    unclear = (allowed.sum(axis=2) > 1).any(axis=1) | (allowed.sum(axis=1) > 1).any(
        axis=1
    )
    for frame in np.flatnonzero(unclear):
        before = matched[frame - 1] if frame else np.full(matched.shape[1], -1)
        objects = np.flatnonzero(overlaps.gt_area[:, frames[frame]])
        tracks = np.flatnonzero(overlaps.track_area[:, frames[frame]])
        stays = before[objects][:, None] == tracks
        near = iou[frame][np.ix_(objects, tracks)]
        worth = np.where(near >= THRESHOLD - EPSILON, _KEEPS_TRACK * stays + near, 0.0)
        rows, columns = assign(worth)
        kept = worth[rows, columns] > EPSILON
        matched[frame] = -1
        matched[frame, objects[rows[kept]]] = tracks[columns[kept]]
    picked = np.take_along_axis(iou, np.maximum(matched, 0)[:, :, None], 2)[:, :, 0]
    return matched, np.where(matched >= 0, picked, 0.0)


def combine_clear(videos: Sequence[Clear]) -> dict[str, float]:
    """CLEAR over several videos, from the counts of each.

    Args:
        videos: results of :func:`clear`, in order of the videos' names.
    """
    total = {key: 0.0 for key in SUMMED}
    for video in videos:
        for key in SUMMED:
            total[key] += video[key]
    return total | _derive(total)


def clear_of_counts(counts: Clear) -> dict[str, float]:
    """CLEAR of one video from its counts."""
    n_gt, n_tracks = (counts["CLR_TP"] + counts[key] for key in ("CLR_FN", "CLR_FP"))
    if n_gt and n_tracks:
        return combine_clear([counts])
    return _nothing_to_match(n_gt, n_tracks, counts["ML"])


def mean_clear(classes: Sequence[Clear]) -> dict[str, float]:
    """Mean over classes; counts are summed."""
    total = combine_clear(classes)
    for key in (*_DERIVED, "MOTP_sum"):
        total[key] = float(np.mean([one[key] for one in classes]))
    return total


def tracked_share(overlaps: Overlaps, matched: Indices) -> Values:
    """[n] share of its frames in which each object is matched."""
    hits = (matched >= 0).sum(axis=0)
    frames = np.count_nonzero(overlaps.gt_area, axis=1)
    share: Values = hits / np.maximum(1, frames)
    return share


def switches(matched: Indices) -> NDArray[np.int64]:
    """[n] identity switches: matched to another track than the last time."""
    counts = np.zeros(matched.shape[1], np.int64)
    for position in range(matched.shape[1]):
        tracks = matched[:, position]
        tracks = tracks[tracks >= 0]
        counts[position] = np.count_nonzero(tracks[1:] != tracks[:-1])
    return counts


def fragmentations(matched: Indices) -> NDArray[np.int64]:
    """[n] how often each object's tracking is taken up again after a gap."""
    tracked = matched >= 0
    begins = tracked.copy()
    begins[1:] &= ~tracked[:-1]
    counts: NDArray[np.int64] = np.maximum(begins.sum(axis=0) - 1, 0)
    return counts


def _counts(
    overlaps: Overlaps, matched: Indices, similarity: Values
) -> dict[str, float]:
    hits = int(np.count_nonzero(matched >= 0))
    share = tracked_share(overlaps, matched)
    mostly = int(np.count_nonzero(share > 0.8))
    partly = int(np.count_nonzero(share >= 0.2)) - mostly
    return {
        "CLR_TP": hits,
        "CLR_FN": int(np.count_nonzero(overlaps.gt_area)) - hits,
        "CLR_FP": int(np.count_nonzero(overlaps.track_area)) - hits,
        "IDSW": int(switches(matched).sum()),
        "MT": mostly,
        "PT": partly,
        "ML": len(overlaps.gt_ids) - mostly - partly,
        "Frag": int(fragmentations(matched).sum()),
        "CLR_Frames": overlaps.n_frames,
        "MOTP_sum": float(sum_in_order(sum_in_order(similarity.T))),
    }


def _frames_with_both(overlaps: Overlaps) -> Indices:
    visible = (overlaps.gt_area > 0).any(axis=0) & (overlaps.track_area > 0).any(axis=0)
    return np.flatnonzero(visible)


def _nothing_to_match(
    n_gt: float, n_tracks: float, n_objects: float
) -> dict[str, float]:
    """What TrackEval gives when there are no tracks, or no objects, at all."""
    result = {key: 0.0 for key in (*SUMMED, *_DERIVED)}
    if n_tracks:
        return result | {"CLR_FP": n_tracks, "MLR": 1.0}
    return result | {"CLR_FN": n_gt, "ML": n_objects, "MLR": 1.0}


def _derive(total: Mapping[str, float]) -> dict[str, float]:
    hits, missed, wrong = total["CLR_TP"], total["CLR_FN"], total["CLR_FP"]
    changed, located = total["IDSW"], total["MOTP_sum"]
    objects = max(1.0, total["MT"] + total["ML"] + total["PT"])
    detections = max(1.0, hits + missed)
    slow = float(np.log10(changed)) if changed > 0 else changed
    return {
        "MOTA": (hits - wrong - changed) / detections,
        "MOTP": located / max(1.0, hits),
        "MODA": (hits - wrong) / detections,
        "CLR_Re": hits / detections,
        "CLR_Pr": hits / max(1.0, hits + wrong),
        "MTR": total["MT"] / objects,
        "PTR": total["PT"] / objects,
        "MLR": total["ML"] / objects,
        "sMOTA": (located - wrong - changed) / detections,
        "CLR_F1": hits / max(1.0, hits + 0.5 * missed + 0.5 * wrong),
        "FP_per_frame": wrong / max(1.0, total["CLR_Frames"]),
        "MOTAL": (hits - wrong - slow) / detections,
    }
