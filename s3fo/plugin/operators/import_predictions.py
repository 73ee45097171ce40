"""Operator: the masks of any method become labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from fiftyone.operators import types

from evaluation._utils.progress import ProgressCallback
from s3fo.plugin.context import Context
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.forms import (
    ask_folder,
    ask_input_options,
    ask_method_name,
    chosen_folder,
    chosen_input_options,
)
from s3fo.plugin.shared.outcome import Step, Summary, to_operator, to_workspace


def _name_of(results: Path) -> str:
    """What to call a method whose results lie in a folder."""
    return re.sub(r"\W+", "_", results.name.removesuffix(".json"))


class ImportPredictions(VOSOperator):
    """Import a results folder as labels beside the ground truth."""

    name = "import_predictions"
    label = "Import VOS predictions"
    description = "Masks that any method wrote, beside the ground truth"
    risk = "medium"

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Which results, under which name."""
        from s3fo.datasets import load_benchmark_info
        from s3fo.datasets.importing.results import find_videos

        benchmark = load_benchmark_info(ctx.dataset)
        ask_folder(form, "results", "Results", "Folder of <sequence>/<frame>.png")
        results = chosen_folder(ctx, "results")
        if results is None:
            return
        there = find_videos(results, benchmark.sequences)
        found = f"{len(there)} of {len(benchmark)} sequences"
        form.view("found", types.AlertView(severity="info", label=found))
        ask_method_name(ctx, form, default=_name_of(results))
        ask_input_options(form)

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Import them."""
        from s3fo.datasets import add_predictions

        results = chosen_folder(ctx, "results")
        assert results is not None, "the form requires a folder"
        name = ctx.params.get("name") or _name_of(results)
        missing = add_predictions(
            ctx.dataset,
            results,
            name,
            options=chosen_input_options(ctx),
            progress=progress,
        )
        return {
            "predictions": name,
            "sequences": len(ctx.dataset) - len(missing),
            "without results": ", ".join(missing) or "none",
        }

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """Look at the masks, then score them."""
        name = summary["predictions"]
        return [
            to_workspace("Benchmark", "See the masks"),
            to_operator("evaluate_vos", "Evaluate them", predictions=name),
        ]
