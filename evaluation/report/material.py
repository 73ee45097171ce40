"""Everything a report is made of, measured once and kept for the next time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation._utils.progress import ProgressCallback
from evaluation.attributes import Attributes, object_attributes
from evaluation.attributes.video import open_videos
from evaluation.breakdown import Breakdown, breakdown
from evaluation.corrections import Corrections
from evaluation.failures import ComparedMasks, Failures, find_failures
from evaluation.masks.open import Source
from evaluation.options import InputOptions
from evaluation.protocols import ScoringProtocol
from evaluation.report.kept import digest, keep, load_kept, truth_key
from evaluation.results.compare import Comparison, compare
from evaluation.results.ground_truths import name_of
from evaluation.results.scores import Scores
from evaluation.runs.registry import RunFolder, read_run
from evaluation.scoring import score

_PERCENT = 100
"""Steps of progress of all stages together."""


@dataclass(frozen=True)
class Method:
    """One method of a report.

    Attributes:
        name: what the report calls it.
        run: its results folder and how the masks were made.
        scores: of its masks.
        failures: where it fails.
        masks: what was compared, for pictures.
    """

    name: str
    run: RunFolder
    scores: Scores
    failures: Failures
    masks: ComparedMasks

    @property
    def headline(self) -> float:
        """The J&F that the benchmark publishes, 0..1."""
        return self.scores.summary[self.scores.protocol.headline_metric]


@dataclass(frozen=True)
class Material:
    """What a report is written from.

    Attributes:
        benchmark: its name, or the folder of its ground truth.
        split: of the benchmark; empty where it has none.
        notes: on how the benchmark was read.
        protocol: the rules.
        metric: the J&F that the benchmark publishes: column of objects and summary.
        methods: the first is the one the report is about.
        attributes: of the benchmark's objects.
        breakdown: scores of all methods by attribute.
        comparisons: of the first method with each other one, by name.
        images: image file by sequence and frame; may be empty.
        corrections: what corrections of methods regain, by what to call them.
    """

    benchmark: str
    split: str
    notes: tuple[str, ...]
    protocol: ScoringProtocol
    metric: str
    methods: tuple[Method, ...]
    attributes: Attributes
    breakdown: Breakdown
    comparisons: Mapping[str, Comparison]
    images: Mapping[str, Mapping[str, Path]]
    corrections: Mapping[str, Corrections] = field(default_factory=dict)

    @property
    def main(self) -> Method:
        """The method the report is about."""
        return self.methods[0]


def places(methods: pd.Series, material: Material) -> pd.Series:
    """Place of each method in the report's order."""
    names = [method.name for method in material.methods]
    return methods.map({name: place for place, name in enumerate(names)})


def stages_of(n_methods: int) -> int:
    """Stages of progress that `gather` goes through."""
    return 2 * n_methods + 1


@dataclass(frozen=True)
class Task:
    """What to measure, and how; see `evaluation.report.report`."""

    results: Mapping[str, Path]
    ground_truth: Source
    protocol: str | ScoringProtocol
    images: Path | None
    fps: float | None
    sequences: Sequence[str] | None
    options: InputOptions
    workers: int | None


def gather(task: Task, kept: Path, stages: Stages) -> Material:
    """Measure everything.

    Args:
        task: what.
        kept: folder that keeps attributes and failures for the next time.
        stages: told about every stage, `stages_of` of them.
    """
    runs = {name: read_run(folder) for name, folder in task.results.items()}
    scores = {
        name: _score(task, run, stages.next(f"score {name}"))
        for name, run in runs.items()
    }
    first = next(iter(scores.values()))
    names = list(dict.fromkeys(first.object_columns["sequence"]))
    videos = open_videos(task.ground_truth, task.images, task.fps)
    images = {video.name: video.images for video in videos if video.name in names}
    tell = stages.next("attributes")
    attributes, key = _attributes(task, names, images, kept, tell)
    methods = []
    for name, own in scores.items():
        tell = stages.next(f"failures of {name}")
        folder = kept / f"failures-{digest(name)[:12]}"  # a name may hold anything
        found = _failures(task, runs[name], own, attributes, key, folder, tell)
        masks = ComparedMasks(runs[name].folder, task.ground_truth, own, task.options)
        methods.append(Method(name, runs[name], own, found, masks))
    with np.errstate(invalid="ignore"):  # resamples without spread have no slope
        broken_down = breakdown(scores, attributes, metric=first.protocol.object_metric)
    return Material(
        benchmark=name_of(task.ground_truth),
        split=_split(task.ground_truth),
        notes=tuple(getattr(task.ground_truth, "notes", ())),
        protocol=first.protocol,
        metric=first.protocol.object_metric,
        methods=tuple(methods),
        attributes=attributes,
        breakdown=broken_down,
        comparisons=_comparisons(scores),
        images=images,
    )


def _score(task: Task, run: RunFolder, progress: ProgressCallback | None) -> Scores:
    return score(
        run.folder,
        task.ground_truth,
        task.protocol,
        sequences=task.sequences,
        options=task.options,
        workers=task.workers,
        cache=True,
        progress=progress,
    )


def _attributes(
    task: Task,
    names: Sequence[str],
    images: Mapping[str, Mapping[str, Path]],
    kept: Path,
    progress: ProgressCallback | None,
) -> tuple[Attributes, str]:
    """Attributes, measured or kept from before, and the key they are kept under."""
    truth = truth_key(task.ground_truth, images, set(names))
    key = digest(truth, task.images, task.fps, task.options)
    folder = kept / "attributes"
    if (known := load_kept(folder, key, Attributes.load)) is not None:
        return known, key
    attributes = object_attributes(
        task.ground_truth,
        images=task.images,
        sequences=names,
        fps=task.fps,
        options=task.options,
        workers=task.workers,
        progress=progress,
    )
    attributes.save(folder)
    keep(folder, key)
    return attributes, key


def _failures(
    task: Task,
    run: RunFolder,
    scores: Scores,
    attributes: Attributes,
    attributes_key: str,
    folder: Path,
    progress: ProgressCallback | None,
) -> Failures:
    key = digest(scores.fingerprint, scores.protocol, task.options, attributes_key)
    if (known := load_kept(folder, key, Failures.load)) is not None:
        return known
    found = find_failures(
        run.folder,
        task.ground_truth,
        scores,
        attributes=attributes,
        options=task.options,
        workers=task.workers,
        progress=progress,
    )
    found.save(folder)
    keep(folder, key)
    return found


def _comparisons(scores: Mapping[str, Scores]) -> dict[str, Comparison]:
    (_, main), *others = scores.items()
    metric = main.protocol.object_metric
    return {name: compare(main, other, metric=metric) for name, other in others}


def _split(ground_truth: Source) -> str:
    if isinstance(ground_truth, str):  # a path, whose split() is another thing
        return ""
    return str(getattr(ground_truth, "split", None) or "")


class Stages:
    """Progress over several long calls."""

    def __init__(self, n: int, progress: ProgressCallback | None) -> None:
        self._n, self._begun, self._progress = n, 0, progress

    def next(self, label: str) -> ProgressCallback | None:
        """The callback for the next stage."""
        before, self._begun = self._begun, self._begun + 1
        told = self._progress
        if told is None:
            return None
        tell: Callable[[int, int, str], None] = told
        tell(_PERCENT * before // self._n, _PERCENT, label)

        def stage(done: int, total: int, detail: str) -> None:
            part = before + done / max(total, 1)
            tell(int(_PERCENT * part / self._n), _PERCENT, f"{label}: {detail}")

        return stage
