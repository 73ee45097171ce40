"""A job: the tasks of one command in a folder, and how far each of them is."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import uuid
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation._utils.atomic import require_writable, write_atomically
from evaluation._utils.claims import Claims
from evaluation._utils.fingerprint import digest_json
from evaluation._utils.json_files import parse, read_json
from evaluation.errors import InputError, InputWarning
from evaluation.runs.schema import utc_now
from s3fo.cluster.task_file import CLAIMS, FIX, State, Task, Verb, look

if TYPE_CHECKING:
    from evaluation import Scores

JOBS = ".jobs"
"""Folder beside a command's output that holds its jobs."""

SCORES = "scores"
"""Folder of a job with the scores of its shards, until they are merged."""

_RECORD = "job.json"


@dataclass(frozen=True)
class JobRecord:
    """What is common to the tasks of a job.

    Attributes:
        verb: what is done.
        title: with what, for people.
        same: digest of all that decides the result; a job is continued by it.
        on: engine that runs it.
        n_tasks: how many tasks there are.
        n_sequences: videos of all tasks together.
        results: evaluate: the folders that are scored.
        user: who began it, on `host`.
        host: machine where it was begun.
        begun: when, UTC.
        ids: what the engine calls the tasks that it was handed: file name -> id.
    """

    verb: Verb
    title: str
    same: str
    on: str
    n_tasks: int
    n_sequences: int
    results: tuple[str, ...] = ()
    user: str = ""
    host: str = ""
    begun: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)


class Job:
    """A job in its folder; everything is read anew, so it is always true.

    Attributes:
        folder: ``<out>/.jobs/<name>``.
        record: what is common to its tasks.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        path = self.folder / _RECORD
        content = read_json(path, FIX, "the record of a job")
        self.record = parse(content, JobRecord, path, FIX)
        self._claims = Claims(self.folder / CLAIMS)

    @property
    def name(self) -> str:
        """Its folder's name, which begins with the time."""
        return self.folder.name

    @property
    def out(self) -> Path:
        """Where the command writes."""
        return self.folder.parent.parent

    @property
    def paths(self) -> list[Path]:
        """Files of the tasks, in their order."""
        return [self.folder / f"{i + 1:04d}.json" for i in range(self.record.n_tasks)]

    def tasks(self) -> dict[Path, Task]:
        """All tasks as they are now, by their file."""
        return {path: self.look(path) for path in self.paths}

    def counts(self) -> Counter[State]:
        """How many tasks are in each state."""
        return Counter(task.state for task in self.tasks().values())

    def look(self, path: Path) -> Task:
        """One task as it is now."""
        return look(path, self._claims)

    @property
    def done(self) -> bool:
        """Whether every task is done, without any failure."""
        return self.counts() == {"done": self.record.n_tasks}

    @property
    def is_delivered(self) -> bool:
        """Whether nothing is left to do: done, and scores of shards are merged."""
        if self.record.verb == "evaluate" and not self._merged(0).is_dir():
            return False
        return self.done

    @property
    def failures(self) -> dict[str, str]:
        """What failed or was lost, and why, by video where one is to blame."""
        found: dict[str, str] = {}
        for task in self.tasks().values():
            videos = task.result.get("failures") or {}
            if task.state == "failed" and videos:
                found |= videos
            elif task.state in ("failed", "lost"):
                gone = f"its process {task.pid} on {task.host} is gone"
                found[f"shard {task.shard}"] = task.error or gone
        return found

    def scores(self) -> list[Scores]:
        """Scores of each results folder, merged from all shards.

        Raises:
            InputError: this is no evaluation, or not all of its tasks are done.
        """
        from evaluation import Scores

        places = range(len(self.record.results))
        if not places or not self.done:
            raise InputError(
                self.folder,
                f"a job to {self.record.verb} with {self._states()}",
                "an evaluation of which all tasks are done",
                f"`s3fo jobs {self.out}` says why; repeat the command to continue.",
            )
        if not self.is_delivered:
            self._merge()
        return [Scores.load(self._merged(i)) for i in places]

    def _merge(self) -> None:
        """Put merged scores in the place of those of the shards."""
        from evaluation import Scores, merge

        shards = [self.folder / SCORES / path.stem for path in self.paths]
        # The first folder's come last: they tell that all are there.
        for i in reversed(range(len(self.record.results))):
            merged = merge([Scores.load(shard / str(i)) for shard in shards])
            merged.save(self._merged(i))
        for shard in shards:
            shutil.rmtree(shard, ignore_errors=True)

    def _merged(self, number: int) -> Path:
        return self.folder / SCORES / "merged" / str(number)

    def _states(self) -> str:
        return ", ".join(f"{n} tasks {state}" for state, n in self.counts().items())

    def continue_on(self, on: str) -> Job:
        """The same job, of which an engine does the rest."""
        if on != self.record.on:  # whose ids mean nothing to another one
            self.record = replace(self.record, on=on, ids={})
            _save(self.record, self.folder)
        return self

    def tell_ids(self, ids: Mapping[str, str]) -> None:
        """Note what the engine calls tasks that it was handed."""
        self.record = replace(self.record, ids={**self.record.ids, **ids})
        _save(self.record, self.folder)


def new_job(out: Path, record: JobRecord, tasks: Sequence[Task]) -> Job:
    """Lay out the folder of a job; its tasks are waiting then.

    Raises:
        InputError: it cannot be written.
    """
    require_writable(out)
    now = datetime.now(timezone.utc)
    folder = out / JOBS / f"{now:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"
    folder.mkdir(parents=True)
    full = replace(record, user=_user(), host=os.uname().nodename, begun=utc_now())
    # The record last: without it this is no job.
    for number, task in enumerate(tasks, start=1):
        path = folder / f"{number:04d}.json"
        if task.verb == "evaluate":
            task = replace(task, out=str(folder / SCORES / path.stem))
        task.save(path)
    _save(full, folder)
    return Job(folder)


def find_jobs(
    folder: str | os.PathLike[str], notes: list[str] | None = None
) -> list[Job]:
    """The jobs of an output folder, or of all folders below; the newest last.

    Args:
        folder: the ``out`` of a command, or one above.
        notes: gets a note on every job that is left out because its record or one of
            its tasks is damaged; None: these are warnings.

    Raises:
        InputError: there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(
            root, "no folder", "the --out of a command with --on", "Correct the path."
        )
    inside = (root / JOBS).is_dir()
    jobs: list[Job] = []
    for place in [root / JOBS] if inside else _places(root):
        jobs += _readable_jobs(place, notes)
    return jobs if inside else sorted(jobs, key=lambda job: job.record.begun)


def _readable_jobs(place: Path, notes: list[str] | None) -> list[Job]:
    """The jobs of a folder, without those that are damaged."""
    jobs = []
    for folder in _folders_in(place):
        try:
            job = Job(folder)
            job.tasks()
        except InputError as error:
            _note(f"a job was left out: {error}", notes)
        else:
            jobs.append(job)
    return jobs


def _note(text: str, notes: list[str] | None) -> None:
    if notes is None:
        warnings.warn(text, InputWarning, stacklevel=3)
    else:
        notes.append(text)


def unfinished_job(out: Path, record: JobRecord) -> Job | None:
    """The newest job that is to give the same result, and has not given it yet."""
    same = [
        job
        for job in map(Job, _folders_in(out / JOBS))
        if job.record.same == record.same and not job.is_delivered
    ]
    return same[-1] if same else None


def digest_of(facts: Mapping[str, Any]) -> str:
    """Digest of all that decides what a job gives."""
    return digest_json(json.loads(json.dumps(facts, default=str)))


def _folders_in(place: Path) -> list[Path]:
    """Folders of jobs that have a record, the newest last."""
    folders = sorted(place.iterdir()) if place.is_dir() else []
    return [folder for folder in folders if (folder / _RECORD).is_file()]


def _places(root: Path) -> Iterator[Path]:
    """Folders of jobs below a folder; those of videos are not walked through."""
    for place, folders, _ in os.walk(root):
        if JOBS in folders:
            yield Path(place) / JOBS
            folders.clear()
        folders[:] = sorted(name for name in folders if not name.startswith("."))


def _save(record: JobRecord, folder: Path) -> None:
    text = json.dumps(asdict(record), indent=1) + "\n"
    write_atomically(folder / _RECORD, text.encode())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an id without a name, as in containers
        return str(os.getuid())
