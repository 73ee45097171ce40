"""Identity: one track per object for the whole video (IDF1, IDR, IDP)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.counting.overlaps import Overlaps
from evaluation.metrics.tracking.similarity import assign

THRESHOLD = 0.5
"""IoU from which an object and a track agree in a frame."""

COUNTS = ("IDTP", "IDFN", "IDFP")


def identity(overlaps: Overlaps) -> dict[str, float]:
    """Identity metrics of one video.

    Returns:
        ``IDF1``, ``IDR``, ``IDP``, and the counts ``IDTP``, ``IDFN``, ``IDFP``.
    """
    overlaps = overlaps.visible
    n_gt = int(np.count_nonzero(overlaps.gt_area))
    n_tracks = int(np.count_nonzero(overlaps.track_area))
    if not n_gt or not n_tracks:
        missed, wrong = (n_gt, 0) if not n_tracks else (0, n_tracks)
        return combine_identity(
            [{"IDTP": 0, "IDFN": missed, "IDFP": wrong}], derive=False
        )
    agreements = np.count_nonzero(overlaps.iou >= THRESHOLD, axis=0)
    # Fewest errors over all means most agreements over all, with one track per object.
    rows, columns = assign(agreements.astype(np.float64))
    hits = int(agreements[rows, columns].sum())
    return combine_identity(
        [{"IDTP": hits, "IDFN": n_gt - hits, "IDFP": n_tracks - hits}]
    )


def combine_identity(
    videos: Sequence[Mapping[str, float]], *, derive: bool = True
) -> dict[str, float]:
    """Identity metrics over several videos, from the counts of each.

    Args:
        videos: results of :func:`identity`.
        derive: False leaves the ratios at 0, as TrackEval does for a video without
            objects or without tracks.
    """
    hits, missed, wrong = (sum(video[key] for video in videos) for key in COUNTS)
    result = {"IDTP": hits, "IDFN": missed, "IDFP": wrong}
    if not derive:
        return result | {"IDF1": 0.0, "IDR": 0.0, "IDP": 0.0}
    return result | {
        "IDF1": hits / max(1.0, hits + 0.5 * wrong + 0.5 * missed),
        "IDR": hits / max(1.0, hits + missed),
        "IDP": hits / max(1.0, hits + wrong),
    }


def identity_of_counts(counts: Mapping[str, float]) -> dict[str, float]:
    """Identity metrics of one video from its counts."""
    hits = counts["IDTP"]
    both = (hits + counts["IDFN"]) * (hits + counts["IDFP"]) > 0
    return combine_identity([counts], derive=both)


def mean_identity(classes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean over classes; counts are summed."""
    total = combine_identity(classes)
    for key in ("IDF1", "IDR", "IDP"):
        total[key] = float(np.mean([one[key] for one in classes]))
    return total
