"""Operators: J, F and J&F as metrics of FiftyOne's evaluations, from stored scores."""

from __future__ import annotations

from typing import ClassVar

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.core.evaluation import EvaluationResults
from fiftyone.operators import types

from s3fo.plugin.context import Context
from s3fo.plugin.shared.forms import ask_choice, known_evaluations


class StoredScore(foo.EvaluationMetric):
    """A score of the objects that are shown, from the scores kept of each of them.

    Attributes:
        name: of the operator.
        label: the overall score that it is, such as ``"J&F"``.
        description: what it is.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    description: ClassVar[str]

    @property
    def config(self) -> foo.EvaluationMetricConfig:
        """FiftyOne's description of the metric."""
        config = foo.EvaluationMetricConfig(
            name=self.name,
            label=self.label,
            description=f"{self.description}, over the objects that are shown",
            # As our evaluations present themselves, see `VOSEvaluationConfig`.
            eval_types=["detection"],
            aggregate_key=self.label,
            lower_is_better=False,
            unlisted=True,
            risk_level="low",
        )
        # FiftyOne 1.22 looks for it here, where its own config does not put it.
        config.kwargs["lower_is_better"] = False
        return config

    def compute(
        self,
        samples: fo.core.collections.SampleCollection,
        results: EvaluationResults,
        **settings: object,
    ) -> float | None:
        """The score of what a collection shows.

        Args:
            samples: the evaluated dataset, or a view of it.
            results: of an evaluation that s3fo made.
            **settings: none.

        Returns:
            Over all objects as the protocol averages; over some the mean over them;
            None if there is none.

        Raises:
            InputError: the evaluation is of other origin.
        """
        from s3fo.datasets.scoring.subsets import subset_score

        return subset_score(samples, results.key, self.label)

    def resolve_input(self, ctx: Context) -> types.Property | None:
        """Which evaluation; FiftyOne's own form, for new evaluations, asks nothing."""
        from s3fo.datasets.reading.tables import vos_evaluations

        keys = vos_evaluations(ctx.dataset) if ctx.dataset is not None else []
        if not keys:
            return None
        form = types.Object()
        ctx.target_view()  # FiftyOne then asks for it
        ask_choice(
            form,
            "eval_key",
            {key: key for key in keys},
            label="Evaluation",
            description="Whose scores to average",
            default=keys[-1],
        )
        return types.Property(form)

    def execute(self, ctx: Context) -> dict[str, str | float | int | None]:
        """The score of the chosen videos, for agents and Python."""
        from s3fo.datasets.scoring.subsets import subset_score
        from s3fo.datasets.views.objects_shown import objects_shown

        keys = known_evaluations(ctx.dataset)
        eval_key, view = ctx.params.get("eval_key") or keys[-1], ctx.target_view()
        return {
            "evaluation": eval_key,
            self.label: subset_score(view, eval_key, self.label),
            "objects": len(objects_shown(view)),
        }


class MeanJF(StoredScore):
    """J&F of the objects that are shown, from the scores kept of each of them."""

    name = "mean_jf"
    label = "J&F"
    description = "Mean of region similarity and contour accuracy"


class MeanJ(StoredScore):
    """J of the objects that are shown, from the scores kept of each of them."""

    name = "mean_j"
    label = "J"
    description = "Region similarity: intersection over union of the masks"


class MeanF(StoredScore):
    """F of the objects that are shown, from the scores kept of each of them."""

    name = "mean_f"
    label = "F"
    description = "Contour accuracy: F-measure of the masks' boundaries"


class MeanJFAdaptive(StoredScore):
    """J&F with the adaptive F of MOSE v2, of the objects that are shown."""

    name = "mean_jf_adaptive"
    label = "J&F_adaptive"
    description = "Mean of J and the adaptive F of MOSE v2"


class MeanFAdaptive(StoredScore):
    """The adaptive F of MOSE v2, of the objects that are shown."""

    name = "mean_f_adaptive"
    label = "F_adaptive"
    description = "Contour accuracy with a tolerance by the object's size (MOSE v2)"


METRIC_OPERATORS = (MeanJF, MeanJ, MeanF, MeanJFAdaptive, MeanFAdaptive)
