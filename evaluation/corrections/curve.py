"""The curve of J&F over corrections, its area, and what events regain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluation.failures.costs import KEYS, object_weights

if TYPE_CHECKING:
    from evaluation.scoring import Scores


def area_under(values: Sequence[float]) -> float:
    """Mean height of a curve over 0, 1, 2, ... corrections, by the trapezoidal rule.

    Args:
        values: scores after 0, 1, ..., n corrections.

    Example:
        >>> area_under([0.5, 0.7, 0.9])
        0.7
    """
    heights = np.asarray(values, dtype=np.float64)
    if len(heights) == 1:
        return float(heights[0])
    return float((heights[1:] + heights[:-1]).mean() / 2)


def pass_tables(
    scores: Sequence[Scores], made: Sequence[Mapping[tuple[str, int], int]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The curve over everything and of every object.

    Args:
        scores: after 0, 1, ..., n corrections of each object at most.
        made: for each of them, how many corrections each (sequence, object) had.

    Returns:
        `curve`: `budget`, `corrections` (of all objects together), `J&F`, `J`, `F`;
        `objects`: `sequence`, `object`, `budget`, `corrections`, `J&F`.
    """
    metric = scores[0].protocol.object_metric
    rows, parts = [], []
    for budget, (one, counts) in enumerate(zip(scores, made, strict=True)):
        boundary = "F_adaptive" if metric == "J&F_adaptive" else "F"
        rows.append(
            {
                "budget": budget,
                "corrections": sum(counts.values()),
                "J&F": one.summary[metric],
                "J": one.summary["J"],
                "F": one.summary[boundary],
            }
        )
        table = one.objects[[*KEYS, metric]].rename(columns={metric: "J&F"})
        keys = zip(table["sequence"], table["object"], strict=True)
        table.insert(2, "budget", budget)
        table.insert(3, "corrections", [counts.get(key, 0) for key in keys])
        parts.append(table)
    return pd.DataFrame(rows), pd.concat(parts, ignore_index=True)


def regained(before: Scores, after: pd.DataFrame) -> float:
    """What masks of some videos gain over those of all, in the benchmark's J&F.

    In the unit of the costs of failures, so that both stand side by side.

    Args:
        before: of all videos.
        after: objects table of one or more of them, segmented again.
    """
    metric = before.protocol.object_metric
    table = object_weights(before).merge(before.objects[[*KEYS, metric]], on=KEYS)
    table = table.merge(after[[*KEYS, metric]], on=KEYS, suffixes=("", "_after"))
    gain = table[f"{metric}_after"] - table[metric]
    return float((gain * table["weight"]).sum())


def with_regain(events: pd.DataFrame, regain: Mapping[int, float]) -> pd.DataFrame:
    """Failure events with what a correction at their onset regains.

    Args:
        events: the events table of failures.
        regain: of some of them, by the number in their column `event`.

    Returns:
        The events with a column `regain`, in the unit of `cost` (NaN where it was not
        measured), the largest first. Above the cost, it says that other failures
        went with this one.
    """
    table = events.copy()
    table["regain"] = [float(regain.get(int(n), np.nan)) for n in table["event"]]
    return table.sort_values(
        ["regain", "cost"], ascending=False, kind="stable", ignore_index=True
    )
