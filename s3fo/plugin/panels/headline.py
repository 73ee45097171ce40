"""The overall scores, and the rules by which they were made."""

from __future__ import annotations

import fiftyone as fo
import pandas as pd

from evaluation.metrics.aggregate import HALVED
from evaluation.protocols import ScoringProtocol
from s3fo.datasets.reading import tables
from s3fo.datasets.schema import load_predictions_info
from s3fo.plugin.panels.charts.parts import score_title

_HEADLINE = (
    *("J&F", "J", "F", "J&F_adaptive", "F_adaptive"),
    *("J_seen", "F_seen", "J_unseen", "F_unseen"),
    *("J&F_disappearance", "J&F_reappearance"),
)

_SHORT = {
    "J&F_disappearance": "J&F disapp.",
    "J&F_reappearance": "J&F reapp.",
}
"""Headings that fit a panel beside the grid; `explanation` says what they are."""

_COST = {"fps": "Frames/s", "memory": "Peak, MB"}


def headline(dataset: fo.Dataset, methods: list[str]) -> pd.DataFrame:
    """Overall scores by method, as the protocols average them, n_objects and speed.

    The best first, where all are ranked by one metric.

    Columns: method, what the protocol publishes, n_objects, and the others of
    `_HEADLINE` that any protocol has; frames per second and peak memory where the
    masks' record tells them of any method.
    """
    found = []
    for method in methods:
        row = {"method": method, **tables.summary(dataset, method)}
        objects = tables.object_scores(dataset, method).objects
        cost = {**_cost(dataset, method), "n_objects": len(objects)}
        found.append({**row, **cost})
    table = pd.DataFrame(found)
    ranked = {
        tables.evaluation_protocol(dataset, key).headline_metric: None
        for key in methods
    }
    if len(ranked) == 1 and set(ranked) <= set(table):
        table = table.sort_values(*ranked, ascending=False, kind="stable")
    published = tables.published_score(dataset, methods)
    first = ["method", *ranked, published, *HALVED[published], "n_objects"]
    # Scores of what the grid shows have columns of all protocols' metrics.
    optional = [name for name in (*_HEADLINE, *_COST) if name not in first]
    unknown = [name for name in optional if name in table and table[name].isna().all()]
    table = table.drop(columns=unknown)
    names = dict.fromkeys([*first, *_HEADLINE, *_COST])
    return table[[name for name in names if name in table]]


def _cost(dataset: fo.Dataset, method: str) -> dict[str, str | None]:
    """Speed and memory of the prediction whose masks an evaluation scored, as text."""
    field = tables.prediction_field(dataset, method)
    predictions = load_predictions_info(dataset).get(field)
    made = (predictions.made if predictions else None) or {}
    videos = made.get("sequences", {}).values()
    speed = made.get("frames_per_second")
    peak = max((video.get("peak_memory_mb") or 0 for video in videos), default=0)
    return {
        "fps": f"{speed:.1f}" if speed else None,
        "memory": f"{peak:.0f}" if peak else None,
    }


def headline_columns(table: pd.DataFrame) -> dict[str, str]:
    """Columns of `headline` -> headings."""
    names = {"method": "Evaluation", "n_objects": "Objects", **_COST, **_SHORT}
    return {name: names.get(name, score_title(name)) for name in map(str, table)}


def explanation(table: pd.DataFrame) -> str:
    """What short headings of `headline` are; empty where all speak for themselves."""
    if not set(_SHORT) & set(table):
        return ""
    return (
        "\n\n*disapp.: frames in which an object is gone; reapp.: from its return on, "
        "by the rules of MOSE v2*"
    )


def rules(dataset: fo.Dataset, methods: list[str]) -> str:
    """The protocol of the evaluations in words; said if they differ."""
    of = {key: _rules(tables.evaluation_protocol(dataset, key)) for key in methods}
    if len(set(of.values())) == 1:
        return f"*{of[methods[0]]}*"
    lines = [f"- {key}: *{text}*" for key, text in of.items()]
    return "\n".join(["**Different protocols: do not compare.**", "", *lines])


def _rules(protocol: ScoringProtocol) -> str:
    return "; ".join(text for text in (protocol.describe(), protocol.remark) if text)
