"""Write the scores of frames to their labels, and tell what was found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import fiftyone as fo

from evaluation.results.scores import Scores
from s3fo.datasets._fiftyone import update_documents
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.importing.writing import batches, index_labels
from s3fo.datasets.schema import load_benchmark_info
from s3fo.datasets.scoring.matches import LabelRef, Match, Matches, match_frame, outcome


def write_frames(
    dataset: fo.Dataset, predictions: str, eval_key: str, scores: Scores
) -> Matches:
    """Give every label its J and F, and its match status in this evaluation.

    Args:
        dataset: made by `load_benchmark`, with the fields for it.
        predictions: name of the prediction field that was scored.
        eval_key: name of the evaluation, and of the attribute with the match status.
        scores: of the files that the field was imported from.

    Returns:
        What was found, missed and falsely predicted.
    """
    matches = Matches()
    for batch in batches(_by_frame(dataset, scores), lambda item: len(item.scores)):
        matches.add(_write_batch(dataset, predictions, eval_key, batch))
    index_labels(dataset, predictions, ("J", "F"))
    return matches


class _SequenceScores(NamedTuple):
    """Per-frame scores of one sequence.

    Attributes:
        name: the sequence.
        scores: object id -> (J, F) of every frame; empty where nothing was scored.
        object_of: predicted id -> object id, where the protocol matched them.
    """

    name: str
    scores: list[dict[int, tuple[float, float]]]
    object_of: dict[int, int] | None


def _by_frame(dataset: fo.Dataset, scores: Scores) -> Iterator[_SequenceScores]:
    rows_of = scores.frames.groupby("sequence", sort=False).indices
    boundary = scores.protocol.boundary_column
    frames = scores.frames[["frame", "object", "J", boundary]]
    objects = dict(iter(scores.objects.groupby("sequence", sort=False)))
    for sequence in load_benchmark_info(dataset):
        if sequence.name not in rows_of:
            continue
        values: dict[str, dict[int, tuple[float, float]]] = {}
        table = frames.iloc[rows_of[sequence.name]]
        columns = (table[name].tolist() for name in table)
        for frame, object_id, j, f in zip(*columns, strict=True):
            if not math.isnan(j):
                values.setdefault(frame, {})[object_id] = (j, f)
        by_frame = [values.get(frame, {}) for frame in sequence.frames]
        rows, object_of = objects[sequence.name], None
        if "proposal" in rows:
            object_of = dict(zip(rows["proposal"], rows["object"], strict=True))
        yield _SequenceScores(sequence.name, by_frame, object_of)


def _write_batch(
    dataset: fo.Dataset,
    predictions: str,
    eval_key: str,
    sequences: Sequence[_SequenceScores],
) -> list[Match]:
    """Write per-frame scores of some sequences to their labels.

    Returns:
        What was found, missed and falsely predicted.
    """
    names = [item.name for item in sequences]
    view = dataset.select_by("sequence", names, ordered=True)
    truths = _labels(view, GROUND_TRUTH, [None] * len(names))
    found = _labels(view, predictions, [item.object_of for item in sequences])
    scores = [
        [item.scores[n - 1] if n <= len(item.scores) else {} for n in own]
        for item, own in zip(sequences, view.values("frames.frame_number"), strict=True)
    ]
    matches = [
        match
        for frames in zip(truths, found, scores, strict=True)
        for truth, prediction, values in zip(*frames, strict=True)
        for match in match_frame(truth, prediction, values)
    ]
    statuses = outcome(matches)
    ids = view.values("frames.id")
    rows = zip(ids, truths, found, scores, strict=True)
    update_documents(
        dataset,
        [
            (
                frame_id,
                _match_status(truth, f"{GROUND_TRUTH}.detections", eval_key, statuses)
                | _match_status(
                    prediction, f"{predictions}.detections", eval_key, statuses
                )
                | _jf(prediction, f"{predictions}.detections", values),
            )
            for frames in rows
            for frame_id, truth, prediction, values in zip(*frames, strict=True)
        ],
        frames=True,
    )
    return matches


def _match_status(
    labels: Mapping[int, LabelRef],
    path: str,
    eval_key: str,
    statuses: Mapping[str, str],
) -> dict[str, object]:
    """Whether each label of a frame counts as found, missed or false."""
    return {
        f"{path}.{place}.{eval_key}": statuses.get(label.id)
        for place, label in enumerate(labels.values())
    }


def _jf(
    labels: Mapping[int, LabelRef],
    path: str,
    scores: Mapping[int, tuple[float, float]],
) -> dict[str, object]:
    """J and F of each label of a frame."""
    return {
        f"{path}.{place}.{name}": value
        for place, object_id in enumerate(labels)
        for name, value in zip("JF", scores.get(object_id, (None, None)), strict=True)
    }


def _labels(
    view: fo.DatasetView, field: str, object_of: Sequence[Mapping[int, int] | None]
) -> list[list[dict[int, LabelRef]]]:
    """Object id -> label, in stored order, of every frame of every sample.

    Args:
        view: the samples.
        field: frame field of the labels.
        object_of: of each sample, object id of each label's index; None if they are
            the same. Labels that stand for no object get a key below 0.
    """
    path = f"frames.{field}.detections"
    columns = view.values([f"{path}.index", f"{path}.label", f"{path}.id"])
    samples = []
    for *lists, objects in zip(*columns, object_of, strict=True):
        frames = []
        for indices, labels, ids in zip(*lists, strict=True):
            rows = zip(indices or (), labels or (), ids or (), strict=True)
            frames.append(
                {
                    index if objects is None else objects.get(index, -index): LabelRef(
                        label, label_id
                    )
                    for index, label, label_id in rows
                }
            )
        samples.append(frames)
    return samples
