"""Work that a command sends to an engine, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from evaluation.errors import InputError
from s3fo.cli.console import progress_bar

if TYPE_CHECKING:
    from evaluation import Scores
    from s3fo.cli.options import SourceOptions, TruthOptions
    from s3fo.cluster import Job, Source


def engine_source(place: SourceOptions | TruthOptions) -> Source:
    """What the options name, as paths that other machines can open.

    Raises:
        InputError: neither or both are named, or what is named is broken.
    """
    place.open()  # says what is wrong
    return place.located()


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


def scores_source(truth: TruthOptions, out: Path | None) -> Source:
    """Ground truth that the options of `evaluate` name, for an engine's tasks.

    Raises:
        InputError: it is not there, or there is no folder for the job.
    """
    if out is None:
        raise InputError(
            "--on", "no --out", "--out FOLDER, which all machines see", "Add --out."
        )
    return engine_source(truth)


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
