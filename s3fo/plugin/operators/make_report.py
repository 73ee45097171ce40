"""Operator: a report that can be read, printed and cited from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fiftyone.operators import types

from evaluation._utils.names import file_name
from evaluation._utils.progress import ProgressCallback
from evaluation.masks.folders import find_holder, subfolders
from s3fo.plugin.context import Context
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.forms import (
    ask_folder,
    ask_input_options,
    ask_method,
    chosen_folder,
    chosen_input_options,
    chosen_sequences,
    imported_methods,
    own_folder,
)
from s3fo.plugin.shared.outcome import Step, Summary, to_file


class MakeReport(VOSOperator):
    """Write a report about a method, compared with the others of the dataset."""

    name = "make_report"
    label = "Make a report"
    description = "What to fix first, all scores, failures: HTML, Markdown, LaTeX, CSV"
    risk = "high"
    takes_views = True

    def fields(self, ctx: Context, form: types.Object) -> None:
        """About which method, compared or not, and where to write."""
        names = imported_methods(ctx.dataset)
        ctx.target_view()  # FiftyOne then asks for it
        ask_method(form, names, "The one the report is about")
        if len(names) > 1:
            form.bool(
                "compare",
                label="Compare",
                description="With the dataset's other methods, too",
                default=True,
            )
        name = ctx.params.get("predictions", names[-1])
        ask_folder(
            form,
            "out",
            "Folder",
            f"The report is written here. If left empty: {_folder(ctx, name)}",
            required=False,
        )
        ask_input_options(form)

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Write it."""
        from evaluation import report
        from s3fo.datasets import load_benchmark_info, load_predictions_info
        from s3fo.datasets.reading.tables import methods_as_they_came
        from s3fo.datasets.scoring.review import reviews_by_method

        sources = load_predictions_info(ctx.dataset)
        main = ctx.params.get("predictions") or list(sources)[-1]
        benchmark, chosen = load_benchmark_info(ctx.dataset), chosen_sequences(ctx)
        videos = chosen or [sequence.name for sequence in benchmark]
        others = [name for name in sources if name != main]
        if not ctx.params.get("compare", True):
            others = []
        partial = [
            name for name in others if _lacks_videos(sources[name].folder, videos)
        ]
        names = [main, *(name for name in others if name not in partial)]
        out = chosen_folder(ctx, "out") or _folder(ctx, main)
        made = report(
            {name: sources[name].folder for name in names},
            benchmark,
            out,
            sequences=chosen,
            options=chosen_input_options(ctx),
            reviews=reviews_by_method(ctx.dataset),
            colour_order=methods_as_they_came(ctx.dataset),
            progress=progress,
        )
        return {
            "page": str(made.page),
            **{finding.headline: finding.text for finding in made.findings},
            **(
                {"not compared, for want of videos": ", ".join(partial)}
                if partial
                else {}
            ),
        }

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """Read it."""
        return [to_file(str(summary["page"]), "Open the report")]

    def finish(self, ctx: Context, summary: Summary) -> Iterator[object]:
        """Nothing in the dataset has changed."""
        yield from ()


def _folder(ctx: Context, method: str) -> Path:
    """Where the report goes unless one says otherwise."""
    return own_folder(ctx) / file_name("report", method)


def _lacks_videos(results: Path, videos: Sequence[str]) -> bool:
    """Whether a results folder has some videos and not all; unknown of files."""
    holder = find_holder(results, videos) if results.is_dir() else None
    there = set(subfolders(holder)) & set(videos) if holder else ()
    return 0 < len(there) < len(videos)
