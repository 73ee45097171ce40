"""The tracking numbers of one video as a table row, and of many rows as a summary.

A row keeps counts, from which the numbers of any set of videos follow: scores of
different videos, made apart, can be put together without their masks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluation.counting.overlaps import Overlaps
from evaluation.metrics.tracking.clear import SUMMED as CLEAR_COUNTS
from evaluation.metrics.tracking.clear import (
    clear,
    clear_of_counts,
    combine_clear,
    mean_clear,
)
from evaluation.metrics.tracking.concepts import THRESHOLDS, combine_concepts, concept
from evaluation.metrics.tracking.hota import (
    ALPHAS,
    COUNTS,
    WEIGHTED,
    combine_hota,
    hota,
    hota_of_counts,
    mean_hota,
)
from evaluation.metrics.tracking.identity import COUNTS as IDENTITY_COUNTS
from evaluation.metrics.tracking.identity import (
    combine_identity,
    identity,
    identity_of_counts,
    mean_identity,
)
from evaluation.scoring_rules import TrackingRule

Row = dict[str, Any]
"""``class``, ``group`` (of the class; empty for none), and counts."""

Columns = Mapping[str, Sequence[Any]]
"""Rows as columns of equal length, with the column ``sequence`` besides."""

Classes = Mapping[int, tuple[str, str]]
"""Object id -> class and group of the class; objects left out are not tracked, and
those with empty names only show which frames are annotated."""

CLASS_RULES: tuple[TrackingRule, ...] = ("classes", "classes-by-box")
"""Keys of `TRACKING_RULES` that score class by class."""

_LISTS = {
    **dict.fromkeys((*COUNTS, *WEIGHTED, "LocA"), ALPHAS),
    **dict.fromkeys(("TP", "FP", "FN"), THRESHOLDS),
}
"""Counts that have one value per threshold."""

_NOT_SUMMED_UP = ("HOTA_TP", "HOTA_FN", "HOTA_FP", "CLR_Frames", "MOTP_sum")
"""What a summary does not tell."""


def track_rows(
    overlaps: Overlaps, rule: TrackingRule, classes: Classes | None
) -> list[Row]:
    """The rows of one video, one per class (one if there are no classes).

    Args:
        overlaps: what objects and tracks share.
        rule: key of `TRACKING_RULES`.
        classes: of the objects; None where it is not known.
    """
    if rule == "concepts":
        return [{"class": "", "group": "", **_flat(concept(overlaps))}]
    return [_row(*kind, part) for kind, part in _split(overlaps, rule, classes).items()]


def by_class(
    overlaps: Overlaps, rule: TrackingRule, classes: Classes | None
) -> list[Overlaps]:
    """The overlaps of one video, class by class where the rule says so."""
    return list(_split(overlaps, rule, classes).values())


def _split(
    overlaps: Overlaps, rule: TrackingRule, classes: Classes | None
) -> dict[tuple[str, str], Overlaps]:
    if rule not in CLASS_RULES:
        return {("", ""): overlaps}
    unknown = classes is None
    if classes is None:
        classes = {k: ("", "") for k in overlaps.gt_ids.tolist()}
    # Frames without any object of a class are not annotated: tracks may be right there.
    tracked = np.isin(overlaps.gt_ids, list(classes))
    overlaps = overlaps.at(np.flatnonzero(overlaps.gt_area[tracked].any(axis=0)))
    parts = {}
    unscored = () if unknown else (("", ""),)
    for kind in sorted(set(classes.values()).difference(unscored)):
        ids = [k for k in overlaps.gt_ids.tolist() if classes.get(k) == kind]
        objects = np.flatnonzero(np.isin(overlaps.gt_ids, ids))
        tracks = np.flatnonzero(np.isin(overlaps.track_ids, ids))
        if len(objects):
            parts[kind] = overlaps.select(objects.tolist(), tracks.tolist())
    return parts


def tracking(columns: Columns, rule: TrackingRule) -> dict[str, dict[str, Any]]:
    """All numbers of all videos together.

    Returns:
        ``HOTA``, ``CLEAR`` and ``Identity`` (or ``Concepts``), each name -> number, or
        -> one value per threshold.
    """
    rows = _rows(columns)
    if rule == "concepts":
        return {"Concepts": dict(combine_concepts(rows))}
    if rule in CLASS_RULES:
        return _mean_over_classes(rows)
    return _together(rows)


def tracking_summary(columns: Columns, rule: TrackingRule) -> dict[str, float]:
    """One number per metric: means over thresholds, counts as they are."""
    if not columns["sequence"]:
        return {}
    summary = _means(tracking(columns, rule))
    if rule in CLASS_RULES:
        rows = _rows(columns)
        for group in sorted({row["group"] for row in rows} - {""}):
            part = _means(_mean_over_classes([r for r in rows if r["group"] == group]))
            summary |= {f"{k}_{group}": part[k] for k in ("HOTA", "DetA", "AssA")}
    if rule == "concepts":
        numbers = tracking(columns, rule)["Concepts"]
        for key in ("cgF1", "positive_micro_F1"):
            summary[f"{key}_50"] = float(numbers[key][0])
            summary[f"{key}_75"] = float(numbers[key][5])
    return summary


def _together(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    if len(rows) == 1:
        # The row of one video; what TrackEval prints for it, last digit included.
        return {
            "HOTA": hota_of_counts(rows[0]),
            "CLEAR": clear_of_counts(rows[0]),
            "Identity": identity_of_counts(rows[0]),
        }
    return {
        "HOTA": combine_hota(rows),
        "CLEAR": combine_clear(rows),
        "Identity": combine_identity(rows),
    }


def _mean_over_classes(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    by_class: dict[str, list[Row]] = {}
    for row in rows:
        by_class.setdefault(row["class"], []).append(row)
    names = sorted(by_class)
    return {
        "HOTA": mean_hota([combine_hota(by_class[k]) for k in names]),
        "CLEAR": mean_clear([combine_clear(by_class[k]) for k in names]),
        "Identity": mean_identity([combine_identity(by_class[k]) for k in names]),
    }


def _means(numbers: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    counts = {*CLEAR_COUNTS, *IDENTITY_COUNTS}
    return {
        key: int(value) if key in counts else float(np.mean(value))
        for metrics in numbers.values()
        for key, value in metrics.items()
        if key not in _NOT_SUMMED_UP
    }


def _row(name: str, group: str, overlaps: Overlaps) -> Row:
    tracked, clean, same = hota(overlaps), clear(overlaps), identity(overlaps)
    return {
        "class": name,
        "group": group,
        **_flat({key: tracked[key] for key in (*COUNTS, *WEIGHTED, "LocA")}),
        **{key: clean[key] for key in CLEAR_COUNTS},
        **{key: same[key] for key in IDENTITY_COUNTS},
    }


def _flat(counts: Mapping[str, Any]) -> Row:
    """One column per threshold instead of arrays."""
    row: Row = {}
    for key, value in counts.items():
        if key in _LISTS:
            for threshold, one in zip(_LISTS[key], value.tolist(), strict=True):
                row[f"{key}@{threshold:.2f}"] = one
        else:
            row[key] = value
    return row


def _rows(columns: Columns) -> list[Row]:
    """The rows of a table, arrays per threshold put together again."""
    names = list(columns)
    rows = []
    for values in zip(*columns.values(), strict=True):
        row = dict(zip(names, values, strict=True))
        for key, thresholds in _LISTS.items():
            if f"{key}@{thresholds[0]:.2f}" in row:
                row[key] = np.array([row[f"{key}@{t:.2f}"] for t in thresholds])
        rows.append(row)
    return rows
