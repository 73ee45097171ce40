"""How the scores of objects become one number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from evaluation.protocols import Protocol

Columns = Mapping[str, Sequence[Any]]
"""A table as columns of equal length."""

Average = Callable[[Columns, Sequence[float]], dict[str, float]]
"""Objects table and one of its columns -> suffix of the name -> mean."""

METRICS = {
    "J": "J_mean",
    "J_recall": "J_recall",
    "J_decay": "J_decay",
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
    objects: Columns, protocol: Protocol, scale: float = 1.0
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
        segments = metric.endswith("appearance")
        if segments and np.isnan(values).all():
            continue
        for suffix, mean in average(objects, values).items():
            means[metric + suffix] = mean
    for metric, (region, boundary) in HALVED.items():
        if region in means and boundary in means:
            means[metric] = _halved(means, region, boundary)
    first = ("J&F", "J", "F")
    return {key: means[key] for key in (*first, *(k for k in means if k not in first))}


def _halved(means: dict[str, float], region: str, boundary: str) -> float:
    """Mean of two metrics; of their groups where there are two of them.

    YouTube-VOS and LVOS take the mean of the four numbers (G), which may differ in
    the last digit from the mean of the two totals.
    """
    groups = [f"{metric}_{g}" for g in GROUPS for metric in (region, boundary)]
    if all(key in means for key in groups):
        return float(np.mean([means[key] for key in groups]))
    return (means[region] + means[boundary]) / 2


def _over_objects(objects: Columns, values: Sequence[float]) -> dict[str, float]:
    return {"": _mean(values)}


def _over_tracks(objects: Columns, values: Sequence[float]) -> dict[str, float]:
    """Means of sequences, weighted by their number of objects (TrackEval)."""
    by_sequence: dict[str, list[float]] = {}
    for sequence, value in zip(objects["sequence"], values, strict=True):
        by_sequence.setdefault(sequence, []).append(value)
    weighted = [_mean(part) * len(part) for part in by_sequence.values()]
    return {"": float(np.sum(weighted)) / len(values)}


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
