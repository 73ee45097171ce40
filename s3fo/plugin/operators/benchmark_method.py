"""Pipeline: from a benchmark and a method to a report, in one go."""

from __future__ import annotations

from collections.abc import Mapping

import fiftyone.operators as foo
from fiftyone.operators import types

from evaluation.errors import InputError
from s3fo.benchmarks import Benchmark
from s3fo.plugin.context import Context
from s3fo.plugin.shared.base import FormOperator
from s3fo.plugin.shared.benchmark_form import (
    BENCHMARK_PARAMS,
    ask_benchmark,
    chosen_benchmark,
)
from s3fo.plugin.shared.forms import ask_choice, ask_folder, chosen_folder
from s3fo.plugin.shared.method_form import METHOD_PARAMS, ask_options
from s3fo.plugin.shared.outcome import PLUGIN

_DEFAULT = "s3"
_RESULTS = "results folder"
"""What stands among the methods for masks that there are already."""


class BenchmarkMethod(FormOperator, foo.PipelineOperator):
    """Load, run, evaluate, find failures and report: a method from start to end.

    Its stages are the other operators, in this order: `load_benchmark` (if a folder is
    given; it fills the open dataset), `run_method` or `import_predictions`,
    `evaluate_vos`, `compute_attributes`, `find_failures`, `make_report`.
    """

    name = "benchmark_method"
    label = "Benchmark a method"
    description = "Load, run, evaluate, find failures, report: all in one run"
    risk = "high"

    def fields(self, ctx: Context, form: types.Object) -> None:
        """What is to be loaded, by which method, and what is wanted."""
        benchmark = _ask_benchmark(ctx, form)
        if benchmark is None:
            return
        _ask_method(ctx, form, benchmark)
        form.str(
            "name",
            label="Name of the method",
            description="Of its masks, its evaluation and its report",
            default=_name(ctx),
            required=False,
            invalid=not _name(ctx).isidentifier(),
            error_message="letters, digits and underscores only",
        )
        for name, label, about, default in _WANTED:
            form.bool(name, label=label, description=about, default=default)
        ask_folder(
            form,
            "out",
            "Folder",
            "Masks and report are written here; if left empty: with FiftyOne's data",
            required=False,
        )

    def resolve_pipeline(self, ctx: Context) -> types.Pipeline:
        """The stages.

        Raises:
            InputError: there is nothing to load, or no such method.
        """
        name, stages = _name(ctx), types.Pipeline()
        _check_there_are_videos(ctx)
        if chosen_benchmark(ctx) is not None:
            given = _given(ctx, BENCHMARK_PARAMS)
            _add(stages, "load_benchmark", dataset_name=ctx.dataset.name, **given)
        folder = chosen_folder(ctx, "out")
        where = {"out": str(folder)} if folder else {}
        if ctx.params.get("method", _DEFAULT) == _RESULTS:
            results = str(chosen_folder(ctx, "results"))
            _add(stages, "import_predictions", results=results, name=name)
        else:
            given = _given(ctx, ("method", *METHOD_PARAMS))
            _add(stages, "run_method", name=name, **where, **given)
        _add(stages, "evaluate_vos", predictions=name, eval_key=name)
        wanted = {key: ctx.params.get(key, default) for key, _, _, default in _WANTED}
        if wanted["attributes"]:
            _add(stages, "compute_attributes")
        maps = wanted["error_maps"]
        _add(stages, "find_failures", eval_key=name, error_maps=maps)
        if wanted["report"]:
            where = {"out": str(folder / f"report-{name}")} if folder else {}
            _add(stages, "make_report", predictions=name, **where)
        _add(stages, "show_changes")
        return stages


_WANTED = (
    ("attributes", "Attributes", "What makes objects hard, for J&F by attribute", True),
    ("error_maps", "Error maps", "Hit, missed, false and wrong, in every frame", False),
    ("report", "Report", "Compared with the dataset's other methods", True),
)
"""What may be left out: name, label, description, default."""


def _add(pipeline: types.Pipeline, operator: str, **params: object) -> None:
    pipeline.stage(f"{PLUGIN}/{operator}", name=operator, params=params)


def _given(ctx: Context, names: tuple[str, ...]) -> Mapping[str, object]:
    return {key: ctx.params[key] for key in names if ctx.params.get(key) is not None}


def _ask_benchmark(ctx: Context, form: types.Object) -> Benchmark | None:
    """What is loaded already, or is to be loaded."""
    from s3fo.datasets import load_benchmark_info
    from s3fo.datasets.schema import remembered

    if not remembered(ctx.dataset).get("benchmark"):
        return ask_benchmark(ctx, form)
    benchmark = load_benchmark_info(ctx.dataset)
    about = f"{len(benchmark)} videos of {benchmark.name} are loaded already"
    form.view("there", types.Notice(label=about))
    return benchmark


def _ask_method(ctx: Context, form: types.Object, benchmark: Benchmark) -> None:
    from s3fo.inference import list_methods

    installed = {info.name: info for info in list_methods() if info.installed}
    titles = {name: info.title for name, info in installed.items()}
    ask_choice(
        form,
        "method",
        {**titles, _RESULTS: "None: the masks are there, in a results folder"},
        label="Method",
        description="Segmentation method",
        default=_DEFAULT,
    )
    method = ctx.params.get("method", _DEFAULT)
    if method == _RESULTS:
        ask_folder(form, "results", "Results", "Folder of <sequence>/<frame>.png")
    elif method in installed:
        ask_options(ctx, form, benchmark, installed[method])


def _name(ctx: Context) -> str:
    method = ctx.params.get("method", _DEFAULT)
    folder = chosen_folder(ctx, "results")
    return str(ctx.params.get("name") or (folder.name if folder else method))


def _check_there_are_videos(ctx: Context) -> None:
    from s3fo.datasets.schema import remembered

    if chosen_benchmark(ctx) is None and not remembered(ctx.dataset).get("benchmark"):
        raise InputError(
            f"dataset {ctx.dataset.name}",
            "no benchmark, and no folder to load one from",
            "a benchmark's folder, or a dataset that s3fo loaded",
            "Choose the benchmark's folder (root).",
        )
