"""What every engine can do: take tasks, and say which of them it has lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Resources:
    """What a task gets, and how many run at once.

    Attributes:
        gpus: per task; None: one for `predict` where there are any, else none.
        cpus: per task.
        minutes: that a task may take; None for the engine's own limit.
        partition: of Slurm.
        parallel: tasks at once; None: as many as the engine has room for.
        slurm: further options of sbatch by name, e.g. ``{"account": "lab"}``.
    """

    gpus: float | None = None
    cpus: int = 1
    minutes: int | None = None
    partition: str | None = None
    parallel: int | None = None
    slurm: Mapping[str, str] = field(default_factory=dict)


class Handle(Protocol):
    """A task that an engine was handed.

    Attributes:
        path: of the task's file.
        id: what the engine calls it.
    """

    path: Path
    id: str

    def problem(self) -> str:
        """Why the task will not end by itself; "" while the engine looks after it.

        Only asked while the task's file does not say that it has ended.
        """

    def cancel(self) -> None:
        """Stop it."""


LOGS = "engine"
"""Folder of a job for logs and other files of the engine."""


class Engine(Protocol):
    """Something that runs tasks, each in a process of its own.

    Attributes:
        name: for people and records.
        slots: tasks that it runs at once, as far as it can tell.
        at_once: how many it may be handed at once; None where it keeps a queue.
        outlives_us: whether tasks go on when this process ends.
        retries: how often a task is handed over again whose process was lost.
    """

    name: str
    slots: int
    at_once: int | None
    outlives_us: bool
    retries: int

    def submit(self, paths: Sequence[Path]) -> list[Handle]:
        """Take tasks of one job, by their files; logs lie in ``engine`` beside them."""

    def attach(self, path: Path, task_id: str) -> Handle | None:
        """Find a task again that was handed over earlier; None if it is not there."""

    def close(self) -> None:
        """Let go of what was started for these tasks."""
