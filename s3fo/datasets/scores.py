"""Score predictions and write the scores where people look at them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import fiftyone as fo
import pandas as pd
from bson import ObjectId

from evaluation.aggregation import HALVED
from evaluation.errors import InputError
from evaluation.progress import ProgressCallback
from evaluation.protocols import Protocol, get_protocol
from evaluation.runs import leave_record, published_key
from evaluation.scores import Scores
from evaluation.scoring import score
from s3fo.datasets import views
from s3fo.datasets.attributes import copy_attributes
from s3fo.datasets.evaluation_views import save_views
from s3fo.datasets.fields import (
    GROUND_TRUTH,
    OBJECT_FACTS,
    OBJECT_SCORES,
    SEQUENCE_SCORES,
)
from s3fo.datasets.matches import LabelRef, Match, Matches, match_frame, outcome
from s3fo.datasets.model_evaluation import (
    VOSEvaluationConfig,
    register_run,
    save_results,
)
from s3fo.datasets.predictions import add_predictions
from s3fo.datasets.records import recall_benchmark, recall_predictions
from s3fo.datasets.writing import batches, index_labels, update

_LOWEST = "J_min"
"""Attribute of an object's label: its J in the worst frame."""


def evaluate(
    dataset: fo.Dataset,
    predictions: str,
    eval_key: str | None = None,
    *,
    protocol: str | Protocol | None = None,
    sequences: Sequence[str] | None = None,
    missing: str = "error",
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> Scores:
    """Score imported predictions, and show the scores on the dataset.

    The scores come from the PNG files, by `evaluation.score`. If the files changed
    since they were imported, they are imported again first. On the dataset appear

    - ``frames.<predictions>``: J and F of every object in every scored frame (the F
      that the benchmark's J&F is made of: of MOSE v2, the adaptive one);
    - ``<eval_key>_objects``: every object with J, F, JF (= J&F), recall, decay, and
      J_min, its J in the worst frame, to find bad frames without looking at frames;
    - ``<eval_key>_J``, ``_F``, ``_JF`` of every sequence, means over its objects; under
      MOSE v2 also ``_F_adaptive`` and the ``_JF_adaptive`` that it publishes;
    - an evaluation run for the Model Evaluation panel, and a saved view "<eval_key>
      worst objects".

    Scoring again under the same key replaces what that key wrote and nothing else.
    Failures that were found in other scores (other masks, another protocol) are taken
    out; what people judged comes back when failures are found again.

    Args:
        dataset: made by `load_benchmark`.
        predictions: name given to `add_predictions`.
        eval_key: name of the evaluation; None means that of the predictions.
        protocol: what to score by; None means the benchmark's own protocol.
        sequences: score only these; None means all.
        missing: what to do about frames without prediction, as in `score`.
        workers: processes; None means one per core.
        progress: told after each sequence.

    Returns:
        All scores as tables.

    Raises:
        InputError: no such predictions, or results that cannot be scored.
    """
    source = recall_predictions(dataset).get(predictions)
    if source is None:
        raise _no_predictions(dataset, predictions)
    benchmark = recall_benchmark(dataset)
    protocol = get_protocol(protocol or benchmark.protocol)
    eval_key = _checked_key(eval_key or predictions)
    scores = score(
        source.folder,
        benchmark,
        protocol,
        sequences=sequences,
        missing=missing,
        workers=workers,
        progress=progress,
    )
    if sequences is None:
        leave_record(scores, source.folder, missing=missing)
    add_predictions(dataset, source.folder, predictions, workers=workers)
    write_scores(dataset, predictions, eval_key, scores, missing=missing)
    return scores


def write_scores(
    dataset: fo.Dataset,
    predictions: str,
    eval_key: str,
    scores: Scores,
    *,
    missing: str = "error",
) -> None:
    """Show scores on a dataset, as `evaluate` describes.

    Args:
        dataset: made by `load_benchmark`.
        predictions: name of the prediction field that was scored.
        eval_key: name of the evaluation.
        scores: of the files that the field was imported from.
        missing: what was done about frames without prediction, as in `score`.
    """
    config = VOSEvaluationConfig(
        f"frames.{predictions}",
        f"frames.{GROUND_TRUTH}",
        protocol=scores.protocol.name,
        summary=scores.summary,
        fingerprint=scores.fingerprint,
        missing=missing,
    )
    evaluation = register_run(dataset, eval_key, config)
    _declare_fields(dataset, predictions, eval_key, scores)
    _write_sequences(dataset, eval_key, scores)
    copy_attributes(dataset, f"{eval_key}_objects")
    matches = Matches()
    for batch in batches(_by_frame(dataset, scores), lambda item: len(item.scores)):
        matches.add(_write_frames(dataset, predictions, eval_key, batch))
    index_labels(dataset, predictions, ("J", "F"))
    save_results(dataset, eval_key, evaluation, matches, scores)
    views.apply_defaults(dataset)
    save_views(dataset, eval_key)


def _checked_key(eval_key: str) -> str:
    if not eval_key.isidentifier():
        raise InputError(
            "eval_key",
            repr(eval_key),
            "letters, digits and underscores",
            "For example 's3_val'.",
        )
    return eval_key


def _no_predictions(dataset: fo.Dataset, name: str) -> InputError:
    known = ", ".join(recall_predictions(dataset)) or "none yet"
    return InputError(
        f"dataset {dataset.name}",
        f"no predictions {name!r}",
        f"one of its predictions ({known})",
        "Import them first with s3fo.add_predictions.",
    )


def _declare_fields(
    dataset: fo.Dataset, predictions: str, eval_key: str, scores: Scores
) -> None:
    for name in _sequence_scores(scores):
        dataset.add_sample_field(f"{eval_key}_{name}", fo.FloatField)
    document, labels = fo.EmbeddedDocumentField, fo.TemporalDetections
    objects = f"{eval_key}_objects"
    dataset.add_sample_field(objects, document, embedded_doc_type=labels)
    dataset.add_sample_field(f"{objects}.detections.index", fo.IntField)
    for column, name in OBJECT_SCORES.items():
        if column in scores.object_columns:
            dataset.add_sample_field(f"{objects}.detections.{name}", fo.FloatField)
    dataset.add_sample_field(f"{objects}.detections.{_LOWEST}", fo.FloatField)
    for name, kind in zip(OBJECT_FACTS, (fo.StringField, fo.IntField), strict=True):
        if name in scores.object_columns:
            dataset.add_sample_field(f"{objects}.detections.{name}", kind)
    for name in ("J", "F"):
        dataset.add_frame_field(f"{predictions}.detections.{name}", fo.FloatField)
    for field in (predictions, GROUND_TRUTH):
        dataset.add_frame_field(f"{field}.detections.{eval_key}", fo.StringField)


def _write_sequences(dataset: fo.Dataset, eval_key: str, scores: Scores) -> None:
    """Scores of sequences and objects, one bulk write per field."""
    for name, values in _sequence_scores(scores).items():
        field = f"{eval_key}_{name}"
        dataset.set_values(field, values.to_dict(), key_field="sequence")
    names, spans = dataset.values(["sequence", "objects"])
    by_name = dict(zip(names, spans, strict=True))
    objects = {
        sequence: _scored_objects(by_name[sequence], rows)
        for sequence, rows in _objects(scores).groupby("sequence", sort=False)
    }
    dataset.set_values(f"{eval_key}_objects", objects, key_field="sequence")


def _sequence_scores(scores: Scores) -> pd.DataFrame:
    """Means over the objects of every sequence, those of adaptive F included."""
    table = scores.sequences.set_index("sequence")
    own = [name for name in SEQUENCE_SCORES if name in scores.objects.columns]
    others = [name for name in own if name not in table]
    table = table.join(scores.objects.groupby("sequence")[others].mean())
    names = [name for name in SEQUENCE_SCORES if name in table]
    return table[names].rename(columns=SEQUENCE_SCORES)


def _objects(scores: Scores) -> pd.DataFrame:
    """The scores of the objects, with J in the worst frame."""
    place = ["sequence", "object"]
    lowest = scores.frames.groupby(place)["J"].min().rename(_LOWEST)
    return scores.objects.join(lowest, on=place)


def _scored_objects(
    spans: fo.TemporalDetections, rows: pd.DataFrame
) -> fo.TemporalDetections:
    """The objects of one sequence with their scores."""
    by_id = {span.index: span for span in spans.detections}
    return fo.TemporalDetections(
        detections=[
            fo.TemporalDetection(
                label=by_id[row["object"]].label,
                support=by_id[row["object"]].support,
                index=row["object"],
                **{
                    name: _number(row[column])
                    for column, name in {**OBJECT_SCORES, _LOWEST: _LOWEST}.items()
                    if column in row
                },
                **{name: row[name] for name in OBJECT_FACTS if name in row},
            )
            for row in rows.to_dict("records")
            if row["object"] in by_id
        ]
    )


def _number(value: float) -> float | None:
    """NaN means there is no such score; FiftyOne's sliders want None for that."""
    return None if math.isnan(value) else float(value)


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
    boundary = HALVED[published_key(scores.protocol)][1]
    frames = scores.frames[["frame", "object", "J", boundary]]
    objects = dict(iter(scores.objects.groupby("sequence", sort=False)))
    for sequence in recall_benchmark(dataset):
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


def _write_frames(
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
    scores = [item.scores for item in sequences]
    matches = [
        match
        for frames in zip(truths, found, scores, strict=True)
        for truth, prediction, values in zip(*frames, strict=True)
        for match in match_frame(truth, prediction, values)
    ]
    fates = outcome(matches)
    ids = view.values("frames.id")
    rows = zip(ids, truths, found, scores, strict=True)
    update(
        dataset,
        [
            (
                ObjectId(frame_id),
                _fates(truth, f"{GROUND_TRUTH}.detections", eval_key, fates)
                | _fates(prediction, f"{predictions}.detections", eval_key, fates)
                | _jf(prediction, f"{predictions}.detections", values),
            )
            for frames in rows
            for frame_id, truth, prediction, values in zip(*frames, strict=True)
        ],
        frames=True,
    )
    return matches


def _fates(
    labels: Mapping[int, LabelRef], path: str, eval_key: str, fates: Mapping[str, str]
) -> dict[str, str | None]:
    """Whether each label of a frame counts as found, missed or false."""
    return {
        f"{path}.{place}.{eval_key}": fates.get(label.id)
        for place, label in enumerate(labels.values())
    }


def _jf(
    labels: Mapping[int, LabelRef],
    path: str,
    scores: Mapping[int, tuple[float, float]],
) -> dict[str, float | None]:
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
