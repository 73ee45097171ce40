"""Attributes on a dataset: sliders that filter objects by what makes them hard."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import fiftyone as fo
import pandas as pd

from evaluation._utils.progress import ProgressCallback
from evaluation.attributes import Attributes, FeatureExtractor, object_attributes
from evaluation.options import InputOptions
from s3fo.datasets.declaring import FieldKind, declare_fields
from s3fo.datasets.field_names import COMPUTED, OFFICIAL, shown_attributes
from s3fo.datasets.locking import sole_writer
from s3fo.datasets.schema import load_benchmark_info
from s3fo.datasets.scoring.subsets import save_scenarios
from s3fo.datasets.selection import dataset_and_videos
from s3fo.datasets.views import appearance as views

_FIELDS = {"number": fo.FloatField, "count": fo.IntField, "bucket": fo.StringField}


def compute_attributes(
    dataset: fo.core.collections.SampleCollection,
    *,
    extractor: FeatureExtractor | None = None,
    options: InputOptions | None = None,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> Attributes:
    """Measure the objects of a dataset, and show the attributes on them.

    They appear on `objects` and on the ``<eval_key>_objects`` of every evaluation
    (evaluations made later get them when they are written), so that the sliders of
    the sidebar filter objects by occlusion, size, speed and so on.

    >>> attributes = compute_attributes(dataset)
    >>> "size" in attributes.objects
    True

    Args:
        dataset: a dataset made by `load_benchmark`, or a view that chooses some of
            its videos.
        extractor: describes appearance for similarities; None uses colour and texture.
        options: how masks are read, as for `evaluation.object_attributes`.
        workers: threads; None takes one per processor.
        progress: called as frames get done.

    Returns:
        The tables.

    Raises:
        InputError: the dataset is of other origin, or files are broken.
    """
    dataset, shown = dataset_and_videos(dataset, "compute attributes")
    attributes = object_attributes(
        load_benchmark_info(dataset),
        sequences=shown,
        extractor=extractor,
        options=options,
        workers=workers,
        progress=progress,
    )
    write_attributes(dataset, attributes)
    return attributes


def write_attributes(dataset: fo.Dataset, attributes: Attributes) -> None:
    """Show attributes on a dataset, as `compute_attributes` describes.

    Args:
        dataset: made by `load_benchmark`.
        attributes: of the same benchmark; videos that they lack are left alone.
    """
    with sole_writer(dataset):
        keys = dataset.list_evaluations()
        for field in ["objects", *(f"{key}_objects" for key in keys)]:
            if dataset.has_sample_field(field):
                _declare(dataset, field)
                _write(dataset, field, attributes.objects)
        views.apply_defaults(dataset)
        save_scenarios(dataset)


def copy_attributes(dataset: fo.Dataset, field: str) -> None:
    """Give the objects of a field the attributes shown on `objects`, if there are any.

    Args:
        dataset: made by `load_benchmark`.
        field: of `TemporalDetections`, one per object.
    """
    if not dataset.has_field(f"objects.detections.{COMPUTED}"):
        return
    _declare(dataset, field)
    names = [*(item.name for item in shown_attributes()), COMPUTED, OFFICIAL]
    known, labels = dataset.values(["objects", field])
    for own, spans in zip(known, labels, strict=True):
        measured = {span.index: span for span in own.detections} if own else {}
        for span in spans.detections if spans else ():
            for name in names:
                span[name] = getattr(measured.get(span.index), name, None)
    dataset.set_values(field, labels)


def _declare(dataset: fo.Dataset, field: str) -> None:
    schema: dict[str, FieldKind] = {}
    for item in shown_attributes():
        unit = f" ({item.unit})" if item.unit else ""
        text = f"{item.title}{unit}: {item.definition}"
        schema[f"{field}.detections.{item.name}"] = _FIELDS[item.kind](description=text)
    for name in (COMPUTED, OFFICIAL):
        schema[f"{field}.detections.{name}"] = fo.ListField(fo.StringField())
    declare_fields(dataset, schema)


def _write(dataset: fo.Dataset, field: str, objects: pd.DataFrame) -> None:
    """Put the attributes on the labels that are there; one write for all."""
    rows = {(row["sequence"], row["object"]): row for row in objects.to_dict("records")}
    tags = {
        COMPUTED: [name for name in objects if str(name).startswith("auto_")],
        OFFICIAL: [name for name in objects if str(name).startswith("official_")],
    }
    view = dataset.select_by("sequence", list(dict.fromkeys(objects["sequence"])))
    sequences, labels = view.values(["sequence", field])
    for sequence, spans in zip(sequences, labels, strict=True):
        for span in spans.detections if spans else ():
            row = rows.get((sequence, span.index), {})
            for item in shown_attributes():
                span[item.name] = _plain(row.get(item.name))
            for name, columns in tags.items():
                span[name] = _tags(row, columns)
    view.set_values(field, labels)


def _tags(
    row: Mapping[Hashable, str | float | None], columns: Iterable[Hashable]
) -> list[str] | None:
    """The tags that hold; None where none of them is known."""
    known = [column for column in columns if not pd.isna(row.get(column, pd.NA))]
    if not known:
        return None
    return [str(column).split("_", 1)[1] for column in known if row[column]]


def _plain(value: str | float | None) -> object:
    """Missing values as None, numpy numbers as Python's."""
    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
