"""Scores of an evaluation made again from its files: datasets keep none of frames."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo

from evaluation.errors import InputError
from evaluation.failures import ComparedMasks
from evaluation.results.scores import Scores
from evaluation.scoring import score
from s3fo.benchmarks import VideoSequence
from s3fo.datasets.importing.changed_labels import has_changed
from s3fo.datasets.reading import tables
from s3fo.datasets.reading.scope import limited_to
from s3fo.datasets.schema import (
    benchmark_of,
    load_benchmark_info,
    load_predictions_info,
    moved_benchmark,
)


def scores_from_files(
    dataset: fo.Dataset, eval_key: str, workers: int | None
) -> tuple[Scores, Path]:
    """An evaluation's scores with those of every frame, made again from the files.

    Args:
        dataset: evaluated.
        eval_key: the evaluation.
        workers: processes; None takes one per processor.

    Returns:
        The scores, and the results folder that they are of.

    Raises:
        InputError: no such evaluation, or its files are gone or have changed.
    """
    known = dataset.list_evaluations()
    if eval_key not in known or not dataset.has_sample_field(f"{eval_key}_JF"):
        raise InputError(
            "eval_key",
            repr(eval_key),
            f"one of {', '.join(known) or 'no evaluations yet'}",
            "Evaluate predictions first.",
        )
    config = dataset.get_evaluation_info(eval_key).config
    source = load_predictions_info(dataset)[config.predictions]
    folder = source.folder
    if source.from_field and has_changed(dataset, config.predictions):
        raise InputError(
            f"frames.{config.predictions}",
            f"labels that were changed since evaluation {eval_key!r} scored them",
            "labels as they were then",
            "Evaluate the field again, then find failures.",
        )
    evaluated = dataset.exists(f"{eval_key}_JF").values("sequence")
    scores = score(
        folder,
        load_benchmark_info(dataset),
        config.protocol,
        sequences=evaluated,
        options=tables.input_options(dataset, eval_key),
        workers=workers,
    )
    same = config.fingerprint in ("", scores.fingerprint)
    if not same and not _agree(dataset, eval_key, scores):
        raise InputError(
            folder,
            f"other masks than evaluation {eval_key!r} scored",
            "masks and annotations as they were then",
            "Evaluate the predictions again, then find failures.",
        )
    return scores, folder


def _agree(dataset: fo.Dataset, eval_key: str, scores: Scores) -> bool:
    """Whether scores are those on the dataset, in a dataset that has lost videos.

    A fingerprint is of all videos that were scored, and cannot be compared there.
    """
    if len(moved_benchmark(dataset)) == len(load_benchmark_info(dataset)):
        return False
    names, stored = dataset.values(["sequence", f"{eval_key}_JF"])
    known = {
        n: value for n, value in zip(names, stored, strict=True) if value is not None
    }
    found = scores.sequences.set_index("sequence")["J&F"].to_dict()
    return known.keys() == found.keys() and all(
        abs(known[name] - found[name]) < 1e-12 for name in known
    )


def compared_masks(
    dataset: fo.Dataset, eval_key: str, sequence: str
) -> tuple[VideoSequence, ComparedMasks]:
    """One video, and its masks as an evaluation compared them.

    Args:
        dataset: evaluated.
        eval_key: the evaluation.
        sequence: name of the video.

    Raises:
        InputError: no such evaluation, or its files are gone.
    """
    benchmark = benchmark_of(dataset).subset([sequence])
    with limited_to(None):
        scores = tables.object_scores(dataset, eval_key)
    own = scores.objects[scores.objects["sequence"] == sequence]
    columns = {str(name): own[name].tolist() for name in own}
    field = tables.prediction_field(dataset, eval_key)
    masks = ComparedMasks(
        load_predictions_info(dataset)[field].folder,
        benchmark,
        Scores(scores.protocol, {}, columns, ""),
        tables.input_options(dataset, eval_key),
    )
    return next(iter(benchmark)), masks
