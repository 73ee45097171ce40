"""Were imported labels changed since? Scores come from the files, not from them."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from evaluation._utils.fingerprint import digest_bytes, digest_stream, encoded
from s3fo.datasets._fiftyone import label_shapes
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.schema import load_predictions_info, remember, remembered


def describe_labels(dataset: fo.Dataset, name: str) -> dict[str, Any]:
    """By what it is seen that labels were changed: labels that people make are new.

    Args:
        dataset: with the field.
        name: of the predictions.

    Returns:
        `videos` and `labels`, how many there are, `digest` of the ids and objects of
        all labels, and `shapes` of their boxes and masks, which may be edited in place.
    """
    path = f"frames.{name}.detections"
    columns = dataset.values(["sequence", f"{path}.id", f"{path}.index"])
    videos = sorted(zip(*columns, strict=True), key=lambda video: str(video[0]))
    names = dict(zip(*dataset.values(["id", "sequence"]), strict=True))
    by_video: dict[str, list[bytes]] = {}
    for sample, number, shape in label_shapes(dataset, name):
        own = by_video.setdefault(str(names.get(sample)), [])
        own.append(digest_bytes(encoded(str(number)) + shape))
    return {
        "videos": len(videos),
        "labels": sum(len(frame or ()) for _, ids, _ in videos for frame in ids or ()),
        "digest": digest_stream(encoded(repr(video)) for video in videos),
        "shapes": digest_stream(
            encoded(video) + b"".join(own) for video, own in sorted(by_video.items())
        ),
    }


def has_changed(dataset: fo.Dataset, name: str) -> bool:
    """Whether labels are others than when they were read or written last.

    Args:
        dataset: with the predictions.
        name: of the predictions.
    """
    known = load_predictions_info(dataset)[name].labels
    if not known or known["videos"] != dataset.count():
        return False
    there = describe_labels(dataset, name)
    return any(there[key] != value for key, value in known.items())


def remember_truth_labels(dataset: fo.Dataset) -> None:
    """Keep by what it is seen later that labels of the ground truth were edited."""
    remember(dataset, **{_TRUTH: describe_labels(dataset, GROUND_TRUTH)})


def truth_was_edited(dataset: fo.Dataset) -> bool:
    """Whether labels of the ground truth are others than those that were loaded.

    Nothing can be said of datasets of earlier versions, and once videos were deleted.
    """
    known = remembered(dataset).get(_TRUTH)
    if not known or known["videos"] != dataset.count():
        return False
    return bool(describe_labels(dataset, GROUND_TRUTH) != dict(known))


_TRUTH = "truth_labels"
"""Key among the facts about a dataset: `describe_labels` of its ground truth."""


def note_changed_labels(dataset: fo.Dataset, name: str) -> list[str]:
    """A note where labels were changed since they were imported: the files count.

    Nothing can be said once videos were deleted.

    Args:
        dataset: with the predictions.
        name: of the predictions.
    """
    if not has_changed(dataset, name):
        return []
    imported = load_predictions_info(dataset)[name].labels
    there = dataset.count(f"frames.{name}.detections")
    return [
        f"frames.{name} was changed after the import ({there} labels, "
        f"{imported['labels']} were imported): the imported masks are scored; clone "
        f"the field to score the labels (dataset.clone_frame_field({name!r}, 'NEW'))"
    ]
