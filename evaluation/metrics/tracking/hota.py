"""HOTA: detection and association accuracy in balance, over localisation thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.overlaps import Indices, Overlaps
from evaluation.metrics.tracking.similarity import (
    EPSILON,
    Group,
    Values,
    assign_each,
    groups,
    sum_in_order,
)

ALPHAS: Values = np.arange(0.05, 0.99, 0.05)
"""[19] localisation thresholds."""

Hota = Mapping[str, Values | float]
"""TrackEval's names -> [19] values per threshold, or one number (``HOTA(0)``)."""

COUNTS = ("HOTA_TP", "HOTA_FN", "HOTA_FP")
WEIGHTED = ("AssRe", "AssPr", "AssA")
PER_THRESHOLD = (*COUNTS, *WEIGHTED, "LocA", "DetRe", "DetPr", "DetA", "HOTA", "OWTA")


@dataclass(frozen=True)
class Matches:
    """Matches of one video; n objects, m tracks, 19 thresholds.

    Attributes:
        counts: [19, n, m] frames in which object and track are matched.
        localisation: [19] sum of the IoU of all matches.
    """

    counts: Values
    localisation: Values


def hota(overlaps: Overlaps) -> dict[str, Values | float]:
    """HOTA and its parts for one video.

    Args:
        overlaps: shared pixels; ids that never show a pixel do not count.

    Returns:
        ``HOTA``, ``DetA``, ``AssA``, ``DetRe``, ``DetPr``, ``AssRe``, ``AssPr``,
        ``LocA``, ``OWTA`` and the counts ``HOTA_TP``, ``HOTA_FN``, ``HOTA_FP``, [19]
        each, one per threshold of `ALPHAS`; ``HOTA(0)``, ``LocA(0)`` and
        ``HOTALocA(0)`` at the lowest threshold.
    """
    overlaps = overlaps.visible
    n_gt = int(np.count_nonzero(overlaps.gt_area))
    n_tracks = int(np.count_nonzero(overlaps.track_area))
    if not n_gt or not n_tracks:
        return _nothing_to_match(n_gt, n_tracks)
    return _scores(match(overlaps), overlaps)


def match(overlaps: Overlaps) -> Matches:
    """Match objects and tracks in every frame, so that identities persist."""
    parts = list(groups(overlaps))
    shape = (overlaps.n_frames, len(overlaps.gt_ids), len(overlaps.track_ids))
    alignment = _alignment(overlaps, parts, shape)
    similarity, pairs = _best_pairs(parts, alignment, shape)
    passed = similarity[:, :, None] >= ALPHAS - EPSILON
    located = np.where(passed, similarity[:, :, None], 0.0)
    localisation = sum_in_order(sum_in_order(located.transpose(1, 0, 2)))
    # Thresholds ascend: a match that passes `level` of them passes the first ones.
    levels = passed.sum(axis=2)
    size = len(ALPHAS) + 1
    table = np.bincount(
        (pairs * size + levels).ravel(), minlength=shape[1] * shape[2] * size
    ).reshape(-1, size)
    above = table[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    counts = np.ascontiguousarray(above.T, np.float64)
    return Matches(counts.reshape(len(ALPHAS), *shape[1:]), localisation)


def combine_hota(videos: Sequence[Hota]) -> dict[str, Values | float]:
    """HOTA over several videos, from the numbers of each.

    Args:
        videos: results of :func:`hota`, in order of the videos' names.
    """
    total: dict[str, Values | float] = {
        key: sum_in_order(np.array([video[key] for video in videos])) for key in COUNTS
    }
    hits = np.asarray(total["HOTA_TP"])
    for key in WEIGHTED:
        weighted = np.array(
            [video[key] * np.asarray(video["HOTA_TP"]) for video in videos]
        )
        total[key] = sum_in_order(weighted) / np.maximum(1.0, hits)
    located = np.array(
        [video["LocA"] * np.asarray(video["HOTA_TP"]) for video in videos]
    )
    total["LocA"] = _localisation(sum_in_order(located), hits)
    return _derive(total)


def hota_of_counts(counts: Mapping[str, Values]) -> dict[str, Values | float]:
    """HOTA of one video from its counts, association and localisation."""
    return _derive({key: counts[key] for key in (*COUNTS, *WEIGHTED, "LocA")})


def mean_hota(classes: Sequence[Hota]) -> dict[str, Values | float]:
    """Mean over classes of HOTA and its parts; counts are summed."""
    total: dict[str, Values | float] = {}
    for key in (*PER_THRESHOLD, "HOTA(0)", "LocA(0)", "HOTALocA(0)"):
        values = np.array([one[key] for one in classes], np.float64)
        if key in COUNTS:
            total[key] = sum_in_order(values)
        else:
            total[key] = np.mean(values, axis=0)
    return total


def _alignment(
    overlaps: Overlaps, parts: Sequence[Group], shape: tuple[int, ...]
) -> Values:
    """[n, m] how well each object and track fit each other over the whole video."""
    shares = np.zeros(shape)
    for part in parts:
        similarity = part.similarity
        of_object = similarity.sum(axis=1)[:, None, :]
        of_track = similarity.sum(axis=2)[:, :, None]
        union = of_track + of_object - similarity
        share = np.zeros_like(similarity)
        np.divide(similarity, union, out=share, where=union > EPSILON)
        shares[part.frames[:, None, None], part.objects, part.tracks[:, None]] = share
    potential = sum_in_order(shares)
    counts = _presence(overlaps.gt_area)[:, None] + _presence(overlaps.track_area)
    aligned: Values = potential / (counts - potential)
    return aligned


def _best_pairs(
    parts: Sequence[Group], alignment: Values, shape: tuple[int, ...]
) -> tuple[Values, Indices]:
    """The pairs of every frame: [T, q] similarity, 0 for none, and [T, q] numbers.

    Pair (g, p) has the number g m + p.
    """
    n_frames, _, m = shape
    most = max(len(part.objects) for part in parts)
    similarity = np.zeros((n_frames, most))
    pairs = np.zeros((n_frames, most), np.int64)
    for part in parts:
        scores = alignment[np.ix_(part.objects, part.tracks)].T * part.similarity
        tracks, paired = assign_each(scores)
        width = len(part.objects)
        near = np.take_along_axis(part.similarity, tracks[:, None, :], axis=1)[:, 0]
        similarity[part.frames, :width] = np.where(paired, near, 0.0)
        pairs[part.frames, :width] = part.objects * m + part.tracks[tracks]
    return similarity, pairs


def _scores(matches: Matches, overlaps: Overlaps) -> dict[str, Values | float]:
    counts = matches.counts
    hits = counts.sum(axis=(1, 2))
    gt_frames = _presence(overlaps.gt_area)[:, None]
    track_frames = _presence(overlaps.track_area)[None, :]
    total: dict[str, Values | float] = {
        "HOTA_TP": hits,
        "HOTA_FN": gt_frames.sum() - hits,
        "HOTA_FP": track_frames.sum() - hits,
    }
    for key, out_of in (
        ("AssRe", gt_frames + np.zeros_like(track_frames)),
        ("AssPr", track_frames + np.zeros_like(gt_frames)),
        ("AssA", gt_frames + track_frames - counts),
    ):
        shares = counts * (counts / np.maximum(1, out_of))
        total[key] = shares.reshape(len(ALPHAS), -1).sum(axis=1) / np.maximum(1, hits)
    total["LocA"] = _localisation(matches.localisation, hits)
    return _derive(total)


def _nothing_to_match(n_gt: int, n_tracks: int) -> dict[str, Values | float]:
    zeros = np.zeros(len(ALPHAS))
    result: dict[str, Values | float] = {key: zeros.copy() for key in PER_THRESHOLD}
    missed, wrong = (n_gt, 0) if not n_tracks else (0, n_tracks)
    result["HOTA_FN"], result["HOTA_FP"] = zeros + missed, zeros + wrong
    result["LocA"] = zeros + 1.0
    return result | {"HOTA(0)": 0.0, "LocA(0)": 1.0, "HOTALocA(0)": 0.0}


def _derive(total: dict[str, Values | float]) -> dict[str, Values | float]:
    """Add what follows from counts and association."""
    hits, missed, wrong = (np.asarray(total[key]) for key in COUNTS)
    total["DetRe"] = hits / np.maximum(1, hits + missed)
    total["DetPr"] = hits / np.maximum(1, hits + wrong)
    total["DetA"] = hits / np.maximum(1, hits + missed + wrong)
    association, localisation = np.asarray(total["AssA"]), np.asarray(total["LocA"])
    total["HOTA"] = np.sqrt(total["DetA"] * association)
    total["OWTA"] = np.sqrt(total["DetRe"] * association)
    total["HOTA(0)"] = float(np.asarray(total["HOTA"])[0])
    total["LocA(0)"] = float(localisation[0])
    total["HOTALocA(0)"] = total["HOTA(0)"] * total["LocA(0)"]
    return total


def _localisation(total: Values, hits: Values) -> Values:
    located: Values = np.maximum(1e-10, total) / np.maximum(1e-10, hits)
    return located


def _presence(area: NDArray[np.signedinteger]) -> Values:
    """[k] in how many frames each object or track shows a pixel."""
    return np.asarray(np.count_nonzero(area, axis=1), dtype=np.float64)
