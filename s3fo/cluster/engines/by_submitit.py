"""Engines by submitit on this machine: this process, or processes of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.errors import InputError
from s3fo.cluster.engines.base import LOGS, Handle, Resources
from s3fo.cluster.task import run_task
from s3fo.cluster.task_file import Verb

if TYPE_CHECKING:
    import submitit

_NO_LIMIT = 7 * 24 * 60
"""Minutes of a local task where none are told."""


_LEAVE_SECONDS = 10.0
"""That local processes get to end after their tasks."""


class RunTask:
    """What submitit runs; picklable, for it only holds a path.

    Args:
        path: of the task's file.
        tell: whether a task that failed fails the process, too.
    """

    def __init__(self, path: Path, *, tell: bool = True) -> None:
        self.path, self.tell = str(path), tell

    def __call__(self) -> str:
        """Run it; returns its state."""
        task = run_task(self.path)
        if task.state != "done" and self.tell:
            raise RuntimeError(task.error)
        return task.state

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """What to run after pre-emption: the same, as finished videos are on disk."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


class Submitted:
    """A task as a job of submitit."""

    def __init__(self, path: Path, job: submitit.Job[str]) -> None:
        self.path, self.job, self.id = path, job, str(job.job_id)

    def problem(self) -> str:
        """Why its process is gone; asked while the task's file says nothing of it."""
        return self.why() if self.job.done() else ""

    def why(self) -> str:
        """Its last words."""
        # submitit itself would wait half a minute for a result that never comes.
        if not self.job.paths.result_pickle.exists():
            return f"it was killed (log: {self.job.paths.stderr})"
        why = str(self.job.exception() or "").strip() or "it ended without a word"
        return f"{why.splitlines()[-1]} (log: {self.job.paths.stderr})"

    def cancel(self) -> None:
        """Stop its process."""
        self.job.cancel(check=False)


class DebugEngine:
    """Tasks one after the other in this process."""

    name, outlives_us, retries = "debug", False, 0
    slots = 1
    at_once: int | None = 1

    def __init__(self, verb: Verb, resources: Resources) -> None:
        pass

    def submit(self, paths: Sequence[Path]) -> list[Handle]:
        """Run them; they have ended when this returns."""
        import submitit

        handles: list[Handle] = []
        for path in paths:
            executor = submitit.DebugExecutor(path.parent / LOGS)
            job = executor.submit(RunTask(path, tell=False))
            job.results()
            handles.append(Submitted(path, job))
        return handles

    def attach(self, path: Path, task_id: str) -> Handle | None:
        """Nothing outlives this process."""
        return None

    def close(self) -> None:
        """Nothing is left."""


class LocalEngine:
    """Tasks in processes of this machine, one GPU each where there are any."""

    name, outlives_us, retries = "local", False, 2
    at_once: int | None

    def __init__(self, verb: Verb, resources: Resources) -> None:
        self._resources = resources
        gpus = visible_gpus()
        wanted = resources.gpus
        if wanted is None:
            wanted = 1 if verb == "predict" and gpus else 0
        self._gpus = whole_gpus(wanted, "local")
        if self._gpus > len(gpus):
            raise InputError(
                "--gpus (gpus=)",
                f"{self._gpus} per task, where this machine has {len(gpus)}",
                "GPUs that are there",
                "Pass fewer, or 0 for none.",
            )
        self._all_gpus = gpus
        room = len(gpus) // self._gpus if self._gpus else _cores() // resources.cpus
        self.slots = max(1, room)
        self.at_once = resources.parallel or self.slots
        self._started: list[tuple[Submitted, list[int]]] = []

    def submit(self, paths: Sequence[Path]) -> list[Handle]:
        """Start a process for each of them."""
        return [self._start(path) for path in paths]

    def _start(self, path: Path) -> Handle:
        import submitit

        executor = submitit.LocalExecutor(path.parent / LOGS)
        gpus = self._least_used_gpus()
        executor.update_parameters(
            timeout_min=self._resources.minutes or _NO_LIMIT,
            gpus_per_node=len(gpus),
            visible_gpus=gpus,
        )
        handle = Submitted(path, executor.submit(RunTask(path)))
        self._started.append((handle, gpus))
        return handle

    def _least_used_gpus(self) -> list[int]:
        """As many GPUs as a task gets, those first that no running task has."""
        self._started = [item for item in self._started if not item[0].job.done()]
        used = [gpu for _, gpus in self._started for gpu in gpus]
        return sorted(self._all_gpus, key=used.count)[: self._gpus]

    def attach(self, path: Path, task_id: str) -> Handle | None:
        """Tasks of an earlier command are known by their files alone."""
        return None

    def close(self) -> None:
        """See the processes end, as they do when their tasks have."""
        until = time.monotonic() + _LEAVE_SECONDS
        for handle, _ in self._started:
            while not handle.job.done() and time.monotonic() < until:
                time.sleep(0.05)


def whole_gpus(gpus: float, on: str) -> int:
    """GPUs of a task, which submitit cannot divide.

    Raises:
        InputError: it is a part of one.
    """
    if gpus < 0 or gpus != int(gpus):
        raise InputError(
            "--gpus (gpus=)", f"{gpus:g}", f"a whole number with --on {on}",
            "Pass 0, 1, ...; parts of a GPU go with --on ray.",
        )  # fmt: skip
    return int(gpus)


def visible_gpus() -> list[int]:
    """Numbers of the NVIDIA GPUs that processes of this machine may use."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    if told is not None:
        return [int(part) for part in told.split(",") if part.strip().isdecimal()]
    return list(range(len(list(Path("/proc/driver/nvidia/gpus").glob("*")))))


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1
