"""Everything once, on a built-in benchmark: load, predict, evaluate, show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo._extras import require
from s3fo.benchmarks.synthetic import write_synthetic

if TYPE_CHECKING:
    from evaluation.breakdown import Breakdown
    from evaluation.failures import Failures
    from evaluation.results.scores import Scores
    from s3fo.benchmarks import Benchmark

DATASET = "s3fo-demo"
METHODS = ("copy", "flow", "s3")
WORKSPACE = "Evaluation"
"""The layout to look at the demo in: the videos, and the scores of all methods."""


@dataclass(frozen=True)
class DemoResult:
    """What the demo made.

    Attributes:
        out: folder with ``benchmark/``, ``results/<method>/``, ``scores/<method>/``.
        dataset_name: the FiftyOne dataset that shows it all.
        scores: of every method, by name.
        breakdown: the scores of all methods by attribute.
        failures: of every method, by name.
        report: the page that says what to fix first.
    """

    out: Path
    dataset_name: str
    scores: dict[str, Scores]
    breakdown: Breakdown
    failures: dict[str, Failures]
    report: Path

    @property
    def best(self) -> str:
        """Name of the method with the highest J&F."""
        return max(self.scores, key=lambda name: self.scores[name].summary["J&F"])


def run_demo(
    out: Path,
    *,
    progress: ProgressCallback | None = None,
    begin: Callable[[str], None] = lambda step: None,
) -> DemoResult:
    """Run the demo; what an earlier call finished is kept.

    Args:
        out: folder to write to.
        progress: told how far each step is.
        begin: told what every step does, when it begins.
    """
    require("app", "model")
    from evaluation import breakdown, report
    from s3fo.datasets import (
        add_predictions,
        compute_attributes,
        evaluate,
        find_failures,
        load_benchmark,
    )

    begin("draw a benchmark")
    benchmark = write_synthetic(out / "benchmark", "mini", progress=progress)
    for method in METHODS:
        begin(f"segment its videos by {method}")
        _segment(benchmark, _results(out, method), method, progress)
    begin("load it into FiftyOne, with the attributes of its objects")
    dataset = load_benchmark(benchmark, dataset_name=DATASET, progress=progress)
    attributes = compute_attributes(dataset, progress=progress)
    scores, failures = {}, {}
    for method in METHODS:
        begin(f"score {method} and find its failures")
        add_predictions(dataset, _results(out, method), method, progress=progress)
        scores[method] = evaluate(dataset, method, progress=progress)
        _keep(scores[method], out, method)
        failures[method] = find_failures(
            dataset, method, attributes=attributes, progress=progress
        )
    begin("compare the methods and write the report")
    by_attribute = breakdown(scores, attributes)
    runs = {method: _results(out, method) for method in reversed(METHODS)}
    written = report(runs, benchmark, out / "report", progress=progress)
    return DemoResult(out, DATASET, scores, by_attribute, failures, written.page)


def _segment(
    benchmark: Benchmark, out: Path, method: str, progress: ProgressCallback | None
) -> None:
    """Predict; masks that another version or other weights made are replaced."""
    from s3fo.inference import predict
    from s3fo.inference.running.record import RunRecord

    run = partial(predict, benchmark, out, method=method, progress=progress)
    try:
        run()
    except InputError:
        if RunRecord.load(out) is None:  # not made by s3fo: never overwritten
            raise
        run(overwrite=True)


def _keep(scores: Scores, out: Path, method: str) -> None:
    """Save scores, and leave their record where `s3fo runs` looks for it."""
    from evaluation.runs.score_records import leave_record

    scores.save(out / "scores" / method)
    leave_record(scores, _results(out, method))


def _results(out: Path, method: str) -> Path:
    return out / "results" / method
