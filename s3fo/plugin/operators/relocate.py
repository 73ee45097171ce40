"""Operator: files that the dataset refers to are somewhere else now."""

from __future__ import annotations

from fiftyone.operators import types

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.plugin.context import Context
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.forms import ask_folder, chosen_folder
from s3fo.plugin.shared.outcome import Summary

_METHOD = "predictions_"
"""What the parameters of the methods' folders begin with."""


class Relocate(VOSOperator):
    """Tell the dataset where its files are now; labels, scores and tags stay."""

    name = "relocate"
    label = "Relocate files"
    description = "The benchmark or masks have moved: say where they are now"
    risk = "medium"

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Where the benchmark is, and every method's masks."""
        from s3fo.datasets import load_predictions_info
        from s3fo.datasets.schema import remembered

        root = remembered(ctx.dataset).get("root")
        if root is None:
            raise InputError(
                f"dataset {ctx.dataset.name}",
                "a dataset of other origin",
                "a benchmark that s3fo loaded",
                "Run 'Load a VOS benchmark' first.",
            )
        ask_folder(form, "root", "Benchmark", f"It was in {root}", required=False)
        for name, record in load_predictions_info(ctx.dataset).items():
            was = f"They were in {record.folder}"
            ask_folder(
                form, f"{_METHOD}{name}", f"Masks of {name}", was, required=False
            )

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Renew the paths."""
        from s3fo.datasets import load_predictions_info, relocate

        moved = {
            name: folder
            for name in load_predictions_info(ctx.dataset)
            if (folder := chosen_folder(ctx, f"{_METHOD}{name}")) is not None
        }
        done = relocate(ctx.dataset, chosen_folder(ctx, "root"), predictions=moved)
        return {
            "frames with new paths": done.frames,
            "videos encoded again": done.videos,
            "still missing": "; ".join(done.missing) or "nothing",
        }
