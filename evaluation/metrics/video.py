"""From pixel counts to scores of one video: which objects and frames count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.counts import (
    GT_AREA,
    GT_BOUNDARY,
    N_COUNTS,
    PRED_AREA,
    PRED_BOUNDARY,
    Counts,
)
from evaluation.counting.video import SequenceCounts
from evaluation.frame_rules import object_frames
from evaluation.masks.pairs import SequencePair
from evaluation.metrics.boundary import adaptive_boundary_f, boundary_f
from evaluation.metrics.matching import assign_proposals
from evaluation.metrics.region import jaccard, smoothed_jaccard
from evaluation.metrics.segments import (
    disappearances,
    mean_over_segments,
    reappearances,
)
from evaluation.metrics.statistics import (
    decay,
    last_quarter,
    mean,
    recall,
    variance,
)
from evaluation.metrics.tracking.objects import COLUMNS as OBJECT_COLUMNS
from evaluation.metrics.tracking.objects import object_tracking
from evaluation.metrics.tracking.video import Row, by_class, track_rows
from evaluation.protocols import ScoringProtocol

Values = NDArray[np.float64]


@dataclass(frozen=True)
class SequenceScores:
    """Scores of one video; n objects, T frames.

    Attributes:
        name: the video.
        frames: [T] frame names.
        object_ids: [n] ids, in the order in which they are averaged.
        proposal_ids: [n] proposal matched to each object, 0 for none; None where
            predictions go by id.
        J: [n, T] region similarity.
        F: [n, T] boundary accuracy.
        F_adaptive: [n, T] with the adaptive tolerance of MOSE v2; None elsewhere.
        gt_area: [n, T] pixels.
        pred_area: [n, T] pixels.
        annotated: [n, T] False where an object has no ground truth of its own.
        counted: [n, T] True where the protocol counts the object.
        tracking: name -> [n] tracking metrics of each object, NaN for objects that
            are not tracked; empty where the protocol has none.
        track_rows: counts of the tracking metrics of the video, one row per class.
        gt_digest: [n, T] checksums of the true masks, 0 where they are empty; None
            where they are not known.
    """

    name: str
    frames: tuple[str, ...]
    object_ids: NDArray[np.int64]
    proposal_ids: NDArray[np.int64] | None
    J: Values
    F: Values
    F_adaptive: Values | None
    gt_area: Counts
    pred_area: Counts
    annotated: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    tracking: Mapping[str, Values] = field(default_factory=dict)
    track_rows: tuple[Row, ...] = ()
    gt_digest: NDArray[np.uint32] | None = None

    def object_statistics(self, protocol: ScoringProtocol) -> list[dict[str, float]]:
        """One row of statistics an object, as in the `objects` table of `Scores`."""
        return [self._statistics(o, protocol) for o in range(len(self.object_ids))]

    def _statistics(self, o: int, protocol: ScoringProtocol) -> dict[str, float]:
        counted = self.counted[o]
        wrap = protocol.decay == "8-bit"
        row: dict[str, float] = {}
        for name, values in (("J", self.J), ("F", self.F)):
            series = values[o, counted]
            row[f"{name}_mean"] = mean(series)
            row[f"{name}_recall"] = recall(series)
            row[f"{name}_decay"] = decay(series, wrap_indices=wrap)
        row["J&F"] = (row["J_mean"] + row["F_mean"]) / 2
        if protocol.last == "quarter":
            series = last_quarter(self.J[o, counted])
            row["J_last_mean"] = mean(series)
            row["J_last_recall"] = recall(series)
            row["J_last_decay"] = decay(series, wrap_indices=wrap)
        if self.F_adaptive is not None:
            row["F_adaptive_mean"] = mean(self.F_adaptive[o, counted])
            row["J&F_adaptive"] = (row["J_mean"] + row["F_adaptive_mean"]) / 2
        row["V"] = variance(self.J[o, counted], self.F[o, counted])
        row |= self._segment_scores(o)
        row |= {name: float(values[o]) for name, values in self.tracking.items()}
        return row

    def _segment_scores(self, o: int) -> dict[str, float]:
        boundary = self.F if self.F_adaptive is None else self.F_adaptive
        known = self.annotated[o]
        visible = self.gt_area[o, known] > 0
        row = {}
        for kind, segments in (
            ("disappearance", disappearances(visible)),
            ("reappearance", reappearances(visible)),
        ):
            row[f"J_{kind}"] = mean_over_segments(self.J[o, known], segments)
            row[f"F_{kind}"] = mean_over_segments(boundary[o, known], segments)
        return row


def score_sequence(
    counts: SequenceCounts, pair: SequencePair, protocol: ScoringProtocol
) -> SequenceScores:
    """Apply a protocol's rules to the pixel counts of one video.

    Objects without a frame that counts are left out.
    """
    if protocol.matching == "by-id":
        selected, object_ids = _select(counts, protocol)
        proposals = None
    else:
        selected, object_ids, proposals = _match(counts, protocol)
    annotated = _annotated_frames(object_ids, counts.frames, pair, protocol)
    counted = _count(object_ids, selected, annotated, counts, protocol)
    J, F = _region(selected, protocol), boundary_f(selected)
    adaptive = (
        adaptive_boundary_f(selected) if protocol.boundary == "adaptive" else None
    )
    if pair.pred is None and protocol.region == "smoothed":
        # MOSE v2 gives a missing video 0 even where nothing is to be seen.
        J, F, adaptive = np.zeros_like(J), np.zeros_like(F), np.zeros_like(F)
    kept = counted.any(axis=1)
    return SequenceScores(
        counts.name,
        counts.frames,
        object_ids[kept],
        None if proposals is None else proposals[kept],
        J[kept],
        F[kept],
        None if adaptive is None else adaptive[kept],
        selected[kept, :, GT_AREA],
        selected[kept, :, PRED_AREA],
        annotated[kept],
        counted[kept],
        *_track(counts, pair, protocol, object_ids[kept]),
        _digests_of(counts, object_ids[kept]),
    )


def _digests_of(
    counts: SequenceCounts, object_ids: NDArray[np.int64]
) -> NDArray[np.uint32]:
    """[n, T] checksums of the true masks of some objects, 0 for those nowhere seen."""
    found = np.zeros((len(object_ids), counts.digests.shape[1]), np.uint32)
    rows = {key: row for row, key in enumerate(counts.object_ids.tolist())}
    for o, key in enumerate(object_ids.tolist()):
        if key in rows:
            found[o] = counts.digests[rows[key]]
    return found


def _track(
    counts: SequenceCounts,
    pair: SequencePair,
    protocol: ScoringProtocol,
    object_ids: NDArray[np.int64],
) -> tuple[dict[str, Values], tuple[Row, ...]]:
    """Tracking metrics of each object, and the counts of the video."""
    if counts.overlaps is None:
        return {}, ()
    rows = track_rows(counts.overlaps, protocol.tracking, pair.classes)
    columns: dict[str, Values] = {
        name: np.full(len(object_ids), np.nan) for name in OBJECT_COLUMNS
    }
    for overlaps in by_class(counts.overlaps, protocol.tracking, pair.classes):
        visible = overlaps.visible
        known = np.isin(object_ids, visible.gt_ids)
        order = np.searchsorted(visible.gt_ids, object_ids[known])
        for name, values in object_tracking(visible).items():
            columns[name][known] = values[order]
    return columns, tuple(rows)


def _region(counts: Counts, protocol: ScoringProtocol) -> Values:
    if protocol.region == "smoothed":
        return smoothed_jaccard(counts)
    return jaccard(counts)


def _eligible(counts: SequenceCounts, protocol: ScoringProtocol) -> NDArray[np.int64]:
    """Ids that the protocol's object rule takes from the ground truth."""
    ids, first = counts.object_ids, counts.first_ids
    if protocol.void_label is not None:
        ids, first = (
            ids[ids != protocol.void_label],
            first[first != protocol.void_label],
        )
    if not protocol.objects.startswith("first-frame"):
        return ids
    top = int(first.max()) if len(first) else 0
    if protocol.objects == "first-frame-gaps":
        return np.arange(1, top + 1, dtype=np.int64)
    return ids[ids <= top]


def _select(
    counts: SequenceCounts, protocol: ScoringProtocol
) -> tuple[Counts, NDArray[np.int64]]:
    """Counts of each object with the prediction of the same id."""
    object_ids = _eligible(counts, protocol)
    rows = np.zeros((len(object_ids), *counts.counts.shape[1:]), counts.counts.dtype)
    known = np.isin(object_ids, counts.object_ids)
    rows[known] = counts.counts[np.isin(counts.object_ids, object_ids)]
    return rows, object_ids


def _match(
    counts: SequenceCounts, protocol: ScoringProtocol
) -> tuple[Counts, NDArray[np.int64], NDArray[np.int64]]:
    """Counts of each object with its proposal, in ascending order of proposals.

    Objects without a track come last, with the proposal 0 and an empty prediction.
    """
    object_ids = _eligible(counts, protocol).tolist()
    proposal_ids = _proposals(counts, len(object_ids), protocol)
    found = set(counts.proposal_ids.tolist())
    gains = np.zeros((len(proposal_ids), len(object_ids)))
    for p, o in np.ndindex(gains.shape):
        gains[p, o] = _gain(counts, object_ids[o], proposal_ids[p], protocol)
    matches = [(proposal_ids[p], object_ids[o]) for p, o in assign_proposals(gains)]
    rows = [_pair_counts(counts, o, p) for p, o in matches]
    if protocol.matching == "tracks":
        found = set(counts.proposal_ids.tolist())
        matches = [(p if p in found else 0, o) for p, o in matches]
    return (
        np.array(rows, np.int64).reshape(len(rows), len(counts.frames), N_COUNTS),
        np.array([o for _, o in matches], dtype=np.int64),
        np.array([p for p, _ in matches], dtype=np.int64),
    )


def _proposals(
    counts: SequenceCounts, n_objects: int, protocol: ScoringProtocol
) -> list[int]:
    """Ids of the proposals.

    There are at least as many as objects; those that never occur are empty masks.
    DAVIS takes every id up to the highest as one. TrackEval takes the tracks there
    are, and then empty ones.
    """
    found: list[int] = counts.proposal_ids.tolist()
    if protocol.matching == "tracks":
        lacking = max(0, n_objects - len(found))
        top = max(found, default=0)
        return [*found, *range(top + 1, top + 1 + lacking)]
    return list(range(1, max([n_objects, *found]) + 1))


def _gain(
    counts: SequenceCounts, object_id: int, proposal_id: int, protocol: ScoringProtocol
) -> float:
    """What is gained by matching a proposal to an object."""
    pair = _pair_counts(counts, object_id, proposal_id)
    if protocol.matching == "tracks":
        return mean(jaccard(pair))
    return (mean(jaccard(pair)) + mean(boundary_f(pair))) / 2


def _pair_counts(counts: SequenceCounts, object_id: int, proposal_id: int) -> Counts:
    """[T, 7] counts of an object with a proposal; either may never occur."""
    objects = np.flatnonzero(counts.object_ids == object_id)
    proposals = np.flatnonzero(counts.proposal_ids == proposal_id)
    if len(objects) and len(proposals):
        pair: Counts = counts.pairs[objects[0], proposals[0]]
        return pair
    alone = np.zeros((len(counts.frames), N_COUNTS), dtype=np.int64)
    if len(objects):
        for column in (GT_AREA, GT_BOUNDARY):
            alone[:, column] = counts.counts[objects[0], :, column]
    if len(proposals) and len(counts.pairs):
        for column in (PRED_AREA, PRED_BOUNDARY):
            alone[:, column] = counts.pairs[0, proposals[0], :, column]
    return alone


def _annotated_frames(
    object_ids: NDArray[np.int64],
    frames: tuple[str, ...],
    pair: SequencePair,
    protocol: ScoringProtocol,
) -> NDArray[np.bool_]:
    own = [
        object_frames(pair.gt, k, protocol, pair.ranges) for k in object_ids.tolist()
    ]
    rows = [[frame in wanted for frame in frames] for wanted in own]
    return np.array(rows, dtype=bool).reshape(len(own), len(frames))


def _count(
    object_ids: NDArray[np.int64],
    selected: Counts,
    annotated: NDArray[np.bool_],
    counts: SequenceCounts,
    protocol: ScoringProtocol,
) -> NDArray[np.bool_]:
    """[n, T] True where the protocol counts an object."""
    visible = (selected[..., GT_AREA] > 0) & annotated
    if protocol.objects == "from-appearance":
        seen = visible | ((selected[..., PRED_AREA] > 0) & annotated)
        since = np.logical_or.accumulate(seen, axis=1)
        return since & annotated & visible.any(axis=1, keepdims=True)
    if protocol.frames.startswith("after-own-first"):
        before = np.zeros_like(visible)
        before[:, 1:] = np.logical_or.accumulate(visible, axis=1)[:, :-1]
        before |= np.isin(object_ids, counts.first_ids)[:, None]
        return before & annotated
    return annotated
