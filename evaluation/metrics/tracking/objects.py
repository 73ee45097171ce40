"""How each object is tracked: the shares of HOTA and CLEAR that belong to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.overlaps import Overlaps
from evaluation.metrics.tracking.clear import (
    fragmentations,
    match_frames,
    switches,
)
from evaluation.metrics.tracking.hota import match

COLUMNS = ("HOTA", "DetA", "AssA", "DetRe", "IDSW", "Frag")
"""What :func:`object_tracking` gives."""


def object_tracking(overlaps: Overlaps) -> dict[str, NDArray[np.float64]]:
    """HOTA, its parts, switches and fragmentations of each object.

    Matches are those of the whole video. A detection that is matched to nothing is
    charged to the object with which its track is matched most often (to none if it
    never is), so the counts of the objects add up to those of the video. There is no
    official measure per object; this one splits the official one.

    Returns:
        Names of `COLUMNS` -> [n] in the order of the visible objects' ids; HOTA,
        DetA, AssA and DetRe are means over the thresholds.
    """
    overlaps = overlaps.visible
    n = len(overlaps.gt_ids)
    visible = np.count_nonzero(overlaps.gt_area, axis=1).astype(np.float64)
    if not n or not np.count_nonzero(overlaps.track_area):
        return {name: np.zeros(n) for name in COLUMNS}
    counts = match(overlaps).counts
    track_frames = np.count_nonzero(overlaps.track_area, axis=1).astype(np.float64)
    hits = counts.sum(axis=2)
    wrong = _charge(counts, track_frames, n)
    union = visible[:, None] + track_frames - counts
    agreement = (counts * (counts / np.maximum(1, union))).sum(axis=2)
    association = agreement / np.maximum(1, hits)
    detection = hits / np.maximum(1, visible + wrong)
    matched, _ = match_frames(overlaps)
    return {
        "HOTA": np.sqrt(detection * association).mean(axis=0),
        "DetA": detection.mean(axis=0),
        "AssA": association.mean(axis=0),
        "DetRe": (hits / np.maximum(1, visible)).mean(axis=0),
        "IDSW": switches(matched).astype(np.float64),
        "Frag": fragmentations(matched).astype(np.float64),
    }


def _charge(
    counts: NDArray[np.float64], track_frames: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    """[19, n] unmatched detections of each object's tracks."""
    unmatched = track_frames - counts.sum(axis=1)
    owner = counts[0].argmax(axis=0)
    owned = counts[0].max(axis=0) > 0
    charged = np.zeros((len(counts), n))
    for track in np.flatnonzero(owned):
        charged[:, owner[track]] += unmatched[:, track]
    return charged
