"""The objects with the lowest scores, and the score that objects are looked at by."""

from __future__ import annotations

import fiftyone as fo
from fiftyone import ViewField

from evaluation.errors import InputError
from evaluation.protocols import get_protocol
from s3fo.datasets._fiftyone import has_id, root_dataset
from s3fo.datasets.field_names import OBJECT_SCORES
from s3fo.datasets.selection import refuse_parts


def worst(dataset: fo.Dataset, eval_key: str, k: int = 10) -> fo.DatasetView:
    """The videos of the objects with the lowest J&F, the worst first.

    Of MOSE v2 it is the adaptive J&F, which that benchmark publishes.

    >>> view = worst(dataset, "first", k=1)
    >>> len(view.first()["first_objects"].detections)
    1

    Args:
        dataset: an evaluated dataset.
        eval_key: key of the evaluation.
        k: how many objects.

    Returns:
        A view whose ``<eval_key>_objects`` hold these objects only.

    Raises:
        InputError: there is no such evaluation.
    """
    refuse_parts(dataset, "find the worst objects")
    known = dataset.list_evaluations()
    field = f"{eval_key}_objects"
    whole, here = root_dataset(dataset), dataset.has_sample_field(field)
    if not here and whole.has_sample_field(field):
        raise InputError(
            f"a view of {whole.name}",
            f"no field {field}, which the dataset has",
            f"a dataset, or a view with the field {field}",
            "Pass the dataset, or a view that keeps this field (select_fields leaves "
            "fields out).",
        )
    if eval_key not in known or not here:
        raise InputError(
            "eval_key",
            repr(eval_key),
            f"one of {', '.join(known) or 'no evaluations yet'}",
            "Evaluate predictions first.",
        )
    name = object_score(dataset, eval_key)
    return lowest_objects(dataset, eval_key, name, k)


def lowest_objects(
    dataset: fo.Dataset, eval_key: str, name: str, k: int
) -> fo.DatasetView:
    """The videos of the objects with the lowest score `name`, the worst first."""
    field = f"{eval_key}_objects"
    ids, scores = dataset.values(
        [f"{field}.detections.id", f"{field}.detections.{name}"], unwind=True
    )
    ranked = sorted(
        (score, object_id)
        for object_id, score in zip(ids, scores, strict=True)
        if score is not None
    )
    kept = has_id(object_id for _, object_id in ranked[:k])
    view = dataset.filter_labels(field, kept)
    lowest = ViewField(f"{field}.detections").map(ViewField(name)).min()
    return view.sort_by(lowest)


def published_field(dataset: fo.Dataset, eval_key: str) -> str | None:
    """The field of the J&F that the benchmark publishes, of every sequence."""
    field = f"{eval_key}_{object_score(dataset, eval_key)}"
    return field if dataset.has_sample_field(field) else None


def object_score(dataset: fo.Dataset, eval_key: str) -> str:
    """Attribute of objects' labels with the J&F that they are looked at by."""
    protocol = getattr(dataset.get_evaluation_info(eval_key).config, "protocol", None)
    metric = get_protocol(protocol).object_metric if protocol else "J&F"
    return OBJECT_SCORES[metric]
