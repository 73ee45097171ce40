"""Operator: measure what makes objects hard."""

from __future__ import annotations

from typing import Any

from fiftyone.operators import types

from evaluation.progress import ProgressCallback
from s3fo.plugin.base import Summary, VOSOperator


class ComputeAttributes(VOSOperator):
    """Measure occlusion, similarity, length and their kin for every object."""

    name = "compute_attributes"
    label = "Compute object attributes"
    description = "Occlusion, similarity, length, size, speed, ... of every object"

    def fields(self, ctx: Any, form: types.Object) -> None:
        """Nothing to choose: which benchmark is meant is known."""
        from s3fo.datasets import recall_benchmark

        benchmark = recall_benchmark(ctx.dataset)
        form.view(
            "about",
            types.Notice(
                label=f"Measures all objects of {len(benchmark)} videos from ground "
                "truth and images; sliders for them appear on `objects` and on the "
                "objects of every evaluation."
            ),
        )

    def work(self, ctx: Any, progress: ProgressCallback) -> Summary:
        """Measure them."""
        from s3fo.datasets import compute_attributes

        attributes = compute_attributes(ctx.dataset, progress=progress)
        notes = "; ".join(attributes.notes)
        return {
            "objects": len(attributes.objects),
            "similarity by": attributes.extractor,
            **({"notes": notes} if notes else {}),
        }
