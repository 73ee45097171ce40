"""Reviews of failure events by people: tags on the labels, and views of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import fiftyone as fo
import pandas as pd
from fiftyone import ViewField

from evaluation.errors import InputError
from evaluation.failures.reviews import REVIEW, not_found
from s3fo.datasets._fiftyone import set_label_tags
from s3fo.datasets.reading import tables
from s3fo.datasets.schema import benchmark_of, remember, remembered

TAGS = ("confirmed", "label error", "ignore")
"""An event is one of these: the method's fault, the annotation's, or no matter."""

_UNMATCHED = "unmatched_reviews"
"""Of what a dataset remembers: reviews of events that it does not show now."""

_COLUMNS = {
    "sequence": str,
    "object": int,
    "kind": str,
    "start": int,
    "end": int,
    REVIEW: str,
}


def tag_event(
    dataset: fo.Dataset,
    eval_key: str,
    event: pd.Series | Mapping[Hashable, Any],
    tag: str | None,
) -> None:
    """Review a failure event; an earlier review of it is taken back.

    Saves a view "<eval_key> <tag>" of all events that carry the tag.

    Args:
        dataset: with failures on it.
        eval_key: the evaluation they are about.
        event: a row of `tables.event_table`.
        tag: one of `TAGS`; None only takes an earlier review back.

    Raises:
        InputError: no such tag.
    """
    if tag is not None and tag not in TAGS:
        raise InputError(
            "tag", repr(tag), f"one of {', '.join(TAGS)}", "Pass one of these as `tag`."
        )
    field = f"{eval_key}_failures"
    others = [name for name in event["tags"] if name not in TAGS]
    tags = [*others, *([tag] if tag else [])]
    set_label_tags(dataset, field, event["sample_id"], event["id"], tags)
    name = f"{eval_key} {tag}"
    if tag and not dataset.has_saved_view(name):  # It follows the tags by itself.
        dataset.save_view(name, tagged(dataset, eval_key, tag))


def reviewed_events(dataset: fo.Dataset, eval_key: str) -> pd.DataFrame:
    """The events of an evaluation that people reviewed, shown now or stored.

    Returns:
        sequence, object, kind, start, end (numbers of frames, from 1), review.
    """
    return _reviewed_events(
        dataset, eval_key, tables.prediction_field(dataset, eval_key)
    )


def store_unmatched(dataset: fo.Dataset, eval_key: str, reviewed: pd.DataFrame) -> None:
    """Store those reviewed events that are not among the events shown now.

    Args:
        dataset: with failures on it.
        eval_key: the evaluation they are about.
        reviewed: as of `reviewed_events`, before those shown now were found.
    """
    missing = not_found(tables.event_table(dataset, eval_key), reviewed)
    _store(dataset, eval_key, tables.prediction_field(dataset, eval_key), missing)


def take_failures_out(dataset: fo.Dataset, eval_key: str, predictions: str) -> None:
    """Take the failures and error maps of scores that no longer hold from a dataset.

    Reviews are stored, until the failures are found again.

    Args:
        dataset: with or without failures.
        eval_key: the evaluation they are about.
        predictions: the field that it scored.
    """
    failures, errors = f"{eval_key}_failures", f"{eval_key}_errors"
    if dataset.has_sample_field(failures):
        reviewed = _reviewed_events(dataset, eval_key, predictions)
        dataset.delete_sample_field(failures)
        _store(dataset, eval_key, predictions, reviewed)
    if dataset.has_frame_field(errors):
        dataset.delete_frame_field(errors)


def rename_reviews(dataset: fo.Dataset, eval_key: str, new_eval_key: str) -> None:
    """Stored reviews go with the evaluation that they are about."""
    stored = _all_unmatched(dataset)
    if eval_key in stored:
        stored[new_eval_key] = stored.pop(eval_key)
        remember(dataset, **{_UNMATCHED: stored})


def _reviewed_events(
    dataset: fo.Dataset, eval_key: str, predictions: str
) -> pd.DataFrame:
    events = tables.event_table(dataset, eval_key)
    shown = events.assign(**{REVIEW: events["tags"].map(review_of)})
    rows = shown[shown[REVIEW] != ""].to_dict("records")
    rows += _unmatched(dataset, eval_key).get(predictions, [])
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _unmatched(
    dataset: fo.Dataset, eval_key: str
) -> dict[str, list[dict[Hashable, object]]]:
    """Name of predictions -> reviewed events, stored under one evaluation's key."""
    return dict(_all_unmatched(dataset).get(eval_key, {}))


def _all_unmatched(dataset: fo.Dataset) -> dict[str, Any]:
    """Stored reviews of all evaluations; those of version 0.1 had another name."""
    known = remembered(dataset)
    former = {
        key: {
            predictions: [
                {
                    REVIEW if name == "judgement" else name: value
                    for name, value in row.items()
                }
                for row in rows
            ]
            for predictions, rows in methods.items()
        }
        for key, methods in known.get("judgements_aside", {}).items()
    }
    return {**former, **known.get(_UNMATCHED, {})}


def _store(
    dataset: fo.Dataset, eval_key: str, predictions: str, reviewed: pd.DataFrame
) -> None:
    own = _unmatched(dataset, eval_key)
    rows = reviewed[list(_COLUMNS)].to_dict("records")
    if own.get(predictions, []) != rows:
        everything = _all_unmatched(dataset)
        own[predictions] = rows
        remember(dataset, **{_UNMATCHED: {**everything, eval_key: own}})


def reviews_by_method(dataset: fo.Dataset) -> dict[str, pd.DataFrame]:
    """People's reviews, as `evaluation.report` takes it.

    Returns:
        Name of the predictions -> as `reviewed_events`, with names of frames; of
        several evaluations of the same predictions, the latest with reviews.
    """
    found = {}
    for key in tables.vos_evaluations(dataset):
        reviewed = reviewed_events(dataset, key)
        if len(reviewed):
            frames = {item.name: item.frames for item in benchmark_of(dataset)}
            names = {
                end: [
                    frames[sequence][number - 1]
                    for sequence, number in zip(
                        reviewed["sequence"], reviewed[end], strict=True
                    )
                ]
                for end in ("start", "end")
            }
            found[tables.prediction_field(dataset, key)] = reviewed.assign(**names)
    return found


def review_of(tags: Iterable[str]) -> str:
    """Which of `TAGS` is among the tags of an event; empty if none is."""
    return next((tag for tag in TAGS if tag in tags), "")


def tagged(dataset: fo.Dataset, eval_key: str, tag: str) -> fo.DatasetView:
    """The events that carry a tag."""
    carried = ViewField("tags").contains(tag)
    return dataset.filter_labels(f"{eval_key}_failures", carried)
