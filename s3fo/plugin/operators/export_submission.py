"""Operator: the zip that a benchmark's server wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fiftyone.operators import types

from evaluation._utils.names import file_name
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.benchmarks import Benchmark, write_submission
from s3fo.benchmarks.catalog import SubmissionFormat, get_entry
from s3fo.plugin.context import Context
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.forms import (
    ask_folder,
    ask_method,
    chosen_folder,
    imported_methods,
    own_folder,
)
from s3fo.plugin.shared.outcome import Step, Summary


class ExportSubmission(VOSOperator):
    """Check a method's masks and pack them for the benchmark's server."""

    name = "export_submission"
    label = "Export a VOS submission"
    description = "Check the masks, write the zip that the benchmark's server takes"
    risk = "high"

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Whose masks, and where the zip goes."""
        from s3fo.datasets import load_benchmark_info

        benchmark = load_benchmark_info(ctx.dataset)
        status = _format(benchmark).status
        names = imported_methods(ctx.dataset)
        ask_method(form, names, "Whose masks to submit")
        ask_folder(
            form,
            "out",
            "Folder",
            f"The zip is written here. If left empty: {own_folder(ctx)}",
            required=False,
        )
        note = types.Notice(
            label=f"The server is {status}. Every mask is checked first: all videos "
            "and frames, sizes, ids, palette. Nothing is uploaded."
        )
        form.view("about", note)

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Check and pack them."""
        from s3fo.datasets import load_benchmark_info, load_predictions_info

        benchmark = load_benchmark_info(ctx.dataset)
        sources = load_predictions_info(ctx.dataset)
        name = ctx.params.get("predictions") or list(sources)[-1]
        folder = chosen_folder(ctx, "out") or own_folder(ctx)
        done = write_submission(
            sources[name].folder,
            benchmark,
            folder / file_name(benchmark.name, benchmark.split, name, ending=".zip"),
            progress=progress,
        )
        left_out = ", ".join(done.ignored)
        return {
            "zip": str(done.path),
            "sequences": done.sequences,
            "masks": done.frames,
            "upload it to": done.page or "nowhere: the server is closed",
            **({"left out": left_out} if left_out else {}),
        }

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """Go where it is uploaded."""
        address = str(summary["upload it to"])
        known = address.startswith("https://")
        return [Step("Open the server's page", link=address)] if known else []

    def finish(self, ctx: Context, summary: Summary) -> Iterator[object]:
        """Nothing in the dataset has changed."""
        yield from ()


def _format(benchmark: Benchmark) -> SubmissionFormat:
    """What the server wants.

    Raises:
        InputError: the benchmark has none.
    """
    from s3fo.benchmarks import catalog

    known = benchmark.name in catalog.names()
    form = get_entry(benchmark.name, benchmark.split).submission if known else None
    if form is None:
        raise InputError(
            f"{benchmark.name} {benchmark.split or ''}".strip(),
            "no server that takes submissions",
            "a benchmark split with one, such as davis-2017 test-dev or mose-v1 val",
            "Evaluate the predictions here instead.",
        )
    return form
