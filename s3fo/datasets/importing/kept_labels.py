"""Labels of files that changed -> a field that people may have worked on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import fiftyone as fo

from s3fo.datasets._fiftyone import (
    Document,
    Update,
    frame_fields,
    update_documents,
)
from s3fo.datasets.importing.writing import FRAMES_A_WRITE


def replace_labels(
    dataset: fo.Dataset, field: str, fresh: str, keep: Collection[str]
) -> None:
    """Put fresh labels in the place of those that differ; all others stay untouched.

    A fresh label takes the tags and attributes along that people gave to the label of
    the same object in the same frame.

    Args:
        dataset: with both fields.
        field: frame field of labels that people know.
        fresh: frame field of labels as the files have them.
        keep: ids of samples whose labels stay, whatever the files have.
    """
    updates: list[Update] = []
    for sample, frame, (old, new) in frame_fields(dataset, (field, fresh)):
        if sample in keep or _shapes(old) == _shapes(new):
            continue
        updates.append((frame, {field: _with_work(new, old)}))
        if len(updates) == FRAMES_A_WRITE:
            update_documents(dataset, updates, frames=True)
            updates = []
    update_documents(dataset, updates, frames=True)


def _labels(document: Document | None) -> list[dict[str, Any]]:
    return list((document or {}).get("detections") or ())


def _shapes(document: Document | None) -> list[tuple[object, ...]] | None:
    """Objects of a frame with their boxes and masks; None where nothing is known."""
    if document is None:
        return None
    return [
        (label.get("index"), label.get("bounding_box"), bytes(label.get("mask") or b""))
        for label in _labels(document)
    ]


_OF_FILES = (
    *("_id", "_cls", "attributes", "label", "index", "instance"),
    *("bounding_box", "mask", "mask_path"),
)
"""Parts of a label that say what the files say."""


def _with_work(new: Document | None, old: Document | None) -> Document | None:
    """Fresh labels of a frame, with what people added to those of the same objects."""
    if new is None or not _labels(old):
        return new
    known: Mapping[object, Document] = {
        label.get("index"): label for label in _labels(old)
    }
    return {
        **new,
        "detections": [
            {**label, **_work(known.get(label.get("index"), {}))}
            for label in _labels(new)
        ],
    }


def _work(label: Document) -> dict[str, object]:
    return {
        name: value
        for name, value in label.items()
        if name not in _OF_FILES and value is not None
    }
