"""Run one task of a job: what every engine does on whatever machine it chose.

    python -m s3fo.cluster.task results/s3/.jobs/20260102-030405-ab12/0001.json

A task that another living process is at is waited for; one that is done is left alone.
So it does no harm if an engine begins a task twice.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from dataclasses import replace
from itertools import count
from pathlib import Path

from evaluation._utils.claims import Claims, wait_a_little
from evaluation.errors import InputError
from evaluation.runs.schema import utc_now
from s3fo.cluster.task_file import CLAIMS, State, Task
from s3fo.cluster.work import do

_TELL_EVERY = 5.0
"""Seconds between two updates of a task's file while it runs."""


def run_task(path: str | os.PathLike[str], *, again: bool = False) -> Task:
    """Do a task, unless it has ended, and write into its file what came of it.

    Args:
        path: of the task's file.
        again: whether one that failed is done again.

    Returns:
        The task as it ended. One that failed says why; nothing is raised for it.

    Raises:
        InputError: the file is missing or damaged.
    """
    path = Path(path)
    with Claims(path.parent / CLAIMS) as claims:
        for tries in count():
            if claims.take(path.name):
                break
            wait_a_little(tries)
        task = Task.load(path)
        if task.state == "done" or (task.has_ended and not again):
            return task
        return _run(task, path)


def _run(task: Task, path: Path) -> Task:
    task = replace(
        task.again(),
        state="running",
        attempts=task.attempts + 1,
        host=os.uname().nodename,
        pid=os.getpid(),
        started=utc_now(),
    )
    task.save(path)
    teller = _Teller(task, path)
    try:
        result = do(task, teller)
    except Exception as error:
        expected = isinstance(error, InputError)
        told = str(error) if expected else f"{type(error).__name__}: {error}"
        trace = "" if expected else traceback.format_exc()
        ended = replace(task, state="failed", error=told, trace=trace)
    except BaseException as stop:  # pre-empted, out of time, or by hand
        why = f"interrupted ({type(stop).__name__}); finished videos are kept"
        replace(task, state="waiting", error=why).save(path)
        raise
    else:
        failures = "; ".join(f"{k}: {text}" for k, text in result["failures"].items())
        state: State = "failed" if failures else "done"
        ended = replace(task, state=state, error=failures, result=result)
    ended = replace(ended, ended=utc_now(), progress=teller.last)
    ended.save(path)
    return ended


class _Teller:
    """Progress of a task, written into its file now and then."""

    def __init__(self, task: Task, path: Path) -> None:
        self._task, self._path = task, path
        self._told = time.monotonic()
        self.last = ""

    def __call__(self, done: int, total: int, label: str) -> None:
        self.last = f"{done}/{total} frames, {label}"
        if time.monotonic() - self._told > _TELL_EVERY:
            self._told = time.monotonic()
            replace(self._task, progress=self.last).save(self._path)


def main() -> None:
    """Run the task that the command line names; exit code 1 if it failed."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    task = run_task(sys.argv[1], again=True)
    if task.state != "done":
        print(task.trace or task.error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
