"""Options that send a command's work to an engine, and what comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.errors import InputError
from s3fo.cli.console import progress_bar
from s3fo.cli.options import open_source

if TYPE_CHECKING:
    from evaluation import Scores
    from s3fo.cluster import Job, Source

_PANEL = "Many processes or machines"
On = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="ENGINE",
        help="local (processes here), slurm, ray, ray://host:port, or debug; default: "
        "this process.",
        rich_help_panel=_PANEL,
    ),
]
Tasks = Annotated[
    int | None,
    typer.Option(
        help="Parts of the work; default: four for each that runs at once.",
        rich_help_panel=_PANEL,
    ),
]
Parallel = Annotated[
    int | None,
    typer.Option(
        help="Tasks at once; default: what the engine has room for, Slurm 8.",
        rich_help_panel=_PANEL,
    ),
]
Gpus = Annotated[
    float | None,
    typer.Option(
        help="GPUs per task; default: 1 to predict where there are any, else 0.",
        rich_help_panel=_PANEL,
    ),
]
Cpus = Annotated[
    int | None,
    typer.Option(help="Processors per task; default: 1.", rich_help_panel=_PANEL),
]
Minutes = Annotated[
    int | None,
    typer.Option(
        help="Limit of a task; Slurm begins it again then. Default there: 240.",
        rich_help_panel=_PANEL,
    ),
]
Partition = Annotated[
    str | None, typer.Option(help="Partition of Slurm.", rich_help_panel=_PANEL)
]
SlurmOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--slurm",
        metavar="NAME=VALUE",
        help="Further option of sbatch, e.g. account=lab; repeatable.",
        rich_help_panel=_PANEL,
    ),
]
Wait = Annotated[
    bool,
    typer.Option(
        help="Wait for the end; Slurm goes on without.", rich_help_panel=_PANEL
    ),
]


def engine_options(
    on: str | None,
    tasks: int | None,
    parallel: int | None,
    gpus: float | None,
    cpus: int | None,
    minutes: int | None,
    partition: str | None,
    slurm: list[str] | None,
    wait: bool,
    shard: str | None,
) -> dict[str, Any]:
    """What ``--on`` and the options beside it come to, as `s3fo.cluster.run` takes it.

    Raises:
        InputError: options that say something about an engine, and no engine; or a
            shard, which an engine's tasks are.
    """
    given = {
        "tasks": tasks,
        "parallel": parallel,
        "gpus": gpus,
        "cpus": cpus,
        "minutes": minutes,
        "partition": partition,
        "slurm": _pairs(slurm) or None,
        "wait": None if wait else False,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    if on is not None and shard is not None:
        raise InputError(
            "--shard", "also --on, which divides the work itself", "one of them",
            "Pass either --on or --shard, not both.",
        )  # fmt: skip
    if on is None and chosen:
        names = ", ".join("--no-wait" if k == "wait" else f"--{k}" for k in chosen)
        raise InputError(
            names, "no engine", "--on beside it", "Add --on, e.g. --on slurm."
        )
    return {"on": on, **chosen} if on is not None else {}


def engine_source(
    benchmark: str | None,
    root: Path | None,
    split: str | None,
    images: Path | None = None,
    masks: Path | None = None,
    gt: Path | None = None,
) -> Source:
    """What the options name, as paths that other machines can open.

    Raises:
        InputError: neither or both are named, or what is named is broken.
    """
    from s3fo.cluster import Source

    if gt is None:
        open_source(benchmark, root, split, images, masks)  # says what is wrong
    return Source(
        benchmark,
        _text(root),
        split,
        images=_text(images),
        masks=_text(masks),
        gt=_text(gt),
    ).absolute()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _pairs(given: Iterable[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in given or ()]
    wrong = [name for name, equals, _ in pairs if not (name and equals)]
    if wrong:
        raise InputError(
            "--slurm", repr(wrong[0]), "NAME=VALUE", "E.g. --slurm account=lab."
        )
    return {name.strip().lstrip("-"): value for name, _, value in pairs}


def tell_job(job: Job) -> None:
    """Print what came of a job; ends with 1 where something failed."""
    for name, reason in job.failures.items():
        typer.echo(f"failed: {name}: {reason}", err=True)
    if job.failures:
        typer.echo(f"`s3fo jobs {job.out}` tells more", err=True)
        raise typer.Exit(1)


def tell_queued(job: Job) -> None:
    """Say how a job goes on that nobody waits for."""
    typer.echo(
        f"{job.record.n_tasks} tasks are in the queue; `s3fo jobs {job.out}` tells how "
        "far they are, and the same command without --no-wait ends with the result"
    )


def scores_source(
    gt: Path | None,
    benchmark: str | None,
    root: Path | None,
    split: str | None,
    out: Path | None,
) -> Source:
    """Ground truth that the options of `evaluate` name, for an engine's tasks.

    Raises:
        InputError: it is not there, or there is no folder for the job.
    """
    if out is None:
        raise InputError(
            "--on", "no --out", "--out FOLDER, which all machines see", "Add --out."
        )
    if gt is not None and benchmark is not None:
        raise InputError(
            "ground truth",
            "both --gt and --benchmark",
            "one of them",
            "Pass either --gt or --benchmark, not both.",
        )
    return engine_source(benchmark, root, split, gt=gt)


def score_on(
    source: Source,
    folders: Mapping[str, Path],
    out: Path | None,
    protocol: str | None,
    sequences: list[str] | None,
    engine: Mapping[str, Any],
    given: Mapping[str, Any],
) -> list[Scores]:
    """Scores of each folder, worked out by an engine's tasks; ends where some fail."""
    from s3fo.cluster import run

    assert out is not None, "checked when the source was told"
    with progress_bar("score", estimate=False) as progress:
        job = run(
            "evaluate", source, out, results=list(folders.values()),
            sequences=sequences, progress=progress, protocol=protocol,
            **engine, **given,
        )  # fmt: skip
    if not engine.get("wait", True):
        tell_queued(job)
        raise typer.Exit
    tell_job(job)
    # By the names that the caller gave, as one run tells them.
    return [
        replace(one, inputs={**one.inputs, "results": str(folder)})
        for one, folder in zip(job.scores(), folders.values(), strict=True)
    ]
