"""What people say about failure events: tags on the labels, and views of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import fiftyone as fo
import pandas as pd
from fiftyone import ViewField

from evaluation.errors import InputError
from evaluation.failures.judgements import JUDGEMENT, not_found
from s3fo.datasets._fiftyone import set_label_tags
from s3fo.datasets.reading import tables
from s3fo.datasets.schema import benchmark_of, remember, remembered

TAGS = ("confirmed", "label error", "ignore")
"""An event is one of these: the method's fault, the annotation's, or no matter."""

_ASIDE = "judgements_aside"
"""Of what a dataset remembers: judgements of events that it does not show now."""

_COLUMNS = {
    "sequence": str,
    "object": int,
    "kind": str,
    "start": int,
    "end": int,
    JUDGEMENT: str,
}


def tag_event(
    dataset: fo.Dataset,
    eval_key: str,
    event: pd.Series | Mapping[Hashable, Any],
    tag: str | None,
) -> None:
    """Judge a failure event; an earlier judgement of it is taken back.

    Saves a view "<eval_key> <tag>" of all events that carry the tag.

    Args:
        dataset: with failures on it.
        eval_key: the evaluation they are about.
        event: a row of `tables.event_table`.
        tag: one of `TAGS`; None only takes an earlier judgement back.

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


def judged_events(dataset: fo.Dataset, eval_key: str) -> pd.DataFrame:
    """The events of an evaluation that people judged, shown now or set aside.

    Returns:
        sequence, object, kind, start, end (numbers of frames, from 1), judgement.
    """
    return _judged(dataset, eval_key, tables.prediction_field(dataset, eval_key))


def set_aside_missing(dataset: fo.Dataset, eval_key: str, judged: pd.DataFrame) -> None:
    """Remember those judged events that are not among the events shown now.

    Args:
        dataset: with failures on it.
        eval_key: the evaluation they are about.
        judged: as of `judged_events`, before those shown now were found.
    """
    missing = not_found(tables.event_table(dataset, eval_key), judged)
    _set_aside(dataset, eval_key, tables.prediction_field(dataset, eval_key), missing)


def take_failures_out(dataset: fo.Dataset, eval_key: str, predictions: str) -> None:
    """Take the failures and error maps of scores that no longer hold from a dataset.

    What people judged is set aside, until the failures are found again.

    Args:
        dataset: with or without failures.
        eval_key: the evaluation they are about.
        predictions: the field that it scored.
    """
    failures, errors = f"{eval_key}_failures", f"{eval_key}_errors"
    if dataset.has_sample_field(failures):
        judged = _judged(dataset, eval_key, predictions)
        dataset.delete_sample_field(failures)
        _set_aside(dataset, eval_key, predictions, judged)
    if dataset.has_frame_field(errors):
        dataset.delete_frame_field(errors)


def rename_judgements(dataset: fo.Dataset, eval_key: str, new_eval_key: str) -> None:
    """Judgements set aside go with the evaluation that they are about."""
    aside = dict(remembered(dataset).get(_ASIDE, {}))
    if eval_key in aside:
        aside[new_eval_key] = aside.pop(eval_key)
        remember(dataset, **{_ASIDE: aside})


def _judged(dataset: fo.Dataset, eval_key: str, predictions: str) -> pd.DataFrame:
    events = tables.event_table(dataset, eval_key)
    shown = events.assign(**{JUDGEMENT: events["tags"].map(judgement)})
    rows = shown[shown[JUDGEMENT] != ""].to_dict("records")
    rows += _aside(dataset, eval_key).get(predictions, [])
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _aside(
    dataset: fo.Dataset, eval_key: str
) -> dict[str, list[dict[Hashable, object]]]:
    """Name of predictions -> judged events, set aside under one evaluation's key."""
    return dict(remembered(dataset).get(_ASIDE, {}).get(eval_key, {}))


def _set_aside(
    dataset: fo.Dataset, eval_key: str, predictions: str, judged: pd.DataFrame
) -> None:
    own = _aside(dataset, eval_key)
    rows = judged[list(_COLUMNS)].to_dict("records")
    if own.get(predictions, []) != rows:
        everything = remembered(dataset).get(_ASIDE, {})
        own[predictions] = rows
        remember(dataset, **{_ASIDE: {**everything, eval_key: own}})


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


def tagged(dataset: fo.Dataset, eval_key: str, tag: str) -> fo.DatasetView:
    """The events that carry a tag."""
    carried = ViewField("tags").contains(tag)
    return dataset.filter_labels(f"{eval_key}_failures", carried)
