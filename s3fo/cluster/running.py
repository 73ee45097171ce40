"""`run`: a command's work as a job of many tasks, done by an engine."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation._utils.names import as_names
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.cluster.engines import Engine, Handle, Resources, open_engine, require_engine
from s3fo.cluster.job import Job
from s3fo.cluster.plan import Plan
from s3fo.cluster.source import Source
from s3fo.cluster.task_file import Verb
from s3fo.cluster.waiting import Shepherd

if TYPE_CHECKING:
    from s3fo.benchmarks import Benchmark


def run(
    verb: Verb,
    source: Source | Benchmark | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    on: str,
    root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    results: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    sequences: Collection[str] | None = None,
    tasks: int | None = None,
    gpus: float | None = None,
    cpus: int = 1,
    minutes: int | None = None,
    partition: str | None = None,
    parallel: int | None = None,
    slurm: Mapping[str, str] | None = None,
    wait: bool = True,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> Job:
    """Predict or evaluate on many processes or machines; paths travel, arrays never.

    The work is divided into tasks of about the same cost. Tasks and their states lie
    in ``<out>/.jobs``, where `find_jobs` and ``s3fo jobs`` read them. Repeat an
    interrupted call to continue: finished videos are kept.

    Args:
        verb: ``"predict"`` or ``"evaluate"``.
        source: a `Source`; the name of a benchmark, with `root`; a benchmark; for
            evaluate also a folder of ground truth. All machines must see it.
        out: predict: the results folder; evaluate: the folder of this job. All
            machines must see it.
        on: the engine: ``"local"``, ``"slurm"``, ``"ray"``, ``"ray://host:port"``, or
            ``"debug"``.
        root: folder of the named benchmark.
        split: of the named benchmark.
        results: evaluate: one results folder or several.
        sequences: only these; None for all.
        tasks: how many to divide the work into; None: four for each that the engine
            runs at once, at most one per video and 1000.
        gpus: per task; None: one for predict where there are any, else none.
        cpus: per task.
        minutes: that a task may take; Slurm begins it again then, up to five times.
        partition: of Slurm.
        parallel: tasks at once; None: as many as the engine has room for, on Slurm 8.
        slurm: further options of sbatch, e.g. ``{"account": "lab"}``.
        wait: whether to return when all tasks have ended; False with Slurm only.
        progress: told of finished videos.
        options: predict: ``method`` (by name), ``frames`` and the method's own;
            evaluate: ``protocol``, ``options`` (`InputOptions`), ``unseen``,
            ``workers``, ``cache``.

    Returns:
        The job. Look at `Job.failures`; `Job.scores` has the merged scores.

    Raises:
        InputError: nothing to do, no such engine, or it was lost on the way.
        MissingExtra: submitit or Ray is not installed.

    Example:
        >>> job = run("predict", "davis-2017", "results/s3", root="DAVIS", on="slurm",
        ...           partition="gpu", parallel=16)  # doctest: +SKIP
        >>> job.failures  # doctest: +SKIP
        {}
    """
    require_engine(on)
    _check_numbers(tasks=tasks, cpus=cpus, minutes=minutes, parallel=parallel)
    if not wait and on != "slurm":
        raise InputError(
            "--no-wait (wait=False)",
            f"--on {on}, whose tasks end with this command",
            "--on slurm, which looks after them",
            "Leave it out.",
        )
    folders = [results] if isinstance(results, (str, os.PathLike)) else list(results)
    plan = Plan(
        verb,
        Source.of(source, root, split),
        Path(os.path.abspath(out)),
        tuple(os.path.abspath(folder) for folder in folders),
        options,
        cpus,
    )
    names = as_names(sequences) if sequences is not None else _names_of(source)
    resources = Resources(gpus, cpus, minutes, partition, parallel, dict(slurm or {}))
    engine = open_engine(on, verb, resources)
    try:
        job = plan.open_job(on, engine.slots, tasks, names)
        shepherd = Shepherd(job, engine, *_left_to_do(job, engine))
        shepherd.hand_over()
        if wait:
            shepherd.wait(progress)
    finally:
        engine.close()
    return Job(job.folder)


def _names_of(source: object) -> list[str] | None:
    """Sequences of a benchmark of which some were left out; None for all."""
    from s3fo.benchmarks import Benchmark

    if isinstance(source, Benchmark) and source.partial:
        return [video.name for video in source]
    return None


def _check_numbers(**given: int | None) -> None:
    for name, number in given.items():
        if number is not None and number < 1:
            raise InputError(
                f"--{name} ({name}=)",
                str(number),
                "1 or more",
                "Pass a positive number.",
            )


def _left_to_do(job: Job, engine: Engine) -> tuple[list[Path], list[Handle]]:
    """Tasks to hand over, and those that an engine still has from an earlier command.

    Those that are done are looked through again by a task: masks may be gone, or their
    images, first masks or ground truth changed since. What is as it was is kept.
    """
    todo, handles = [], []
    for path, task in job.tasks().items():
        if task.state == "running":
            continue
        known = job.record.ids.get(path.name, "")
        handle = engine.attach(path, known) if known and not task.has_ended else None
        if handle is not None:
            handles.append(handle)
            continue
        task.again().save(path)
        todo.append(path)
    return todo, handles
