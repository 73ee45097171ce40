"""Samples and frames, read and written past FiftyOne's documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import fiftyone as fo
from bson import ObjectId
from fiftyone.core.frame import Frame
from fiftyone.core.odm import bulk_write
from pymongo import InsertOne, UpdateOne
from pymongo.collection import Collection

Document = Mapping[str, Any]
"""What MongoDB keeps: values of many kinds, by name."""

Update = tuple[str | ObjectId, Mapping[str, object]]
"""Id of a sample or frame, and its new values by path, as MongoDB keeps them."""


def root_dataset(samples: fo.core.collections.SampleCollection) -> fo.Dataset:
    """The dataset that a view, or a view of clips or frames, was made of."""
    return samples._root_dataset


def dataset_id(dataset: fo.Dataset) -> str:
    """What tells a dataset from all others, also from an earlier one of its name."""
    return str(dataset._doc.id)


def update_documents(
    samples: fo.core.collections.SampleCollection,
    updates: Sequence[Update],
    *,
    frames: bool = False,
) -> None:
    """Set values of many samples or frames, all of one document in one update.

    `set_values` needs one update for every field, and for every label in it.

    Args:
        samples: the dataset, or a view of it.
        updates: at most some thousand.
        frames: whether these are frames.
    """
    now = _now()
    operations = [
        UpdateOne({"_id": ObjectId(key)}, {"$set": {**values, "last_modified_at": now}})
        for key, values in updates
    ]
    ids = [str(key) for key, _ in updates]
    _write(root_dataset(samples), operations, ids, frames)


def insert_frame_documents(dataset: fo.Dataset, documents: Sequence[Document]) -> None:
    """Add frames to samples that have none yet.

    Args:
        dataset: of the samples.
        documents: at most some thousand, each with ``_id``, ``_sample_id``,
            ``frame_number`` and whatever the frame holds, as MongoDB keeps it.
    """
    now = _now()
    always = {
        "_dataset_id": dataset._doc.id,
        "created_at": now,
        "last_modified_at": now,
    }
    operations = [InsertOne({**document, **always}) for document in documents]
    _write(dataset, operations, [str(own["_id"]) for own in documents], frames=True)


def set_label_tags(
    dataset: fo.Dataset, field: str, sample_id: str, label_id: str, tags: Sequence[str]
) -> None:
    """Give one label of a sample field other tags.

    Args:
        dataset: with the label.
        field: sample field of `Detections` or `TemporalDetections`.
        sample_id: of the sample.
        label_id: of the label.
        tags: all that the label has from now on.
    """
    labels = f"{field}.detections"
    change = UpdateOne(
        {"_id": ObjectId(sample_id), f"{labels}._id": ObjectId(label_id)},
        {"$set": {f"{labels}.$.tags": list(tags), "last_modified_at": _now()}},
    )
    _write(dataset, [change], [sample_id], frames=False)


def find_labels(
    dataset: fo.Dataset,
    field: str,
    names: Iterable[str] | None = None,
    since: datetime | None = None,
) -> Iterator[tuple[str, str, Sequence[Document]]]:
    """Read the labels of a sample field as they are stored.

    Args:
        dataset: what to read from.
        field: sample field of `Detections` or `TemporalDetections`.
        names: attributes of the labels that are wanted; None means all.
        since: only samples modified at this time or later.

    Yields:
        Id of the sample, name of its sequence, documents of its labels.
    """
    root = f"{field}.detections"
    paths = [root] if names is None else [f"{root}.{name}" for name in names]
    which: dict[str, Any] = {"sequence": {"$ne": None}}  # samples of others have none
    if since:
        which["last_modified_at"] = {"$gte": since}
    columns = {"sequence": 1, **dict.fromkeys(paths, 1)}
    for own in dataset._sample_collection.find(which, columns):
        labels = (own.get(field) or {}).get("detections", [])
        yield str(own["_id"]), own["sequence"], labels


def plain_values(values: Sequence[object]) -> list[object]:
    """One attribute of many labels, with ids as text, and tuples for lists.

    Kept by ten thousands, these cost nothing, where Python's collector of cycles goes
    through ids and lists at every turn.
    """
    kinds = set(map(type, values))
    if ObjectId not in kinds and list not in kinds:
        return list(values)
    return [_plain(value) for value in values]


def _plain(value: object) -> object:
    if isinstance(value, ObjectId):
        return value.binary.hex()  # a third of the time of `str`
    return tuple(value) if isinstance(value, list) else value


def last_sample_change(dataset: fo.Dataset) -> datetime | None:
    """When a sample was last modified; None without samples. It has an index."""
    return _last_change(dataset._sample_collection, {})


def last_frame_change(dataset: fo.Dataset, sample_id: str) -> datetime | None:
    """When a frame of a video was last modified; None without frames."""
    which = {"_sample_id": ObjectId(sample_id)}
    return _last_change(dataset._frame_collection, which)


def _last_change(documents: Collection[Document], which: Document) -> datetime | None:
    newest_first = [("last_modified_at", -1)]
    latest = documents.find_one(which, {"last_modified_at": 1}, sort=newest_first)
    changed: datetime | None = latest.get("last_modified_at") if latest else None
    return changed


def last_deletion(dataset: fo.Dataset) -> datetime | None:
    """When samples were last deleted, as MongoDB keeps it; None if none ever were.

    In memory FiftyOne keeps microseconds, which are gone when the dataset is loaded.
    """
    when = dataset.last_deletion_at
    return when and when.replace(microsecond=when.microsecond // 1000 * 1000)


def estimated_sample_count(dataset: fo.Dataset) -> int:
    """Samples of a dataset as MongoDB's statistics know it: exact, and at no cost."""
    return int(dataset._sample_collection.estimated_document_count())


def _now() -> datetime:
    """The present time as FiftyOne keeps it."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _write(
    dataset: fo.Dataset,
    operations: Sequence[InsertOne[dict[str, object]] | UpdateOne],
    ids: list[str],
    frames: bool,
) -> None:
    """Write all at once: FiftyOne feels its way up from batches of one document.

    Samples and frames that the process holds are reloaded.
    """
    if not operations:
        return
    if frames:
        bulk_write(operations, dataset._frame_collection, batcher=False)
        Frame._reload_docs(dataset._frame_collection_name, frame_ids=ids)
    else:
        bulk_write(operations, dataset._sample_collection, batcher=False)
        fo.Sample._reload_docs(dataset._sample_collection_name, sample_ids=ids)


def label_shapes(dataset: fo.Dataset, field: str) -> Iterator[tuple[str, int, bytes]]:
    """Boxes and masks of the labels of a frame field, as the database keeps them.

    No mask is unpacked, which takes most of the time of reading labels.

    Args:
        dataset: of videos.
        field: of `Detections` in their frames.

    Yields:
        Id of the video's sample, number of the frame, and its boxes and masks as
        bytes; frames of a video in order.
    """
    parts = [f"{field}.detections.{name}" for name in ("bounding_box", "mask")]
    wanted = dict.fromkeys(["_sample_id", "frame_number", *parts], 1)
    order = [("_sample_id", 1), ("frame_number", 1)]
    for frame in dataset._frame_collection.find({}, wanted).sort(order):
        labels = (frame.get(field) or {}).get("detections") or ()
        shapes = b"".join(
            repr(label.get("bounding_box")).encode() + bytes(label.get("mask") or b"")
            for label in labels
        )
        yield str(frame["_sample_id"]), frame["frame_number"], shapes


def frame_fields(
    dataset: fo.Dataset, fields: Sequence[str]
) -> Iterator[tuple[str, str, list[Document | None]]]:
    """Labels of frame fields, as the database keeps them.

    Args:
        dataset: of videos.
        fields: names of frame fields.

    Yields:
        Id of the video's sample, id of the frame, and what each field holds.
    """
    wanted = dict.fromkeys(["_sample_id", *fields], 1)
    for frame in dataset._frame_collection.find({}, wanted):
        values = [frame.get(field) for field in fields]
        yield str(frame["_sample_id"]), str(frame["_id"]), values
