"""Several methods on one benchmark in one go: predict, evaluate, report, show."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation._utils.names import safe_name
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError

if TYPE_CHECKING:
    from evaluation.results.scores import Scores
    from s3fo.benchmarks import Benchmark


@dataclass(frozen=True)
class MethodChoice:
    """A method to compare, and how to run it.

    Attributes:
        label: what to call it: its folder, its row, its field in the App.
        method: name of one of `s3fo.inference.list_methods`.
        options: of the method.
    """

    label: str
    method: str
    options: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str) -> MethodChoice:
        """Read one from text, as ``"cutie weights=cutie-base-mega.pth"``.

        Args:
            text: ``[LABEL=]METHOD [NAME=VALUE ...]``, in the words of a shell.

        Raises:
            InputError: quotes that are not closed, or no ``NAME=VALUE``.

        Example:
            >>> MethodChoice.parse("small=s3 size=240").label
            'small'
        """
        from s3fo.inference.methods.registry import parse_options

        try:
            first, *rest = shlex.split(text)
        except ValueError as error:
            raise InputError(
                "method",
                repr(text),
                "[LABEL=]METHOD [NAME=VALUE ...]",
                "Close its quotes, and name a method first.",
            ) from error
        label, sign, method = first.partition("=")
        return cls(
            safe_name(label, "method", "methods"),
            method if sign else label,
            parse_options(rest),
        )


@dataclass(frozen=True)
class ComparedMethod:
    """What came of one method.

    Attributes:
        label: what it is called.
        folder: its results folder.
        scores: of its masks; None if not all videos could be segmented.
        failures: of each failed video, what went wrong.
        frames_per_second: reading and writing included; None if unknown.
        peak_memory_mb: the largest of its videos; None if unknown.
        device: what it ran on.
    """

    label: str
    folder: Path
    scores: Scores | None
    failures: Mapping[str, str]
    frames_per_second: float | None
    peak_memory_mb: float | None
    device: str


def compare_methods(
    benchmark: Benchmark,
    methods: Iterable[str | MethodChoice],
    out: str | PathLike[str],
    *,
    protocol: str | None = None,
    dataset_name: str | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
) -> list[ComparedMethod]:
    """Run methods on a benchmark, score all, and write a report about them.

    Finished videos are kept, so an interrupted call can simply be repeated. In `out`
    appear ``results/<label>`` with masks, run record and scores, and ``report/``. A
    method that fails is told, and the others go on.

    Args:
        benchmark: an open benchmark with public ground truth.
        methods: what to run; text as `MethodChoice.parse` takes it.
        out: folder to write.
        protocol: rules to score by; None for the benchmark's own.
        dataset_name: also load the benchmark as this FiftyOne dataset, with the masks
            and scores of every method; None for no dataset.
        overwrite: do finished videos again.
        progress: told about every step.

    Returns:
        The methods in the order given.

    Raises:
        InputError: no methods, two of one label, or one that is not installed.
    """
    chosen = [
        item if isinstance(item, MethodChoice) else MethodChoice.parse(item)
        for item in methods
    ]
    _check(chosen, named=dataset_name is not None)
    out = Path(out)
    done = [
        _run(benchmark, choice, out / "results", protocol, overwrite, progress)
        for choice in chosen
    ]
    scored = [item for item in done if item.scores is not None]
    if scored:
        _report(benchmark, scored, out / "report", protocol, progress)
    if dataset_name is not None:
        _show(benchmark, scored, dataset_name, protocol, progress)
    return done


def _check(chosen: Sequence[MethodChoice], *, named: bool) -> None:
    """Refuse what cannot work before hours of other work are done.

    Args:
        chosen: the methods.
        named: whether their labels become fields of a dataset.
    """
    from s3fo.inference.methods.registry import find_method

    labels = [choice.label for choice in chosen]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if not labels or twice:
        raise InputError(
            "methods",
            f"{', '.join(twice)} twice" if twice else "none",
            "methods with a label of its own each",
            "Write LABEL=METHOD for the second one."
            if twice
            else "Pass at least one method.",
        )
    for choice in chosen:
        find_method(choice.method).import_maker()
        if named and not choice.label.isidentifier():
            raise InputError(
                f"method {choice.label!r}",
                "a label that cannot name a field of a dataset",
                "letters, digits and underscores",
                f"Write LABEL={choice.method} with another label.",
            )


def _run(
    benchmark: Benchmark,
    choice: MethodChoice,
    results: Path,
    protocol: str | None,
    overwrite: bool,
    progress: ProgressCallback | None,
) -> ComparedMethod:
    """Predict and score one method."""
    from evaluation import score
    from evaluation.runs import read_run
    from evaluation.runs.score_records import leave_record
    from s3fo.inference import predict
    from s3fo.inference.methods.registry import find_method

    folder = results / choice.label
    options = dict(choice.options)
    if "name" in find_method(choice.method).options:
        options.setdefault("name", choice.label)
    run = predict(
        benchmark,
        folder,
        method=choice.method,
        overwrite=overwrite,
        progress=progress,
        **options,
    )
    scores = None
    if not run.failures:
        rules = protocol or benchmark.protocol
        scores = score(folder, benchmark, rules, cache=True, progress=progress)
        leave_record(scores, folder)
    record = read_run(folder).record
    videos = record.sequences.values() if record else ()
    peaks = [v.peak_memory_mb for v in videos if v.peak_memory_mb is not None]
    return ComparedMethod(
        choice.label,
        folder,
        scores,
        run.failures,
        record.frames_per_second if record else None,
        max(peaks, default=None),
        record.device if record else "",
    )


def _report(
    benchmark: Benchmark,
    scored: Sequence[ComparedMethod],
    out: Path,
    protocol: str | None,
    progress: ProgressCallback | None,
) -> None:
    from evaluation import report

    folders = {item.label: item.folder for item in sorted(scored, key=_loss)}
    report(folders, benchmark, out, protocol=protocol, progress=progress)


def _loss(item: ComparedMethod) -> float:
    """What a method misses of the score that the benchmark publishes."""
    assert item.scores is not None
    return 1 - item.scores.summary[item.scores.protocol.headline_metric]


def _show(
    benchmark: Benchmark,
    scored: Sequence[ComparedMethod],
    name: str,
    protocol: str | None,
    progress: ProgressCallback | None,
) -> None:
    """Load the benchmark with all masks and scores as a FiftyOne dataset."""
    from s3fo.datasets import add_predictions, evaluate, load_benchmark

    dataset = load_benchmark(benchmark, dataset_name=name, progress=progress)
    for item in scored:
        add_predictions(dataset, item.folder, item.label, progress=progress)
        evaluate(dataset, item.label, protocol=protocol, progress=progress)
