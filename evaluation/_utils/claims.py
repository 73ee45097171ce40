"""Work shared by several processes through a folder, without a lock that outlives them.

Every process that takes part leaves one file that it touches now and then, and takes
an item by making a file that exists only once. Nothing here relies on file locks, which
network file systems often lack: making a link under a name that is taken fails
everywhere. A process that has died (its id is gone, or on another machine its file has
not been touched for a minute) owns nothing any more: its items can be taken.

An item is taken over by making the *next* numbered file, never by deleting the one of
the dead owner first, so that of several takers exactly one wins.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from evaluation._utils.atomic import host_id, process_lives, write_atomically
from evaluation._utils.fingerprint import digest

BEAT_SECONDS = 5.0
"""Seconds between two touches of a process's file."""

DEAD_SECONDS = 60.0
"""Seconds without a touch after which a process of another machine counts as dead."""


@dataclass(frozen=True)
class Worker:
    """A process that takes part in the work.

    Attributes:
        key: its own name in the folder.
        machine: name of its machine, for people.
        host: characters that stand for that machine since its last start.
        pid: its process id there.
        started: when the process started, in the system's own ticks; "" if unknown.
    """

    key: str
    machine: str
    host: str
    pid: int
    started: str

    def __str__(self) -> str:
        """Machine and process, for messages."""
        return f"process {self.pid} on {self.machine}"


class Claims:
    """Claims on items of shared work; use it as a context manager.

    Args:
        folder: where the files lie; made when entered, removed when the last leaves.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = uuid.uuid4().hex[:16]
        self._own = folder / f"{self._key}.worker"
        self._taken: dict[str, Path] = {}
        self._stop = threading.Event()

    def __enter__(self) -> Claims:
        self._register()
        self._thread = threading.Thread(target=self._beat, name="claims", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        for item in list(self._taken):
            self.release(item)
        with contextlib.suppress(OSError):
            if not self.others():
                self._remove_dead()
        with contextlib.suppress(OSError):
            self._own.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._folder.rmdir()  # only the last one can

    def _remove_dead(self) -> None:
        """Remove what dead processes left; only the last living one does."""
        for path in self._folder.glob("*.claim"):
            if not self._lives(path.read_text()):
                path.unlink(missing_ok=True)
        for path in self._folder.glob("*.worker"):
            if not self._lives(path.stem):
                path.unlink(missing_ok=True)
        for path in self._folder.glob("*.new"):
            if not self._lives(path.name.split(".")[0]):
                path.unlink(missing_ok=True)

    def take(self, item: str) -> bool:
        """Claim an item; False while a living process has it.

        Whoever took an item must look again whether it is done: another one may have
        finished it just before.
        """
        if item in self._taken:
            return True
        while True:
            number, owner = self._latest(item)
            if owner is not None and self._lives(owner):
                return False
            path = self._folder / f"{digest(item)}.{number + 1:06d}.claim"
            if self._create(path, self._key):
                self._taken[item] = path
                return True

    def release(self, item: str) -> None:
        """Give an item back, done or not."""
        path = self._taken.pop(item, None)
        if path is None:
            return
        mine = int(path.suffixes[-2][1:])
        for number, other in sorted(self._numbered_paths(item), reverse=True):
            if number <= mine:
                with contextlib.suppress(OSError):
                    other.unlink(missing_ok=True)

    @property
    def taken(self) -> frozenset[str]:
        """The items that this process has now."""
        return frozenset(self._taken)

    def write(self, name: str, content: str) -> None:
        """Put a file into the folder, whole, replacing an older one."""
        while True:
            self._folder.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                write_atomically(self._folder / name, content.encode())
                return

    def holder(self, item: str) -> Worker | None:
        """The living process that has an item; None if it is free or ours."""
        _, key = self._latest(item)
        if key is None or key == self._key or not self._lives(key):
            return None
        return self._worker(key)

    def peek(self, item: str) -> Worker | None:
        """Whoever has an item, as far as one sees who takes no part and leaves no file.

        Ages are told by this machine's clock.
        """
        _, key = self._latest(item)
        if key is None or not self._lives(key, time.time()):
            return None
        return self._worker(key)

    def others(self) -> list[Worker]:
        """The other living processes that take part."""
        keys = [path.stem for path in self._folder.glob("*.worker")]
        workers = [self._worker(key) for key in sorted(keys) if key != self._key]
        return [w for w in workers if w is not None and self._lives(w.key)]

    def _latest(self, item: str) -> tuple[int, str | None]:
        """Number and owner of the newest claim on an item; -1 and None without any."""
        found = sorted(self._numbered_paths(item))
        if not found:
            return -1, None
        number, path = found[-1]
        try:
            return number, path.read_text()
        except OSError:  # released meanwhile
            return number, None

    def _numbered_paths(self, item: str) -> Iterator[tuple[int, Path]]:
        for path in self._folder.glob(f"{digest(item)}.*.claim"):
            number = path.name.split(".")[1]
            if number.isdecimal():
                yield int(number), path

    def _lives(self, key: str, now: float | None = None) -> bool:
        """Whether a process lives; `now` is the file server's time where not known."""
        if key == self._key:
            return True
        worker = self._worker(key)
        if worker is None:
            return False
        if worker.host == host_id():
            return process_lives(worker.pid) and worker.started in (
                "", process_start(worker.pid),
            )  # fmt: skip
        try:
            if now is None:
                self._touch()
                now = self._own.stat().st_mtime
            seen = (self._folder / f"{key}.worker").stat().st_mtime
        except OSError:
            return False
        return now - seen < DEAD_SECONDS

    def _worker(self, key: str) -> Worker | None:
        return read_worker(self._folder, key)

    def _register(self) -> None:
        pid = os.getpid()
        content = {
            "machine": os.uname().nodename,
            "host": host_id(),
            "pid": pid,
            "started": process_start(pid),
        }
        self._create(self._own, json.dumps(content))

    def _create(self, path: Path, content: str) -> bool:
        """Make a file with its content at once; False if the name is taken."""
        while True:
            self._folder.mkdir(parents=True, exist_ok=True)
            passing = self._folder / f"{self._key}.{uuid.uuid4().hex[:8]}.new"
            try:
                passing.write_text(content)
                return _link(passing, path)
            except FileNotFoundError:
                continue  # the last of the others left and removed the folder
            finally:
                with contextlib.suppress(OSError):
                    passing.unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            with contextlib.suppress(OSError):
                self._touch()

    def _touch(self) -> None:
        try:
            os.utime(self._own)
        except FileNotFoundError:
            self._register()


JOURNAL = ".s3fo"
"""Folder in a results folder where processes that predict say which video they are at,
and which they have done; gone when the last of them ends."""


def videos_in_progress(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Videos of a results folder that processes are at in this moment; writes nothing.

    Args:
        folder: the results folder.
        names: of the videos.

    Returns:
        The process, for messages, by name of the video.
    """
    journal = folder / JOURNAL
    claims = list(journal.glob("*.claim")) if journal.is_dir() else []
    owners = {}
    for path in claims:
        with contextlib.suppress(OSError):
            owners[path.name.partition(".")[0]] = path.read_text()
    living = {key: _living(journal, key) for key in set(owners.values())}
    found = {name: living.get(owners.get(digest(name), "")) for name in names}
    return {name: worker for name, worker in found.items() if worker}


def _living(journal: Path, key: str) -> str:
    """A process that takes part and lives, for messages; "" if it does not."""
    worker = read_worker(journal, key)
    if worker is None:
        return ""
    if worker.host == host_id():
        started = worker.started in ("", process_start(worker.pid))
        return str(worker) if process_lives(worker.pid) and started else ""
    with contextlib.suppress(OSError):
        age = time.time() - (journal / f"{key}.worker").stat().st_mtime
        return str(worker) if age < DEAD_SECONDS else ""
    return ""


def read_worker(folder: Path, key: str) -> Worker | None:
    """What a process that takes part says of itself; None if it is gone."""
    try:
        content = json.loads((folder / f"{key}.worker").read_text())
        return Worker(
            key,
            str(content["machine"]),
            str(content["host"]),
            int(content["pid"]),
            str(content["started"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def process_start(pid: int) -> str:
    """When a process of this machine started; "" where the system does not say."""
    try:
        content = Path(f"/proc/{pid}/stat").read_text()
        return content.rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def wait_a_little(tries: int) -> None:
    """Sleep before looking again: soon at first, every two seconds later on."""
    time.sleep(min(0.05 * 2**tries, 2.0))


def _link(source: Path, target: Path) -> bool:
    """Give a file another name, unless that is taken."""
    try:
        os.link(source, target)
        return True
    except FileExistsError:
        return False
    except (PermissionError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
    # A file system without hard links (FAT, some network ones).
    try:
        handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return False
    with os.fdopen(handle, "wb") as file:
        file.write(source.read_bytes())
    return True
