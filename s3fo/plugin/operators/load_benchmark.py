"""Operator: a benchmark on disk becomes a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import fiftyone as fo
from fiftyone.operators import types

from evaluation._utils.progress import ProgressCallback
from s3fo.plugin.context import Context
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.benchmark_form import ask_benchmark, chosen_benchmark
from s3fo.plugin.shared.forms import ask_choice
from s3fo.plugin.shared.outcome import Step, Summary, to_operator

_MASK_FORMS = {
    "auto": "Decide by size",
    "instances": "In every label: hide, colour and crop each object",
    "reference": "As references to the PNG files: for large benchmarks; FiftyOne's "
    "Annotate tab, patches and exports then have boxes only",
}
_VIDEOS = {
    "mp4": "Encode an mp4 of each sequence, for the player",
    "none": "None: look at the images as a sequence (faster to load)",
}


class LoadBenchmark(VOSOperator):
    """Load a benchmark as a FiftyOne video dataset."""

    name = "load_benchmark"
    label = "Load a VOS benchmark"
    description = "DAVIS, YouTube-VOS, MOSE, LVOS, SA-V and more, or your own folders"
    risk = "medium"

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Which benchmark, from where."""
        benchmark = ask_benchmark(ctx, form)
        if benchmark is None:
            return
        form.str(
            "dataset_name",
            label="Dataset name",
            description="Loading into an existing dataset updates it",
            default="-".join(
                part for part in (benchmark.name, benchmark.split) if part
            ),
        )
        ask_choice(
            form,
            "mask_form",
            _MASK_FORMS,
            label="Masks",
            description="How the dataset keeps them",
            default="auto",
        )
        ask_choice(
            form,
            "video",
            _VIDEOS,
            label="Video",
            description="Loading again with mp4 adds what is missing",
            default="mp4",
        )

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Load it."""
        from s3fo.datasets import load_benchmark

        benchmark = chosen_benchmark(ctx)
        assert benchmark is not None, "the form requires a folder"
        dataset = load_benchmark(
            benchmark,
            dataset_name=ctx.params.get("dataset_name"),
            masks=ctx.params.get("mask_form", "auto"),
            video=ctx.params.get("video", "mp4"),
            progress=progress,
        )
        return {
            "dataset": dataset.name,
            "sequences": len(dataset),
            "frames": dataset.count("frames"),
            "objects": dataset.count("objects.detections"),
        }

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """Get masks of a method: from a folder, or from a model."""
        return [
            to_operator("import_predictions", "Import predictions"),
            to_operator("run_method", "Run a method"),
        ]

    def finish(self, ctx: Context, summary: Summary) -> Iterator[object]:
        """Open the dataset; where it has no videos, at its images."""
        from s3fo.datasets.views.images import IMAGE_VIEW, opening_view

        opening_view(fo.load_dataset(summary["dataset"]))
        yield ctx.ops.open_dataset(str(summary["dataset"]))
        if ctx.params.get("video") == "none":
            yield ctx.ops.set_view(name=IMAGE_VIEW)
