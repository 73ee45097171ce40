"""Scores of a dataset, told again without frames whose ground truth is wrong."""

from __future__ import annotations

import fiftyone as fo
import pandas as pd

from evaluation.audit import side_by_side
from evaluation.results.scores import Scores
from s3fo.datasets.auditing.events import CONFIRMED, stored_audit
from s3fo.datasets.reading.cache import cached
from s3fo.datasets.scoring.from_files import scores_from_files


def scores_side_by_side(
    dataset: fo.Dataset, eval_key: str, *, workers: int | None = None
) -> pd.DataFrame:
    """Every score of an evaluation, and without the confirmed events of the audit.

    The masks are scored again from their files, once per process; the dataset keeps no
    frame's scores by which every metric could be told.

    Args:
        dataset: evaluated and audited.
        eval_key: the evaluation.
        workers: processes; None takes one per processor.

    Returns:
        Columns `metric`, `all`, `without` and `difference` (without - all), fractions
        0..1. Tracking metrics, disappearance and reappearance are not told.

    Raises:
        InputError: the dataset was not audited, there is no such evaluation, its files
            are gone or have changed, or no frame is left.
    """
    confirmed = stored_audit(dataset, CONFIRMED)
    return side_by_side(frame_scores(dataset, eval_key, workers), confirmed)


def frame_scores(
    dataset: fo.Dataset, eval_key: str, workers: int | None = None
) -> Scores:
    """Scores with those of every frame, from the files; kept for the next question.

    Raises:
        InputError: there is no such evaluation, or its files are gone or have changed.
    """

    def read() -> Scores:
        return scores_from_files(dataset, eval_key, workers)[0]

    if eval_key not in dataset.list_evaluations():
        return read()  # Says what there is.
    made = dataset.get_evaluation_info(eval_key).timestamp
    return cached(dataset, ("frame scores", eval_key), made, read)
