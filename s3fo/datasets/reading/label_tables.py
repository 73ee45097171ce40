"""Labels, as they are stored, as tables with the columns of `evaluation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
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

_ENDS = ("start", "end")


OBJECT_COLUMNS = (
    *("index", "label", "support", COMPUTED, OFFICIAL),
    *(item.name for item in shown_attributes()),
)
"""What `object_rows` reads of an object's label."""

EVENT_COLUMNS = ("_id", "support", "onset", "tags", *_EVENT_COLUMNS)
"""What `event_rows` reads of an event."""

_AUDIT_COLUMNS = {
    "index": "object",
    "label": "kind",
    "other": "other",
    "rank": "rank",
    "confidence": "confidence",
    "reason": "reason",
}

AUDIT_COLUMNS = ("_id", "support", "tags", *_AUDIT_COLUMNS)
"""What `audit_rows` reads of an event."""


def score_table(labels: StoredLabels, protocol: ScoringProtocol) -> Scores:
    """The scores of every object, as of `tables.object_scores`."""
    columns: dict[str, list[Any]] = {
        "sequence": labels.sequences,
        "object": labels.column("index"),
        "sample_id": labels.sample_ids,
        "id": labels.column("_id"),
    }
    for column, name in OBJECT_SCORES.items():
        values = labels.column(name)
        columns[column] = [float("nan") if v is None else v for v in values]
    for name in OBJECT_FACTS:
        facts = labels.column(name)
        if facts and None not in facts:
            columns[name] = facts
    return Scores(protocol, {}, columns, fingerprint="")


def object_rows(labels: StoredLabels) -> pd.DataFrame:
    """One row per object, as of `tables.object_table`."""
    columns: dict[str, Any] = {
        "sample_id": labels.sample_ids,
        "sequence": labels.sequences,
        "object": labels.column("index"),
        "label": labels.column("label"),
        **_support(labels),
    }
    for name in (item.name for item in shown_attributes()):
        values = labels.column(name)
        if any(value is not None for value in values):
            columns[name] = [np.nan if value is None else value for value in values]
    columns |= _tags(labels, COMPUTED, "auto_")
    columns |= _tags(labels, OFFICIAL, "official_")
    names = list(columns)
    order = [*names[:6], *(name for name in ATTRIBUTES if name in columns)]
    order += [name for name in names if name not in order]
    return pd.DataFrame({name: columns[name] for name in order})


def event_rows(labels: StoredLabels) -> pd.DataFrame:
    """One row per failure event, as of `tables.event_table`."""
    table = _event_rows(labels, _EVENT_COLUMNS, ("onset", "tags"))
    return table.sort_values("cost", ascending=False, ignore_index=True)


def audit_rows(labels: StoredLabels) -> pd.DataFrame:
    """One row per event of the audit, as of `tables.audit_table`."""
    table = _event_rows(labels, _AUDIT_COLUMNS, ("tags",))
    return table.sort_values("rank", ignore_index=True)


def _event_rows(
    labels: StoredLabels, names: Mapping[str, str], lists: Sequence[str]
) -> pd.DataFrame:
    """One row per event: where it is, and these attributes of its label."""
    columns: dict[str, Any] = {
        "id": labels.column("_id"),
        "sample_id": labels.sample_ids,
        "sequence": labels.sequences,
        **_support(labels),
    }
    columns |= {name: labels.column(key) for key, name in names.items()}
    # Few contents in many events: one list for each.
    known: dict[tuple[str, ...], list[str]] = {}
    columns |= {
        name: [known.setdefault(own or (), list(own or ())) for own in found]
        for name in lists
        for found in [labels.column(name)]
    }
    table = pd.DataFrame(columns)
    table["n_frames"] = table["end"] - table["start"] + 1
    return table


def _support(labels: StoredLabels) -> dict[str, list[int]]:
    """First and last frame of each label."""
    supports = labels.column("support")
    return {name: [own[k] for own in supports] for k, name in enumerate(_ENDS)}


def _tags(labels: StoredLabels, name: str, prefix: str) -> dict[str, Any]:
    """A column of bool for every tag that any label has."""
    given = [set(found or ()) for found in labels.column(name)]
    known = dict.fromkeys(tag for own in labels.column(name) for tag in own or ())
    return {f"{prefix}{tag}": [tag in own for own in given] for tag in known}
