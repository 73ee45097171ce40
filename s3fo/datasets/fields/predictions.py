"""Predictions that live in FiftyOne -> a results folder, so that they can be scored.

Whatever made them (a zoo model, annotators, an import of one's own): any frame field
with masks is a method. Scores come from files, so the masks are written to the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import fiftyone as fo

from evaluation._utils.cache_dir import user_cache
from evaluation._utils.names import file_name
from evaluation.errors import InputError
from evaluation.notes import of_kind
from evaluation.options import DEFAULT_OPTIONS, InputOptions
from s3fo.datasets._fiftyone import dataset_id
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.fields.masks import (
    OBJECT_KINDS,
)
from s3fo.datasets.fields.writing import write_field
from s3fo.datasets.importing.changed_labels import describe_labels
from s3fo.datasets.importing.predictions import (
    add_predictions,
    content_of_results,
    passing_fields,
)
from s3fo.datasets.locking import sole_writer
from s3fo.datasets.schema import (
    Predictions,
    evaluations,
    load_benchmark_info,
    load_predictions_info,
    save_predictions_info,
)

_KINDS = (*OBJECT_KINDS, fo.Segmentation)


class UsedField(NamedTuple):
    """A frame field as a method.

    Attributes:
        method: its name: the field's, or ``<field>_objects``.
        notes: what had to be decided about its labels.
    """

    method: str
    notes: tuple[str, ...]


def field_methods(dataset: fo.Dataset) -> list[str]:
    """Frame fields with masks that were not imported from files: methods all the same.

    Args:
        dataset: made by `load_benchmark`.
    """
    imported = load_predictions_info(dataset)
    own = {GROUND_TRUTH, *(f"{key}_errors" for key in evaluations(dataset))}
    own |= {name for name, record in imported.items() if not record.from_field}
    own |= {f"{name}_mask" for name in (GROUND_TRUTH, *imported)}
    own |= passing_fields(dataset)
    return [
        name
        for name, kind in dataset.get_frame_field_schema().items()
        if getattr(kind, "document_type", None) in _KINDS and name not in own
    ]


def use_field(
    dataset: fo.Dataset, field: str, options: InputOptions = DEFAULT_OPTIONS
) -> UsedField:
    """Make a frame field of the dataset a method, or bring it up to date.

    Labels with masks, filled polylines and label maps are understood. Objects are told
    apart by `index`, else by `instance`: labels that share the instance of an annotated
    object are that object, other instances are numbered on from the highest id; the
    index is then written to the labels. An index may be any number from 1; those that
    no annotated object has count as objects that are not there.

    A frame in which the field is empty (``Detections()``) shows no object; one in which
    it is None has no prediction, like a results folder without the frame's file.
    `Detections` stay where they are; others, such as a `Segmentation`, whose pixel
    values are the ids, are imported beside themselves as ``<field>_objects``.

    Args:
        dataset: made by `load_benchmark`.
        field: name of the frame field.
        options: how masks are read.

    Raises:
        InputError: no masks in it, unclear ones, or labels that belong to no object.
    """
    load_benchmark_info(dataset)  # refuses before anything is written
    with sole_writer(dataset):
        return _use(dataset, field, options)


def _use(dataset: fo.Dataset, field: str, options: InputOptions) -> UsedField:
    folder = field_folder(dataset, field)
    stays = dataset.get_frame_field_schema()[field].document_type is fo.Detections
    present, notes = write_field(
        dataset, field, folder, options=options, give_indices=stays
    )
    if not stays:
        name = f"{field}_objects"
        with named_as_field(folder, field):
            add_predictions(dataset, folder, name, options=options)
        return UsedField(name, notes)
    content = content_of_results(folder, present)
    made, labels = {"field": f"frames.{field}"}, describe_labels(dataset, field)
    found = Predictions(folder, content, made, from_field=True, labels=labels)
    notes += _note_renamed(dataset, field, labels)
    known = load_predictions_info(dataset).get(field)
    if known != found or dict(known.labels) != labels:
        save_predictions_info(dataset, field, found)
    return UsedField(field, notes)


def _note_renamed(
    dataset: fo.Dataset, field: str, labels: Mapping[str, Any]
) -> tuple[str, ...]:
    """A note where labels are those of an import whose field is gone.

    Args:
        dataset: with the field.
        field: its name.
        labels: what `describe_labels` says of it.
    """
    return tuple(
        f"frames.{field}: its labels are those imported from {record.folder} as "
        f"{name!r}: they are scored as they are, whatever is in that folder now; to "
        f"score its files, add_predictions(dataset, {str(record.folder)!r}, NAME) with "
        "a new name"
        for name, record in load_predictions_info(dataset).items()
        if not record.from_field
        and not dataset.has_frame_field(name)
        and record.labels.get("by_video") == labels["by_video"] != ""
    )


@contextmanager
def named_as_field(
    folder: Path, field: str | None, notes: Sequence[str] = ()
) -> Iterator[None]:
    """Let errors about the files of a field name the field: nobody knows the files.

    Args:
        folder: where they are.
        field: the frame field; None changes nothing.
        notes: what had to be decided about its labels. Errors tell it of instances,
            whose ids nobody gave.
    """
    try:
        yield
    except InputError as error:
        if field is None:
            raise
        numbered = of_kind(notes, "numbered-instances")
        found = "; ".join([error.found, *numbered])
        fix = (f"{_GIVE_INDEX} " if numbered else "") + error.remedy
        parts = (error.where, found, error.expected, fix)
        raise InputError(
            *(part.replace(str(folder), f"frames.{field}") for part in parts)
        ) from error


_GIVE_INDEX = (
    "Give labels the index of the annotated object, or its instance "
    "(label.instance = that of the object's label in ground_truth)."
)


def field_folder(dataset: fo.Dataset, field: str) -> Path:
    """Where the masks of a field are written: a dataset of the same name has another.

    Args:
        dataset: made by `load_benchmark`.
        field: name of the frame field.
    """
    name = f"{file_name(dataset.name)}-{dataset_id(dataset)[-8:]}"
    return user_cache("fields", name, file_name(field))
