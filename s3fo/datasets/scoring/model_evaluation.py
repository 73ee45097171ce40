"""The evaluation run that FiftyOne's Model Evaluation panel lists and opens.

The panel knows classifications, detections and segmentations, and crashes on
anything else, so a VOS evaluation presents itself as a detection evaluation of
method ``"vos"``: an object in a frame is found (true positive) if its J reaches a
threshold. J, F and J&F stand beside the panel's own figures as custom metrics.

FiftyOne finds the classes by their names: the run of ``VOSEvaluationConfig`` must
be called ``VOSEvaluation``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import fiftyone as fo
import numpy as np
from fiftyone.utils.eval.detection import (
    DetectionEvaluation,
    DetectionEvaluationConfig,
    DetectionResults,
)

from evaluation.results.scores import Scores
from s3fo.datasets._fiftyone import (
    delete_empty_sidebar_group,
    extended_json,
    rename_sidebar_group,
    replace_results,
    root_dataset,
    write_note,
)
from s3fo.datasets.field_names import SEQUENCE_SCORES, thumbnail_field
from s3fo.datasets.scoring.matches import FOUND_FROM_J, Matches
from s3fo.datasets.scoring.review import rename_reviews, take_failures_out
from s3fo.datasets.scoring.subsets import subset_score
from s3fo.datasets.views import appearance as views
from s3fo.datasets.views.evaluation_views import delete_views, rename_views

OPERATORS = {
    "J&F": "mean_jf",
    "J": "mean_j",
    "F": "mean_f",
    "J&F_adaptive": "mean_jf_adaptive",
    "F_adaptive": "mean_f_adaptive",
}
"""Overall scores shown, as far as the protocol has them -> the plugin's operator."""

_ROWS_A_PART = 10_000
_SAMPLE_FIELDS = (*SEQUENCE_SCORES.values(), "objects")


class VOSEvaluationConfig(DetectionEvaluationConfig):
    """What was evaluated, and how.

    Args:
        pred_field: ``"frames.<method>"``.
        gt_field: ``"frames.ground_truth"``.
        protocol: name of the evaluation protocol.
        iou: J from which on an object counted as found in a frame.
        summary: metric -> score over everything, as the protocol averages.
        fingerprint: digest of all masks that were read; empty if it is not known.
        missing: what was done about frames without prediction, as in `score`.
        resize: how predictions of another size were resized, as in `score`.
        binarize: whether whatever is not 0 was object 1, as in `score`.
        void: label that was left out, as in `score`.
        applied: those of the options that may have changed the scores, as
            `Scores.options`; None where it is not known.
        **kwargs: further settings of `DetectionEvaluationConfig`.
    """

    def __init__(
        self,
        pred_field: str,
        gt_field: str,
        protocol: str | None = None,
        iou: float = FOUND_FROM_J,
        summary: Mapping[str, float] | None = None,
        fingerprint: str = "",
        missing: str = "error",
        resize: str | None = None,
        binarize: bool = False,
        void: int | None = None,
        applied: Mapping[str, object] | None = None,
        **kwargs: object,
    ) -> None:
        kwargs.setdefault("classwise", True)
        super().__init__(pred_field, gt_field, iou=iou, **kwargs)
        self.protocol = protocol
        self.summary = dict(summary or {})
        self.fingerprint = fingerprint
        self.missing = missing
        self.resize, self.binarize, self.void = resize, binarize, void
        self.applied = None if applied is None else dict(applied)

    @property
    def predictions(self) -> str:
        """Name of the predictions that were scored."""
        return str(self.pred_field.removeprefix("frames."))

    @property
    def basis(self) -> tuple[str | None, ...]:
        """What failures rest on: where it is equal, they are those of these scores."""
        scores = repr(sorted(self.summary.items()))
        return self.pred_field, self.protocol, self.fingerprint, scores

    @property
    def method(self) -> str:
        """Name of the method, stored with the run."""
        return "vos"


class VOSEvaluation(DetectionEvaluation):
    """Lists, renames and deletes the fields of one evaluation."""

    def get_fields(
        self,
        samples: fo.core.collections.SampleCollection,
        eval_key: str,
        include_custom_metrics: bool = True,
    ) -> list[str]:
        """Fields that belong to this evaluation alone, those that there are."""
        dataset = root_dataset(samples)
        return [field for field in self._fields(eval_key) if dataset.has_field(field)]

    def _fields(self, eval_key: str) -> list[str]:
        failures = [f"{eval_key}_failures", f"frames.{eval_key}_errors"]
        return [*self._score_fields(eval_key), *failures, thumbnail_field(eval_key)]

    def _score_fields(self, eval_key: str) -> list[str]:
        labels = (self.config.pred_field, self.config.gt_field)
        return [
            *(f"{eval_key}_{suffix}" for suffix in _SAMPLE_FIELDS),
            *(f"{field}.detections.{eval_key}" for field in labels),
        ]

    def rename(
        self,
        samples: fo.core.collections.SampleCollection,
        eval_key: str,
        new_eval_key: str,
    ) -> None:
        """Give all fields of this evaluation the new key."""
        dataset = root_dataset(samples)
        fields = zip(self._fields(eval_key), self._fields(new_eval_key), strict=True)
        names = dict(fields)
        for old, new in names.items():
            if dataset.has_field(old):
                if old.startswith("frames."):
                    dataset.rename_frame_field(
                        old.removeprefix("frames."), new.removeprefix("frames.")
                    )
                else:
                    dataset.rename_sample_field(old, new)
        rename_sidebar_group(samples, eval_key, new_eval_key)
        rename_reviews(dataset, eval_key, new_eval_key)
        rename_views(dataset, eval_key, new_eval_key)
        views.rename_looks(dataset, names)

    def cleanup(
        self, samples: fo.core.collections.SampleCollection, eval_key: str
    ) -> None:
        """Take the fields and views of this evaluation out, and no others.

        Per-frame J and F of the predictions stay as long as another evaluation of
        the same predictions needs them; what people reviewed is remembered.
        """
        dataset = root_dataset(samples)
        self.take_failures_out(dataset, eval_key)
        self.take_scores_out(dataset, eval_key)
        delete_empty_sidebar_group(samples, eval_key)

    def take_failures_out(self, dataset: fo.Dataset, eval_key: str) -> None:
        """Take out what goes with the scores: failures, error maps, views."""
        take_failures_out(dataset, eval_key, self.config.predictions)
        delete_views(dataset, eval_key)

    def take_scores_out(self, dataset: fo.Dataset, eval_key: str) -> None:
        """Take the scores out."""
        fields = self._score_fields(eval_key)
        if not self._predictions_evaluated_otherwise(dataset, eval_key):
            root = f"{self.config.pred_field}.detections"
            fields += [f"{root}.J", f"{root}.F"]
        there = [field for field in fields if dataset.has_field(field)]
        frame_fields = [
            field.removeprefix("frames.")
            for field in there
            if field.startswith("frames.")
        ]
        dataset.delete_frame_fields(frame_fields)
        dataset.delete_sample_fields(
            [field for field in there if not field.startswith("frames.")]
        )

    def _predictions_evaluated_otherwise(
        self, dataset: fo.Dataset, eval_key: str
    ) -> bool:
        return any(
            getattr(dataset.get_evaluation_info(key).config, "pred_field", None)
            == self.config.pred_field
            for key in dataset.list_evaluations()
            if key != eval_key
        )


class VOSResults(DetectionResults):
    """Detection results that also carry J, F and J&F."""

    ious: np.ndarray

    def use_subset(self, subset_def: object) -> VOSResults:
        """Restrict to a subset; FiftyOne's own forgets to restrict `ious`."""
        rows = {
            pair: row
            for row, pair in enumerate(zip(self.ytrue_ids, self.ypred_ids, strict=True))
        }
        all_ious = self.ious
        super().use_subset(subset_def)
        self._ious_orig = all_ious
        kept = zip(self.ytrue_ids, self.ypred_ids, strict=True)
        self.ious = all_ious[[rows[pair] for pair in kept]]
        return self

    def _get_custom_metrics(self) -> dict[str, float]:
        """J, F and J&F: of everything, or of the subset that is looked at."""
        if not self.has_subset:
            return dict(super()._get_custom_metrics())
        names = [metric["key"] for metric in (self.custom_metrics or {}).values()]
        scores = {name: subset_score(self.samples, self.key, name) for name in names}
        return {name: score for name, score in scores.items() if score is not None}

    def clear_subset(self) -> None:
        """Go back to all results."""
        if self.has_subset:
            self.ious = self._ious_orig
        super().clear_subset()


def register_run(
    dataset: fo.Dataset, eval_key: str, config: VOSEvaluationConfig
) -> VOSEvaluation:
    """Announce an evaluation, taking out what an earlier one of that key wrote.

    Failures that were found in the same scores of the same masks stay.
    """
    evaluation: VOSEvaluation = config.build()
    known = eval_key in dataset.list_evaluations()
    if known and _same_scores(dataset, eval_key, config):
        evaluation.take_scores_out(dataset, eval_key)
        evaluation.register_run(dataset, eval_key, cleanup=False)
        return evaluation
    if known:
        dataset.delete_evaluation(eval_key)
    # Datasets of an early version kept the failures of evaluations that are gone.
    evaluation.take_failures_out(dataset, eval_key)
    evaluation.register_run(dataset, eval_key)
    return evaluation


def _same_scores(
    dataset: fo.Dataset, eval_key: str, config: VOSEvaluationConfig
) -> bool:
    earlier = dataset.get_evaluation_info(eval_key).config
    return bool(config.fingerprint) and getattr(earlier, "basis", ()) == config.basis


def save_results(
    dataset: fo.Dataset,
    eval_key: str,
    evaluation: VOSEvaluation,
    matches: Matches,
    scores: Scores,
) -> None:
    """Store what the Model Evaluation panel shows.

    Args:
        dataset: the evaluated dataset.
        eval_key: key given to `register_run`.
        evaluation: what `register_run` returned.
        matches: what was found, missed and falsely predicted.
        scores: its summary is shown, and its protocol as the evaluation's note.
    """
    metrics = {
        f"@s3fo/vos/{operator}": {
            "key": name,
            "label": name,
            "value": float(scores.summary[name]),
            "lower_is_better": False,
        }
        for name, operator in OPERATORS.items()
        if name in scores.summary
    }
    results = VOSResults(
        dataset,
        evaluation.config,
        eval_key,
        [],
        classes=matches.classes,
        custom_metrics=metrics,
        backend=evaluation,
    )
    # The columns of the results are empty: a kilobyte a match would be too much.
    columns = matches.columns(results.missing)
    parts = _json_parts(results.serialize(), columns)
    replace_results(dataset, eval_key, evaluation, parts, results.get_meta() or {})
    write_note(dataset, eval_key, scores.protocol.describe())


def _json_parts(
    head: Mapping[str, object], columns: Mapping[str, Iterable[object]]
) -> Iterator[str]:
    """JSON of `head`, with `columns` in place of some of its values, in parts."""
    opening = "{"
    for key, value in head.items():
        yield f"{opening}{json.dumps(key)}: "
        opening = ", "
        if key not in columns:
            yield extended_json(value)
            continue
        items = iter(columns[key])
        yield "["
        separator = ""
        while part := list(islice(items, _ROWS_A_PART)):
            yield separator + json.dumps(part)[1:-1]
            separator = ", "
        yield "]"
    yield "}"
