"""Labels of files that changed -> a field that people may have worked on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

import fiftyone as fo

from s3fo.datasets._fiftyone import (
    Document,
    Update,
    frame_fields,
    update_documents,
)
from s3fo.datasets.importing.labels import object_label
from s3fo.datasets.importing.writing import FRAMES_A_WRITE

Classes = Mapping[int, str]
"""What objects of a video are called by its files, by their ids."""

Work = Mapping[object, Document]
"""What people added to the labels of a frame, by the ids of their objects."""


def replace_labels(
    dataset: fo.Dataset, field: str, fresh: str, keep: Collection[str]
) -> None:
    """Put fresh labels in the place of those that differ; all others stay untouched.

    A fresh label takes the tags, the attributes and the class along that people gave to
    the label of the same object in the same frame.

    Args:
        dataset: with both fields.
        field: frame field of labels that people know.
        fresh: frame field of labels as the files have them.
        keep: ids of samples whose labels stay, whatever the files have.
    """
    classes = classes_of_files(dataset)
    updates: list[Update] = []
    for sample, frame, (old, new) in frame_fields(dataset, (field, fresh)):
        if sample in keep or _shapes(old) == _shapes(new):
            continue
        work = _work_of(old, classes.get(sample, {}))
        updates.append((frame, {field: with_work(new, work)}))
        if len(updates) == FRAMES_A_WRITE:
            update_documents(dataset, updates, frames=True)
            updates = []
    update_documents(dataset, updates, frames=True)


class EarlierWork:
    """What people added to the labels of a field, read when it is asked for first."""

    def __init__(self, dataset: fo.Dataset, field: str, made: Collection[str]) -> None:
        """Remember where to look.

        Args:
            dataset: with the field.
            field: frame field of labels.
            made: keys of evaluations, whose attributes are nobody's work.
        """
        self._dataset, self._field = dataset, field
        self._made = frozenset(made)

    @cached_property
    def _frames(self) -> dict[str, tuple[str, Work]]:
        """Sample and work by the id of the frame; of frames with any."""
        if not self._dataset.has_frame_field(self._field):
            return {}  # one that was made empty, to be filled
        classes = classes_of_files(self._dataset)
        found = {}
        for sample, frame, (old,) in frame_fields(self._dataset, (self._field,)):
            if work := _work_of(old, classes.get(sample, {}), self._made):
                found[frame] = sample, work
        return found

    def of_frame(self, frame: str) -> Work:
        """The work on a frame's labels, by the id of its document."""
        return self._frames.get(frame, ("", {}))[1]

    def of_sample(self, sample: str) -> Iterator[tuple[str, Work]]:
        """The ids of a video's frames that have any, and the work on their labels."""
        for frame, (own, work) in self._frames.items():
            if own == sample:
                yield frame, work


def classes_of_files(dataset: fo.Dataset) -> dict[str, Classes]:
    """What objects were called by their files when loaded, by the ids of samples."""
    if not dataset.has_sample_field("objects"):
        return {}
    path = "objects.detections"
    rows = zip(*dataset.values(["id", f"{path}.index", f"{path}.label"]), strict=True)
    return {
        key: dict(zip(indices or (), labels or (), strict=True))
        for key, indices, labels in rows
    }


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


def with_work(new: Document | None, work: Work) -> Document | None:
    """Fresh labels of a frame, with what people added to those of the same objects.

    Args:
        new: the labels; None where the files have none.
        work: on those that they replace.
    """
    if new is None or not work:
        return new
    labels = [{**one, **work.get(one.get("index"), {})} for one in _labels(new)]
    return {**new, "detections": labels}


def _work_of(
    old: Document | None, classes: Classes, made: Collection[str] = ()
) -> Work:
    found = {one.get("index"): _work(one, classes, made) for one in _labels(old)}
    return {index: work for index, work in found.items() if work}


def _work(label: Document, classes: Classes, made: Collection[str]) -> Document:
    added = {
        name: value
        for name, value in label.items()
        if name not in _OF_FILES
        and not (value is None or value == [] or value == {})
        and not any(name == key or name.startswith(f"{key}_") for key in made)
    }
    index, name = label.get("index"), label.get("label")
    if isinstance(index, int) and name and name != object_label(index, classes):
        added["label"] = name
    return added
