"""Keys of evaluations: names that may become names of fields."""

from __future__ import annotations

import fiftyone as fo

from evaluation.errors import InputError
from s3fo.datasets.field_names import SEQUENCE_SCORES

_ATTRIBUTES = {*fo.Detection().field_names, "J", "F", "instance"}
"""What labels have already: an evaluation's key becomes an attribute of theirs."""


def check_key(dataset: fo.Dataset, eval_key: str) -> str:
    """Return the name of an evaluation, if its fields are free or its own.

    Args:
        dataset: made by `load_benchmark`.
        eval_key: the name.

    Raises:
        InputError: no name for fields, or one of fields with other content.
    """
    found = ""
    if not eval_key.isidentifier() or eval_key.startswith("_"):
        found = repr(eval_key)
    elif eval_key in _ATTRIBUTES:
        found = f"{eval_key!r}, which all labels have as an attribute"
    elif eval_key not in dataset.list_evaluations():
        taken = _fields_of_others(dataset, eval_key)
        if taken:
            found = f"{eval_key!r}, though {taken[0]} is a field of other content"
    if found:
        raise InputError(
            "eval_key",
            found,
            "a free name of letters, digits and underscores, a letter first",
            "For example 's3_val'.",
        )
    return eval_key


def _fields_of_others(dataset: fo.Dataset, eval_key: str) -> list[str]:
    """Sample fields of a key that are of other kinds than an evaluation's."""
    schema = dataset.get_field_schema()
    scores = [f"{eval_key}_{name}" for name in SEQUENCE_SCORES.values()]
    objects = f"{eval_key}_objects"
    found = [
        name
        for name in scores
        if name in schema and not isinstance(schema[name], fo.FloatField)
    ]
    kind = getattr(schema.get(objects), "document_type", None)
    if objects in schema and kind is not fo.TemporalDetections:
        found.append(objects)
    return found
