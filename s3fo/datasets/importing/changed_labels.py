"""Were imported labels changed since? Scores come from the files, not from them."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from evaluation._utils.fingerprint import digest_stream, encoded
from s3fo.datasets.schema import load_predictions_info


def describe_labels(dataset: fo.Dataset, name: str) -> dict[str, Any]:
    """By what it is seen that labels were changed: labels that people make are new.

    Args:
        dataset: with the field.
        name: of the predictions.

    Returns:
        `videos` and `labels`, how many there are, and `digest` of the ids and objects
        of all labels.
    """
    path = f"frames.{name}.detections"
    columns = dataset.values(["sequence", f"{path}.id", f"{path}.index"])
    videos = sorted(zip(*columns, strict=True), key=lambda video: str(video[0]))
    return {
        "videos": len(videos),
        "labels": sum(len(frame or ()) for _, ids, _ in videos for frame in ids or ()),
        "digest": digest_stream(encoded(repr(video)) for video in videos),
    }


def note_changed_labels(dataset: fo.Dataset, name: str) -> list[str]:
    """A note where labels were changed since they were imported: the files count.

    Nothing can be said once videos were deleted.

    Args:
        dataset: with the predictions.
        name: of the predictions.
    """
    imported = load_predictions_info(dataset)[name].labels
    if not imported or imported["videos"] != dataset.count():
        return []
    there = describe_labels(dataset, name)
    if there == dict(imported):
        return []
    return [
        f"frames.{name} was changed after the import ({there['labels']} labels, "
        f"{imported['labels']} were imported): the imported masks are scored; clone "
        f"the field to score the labels (dataset.clone_frame_field({name!r}, 'NEW'))"
    ]
