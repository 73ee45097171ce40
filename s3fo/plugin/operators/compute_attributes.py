"""Operator: measure what makes objects hard."""

from __future__ import annotations

from collections.abc import Sequence

from fiftyone.operators import types

from evaluation._utils.names import counted
from evaluation._utils.progress import ProgressCallback
from evaluation.results.text import notes_to_show
from s3fo.plugin.context import Context
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.forms import ask_input_options, chosen_input_options
from s3fo.plugin.shared.outcome import Step, Summary, to_operator, to_workspace


class ComputeAttributes(VOSOperator):
    """Measure occlusion, similarity, length and their kin for every object."""

    name = "compute_attributes"
    label = "Compute object attributes"
    description = "What makes objects hard: occlusion, similarity, size, speed, ..."
    risk = "medium"

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Nothing to choose: which benchmark is meant is known."""
        from s3fo.datasets import load_benchmark_info

        benchmark = load_benchmark_info(ctx.dataset)
        form.view(
            "about",
            types.Notice(
                label=f"Measures all objects of {counted(len(benchmark), 'video')} "
                "from ground truth and images. Afterwards the panel VOS evaluation "
                "shows J&F by attribute, and the sidebar has a slider for each, below "
                "`objects`."
            ),
        )
        ask_input_options(form)

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Measure them."""
        from s3fo.datasets import compute_attributes

        attributes = compute_attributes(
            ctx.dataset, options=chosen_input_options(ctx), progress=progress
        )
        notes = "; ".join(notes_to_show(attributes.notes))
        return {
            "objects": len(attributes.objects),
            "similarity by": attributes.extractor,
            **({"notes": notes} if notes else {}),
        }

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """See where scores are low, if there are any scores."""
        if ctx.dataset.has_workspace("Evaluation"):
            return [to_workspace("Evaluation", "See J&F by attribute")]
        return [to_operator("evaluate_vos", "Evaluate predictions")]
