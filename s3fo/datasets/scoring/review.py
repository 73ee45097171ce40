"""Reviews of failure events by people: tags on the labels, and views of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import fiftyone as fo
import pandas as pd
from fiftyone import ViewField

from evaluation.errors import InputError
from evaluation.failures.reviews import REVIEW, carry_over, not_found
from s3fo.datasets._fiftyone import set_label_tags
from s3fo.datasets.field_names import thumbnail_field
from s3fo.datasets.reading import tables
from s3fo.datasets.schema import benchmark_of, remember, remembered
from s3fo.datasets.views.failure_maps import delete_failure_map

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

    Saves a view "<eval_key> <tag>" of all events that carry the tag; one that no event
    carries any more goes.

    Args:
        dataset: with failures on it.
        eval_key: the evaluation they are about.
        event: a row of `tables.event_table`.
        tag: one of `TAGS`; None only takes an earlier review back.

    Raises:
        InputError: no such tag.
    """
    field = f"{eval_key}_failures"
    set_review(dataset, field, event, tag, TAGS)
    carried = dataset.distinct(f"{field}.detections.tags")
    for known in TAGS:
        name = f"{eval_key} {known}"
        if known not in carried and dataset.has_saved_view(name):
            dataset.delete_saved_view(name)
    name = f"{eval_key} {tag}"
    if tag and not dataset.has_saved_view(name):  # It follows the tags by itself.
        dataset.save_view(name, tagged(dataset, eval_key, tag))


def set_review(
    dataset: fo.Dataset,
    field: str,
    event: pd.Series | Mapping[Hashable, Any],
    tag: str | None,
    known: Sequence[str],
) -> None:
    """Review an event by a tag on its label; an earlier review is taken back.

    Args:
        dataset: with the event on it.
        field: sample field of the event.
        event: its `id`, `sample_id` and `tags`.
        tag: one of those known; None only takes an earlier review back.
        known: the tags that are reviews of such events.

    Raises:
        InputError: no such tag.
    """
    if tag is not None and tag not in known:
        options = ", ".join(known)
        raise InputError(
            "tag", repr(tag), f"one of {options}", "Pass one of these as `tag`."
        )
    others = [name for name in event["tags"] if name not in known]
    tags = [*others, *([tag] if tag else [])]
    set_label_tags(dataset, field, event["sample_id"], event["id"], tags)


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
    predictions = tables.prediction_field(dataset, eval_key)
    store_reviews(dataset, eval_key, predictions, missing)


def take_failures_out(dataset: fo.Dataset, eval_key: str, predictions: str) -> None:
    """Take what rests on scores that no longer hold from a dataset.

    Those are failures, the map of them, error maps and thumbnails of worst frames.

    Reviews are stored, until the failures are found again.

    Args:
        dataset: with or without failures.
        eval_key: the evaluation they are about.
        predictions: the field that it scored.
    """
    failures, errors = f"{eval_key}_failures", f"{eval_key}_errors"
    delete_failure_map(dataset, eval_key)
    if dataset.has_sample_field(thumbnail_field(eval_key)):
        dataset.delete_sample_field(thumbnail_field(eval_key))
    if dataset.has_sample_field(failures):
        reviewed = _reviewed_events(dataset, eval_key, predictions)
        dataset.delete_sample_field(failures)
        store_reviews(dataset, eval_key, predictions, reviewed)
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
    return shown_and_stored(dataset, events, TAGS, eval_key, predictions)


def shown_and_stored(
    dataset: fo.Dataset,
    events: pd.DataFrame,
    known: Sequence[str],
    source: str,
    masks: str,
) -> pd.DataFrame:
    """The reviewed ones among events, and reviews stored of such events.

    Args:
        dataset: with the events on it.
        events: shown now, with `tags`.
        known: the tags that are reviews of such events.
        source: what found the events, by which reviews are stored.
        masks: name of the masks that they are about.

    Returns:
        As of `reviewed_events`.
    """
    said = [review_of(tags, known) for tags in events["tags"]]
    shown = events.assign(**{REVIEW: said})
    rows = shown[shown[REVIEW] != ""].to_dict("records")
    rows += _unmatched(dataset, source).get(masks, [])
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


def store_reviews(
    dataset: fo.Dataset, source: str, masks: str, reviewed: pd.DataFrame
) -> None:
    """Store reviews of events that are not shown now.

    Args:
        dataset: that remembers them.
        source: what found the events: an evaluation, or the audit.
        masks: name of the masks that they are about.
        reviewed: as of `reviewed_events`; replaces what was stored.
    """
    own = _unmatched(dataset, source)
    rows = reviewed[list(_COLUMNS)].to_dict("records")
    if own.get(masks, []) != rows:
        everything = _all_unmatched(dataset)
        own[masks] = rows
        remember(dataset, **{_UNMATCHED: {**everything, source: own}})


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


def labels_of_events(
    events: pd.DataFrame | None,
    frames: Sequence[str],
    reviewed: pd.DataFrame,
    more: Callable[[Mapping[Hashable, Any]], Mapping[str, Any]],
) -> fo.TemporalDetections:
    """The events of one video as labels, with what people said of them before.

    Args:
        events: sequence, object, kind, event, other, and names of frames: start, end
            and, of failures, worst; None: there are none.
        frames: names of the video's frames; in labels they count from 1.
        reviewed: as `carry_over` takes them.
        more: further fields of an event, whose frames are numbers by then.
    """
    if events is None:
        return fo.TemporalDetections()
    number = {frame: index for index, frame in enumerate(frames, start=1)}
    places = [name for name in ("start", "worst", "end") if name in events]
    events = events.assign(**{name: events[name].map(number) for name in places})
    said = carry_over(events, reviewed)
    return fo.TemporalDetections(
        detections=[
            fo.TemporalDetection(
                label=row["kind"],
                tags=[review] if review else [],
                support=[int(row["start"]), int(row["end"])],
                index=int(row["object"]),
                other=int(row["other"]) or None,
                rank=int(row["event"]) + 1,
                **more(row),
            )
            for row, review in zip(events.to_dict("records"), said, strict=True)
        ]
    )


def review_of(tags: Iterable[str], known: Sequence[str] = TAGS) -> str:
    """Which review is among the tags of an event; empty if none is.

    Args:
        tags: of the event.
        known: the tags that are reviews of such events.
    """
    return next((tag for tag in known if tag in tags), "")


def tagged(dataset: fo.Dataset, eval_key: str, tag: str) -> fo.DatasetView:
    """The events that carry a tag."""
    carried = ViewField("tags").contains(tag)
    return dataset.filter_labels(f"{eval_key}_failures", carried)
