"""Operator: run a method on the dataset's videos and show its masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fiftyone.operators import types

from evaluation.errors import InputError
from evaluation.progress import ProgressCallback
from s3fo.plugin.base import (
    Summary,
    VOSOperator,
    ask_choice,
    ask_folder,
    chosen_folder,
)

_METHODS = {
    "s3": "S3",
    "flow": "Optical flow (baseline)",
    "copy": "Copy of the first mask (baseline)",
}


class RunS3(VOSOperator):
    """Segment the dataset's videos and import the masks."""

    name = "run_s3"
    label = "Run S3 or a baseline"
    description = "Follow every object from its first mask through the video"

    def fields(self, ctx: Any, form: types.Object) -> None:
        """Which method, which weights, where to write."""
        from s3fo.datasets import recall_benchmark

        recall_benchmark(ctx.dataset)
        ask_choice(
            form,
            "method",
            _METHODS,
            label="Method",
            description="It sees each object's first mask and nothing else",
            default="s3",
        )
        if ctx.params.get("method", "s3") == "s3":
            form.str(
                "weights",
                label="Weights",
                description="Name or file; empty for the ones that come with s3fo",
            )
            form.int(
                "size",
                label="Working size",
                description="Shorter side in pixels; empty for the weights' own",
                min=64,
            )
        ask_folder(form, "out", "Results folder", "Masks are written here as PNG")
        form.str(
            "name",
            label="Name of the method",
            description="The field in which the masks appear",
            default=ctx.params.get("method", "s3"),
            required=True,
        )

    def work(self, ctx: Any, progress: ProgressCallback) -> Summary:
        """Segment and import."""
        from s3fo.datasets import add_predictions, recall_benchmark
        from s3fo.inference import predict

        out = chosen_folder(ctx, "out")
        assert out is not None, "the form requires a folder"
        name = ctx.params["name"]
        options = {
            key: ctx.params[key] for key in ("weights", "size") if ctx.params.get(key)
        }
        run = predict(
            recall_benchmark(ctx.dataset),
            Path(out) / name,
            method=ctx.params["method"],
            progress=progress,
            **options,
        )
        if run.failures:
            raise InputError(
                f"{len(run.failures)} of the videos",
                "; ".join(f"{key}: {text}" for key, text in run.failures.items()),
                "masks of every video",
                "Mend this and run again: finished videos are kept.",
            )
        add_predictions(ctx.dataset, run.out, name)
        return {
            "predictions": name,
            "videos": len(run.finished),
            "kept from before": len(run.kept),
            "frames per second": run.frames_per_second,
            "results": str(run.out),
        }
