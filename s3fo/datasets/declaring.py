"""Fields of a dataset, declared many at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import fiftyone as fo

FieldKind: TypeAlias = type[fo.Field] | type[fo.Label] | fo.Field
"""A kind of field, of label, or a field with what it holds, such as a list."""

_FRAMES = "frames."


def declare_fields(dataset: fo.Dataset, fields: Mapping[str, FieldKind]) -> None:
    """Add fields that are not there yet.

    FiftyOne's own `add_sample_field` and `add_frame_field` write the whole dataset's
    document and read it again for every single field, which takes longer than all
    else in an evaluation of a few videos.

    >>> declare_fields(dataset, {"key_J": fo.FloatField, "frames.mine": fo.Detections})

    Args:
        dataset: a video dataset.
        fields: path, of a frame's field with ``frames.``, -> what it holds.

    Raises:
        ValueError: a field of that name is there, and holds something else.
    """
    sample: dict[str, fo.Field] = {}
    frame: dict[str, fo.Field] = {}
    for path, kind in fields.items():
        own = path.removeprefix(_FRAMES)
        if isinstance(kind, type) and issubclass(kind, fo.Label):
            # One by one: those below would take a field with fields for a list.
            add = dataset.add_sample_field if own == path else dataset.add_frame_field
            add(own, fo.EmbeddedDocumentField, embedded_doc_type=kind)
        else:
            place = sample if own == path else frame
            place[own] = kind if isinstance(kind, fo.Field) else kind(null=True)
    if sample:
        dataset.add_dynamic_sample_fields(sample)
    if frame:
        dataset.add_dynamic_frame_fields(frame)
