"""One task of a job as a JSON file: what is to be done, and how far it is.

The file is written by whoever plans the job until the task is handed to an engine, and
then only by the process that holds the task's claim. So every engine tells the same
way, and who looks needs nothing but the folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from evaluation._utils.atomic import write_atomically
from evaluation._utils.claims import Claims
from evaluation._utils.json_files import parse, read_json
from s3fo.cluster.source import Source

Verb = Literal["predict", "evaluate"]
State = Literal["waiting", "running", "done", "failed", "lost"]

CLAIMS = "claims"
"""Folder of a job where processes say which task they are at."""

FIX = "Remove the folder of this job and run the command again."
"""What to do about a damaged file of a job."""


@dataclass(frozen=True)
class Task:
    """One shard of one verb.

    Attributes:
        verb: what is done.
        source: with what.
        out: predict: the results folder; evaluate: where the shard's scores go.
        shard: which part of the job it is, as ``2/8``.
        sequences: names of its videos.
        n_sequences: of all tasks together.
        arguments: of the verb, by name.
        results: evaluate: the folders to score.
        state: ``lost`` is never stored: that is a running task whose process is gone.
        attempts: how often it was begun.
        host: machine that has it, or had it last.
        pid: of the process there.
        started: when it was begun last, UTC.
        ended: when it ended, UTC; "" before.
        progress: how far it is, for people.
        error: why it failed, or was interrupted.
        trace: where in the code, for errors that nobody foresaw.
        result: what was done, by name.
    """

    verb: Verb
    source: Source
    out: str
    shard: str
    sequences: tuple[str, ...]
    n_sequences: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    results: tuple[str, ...] = ()
    state: State = "waiting"
    attempts: int = 0
    host: str = ""
    pid: int = 0
    started: str = ""
    ended: str = ""
    progress: str = ""
    error: str = ""
    trace: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Task:
        """Read a task's file.

        Raises:
            InputError: it is not there, or damaged.
        """
        return parse(read_json(path, FIX, "a task of a job"), cls, path, FIX)

    def save(self, path: Path) -> None:
        """Write it, whole."""
        text = json.dumps(asdict(self), indent=1, default=str) + "\n"
        write_atomically(path, text.encode())

    @property
    def has_ended(self) -> bool:
        """Whether it is done or has failed."""
        return self.state in ("done", "failed")

    def again(self) -> Task:
        """The same task, to be done from the start."""
        return replace(
            self, state="waiting", ended="", progress="", error="", trace="", result={}
        )


def look(path: Path, claims: Claims) -> Task:
    """A task as it is now: one whose process is gone is lost.

    Args:
        path: of the task's file.
        claims: on the tasks of its job; need not be entered.
    """
    task = Task.load(path)
    if task.state != "running" or claims.peek(path.name) is not None:
        return task
    task = Task.load(path)  # it may have ended in between
    return replace(task, state="lost") if task.state == "running" else task
