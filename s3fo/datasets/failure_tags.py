"""What people say about failure events: tags on the labels, and views of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

import fiftyone as fo
import pandas as pd
from bson import ObjectId
from fiftyone import ViewField
from pymongo import UpdateOne

from evaluation.errors import InputError
from evaluation.failures.judgements import JUDGEMENT
from s3fo.datasets import tables
from s3fo.datasets.records import benchmark_of

TAGS = ("confirmed", "label error", "ignore")
"""An event is one of these: the method's fault, the annotation's, or no matter."""


def tag_event(
    dataset: fo.Dataset, eval_key: str, event: Mapping[Any, Any], tag: str
) -> None:
    """Judge a failure event; an earlier judgement of it is taken back.

    Saves a view "<eval_key> <tag>" of all events that carry the tag.

    Args:
        dataset: with failures on it.
        eval_key: the evaluation they are about.
        event: a row of `tables.event_table`.
        tag: one of `TAGS`.

    Raises:
        InputError: no such tag.
    """
    if tag not in TAGS:
        raise InputError("tag", repr(tag), f"one of {', '.join(TAGS)}", "Choose one.")
    field = f"{eval_key}_failures"
    others = [name for name in event["tags"] if name not in TAGS]
    change = UpdateOne(
        {
            "_id": ObjectId(event["sample_id"]),
            f"{field}.detections._id": ObjectId(event["id"]),
        },
        {
            "$set": {
                f"{field}.detections.$.tags": [*others, tag],
                "last_modified_at": datetime.now(timezone.utc).replace(tzinfo=None),
            }
        },
    )
    dataset._bulk_write([change], ids=[event["sample_id"]])
    _save_view(dataset, eval_key, tag)


def judged_events(dataset: fo.Dataset, eval_key: str) -> pd.DataFrame:
    """The events of an evaluation that people judged.

    Returns:
        sequence, object, kind, start, end (numbers of frames, from 1), judgement.
    """
    events = tables.event_table(dataset, eval_key)
    said = events["tags"].map(judgement)
    columns = ["sequence", "object", "kind", "start", "end"]
    return events[columns].assign(**{JUDGEMENT: said})[said != ""]


def judgements_by_method(dataset: fo.Dataset) -> dict[str, pd.DataFrame]:
    """What people judged, as `evaluation.report` takes it.

    Returns:
        Name of the predictions -> as `judged_events`, with names of frames; of several
        evaluations of the same predictions, the latest with judgements.
    """
    found = {}
    for key in tables.vos_evaluations(dataset):
        judged = judged_events(dataset, key)
        if len(judged):
            frames = {item.name: item.frames for item in benchmark_of(dataset)}
            names = {
                end: [
                    frames[sequence][number - 1]
                    for sequence, number in zip(
                        judged["sequence"], judged[end], strict=True
                    )
                ]
                for end in ("start", "end")
            }
            found[tables.prediction_field(dataset, key)] = judged.assign(**names)
    return found


def judgement(tags: Iterable[str]) -> str:
    """Which of `TAGS` is among the tags of an event; empty if none is."""
    return next((tag for tag in TAGS if tag in tags), "")


def _save_view(dataset: fo.Dataset, eval_key: str, tag: str) -> None:
    """A view of what carries the tag: once, it follows the tags by itself."""
    name = f"{eval_key} {tag}"
    if not dataset.has_saved_view(name):
        tagged = ViewField("tags").contains(tag)
        dataset.save_view(name, dataset.filter_labels(f"{eval_key}_failures", tagged))
