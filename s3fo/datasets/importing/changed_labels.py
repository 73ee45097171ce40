"""Were imported labels changed since? Scores come from the files, not from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import fiftyone as fo

from evaluation._utils.fingerprint import digest, digest_bytes, encoded
from evaluation.errors import InputError, InputWarning
from evaluation.masks.names import shown
from s3fo.benchmarks import VideoSequence
from s3fo.datasets._fiftyone import label_shapes
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.importing.content import truth_token
from s3fo.datasets.schema import load_predictions_info, remember, remembered


class _Video(NamedTuple):
    """The labels of one video.

    Attributes:
        name: of the video.
        token: digest of its name, and of ids, objects, boxes and masks of its labels.
        has_labels: whether the field has a value in any of its frames.
    """

    name: str
    token: str
    has_labels: bool


def describe_labels(
    dataset: fo.Dataset, name: str, leave_out: Collection[str] = ()
) -> dict[str, Any]:
    """By what it is seen that labels were changed: labels that people make are new.

    Args:
        dataset: with the field.
        name: of the predictions.
        leave_out: ids of samples whose labels are not as they were imported.

    Returns:
        `videos` and `labels`, how many there are, and `by_video`, a token of the name
        and the labels of every video: ids, objects, boxes and masks, which may be
        edited in place.
    """
    videos = _videos(dataset, name)
    tokens = [own.token for key, own in videos.items() if key not in leave_out]
    return {
        "videos": len(videos),
        "labels": dataset.count(f"frames.{name}.detections"),
        "by_video": " ".join(sorted(tokens)),
    }


def _videos(dataset: fo.Dataset, name: str) -> dict[str, _Video]:
    """The labels of every video, by the id of its sample."""
    path = f"frames.{name}.detections"
    columns = dataset.values(["id", "sequence", f"{path}.id", f"{path}.index"])
    shapes: dict[str, list[bytes]] = {}
    for sample, number, shape in label_shapes(dataset, name):
        own = shapes.setdefault(sample, [])
        own.append(digest_bytes(encoded(str(number)) + shape))
    return {
        key: _Video(
            str(video),
            digest(repr((video, ids, indices)), *shapes.get(key, []))[:_TOKEN],
            any(frame is not None for frame in ids or ()),
        )
        for key, video, ids, indices in zip(*columns, strict=True)
    }


_TOKEN = 12
"""Digits of a token: datasets have some ten thousand videos, all kept in one record."""


def _changed(videos: Mapping[str, _Video], known: Mapping[str, Any]) -> list[str]:
    """Ids of the videos whose labels are not those that are known of.

    Videos without labels count unless others came or went since: they may be new.
    """
    if "by_video" not in known:
        return []
    imported = set(known["by_video"].split())
    same_videos = known["videos"] == len(videos)
    return [
        key
        for key, own in videos.items()
        if own.token not in imported and (own.has_labels or same_videos)
    ]


def has_changed(dataset: fo.Dataset, name: str) -> bool:
    """Whether labels are others than when they were read or written last.

    Args:
        dataset: with the predictions.
        name: of the predictions.
    """
    known = load_predictions_info(dataset)[name].labels
    return bool(known and _changed(_videos(dataset, name), known))


def edited_labels(dataset: fo.Dataset, name: str) -> dict[str, str]:
    """Which labels were edited since their import: a token by the id of the sample.

    Args:
        dataset: with the predictions.
        name: of the predictions; of an import that was killed, what was edited before.
    """
    known = load_predictions_info(dataset)[name].labels
    return _find_edited(_videos(dataset, name), known)


def _find_edited(
    videos: Mapping[str, _Video], known: Mapping[str, Any]
) -> dict[str, str]:
    if _EDITED in known:
        before = set(known[_EDITED].split())
        return {key: own.token for key, own in videos.items() if own.token in before}
    changed = _changed(videos, known)
    return {key: videos[key].token for key in changed if videos[key].has_labels}


def labels_under_way(edited: Mapping[str, str]) -> dict[str, str]:
    """What to remember of labels while others than the edited ones are replaced."""
    return {_EDITED: " ".join(edited.values())}


_EDITED = "edited"


def remember_truth_labels(dataset: fo.Dataset, edited: Collection[str]) -> None:
    """Keep by what it is seen later that labels of the ground truth were edited.

    Args:
        dataset: loaded.
        edited: ids of samples whose labels were edited before, and are so still.
    """
    remember(dataset, **{_TRUTH: describe_labels(dataset, GROUND_TRUTH, edited)})


def truth_was_edited(dataset: fo.Dataset) -> bool:
    """Whether labels of the ground truth are others than those that were loaded.

    Nothing can be said of datasets of earlier versions.
    """
    known = remembered(dataset).get(_TRUTH)
    return bool(known and _changed(_videos(dataset, GROUND_TRUTH), known))


def begin_truth_labels(dataset: fo.Dataset) -> set[str]:
    """Ids of samples whose ground truth was edited, before others are loaded again.

    They are remembered, so that a load that is killed leaves no doubt about them.
    """
    if not dataset.has_frame_field(GROUND_TRUTH):
        return set()  # one that was made empty, to be filled
    known = remembered(dataset).get(_TRUTH) or {}
    edited = _find_edited(_videos(dataset, GROUND_TRUTH), known)
    remember(dataset, **{_TRUTH: labels_under_way(edited)})
    return set(edited)


_TRUTH = "truth_labels"
"""Key among the facts about a dataset: `describe_labels` of its ground truth."""


def remember_truth_files(dataset: fo.Dataset, sequences: Iterable[str]) -> None:
    """Keep by what it is seen later that files of the ground truth changed."""
    remember(dataset, **{_TRUTH_FILES: " ".join(sorted(sequences))})


def note_changed_truth(
    dataset: fo.Dataset, sequences: Sequence[VideoSequence]
) -> list[str]:
    """A note where files of the ground truth changed since they were loaded.

    Nothing can be said of datasets of earlier versions.

    Args:
        dataset: made by `load_benchmark`.
        sequences: the videos that were scored.
    """
    known = remembered(dataset).get(_TRUTH_FILES)
    if known is None:
        return []
    loaded = set(known.split())
    changed = [item.name for item in sequences if not _is_as_loaded(item, loaded)]
    if not changed:
        return []
    return [
        f"files of the ground truth changed since they were loaded ({shown(changed)}): "
        f"they are scored, and frames.{GROUND_TRUTH} has the old masks. Load the "
        "benchmark again (`s3fo load`, s3fo.load_benchmark) to replace the labels of "
        "these videos, but for edited ones; clone the field first to keep tags "
        f"(dataset.clone_frame_field({GROUND_TRUTH!r}, 'NEW'))"
    ]


def _is_as_loaded(sequence: VideoSequence, loaded: Collection[str]) -> bool:
    try:
        return truth_token(sequence) in loaded
    except InputError:  # scored all the same: a file of a frame that is not scored
        return False


_TRUTH_FILES = "truth_files"
"""Key among the facts about a dataset: `truth_token` of each video when loaded."""


class KeptLabelsWarning(InputWarning):
    """Labels that were edited were not replaced by those of files that changed."""


def note_changed_labels(dataset: fo.Dataset, name: str) -> list[str]:
    """A note where labels were changed since they were imported: the files count.

    Args:
        dataset: with the predictions.
        name: of the predictions.
    """
    imported = load_predictions_info(dataset)[name].labels
    videos = _videos(dataset, name)
    changed = sorted(videos[key].name for key in _changed(videos, imported))
    if not changed:
        return []
    there = dataset.count(f"frames.{name}.detections")
    return [
        f"frames.{name} was changed after the import ({there} labels, "
        f"{imported['labels']} were imported) in {shown(changed)}: the imported masks "
        "are scored; clone the field to score the labels "
        f"(dataset.clone_frame_field({name!r}, 'NEW')). Labels of these videos stay as "
        "they are, also when their files change: to take the files' masks, remove "
        f"the predictions (s3fo.datasets.remove_predictions(dataset, {name!r}), in "
        "the App 'Remove predictions') and import them again"
    ]
