"""Fields of a dataset, declared many at once."""

from __future__ import annotations

from collections.abc import Mapping

import fiftyone as fo

from s3fo.datasets._fiftyone import FieldKind, add_fields

_FRAMES = "frames."


def declare_fields(dataset: fo.Dataset, fields: Mapping[str, FieldKind]) -> None:
    """Add fields that are not there yet.

    >>> declare_fields(dataset, {"key_J": fo.FloatField, "frames.mine": fo.Detections})

    Args:
        dataset: a video dataset.
        fields: path, of a frame's field with ``frames.``, -> what it holds.

    Raises:
        ValueError: a field of that name is there, and holds something else.
    """
    sample: dict[str, FieldKind] = {}
    frame: dict[str, FieldKind] = {}
    for path, kind in fields.items():
        own = path.removeprefix(_FRAMES)
        (sample if own == path else frame)[own] = kind
    add_fields(dataset, sample, frame)


__all__ = ["FieldKind", "declare_fields"]
