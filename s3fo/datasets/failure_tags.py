"""What people say about failure events: tags on the labels, and views of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fiftyone as fo
from bson import ObjectId
from fiftyone import ViewField

from evaluation.errors import InputError

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
    one = ViewField("_id") == ObjectId(event["id"])
    view = dataset.select(event["sample_id"]).filter_labels(field, one)
    view.untag_labels(list(TAGS), label_fields=field)
    view.tag_labels(tag, label_fields=field)
    judged = dataset.filter_labels(field, ViewField("tags").contains(tag))
    dataset.save_view(f"{eval_key} {tag}", judged, overwrite=True)
