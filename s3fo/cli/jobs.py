"""The command that tells how far jobs are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s3fo.cli import app
from s3fo.cli.console import print_json, print_notes, print_table
from s3fo.cli.options import Json

if TYPE_CHECKING:
    from s3fo.cluster import Job


@app.command()
def jobs(
    folder: Annotated[
        Path, typer.Argument(help="The --out of a command with --on, or one above.")
    ] = Path("."),
    every: Annotated[
        bool, typer.Option("--all", help="Also tasks that are done, and older jobs.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what runs, is done, failed and why, of commands that ran with --on.

    Reads the files of the tasks alone, so it works for every engine and from every
    machine.
    """
    from s3fo.cluster import find_jobs

    notes: list[str] = []
    found = find_jobs(folder, notes)
    print_notes(notes)
    if not every:
        newest = {(job.out, job.record.verb, job.record.same): job for job in found}
        found = list(newest.values())
    if as_json:
        print_json([_facts(job) for job in found])
        return
    if not found:
        typer.echo(f"no jobs in {folder}")
    for job in found:
        _show(job, every)


def _facts(job: Job) -> dict[str, Any]:
    """A job with all of its tasks, as plain values."""
    record = job.record
    return {
        "job": job.name,
        "out": str(job.out),
        "verb": record.verb,
        "title": record.title,
        "on": record.on,
        "begun": record.begun,
        "user": record.user,
        "host": record.host,
        "counts": dict(job.counts()),
        "failures": job.failures,
        "tasks": [
            {
                "file": str(path),
                "id": record.ids.get(path.name, ""),
                "shard": task.shard,
                "sequences": list(task.sequences),
                "state": task.state,
                "attempts": task.attempts,
                "host": task.host,
                "pid": task.pid,
                "started": task.started,
                "ended": task.ended,
                "progress": task.progress,
                "error": task.error,
                "trace": task.trace,
                "result": dict(task.result),
            }
            for path, task in job.tasks().items()
        ],
    }


def _show(job: Job, every: bool) -> None:
    """Print a job, and those of its tasks that are not done."""
    tasks = job.tasks()
    record = job.record
    states = [task.state for task in tasks.values()]
    counts = ", ".join(
        f"{states.count(state)} {state}"
        for state in ("running", "waiting", "done", "failed", "lost")
        if state in states
    )
    out = os.path.relpath(job.out)
    typer.echo(
        f"{record.verb} {record.title}\n  into {out}, on {record.on}, ", nl=False
    )
    typer.echo(
        f"begun {record.begun[:16].replace('T', ' ')} by {record.user}: {counts}"
    )
    rows = [
        [task.shard, task.state, f"{task.host} {task.pid or ''}".strip(),
         len(task.sequences), task.error or task.progress]
        for task in tasks.values()
        if every or task.state != "done"
    ]  # fmt: skip
    if rows:
        columns = ["task", "state", "where", "videos", "progress or error"]
        print_table("", columns, rows)
