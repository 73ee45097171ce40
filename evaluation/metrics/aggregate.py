"""How the scores of objects become one number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from evaluation.protocols import ScoringProtocol

Columns = Mapping[str, Sequence[Any]]
"""A table as columns of equal length."""

Average = Callable[[Columns, Sequence[float]], dict[str, float]]
"""Objects table and one of its columns -> suffix of the name -> mean."""

METRICS = {
    "J": "J_mean",
    "J_recall": "J_recall",
    "J_decay": "J_decay",
    "J_last": "J_last_mean",
    "J_last_recall": "J_last_recall",
    "J_last_decay": "J_last_decay",
    "F": "F_mean",
    "F_recall": "F_recall",
    "F_decay": "F_decay",
    "F_adaptive": "F_adaptive_mean",
    "V": "V",
    "J_disappearance": "J_disappearance",
    "F_disappearance": "F_disappearance",
    "J_reappearance": "J_reappearance",
    "F_reappearance": "F_reappearance",
}
"""Name in the summary -> column of the objects table."""

NO_SCORES = frozenset({"sequence", "object", "group", "n_frames", "proposal"})
"""Columns of the objects table that say which object it is, and are no scores."""

LOWER_IS_BETTER = frozenset({"J_decay", "J_last_decay", "F_decay", "V", "IDSW", "Frag"})
"""Scores of objects that count what goes wrong."""

GROUPS = ("seen", "unseen")
"""Objects whose kind is among the training data, and the others."""

HALVED = {
    "J&F": ("J", "F"),
    "J&F_adaptive": ("J", "F_adaptive"),
    "J&F_disappearance": ("J_disappearance", "F_disappearance"),
    "J&F_reappearance": ("J_reappearance", "F_reappearance"),
}
"""Name in the summary -> the two metrics of which it is the mean."""


def summarise(
    objects: Columns, protocol: ScoringProtocol, scale: float = 1.0
) -> dict[str, float]:
    """Average the objects table as the protocol says.

    Args:
        objects: the `objects` table of `Scores`.
        protocol: its averaging rule is followed.
        scale: 1 for fractions; 100 for percent, multiplied in before averaging as
            tools that print percent do (the last digit may differ).

    Returns:
        Metric -> mean, `METRICS` and their halved sums; metrics that no object has
        are left out. With groups, ``J_seen``, ``J_unseen`` and so on besides.
    """
    average = _AVERAGES[protocol.average]
    means: dict[str, float] = {}
    for metric, column in METRICS.items():
        if column not in objects:
            continue
        values = [scale * value for value in objects[column]]
        rows = objects
        if metric.endswith("appearance"):
            rows, values = _with_segments(objects, values)
            if not values:
                continue
        for suffix, mean in average(rows, values).items():
            means[metric + suffix] = mean
    for metric, (region, boundary) in HALVED.items():
        if region not in means or boundary not in means:
            continue
        if protocol.average == "tracks" and metric == "J&F":
            columns = (objects[METRICS[region]], objects[METRICS[boundary]])
            means[metric] = scale * _halves_over_tracks(objects, *columns)
        else:
            means[metric] = _halve(means, region, boundary)
    first = ("J&F", "J", "F")
    return {key: means[key] for key in (*first, *(k for k in means if k not in first))}


def _with_segments(
    objects: Columns, values: Sequence[float]
) -> tuple[Columns, list[float]]:
    """The rows of objects that have segments: scores of the others are NaN."""
    kept = np.flatnonzero(~np.isnan(values)).tolist()
    columns = ("sequence", "group")
    rows = {k: [objects[k][i] for i in kept] for k in columns if k in objects}
    return rows, [values[i] for i in kept]


def _halve(means: dict[str, float], region: str, boundary: str) -> float:
    """Mean of two metrics; of their groups where there are two of them.

    YouTube-VOS and LVOS take the mean of the four numbers (G), which may differ in
    the last digit from the mean of the two totals. LVOS adds region and boundary of
    each group first.
    """
    sums = [
        means[f"{region}_{group}"] + means[f"{boundary}_{group}"]
        for group in GROUPS
        if f"{region}_{group}" in means and f"{boundary}_{group}" in means
    ]
    if len(sums) == len(GROUPS):
        return sum(sums) / (2 * len(GROUPS))
    return (means[region] + means[boundary]) / 2


def _over_objects(objects: Columns, values: Sequence[float]) -> dict[str, float]:
    return {"": _mean(values)}


def _over_tracks(objects: Columns, values: Sequence[float]) -> dict[str, float]:
    """Means of sequences, weighted by their number of objects (TrackEval)."""
    return {"": _weigh((_mean(p), len(p)) for p in _by_sequence(objects, values))}


def _halves_over_tracks(
    objects: Columns, region: Sequence[float], boundary: Sequence[float]
) -> float:
    """J&F of sequences, weighted by their number of objects (TrackEval)."""
    parts = zip(
        _by_sequence(objects, region), _by_sequence(objects, boundary), strict=True
    )
    return _weigh(((_mean(J) + _mean(F)) / 2, len(J)) for J, F in parts)


def _by_sequence(objects: Columns, values: Sequence[float]) -> list[list[float]]:
    groups: dict[str, list[float]] = {}
    for sequence, value in zip(objects["sequence"], values, strict=True):
        groups.setdefault(sequence, []).append(value)
    return list(groups.values())


def _weigh(means: Iterable[tuple[float, int]]) -> float:
    """Weighted mean, added up one by one as TrackEval does; one mean stays as it is.

    The order of a sum decides its last digit.
    """
    parts = list(means)
    if len(parts) == 1:
        return parts[0][0]
    total, weights = 0.0, 0
    for mean, weight in parts:
        total += mean * weight
        weights += weight
    return total / weights


def _over_groups(objects: Columns, values: Sequence[float]) -> dict[str, float]:
    means = {}
    for group in GROUPS:
        part = [v for v, g in zip(values, objects["group"], strict=True) if g == group]
        if part:
            means[f"_{group}"] = _mean(part)
    return {"": sum(means.values()) / len(means), **means}


_AVERAGES: dict[str, Average] = {
    "objects": _over_objects,
    "tracks": _over_tracks,
    "seen-unseen": _over_groups,
}


def _mean(values: Sequence[float]) -> float:
    """Mean of the values there are: only segment scores may be missing (NaN)."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(np.mean(known)) if len(known) else float("nan")
