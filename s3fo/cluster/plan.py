"""What a command's work comes to as tasks: arguments, costs, a job to continue."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation._utils.shards import Shard
from evaluation.errors import InputError
from evaluation.options import InputOptions
from s3fo.cluster.job import JOBS, Job, JobRecord, digest_of, new_job, unfinished_job
from s3fo.cluster.shards import sequence_costs
from s3fo.cluster.source import Source
from s3fo.cluster.task_file import Task, Verb

if TYPE_CHECKING:
    from s3fo.benchmarks import Benchmark

_TASKS_PER_SLOT = 4
"""So that no slot is idle for long while the last ones are at work."""

_MOST_TASKS = 1000
"""By default: Slurm's arrays take no more unless it is configured so."""


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        verb: what.
        source: with which videos.
        out: into which folder, absolute.
        results: evaluate: the folders to score, absolute.
        options: of the verb, as the caller gave them.
        cpus: per task.
    """

    verb: Verb
    source: Source
    out: Path
    results: tuple[str, ...]
    options: Mapping[str, Any]
    cpus: int = 1

    def open_job(
        self,
        on: str,
        slots: int,
        tasks: int | None,
        sequences: Collection[str] | None,
    ) -> Job:
        """The job that was begun for this and is not finished; else a new one.

        Args:
            on: name of the engine.
            slots: tasks that it runs at once.
            tasks: how many to make; None for a few per slot.
            sequences: only these; None for all.

        Raises:
            InputError: this cannot be done.
        """
        opened = self.source.open()
        arguments = _ARGUMENTS[self.verb](self, opened)
        costs = sequence_costs(opened, sequences)
        if not costs:
            raise InputError(
                self.source.title, "no sequences", "at least one", "Correct the path."
            )
        count = min(tasks or min(_MOST_TASKS, _TASKS_PER_SLOT * slots), len(costs))
        job = JobRecord(
            self.verb,
            self._title(),
            self._digest(arguments, costs),
            on,
            count,
            len(costs),
            self.results,
        )
        known = unfinished_job(self.out, job)
        if known is not None:
            return known.continue_on(on)
        return new_job(self.out, job, self._tasks(count, arguments, costs))

    def _title(self) -> str:
        place = self.source.title
        return f"{', '.join(self.results)} by {place}" if self.results else place

    def _digest(self, arguments: Mapping[str, Any], names: Collection[str]) -> str:
        source = asdict(self.source)
        facts = [self.verb, source, self.results, sorted(names), arguments]
        return digest_of({"facts": facts})

    def _tasks(
        self, count: int, arguments: Mapping[str, Any], costs: Mapping[str, int]
    ) -> list[Task]:
        shards = [Shard(i + 1, count) for i in range(count)]
        return [
            Task(
                self.verb,
                self.source,
                str(self.out),
                str(shard),
                tuple(shard.choose(costs)),
                len(costs),
                dict(arguments),
                self.results,
            )
            for shard in shards
        ]


def _predict_arguments(plan: Plan, opened: Benchmark | Path) -> dict[str, Any]:
    from s3fo.inference.methods.registry import find_method

    options = plan.options
    if plan.results:
        given = ", ".join(plan.results)
        raise InputError("results", given, "none with predict", "Leave them out.")
    if isinstance(opened, Path):
        plan.source.open_videos()  # says what is missing
    method = options.get("method") or "s3"
    if not isinstance(method, str):
        raise InputError(
            "method", type(method).__name__, "the name of a method", "Pass its name."
        )
    find_method(method)
    if options.get("overwrite"):
        raise InputError(
            "--overwrite (overwrite=)",
            "several tasks in one folder",
            "a run that nobody shares",
            "Choose another --out (out=), or leave out --on.",
        )
    paths = {key: _absolute(value) for key, value in options.items()}
    return {**paths, "method": method, "frames": options.get("frames") or "all"}


def _absolute(value: Any) -> Any:
    """Paths that are there as absolute ones: a task runs in another folder."""
    if isinstance(value, os.PathLike) or (
        isinstance(value, str) and os.sep in value and os.path.exists(value)
    ):
        return os.path.abspath(value)
    return value


def _evaluate_arguments(plan: Plan, opened: Benchmark | Path) -> dict[str, Any]:
    from evaluation.protocols import get_protocol

    given = dict(plan.options)
    if not plan.results:
        raise InputError(
            "results", "none", "at least one folder", "Name the folder to score."
        )
    for folder in plan.results:
        if not os.path.exists(folder):
            raise InputError(folder, "nothing", "a results folder", "Correct the path.")
    usual = "davis-2017" if isinstance(opened, Path) else opened.protocol
    rules = get_protocol(given.pop("protocol", None) or usual)
    chosen = InputOptions.of(given.pop("options", None))
    # In the job's own place, which every machine sees: what was counted before an
    # interruption is not counted again, and masks that changed are.
    cache = str(plan.out / JOBS / "counts") if given.pop("cache", True) else False
    return {
        "protocol": rules.name,
        "options": chosen.to_dict(),
        "workers": given.pop("workers", None) or plan.cpus,
        "unseen": sorted(given.pop("unseen", ())),
        "cache": cache,
        **given,
    }


_ARGUMENTS: dict[Verb, Callable[[Plan, Benchmark | Path], dict[str, Any]]]
_ARGUMENTS = {"predict": _predict_arguments, "evaluate": _evaluate_arguments}
