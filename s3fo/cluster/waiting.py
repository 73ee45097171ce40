"""Hand tasks to an engine and look after them until all have ended."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evaluation._utils.progress import ProgressCallback
from s3fo.cluster.engines import Engine, Handle
from s3fo.cluster.job import Job
from s3fo.cluster.task_file import Task

_SOON, _LATER = 0.2, 2.0
"""Seconds between two looks at the tasks' files: at first, and in long jobs."""


class Shepherd:
    """The tasks of a job that an engine is to do.

    Args:
        job: what is done.
        engine: by what.
        todo: files of the tasks to hand over.
        handles: tasks that were handed over earlier, and go on.
    """

    def __init__(
        self,
        job: Job,
        engine: Engine,
        todo: Sequence[Path],
        handles: Sequence[Handle] = (),
    ) -> None:
        self._job, self._engine = job, engine
        self._todo = list(todo)
        self._handles = {handle.path: handle for handle in handles}
        self._lost: dict[Path, int] = {}
        self._ended: dict[Path, Task] = {}

    def hand_over(self) -> None:
        """Give the engine as many tasks as it has room for."""
        limit = self._engine.at_once
        room = len(self._todo) if limit is None else limit - len(self._handles)
        batch, self._todo = self._todo[: max(0, room)], self._todo[max(0, room) :]
        if not batch:
            return
        handles = self._engine.submit(batch)
        self._handles |= {handle.path: handle for handle in handles}
        self._job.tell_ids({handle.path.name: handle.id for handle in handles})

    def wait(self, progress: ProgressCallback | None = None) -> None:
        """Wait until all tasks have ended, one way or the other."""
        pause = _SOON
        try:
            while True:
                self.hand_over()
                tasks = self._look()
                self._drop_ended(tasks)
                self._take_over(tasks)
                _tell(tasks, progress)
                if self._todo and not self._handles:
                    continue  # there is room, so nothing to wait for
                if not self._todo and not self._still_at_work(tasks):
                    return
                time.sleep(pause)
                pause = min(pause * 1.2, _LATER)
        except BaseException:
            if not self._engine.outlives_us:
                for handle in self._handles.values():
                    handle.cancel()
            raise

    def _look(self) -> dict[Path, Task]:
        """All tasks; the files of those that have ended are not read again."""
        tasks = {p: self._ended.get(p) or self._job.look(p) for p in self._job.paths}
        waits = {*self._todo, *self._handles}
        self._ended = {
            path: task
            for path, task in tasks.items()
            if task.has_ended and path not in waits
        }
        return tasks

    def _take_over(self, tasks: dict[Path, Task]) -> None:
        """Do what processes of an earlier command were at when they died."""
        for path, task in tasks.items():
            ours = path in self._handles or path in self._todo
            if task.state == "lost" and not ours:
                self._try_again(path, "its process is gone")

    def _still_at_work(self, tasks: dict[Path, Task]) -> bool:
        """Whether a task goes on: ours, or one that an earlier command began."""
        theirs = (path for path in tasks if path not in self._handles)
        return bool(self._handles) or any(
            tasks[path].state == "running" for path in theirs
        )

    def _drop_ended(self, tasks: dict[Path, Task]) -> None:
        for path, handle in list(self._handles.items()):
            if tasks[path].has_ended:
                del self._handles[path]
                continue
            problem = handle.problem()
            if problem and not Task.load(path).has_ended:
                del self._handles[path]
                self._try_again(path, problem)

    def _try_again(self, path: Path, problem: str) -> None:
        """Hand a task over again that was lost, unless it was lost too often."""
        self._lost[path] = self._lost.get(path, 0) + 1
        task = Task.load(path)
        if self._lost[path] <= self._engine.retries:
            task.again().save(path)
            self._todo.append(path)
            return
        times = self._lost[path]
        error = f"lost {times} times: {problem}" if times > 1 else f"lost: {problem}"
        replace(task, state="failed", error=error).save(path)


def _tell(tasks: dict[Path, Task], progress: ProgressCallback | None) -> None:
    if progress is None:
        return
    states = [task.state for task in tasks.values()]
    done = sum(len(t.sequences) for t in tasks.values() if t.state == "done")
    total = sum(len(task.sequences) for task in tasks.values())
    parts = [
        f"{states.count(state)} {state}"
        for state in ("running", "lost", "done", "failed", "waiting")
        if state in states
    ]
    progress(done, total, f"{len(states)} tasks: {', '.join(parts)}")
