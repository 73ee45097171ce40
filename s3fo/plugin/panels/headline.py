"""The overall scores, and the rules by which they were made."""

from __future__ import annotations

import fiftyone as fo
import pandas as pd

from evaluation.metrics.aggregate import HALVED
from evaluation.protocols import Protocol
from s3fo.datasets.reading import tables
from s3fo.plugin.panels.charts.parts import score_title

_HEADLINE = (
    *("J&F", "J", "F", "J&F_adaptive", "F_adaptive"),
    *("J_seen", "F_seen", "J_unseen", "F_unseen"),
    *("J&F_disappearance", "J&F_reappearance"),
)


def headline(dataset: fo.Dataset, methods: list[str]) -> pd.DataFrame:
    """Overall scores by method, as the protocols average them, and n_objects.

    Columns: method, what the protocol publishes, n_objects, and the others of
    `_HEADLINE` that any protocol has.
    """
    found = []
    for method in methods:
        row = {"method": method, **tables.summary(dataset, method)}
        objects = tables.object_scores(dataset, method).objects
        found.append({**row, "n_objects": len(objects)})
    table = pd.DataFrame(found)
    ranked = {
        tables.evaluation_protocol(dataset, key).headline_metric: None
        for key in methods
    }
    published = tables.published_score(dataset, methods)
    first = ["method", *ranked, published, *HALVED[published], "n_objects"]
    names = dict.fromkeys([*first, *_HEADLINE])
    return table[[name for name in names if name in table]]


def headline_columns(table: pd.DataFrame) -> dict[str, str]:
    """Columns of `headline` -> headings."""
    names = {"method": "Evaluation", "n_objects": "Objects"}
    return {name: names.get(name, score_title(name)) for name in map(str, table)}


def rules(dataset: fo.Dataset, methods: list[str]) -> str:
    """The protocol of the evaluations in words; said if they differ."""
    of = {key: _rules(tables.evaluation_protocol(dataset, key)) for key in methods}
    if len(set(of.values())) == 1:
        return f"*{of[methods[0]]}*"
    lines = [f"- {key}: *{text}*" for key, text in of.items()]
    return "\n".join(["**Different protocols: do not compare.**", "", *lines])


def _rules(protocol: Protocol) -> str:
    return "; ".join(text for text in (protocol.describe(), protocol.remark) if text)
