"""Fields added to a dataset many at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

import fiftyone as fo
from fiftyone.core.odm import create_field

FieldKind: TypeAlias = type[fo.Field] | type[fo.Label] | fo.Field
"""A kind of field, of label, or a field with what it holds, such as a list."""


class _Documents(Protocol):
    """The class of a dataset's samples, or of its frames."""

    def merge_field_schema(self, schema: Mapping[str, fo.Field]) -> bool: ...


def add_fields(
    dataset: fo.Dataset,
    sample: Mapping[str, FieldKind],
    frame: Mapping[str, FieldKind],
) -> None:
    """Add fields that are not there yet.

    FiftyOne's own `add_sample_field` and `add_frame_field` read the whole dataset's
    document again, with all that it refers to, after every single field.

    Args:
        dataset: a video dataset.
        sample: fields of samples by path.
        frame: fields of frames by path, without ``frames.``.

    Raises:
        ValueError: a field of that name is there, and holds something else.
    """
    added = _add(dataset._sample_doc_cls, sample) if sample else False
    if frame:
        added |= _add(dataset._frame_doc_cls, frame)
    if added:
        dataset._reload()


def _add(documents: _Documents, fields: Mapping[str, FieldKind]) -> bool:
    """Whether any of the fields was not there."""
    added = False
    made = {path: _field(path, kind) for path, kind in fields.items()}
    while made:  # those that others are part of come first
        later = {path for path in made if any(_is_within(path, own) for own in made)}
        now = {path: field for path, field in made.items() if path not in later}
        added |= documents.merge_field_schema(now)
        made = {path: made[path] for path in made if path in later}
    return added


def _is_within(path: str, other: str) -> bool:
    return path.startswith(f"{other}.")


def _field(path: str, kind: FieldKind) -> fo.Field:
    if isinstance(kind, fo.Field):
        return kind
    if not issubclass(kind, fo.Label):
        return kind(null=True)
    name = path.rpartition(".")[2]
    return create_field(name, fo.EmbeddedDocumentField, embedded_doc_type=kind)
