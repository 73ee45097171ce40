"""Labels, as they are stored, as tables with the columns of `evaluation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evaluation.attributes import ATTRIBUTES
from evaluation.protocols import ScoringProtocol
from evaluation.results.scores import Scores
from s3fo.datasets.field_names import (
    COMPUTED,
    OBJECT_FACTS,
    OBJECT_SCORES,
    OFFICIAL,
    shown_attributes,
)
from s3fo.datasets.reading.stored_labels import StoredLabels

_EVENT_COLUMNS = {
    "index": "object",
    "label": "kind",
    "other": "other",
    "rank": "rank",
    "worst_frame": "worst",
    "cost": "cost",
    "severity": "loss",
    "worst_J": "worst_J",
    "worst_F": "worst_F",
    "recovers": "recovers",
}


_AUDIT_COLUMNS = {
    "index": "object",
    "label": "kind",
    "other": "other",
    "rank": "rank",
    "confidence": "confidence",
    "reason": "reason",
}


def score_table(labels: StoredLabels, protocol: ScoringProtocol) -> Scores:
    """The scores of every object, as of `tables.object_scores`."""
    rows = [
        (sequence, label["index"], sample_id, str(label["_id"]), label)
        for sample_id, sequence, found in labels
        for label in found
    ]
    places = ("sequence", "object", "sample_id", "id")
    columns: dict[str, list[Any]] = {
        name: [row[k] for row in rows] for k, name in enumerate(places)
    }
    documents = [row[-1] for row in rows]
    for column, name in OBJECT_SCORES.items():
        values = [document.get(name) for document in documents]
        columns[column] = [float("nan") if v is None else v for v in values]
    for name in OBJECT_FACTS:
        facts = [document.get(name) for document in documents]
        if facts and None not in facts:
            columns[name] = facts
    return Scores(protocol, {}, columns, fingerprint="")


def object_rows(labels: StoredLabels) -> pd.DataFrame:
    """One row per object, as of `tables.object_table`."""
    numbers = [item.name for item in shown_attributes()]
    rows = []
    for sample_id, sequence, found in labels:
        for label in found:
            start, end = label["support"]
            row = {
                "sample_id": sample_id,
                "sequence": sequence,
                "object": label["index"],
                "label": label["label"],
                "start": start,
                "end": end,
            }
            row |= {
                name: label[name] for name in numbers if label.get(name) is not None
            }
            row |= {f"auto_{tag}": True for tag in label.get(COMPUTED) or ()}
            row |= {f"official_{tag}": True for tag in label.get(OFFICIAL) or ()}
            rows.append(row)
    table = pd.DataFrame(rows)
    names = [str(name) for name in table]
    tags = [name for name in names if name.startswith(("auto_", "official_"))]
    table[tags] = table[tags].notna()
    order = [*names[:6], *(name for name in ATTRIBUTES if name in names)]
    return table[order + [name for name in names if name not in order]]


def event_rows(labels: StoredLabels) -> pd.DataFrame:
    """One row per failure event, as of `tables.event_table`."""
    table = _event_rows(labels, _EVENT_COLUMNS, ("onset", "tags"))
    return table.sort_values("cost", ascending=False, ignore_index=True)


def audit_rows(labels: StoredLabels) -> pd.DataFrame:
    """One row per event of the audit, as of `tables.audit_table`."""
    table = _event_rows(labels, _AUDIT_COLUMNS, ("tags",))
    return table.sort_values("rank", ignore_index=True)


def _event_rows(
    labels: StoredLabels, columns: Mapping[str, str], lists: Sequence[str]
) -> pd.DataFrame:
    """One row per event: where it is, and these attributes of its label."""
    rows = []
    for sample_id, sequence, found in labels:
        for label in found:
            start, end = label["support"]
            row: dict[str, Any] = {"id": str(label["_id"]), "sample_id": sample_id}
            row |= {"sequence": sequence, "start": start, "end": end}
            row |= {name: label.get(key) for key, name in columns.items()}
            row |= {name: label.get(name) or [] for name in lists}
            rows.append({**row, "n_frames": end - start + 1})
    names = ["id", "sample_id", "sequence", "start", "end", *columns.values()]
    return pd.DataFrame(rows, columns=[*names, *lists, "n_frames"])
