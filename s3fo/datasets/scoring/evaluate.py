"""Score predictions and write the scores where people look at them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

import fiftyone as fo
import pandas as pd

from evaluation._utils.names import as_names
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.options import DEFAULT_OPTIONS, InputOptions
from evaluation.protocols import ScoringProtocol, get_protocol
from evaluation.results.scores import Scores
from evaluation.scoring import score
from s3fo.datasets._fiftyone.reloading import reload_changes
from s3fo.datasets.declaring import FieldKind, declare_fields
from s3fo.datasets.field_names import (
    GROUND_TRUTH,
    OBJECT_FACTS,
    OBJECT_SCORES,
    SEQUENCE_SCORES,
)
from s3fo.datasets.fields.predictions import field_methods, named_as_field, use_field
from s3fo.datasets.importing.changed_labels import (
    KeptLabelsWarning,
    note_changed_labels,
    note_changed_truth,
    truth_was_edited,
)
from s3fo.datasets.importing.predictions import add_predictions
from s3fo.datasets.locking import sole_writer
from s3fo.datasets.schema import (
    load_benchmark_info,
    load_predictions_info,
    remember_evaluation,
)
from s3fo.datasets.scoring.attributes import copy_attributes
from s3fo.datasets.scoring.frames import write_frames
from s3fo.datasets.scoring.keys import check_key
from s3fo.datasets.scoring.model_evaluation import (
    VOSEvaluationConfig,
    register_run,
    save_results,
)
from s3fo.datasets.scoring.subsets import save_scenarios
from s3fo.datasets.selection import dataset_and_videos
from s3fo.datasets.views import appearance as views
from s3fo.datasets.views.evaluation_views import save_views

_LOWEST = "J_min"
"""Attribute of an object's label: its lowest J of any frame."""


def evaluate(
    dataset: fo.core.collections.SampleCollection,
    predictions: str,
    eval_key: str | None = None,
    *,
    protocol: str | ScoringProtocol | None = None,
    sequences: Sequence[str] | None = None,
    options: InputOptions | None = None,
    missing: str = "error",
    resize: str | None = None,
    binarize: bool = False,
    void: int | None = None,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> Scores:
    """Score predictions, and show the scores on the dataset.

    The scores come from the PNG files, by `evaluation.score`. If the files changed
    since they were imported, they are imported again first; labels that were edited
    stay, and `notes` of the scores name their videos. Masks that live in a frame field
    of FiftyOne (see `use_field`) are written to files first. What appears:

    - ``frames.<predictions>``: J and F of every object in every scored frame (the F
      that the benchmark's J&F is made of: of MOSE v2, the adaptive one);
    - ``<eval_key>_objects``: every object with J, F, JF (= J&F), recall, decay, and
      J_min, its lowest J of any frame, to find bad frames without looking at frames;
    - ``<eval_key>_J``, ``_F``, ``_JF`` of every sequence, means over its objects; under
      MOSE v2 also ``_F_adaptive`` and the ``_JF_adaptive`` that it publishes;
    - an evaluation run for the Model Evaluation panel, and a saved view "<eval_key>
      worst objects".

    Scoring again under the same key replaces what that key wrote and nothing else.
    Failures that were found in other scores (other masks, another protocol) are taken
    out; what people reviewed comes back when failures are found again.

    >>> scores = evaluate(dataset, "copy", eval_key="first", workers=1)
    >>> dataset.list_evaluations()
    ['first']
    >>> bool(dataset.first()["first_JF"] == scores.sequences.loc[0, "J&F"])
    True

    Args:
        dataset: a dataset made by `load_benchmark`, or a view that chooses some of
            its videos.
        predictions: name given to `add_predictions`, or any frame field with masks.
        eval_key: name of the evaluation; None means that of the predictions.
        protocol: what to score by; None means the benchmark's own protocol.
        sequences: score only these; None means all of the dataset or view.
        options: how masks are read and matched, as in `score`.
        missing: the same, by name.
        resize: the same.
        binarize: the same.
        void: the same.
        workers: processes; None means one per core.
        progress: told after each sequence.

    Returns:
        All scores as tables.

    Raises:
        InputError: no such predictions, or results that cannot be scored.
    """
    dataset, shown = dataset_and_videos(dataset, "evaluate")
    eval_key = check_key(dataset, eval_key or predictions)
    chosen = InputOptions.of(
        options, missing=missing, resize=resize, binarize=binarize, void=void
    )
    notes: tuple[str, ...] = ()
    field = None
    if predictions not in _known_predictions(dataset):
        reload_changes(dataset)  # another process may have added them since
    if predictions in field_methods(dataset):
        field = predictions
        predictions, notes = use_field(dataset, field, chosen)
    source = load_predictions_info(dataset).get(predictions)
    if source is None:
        raise _no_predictions(dataset, predictions)
    benchmark = load_benchmark_info(dataset)
    protocol = get_protocol(protocol or benchmark.protocol)
    with named_as_field(source.folder, field, notes):
        scores = score(
            source.folder,
            benchmark,
            protocol,
            sequences=_select_videos(shown, sequences),
            options=chosen,
            workers=workers,
            progress=progress,
        )
    if not source.from_field:
        again = InputOptions(**{**source.options, "resize": chosen.resize})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", KeptLabelsWarning)  # a note tells of it
            add_predictions(
                dataset, source.folder, predictions, options=again, workers=workers
            )
        notes += tuple(note_changed_labels(dataset, predictions))
    scored = set(scores.objects["sequence"])
    videos = [item for item in benchmark if item.name in scored]
    notes += (*_note_edited(dataset), *note_changed_truth(dataset, videos))
    scores = replace(scores, notes=(*notes, *scores.notes))
    write_scores(dataset, predictions, eval_key, scores, chosen)
    return scores


def _note_edited(dataset: fo.Dataset) -> Iterator[str]:
    """What to say where labels of the ground truth were edited: the files count."""
    there = dataset.count(f"frames.{GROUND_TRUTH}.detections")
    loaded = int(dataset.sum("objects.detections.visible_frames"))
    if there != loaded:
        yield (
            f"the ground truth in the dataset has {there} labels, {loaded} were "
            "loaded: scores come from its files, not from labels that were edited"
        )
    elif truth_was_edited(dataset):
        yield (
            f"labels of {GROUND_TRUTH} in the dataset were edited since they were "
            "loaded: scores come from the files of the ground truth, not from them"
        )


def _select_videos(
    shown: Sequence[str] | None, sequences: Sequence[str] | None
) -> list[str] | None:
    """The videos to score: of those asked for, those that a view shows."""
    if sequences is None:
        return None if shown is None else list(shown)
    wanted = as_names(sequences)
    if shown is None:
        return wanted
    outside = [name for name in wanted if name not in shown]
    if outside:
        raise InputError(
            "sequences",
            f"{outside[0]!r}, which the view does not show",
            f"videos of the view ({', '.join(shown[:5])})",
            "Leave it out, or pass the dataset.",
        )
    return wanted


def remove_evaluation(dataset: fo.Dataset, eval_key: str) -> None:
    """Take an evaluation out of a dataset: scores, failures, views; the masks stay.

    What `dataset.delete_evaluation` does, and what is shown is brought up to date.

    Args:
        dataset: evaluated.
        eval_key: the evaluation.

    Raises:
        InputError: there is no such evaluation.
    """
    known = dataset.list_evaluations()
    if eval_key not in known:
        raise InputError(
            "evaluation",
            repr(eval_key),
            f"one of those there are ({', '.join(known) or 'none'})",
            "Pass the name of one of them.",
        )
    with sole_writer(dataset):
        dataset.delete_evaluation(eval_key)
        views.apply_defaults(dataset)
        save_scenarios(dataset)


def write_scores(
    dataset: fo.Dataset,
    predictions: str,
    eval_key: str,
    scores: Scores,
    options: InputOptions = DEFAULT_OPTIONS,
) -> None:
    """Show scores on a dataset, as `evaluate` describes.

    Args:
        dataset: made by `load_benchmark`.
        predictions: name of the prediction field that was scored.
        eval_key: name of the evaluation.
        scores: of the files that the field was imported from.
        options: what they were scored with.
    """
    config = VOSEvaluationConfig(
        f"frames.{predictions}",
        f"frames.{GROUND_TRUTH}",
        protocol=scores.protocol.name,
        summary=scores.summary,
        fingerprint=scores.fingerprint,
        **options.to_dict(),
        applied=scores.options,
    )
    with sole_writer(dataset):
        remember_evaluation(dataset, eval_key)
        evaluation = register_run(dataset, eval_key, config)
        _declare_fields(dataset, predictions, eval_key, scores)
        _write_sequences(dataset, eval_key, scores)
        copy_attributes(dataset, f"{eval_key}_objects")
        matches = write_frames(dataset, predictions, eval_key, scores)
        save_results(dataset, eval_key, evaluation, matches, scores)
        views.apply_defaults(dataset)
        save_views(dataset, eval_key)
        save_scenarios(dataset)


def _known_predictions(dataset: fo.Dataset) -> list[str]:
    """Names of all that can be evaluated."""
    names = [*load_predictions_info(dataset), *field_methods(dataset)]
    return list(dict.fromkeys(names))


def _no_predictions(dataset: fo.Dataset, name: str) -> InputError:
    names = _known_predictions(dataset)
    # A field of label maps is imported beside itself; people know it by its own name.
    beside = {f"{own}_objects" for own in names}
    known = ", ".join(own for own in names if own not in beside) or "none yet"
    return InputError(
        f"dataset {dataset.name}",
        f"no predictions {name!r}",
        f"one of its predictions ({known})",
        "Import them with s3fo.add_predictions, or name a frame field with masks.",
    )


def _declare_fields(
    dataset: fo.Dataset, predictions: str, eval_key: str, scores: Scores
) -> None:
    objects = f"{eval_key}_objects"
    columns = scores.object_columns
    numbers = [OBJECT_SCORES[name] for name in OBJECT_SCORES if name in columns]
    facts = zip(OBJECT_FACTS, (fo.StringField, fo.IntField), strict=True)
    labels: dict[str, FieldKind] = {
        "index": fo.IntField,
        **dict.fromkeys([*numbers, _LOWEST], fo.FloatField),
        **{name: kind for name, kind in facts if name in columns},
    }
    frames = f"frames.{predictions}.detections"
    own = [f"frames.{name}.detections" for name in (predictions, GROUND_TRUTH)]
    fields: dict[str, FieldKind] = {
        **{f"{eval_key}_{name}": fo.FloatField for name in _sequence_scores(scores)},
        objects: fo.TemporalDetections,
        **{f"{objects}.detections.{name}": kind for name, kind in labels.items()},
        **{f"{frames}.{name}": fo.FloatField for name in ("J", "F")},
        **{f"{path}.{eval_key}": fo.StringField for path in own},
    }
    declare_fields(dataset, fields)


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
    """The scores of the objects, with the lowest J of any frame."""
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
