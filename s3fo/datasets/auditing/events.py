"""The audit of the ground truth on a dataset: events to look at and to review."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import fiftyone as fo
import pandas as pd
from fiftyone import ViewField

from evaluation._utils.progress import ProgressCallback
from evaluation.audit import Audit
from evaluation.audit import audit_ground_truth as audit
from evaluation.errors import InputError
from evaluation.failures.reviews import not_found
from s3fo.datasets.declaring import FieldKind, declare_fields
from s3fo.datasets.field_names import AUDIT, GROUND_TRUTH
from s3fo.datasets.locking import sole_writer
from s3fo.datasets.reading import tables
from s3fo.datasets.reading.scope import limited_to
from s3fo.datasets.schema import (
    benchmark_of,
    load_benchmark_info,
    load_predictions_info,
    remember,
)
from s3fo.datasets.scoring.review import (
    labels_of_events,
    set_review,
    shown_and_stored,
    store_reviews,
)
from s3fo.datasets.selection import refuse_parts
from s3fo.datasets.views import appearance as views
from s3fo.datasets.views.clips import clips_of_events

CONFIRMED, DISMISSED = "confirmed", "dismissed"

AUDIT_TAGS = (CONFIRMED, DISMISSED)
"""An event of the audit is one of these: the ground truth is wrong there, or right."""

AUDITED = "audited"
"""Of what a dataset remembers: how many object frames were audited, with notes."""

_FIELDS = {
    "index": fo.IntField,
    "other": fo.IntField,
    "rank": fo.IntField,
    "confidence": fo.FloatField,
    "reason": fo.StringField,
}


def audit_ground_truth(
    dataset: fo.Dataset,
    *,
    images: bool = True,
    agreement: bool = True,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> Audit:
    """Find what looks wrong in the ground truth, and show it on the dataset.

    ``ground_truth_audit`` gets one `TemporalDetection` per event, labelled by its kind,
    with object, confidence and reason. Events of an earlier audit are replaced; what
    people said of them stays with those found again.

    >>> found = audit_ground_truth(dataset, images=False, agreement=False)
    >>> dataset.count("ground_truth_audit.detections") == len(found.events)
    True

    Args:
        dataset: made by `load_benchmark`.
        images: whether to look at the images, too (masks shifted in time or space).
        agreement: whether to look for frames where all imported methods agree with
            each other against the ground truth; it takes two methods.
        workers: processes; None takes one per processor.
        progress: called as frames get done.

    Returns:
        The events as tables.

    Raises:
        InputError: a view, or files that are gone.
    """
    refuse_parts(dataset, "audit")
    methods = {
        name: predictions.folder
        for name, predictions in load_predictions_info(dataset).items()
    }
    found = audit(
        load_benchmark_info(dataset),
        images=None if images else False,
        methods=methods if agreement and len(methods) > 1 else None,
        workers=workers,
        progress=progress,
    )
    with sole_writer(dataset):
        write_audit(dataset, found)
        views.apply_defaults(dataset)
    return found


def write_audit(dataset: fo.Dataset, found: Audit) -> None:
    """Show the events of an audit as ``ground_truth_audit``, replacing earlier ones.

    Args:
        dataset: made by `load_benchmark`.
        found: of the same benchmark.
    """
    fields: dict[str, FieldKind] = {
        AUDIT: fo.TemporalDetections,
        **{f"{AUDIT}.detections.{name}": kind for name, kind in _FIELDS.items()},
    }
    declare_fields(dataset, fields)
    with limited_to(None):
        reviewed = shown_and_stored(
            dataset, tables.audit_table(dataset), AUDIT_TAGS, AUDIT, GROUND_TRUTH
        )
    events = dict(iter(found.events.groupby("sequence", sort=False)))
    values = {
        sequence.name: labels_of_events(
            events.get(sequence.name), sequence.frames, reviewed, _more
        )
        for sequence in load_benchmark_info(dataset)
    }
    dataset.set_values(AUDIT, values, key_field="sequence")
    about = {"object_frames": found.n_object_frames, "notes": list(found.notes)}
    remember(dataset, **{AUDITED: about})
    with limited_to(None):
        missing = not_found(tables.audit_table(dataset), reviewed)
    store_reviews(dataset, AUDIT, GROUND_TRUTH, missing)


def _more(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """What events of an audit have beside those of failures."""
    return {"confidence": float(row["confidence"]), "reason": row["reason"]}


def review_audited(
    dataset: fo.Dataset,
    event: pd.Series | Mapping[Hashable, Any],
    tag: str | None,
) -> None:
    """Review an event of the audit; an earlier review of it is taken back.

    Args:
        dataset: audited.
        event: a row of `tables.audit_table`.
        tag: one of `AUDIT_TAGS`; None only takes an earlier review back.

    Raises:
        InputError: no such tag.
    """
    set_review(dataset, AUDIT, event, tag, AUDIT_TAGS)


def audit_clips(dataset: fo.Dataset, ids: Sequence[str]) -> fo.DatasetView:
    """Clips of some events of the audit, the surest first.

    Args:
        dataset: audited.
        ids: of the events' labels.

    Raises:
        InputError: the dataset was not audited.
    """
    check_audited(dataset)
    named = ViewField("label").concat(", object ", ViewField("index").to_string())
    return clips_of_events(dataset, AUDIT, ids, named)


def check_audited(dataset: fo.Dataset) -> None:
    """Complain about a dataset whose ground truth was not audited.

    Raises:
        InputError: it was not.
    """
    refuse_parts(dataset, "show the audit of the ground truth")
    if not dataset.has_sample_field(AUDIT):
        raise InputError(
            f"dataset {dataset.name}",
            "no audit of its ground truth",
            "one that was made earlier",
            "Press ` and run 'Audit the ground truth', or call "
            "s3fo.datasets.audit_ground_truth(dataset).",
        )


def stored_audit(dataset: fo.Dataset, review: str | None = None) -> Audit:
    """The audit that a dataset shows, as tables.

    Args:
        dataset: audited.
        review: only events with this review.

    Raises:
        InputError: the dataset was not audited.
    """
    check_audited(dataset)
    with limited_to(None):
        events = tables.audit_table(dataset)
    if review is not None:
        events = events[[review in tags for tags in events["tags"]]]
    videos = {video.name: video for video in benchmark_of(dataset)}
    rows, flagged = [], []
    for event in events.to_dict("records"):
        video = videos[event["sequence"]]
        inside = set(video.frames[event["start"] - 1 : event["end"]])
        annotated = [name for name in video.annotated_frames if name in inside]
        place = {"sequence": event["sequence"], "object": int(event["object"])}
        about = {"event": int(event["rank"]) - 1, "kind": event["kind"]}
        about["confidence"] = event["confidence"]
        flagged += [{**place, "frame": name, **about} for name in annotated]
        rows.append(
            {**place, **about, "n_frames": len(annotated)} | _ends(event, video)
        )
    frames = pd.DataFrame(flagged, columns=[*_PLACE, "frame", *_ABOUT])
    columns = [*_PLACE, *_ABOUT, "n_frames", "start", "end", "other", "reason"]
    return Audit(frames, pd.DataFrame(rows, columns=columns), 0)


_PLACE = ("sequence", "object")
_ABOUT = ("event", "kind", "confidence")


def _ends(event: Mapping[Hashable, Any], video: Any) -> dict[str, Any]:
    names = {end: video.frames[event[end] - 1] for end in ("start", "end")}
    other = event["other"]
    known = 0 if pd.isna(other) else int(other)
    return {**names, "other": known, "reason": event["reason"]}
