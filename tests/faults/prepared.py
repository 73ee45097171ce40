"""Processes of `s3fo` that are forked from one that has loaded its libraries.

A command spends most of its time on libraries; attacks on it are aimed at its work.
Each is a process of its own all the same: it can be killed, and loads all of `s3fo`
itself. Run as a script, this is the process that the others are forked from.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from functools import cache

LIBRARIES = ("cv2", "jinja2", "matplotlib.figure", "pandas", "pyarrow", "rich.table")
OF_FIFTYONE = (
    *("eta.core.video", "motor", "mongoengine", "plotly.graph_objects"),
    *("pydantic", "scipy.stats", "skimage.measure", "sklearn.linear_model"),
    *("starlette", "strawberry.asgi"),
)
"""What FiftyOne loads; not FiftyOne itself, whose connections would be shared."""


class Forked:
    """A forked process, with what tests need of `subprocess.Popen`.

    Args:
        pipes: ends to read, of standard output, of standard error, and of what its
            parent says: its id, and how it ended.
    """

    def __init__(self, pipes: list[int]) -> None:
        self._read = dict.fromkeys(pipes, b"")
        self._told = pipes[-1]
        self._open = selectors.DefaultSelector()
        for pipe in pipes:
            self._open.register(pipe, selectors.EVENT_READ)
        self._read_until(lambda: b"\n" in self._read[self._told], 60)
        self.pid = int(self._read[self._told].split()[0])
        self.returncode: int | None = None

    def _read_until(self, enough, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not enough():
            ready = self._open.select(max(0.0, end - time.monotonic()))
            if not ready:
                raise subprocess.TimeoutExpired("s3fo", seconds)
            for key, _ in ready:
                data = os.read(key.fd, 65536)
                self._read[key.fd] += data
                if not data:
                    self._open.unregister(key.fd)
                    os.close(key.fd)

    def send_signal(self, number: int) -> None:
        """Do nothing where the process has ended, as Popen does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Wait for the end; what came on standard output and error."""
        self._read_until(lambda: not self._open.get_map(), timeout)
        out, err, told = self._read.values()
        self.returncode = os.waitstatus_to_exitcode(int(told.split()[1]))
        return out.decode(), err.decode()


@cache
def _server(libraries: tuple[str, ...]) -> socket.socket:
    """A socket that takes what to start; its process ends when the tests do."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    subprocess.Popen(
        [sys.executable, __file__, str(its.fileno()), *libraries],
        pass_fds=[its.fileno()],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    its.close()
    return ours


def start(words: list[str], env: dict[str, str], room: int | None) -> Forked:
    """Start `s3fo` with words; `room` limits the bytes of any file it writes."""
    of_fiftyone = words[0] in ("load", "import-predictions")
    server = _server((*LIBRARIES, *(OF_FIFTYONE if of_fiftyone else ())))
    ours, its = zip(*(os.pipe() for _ in range(3)), strict=True)
    asked = json.dumps({"words": words, "env": env, "room": room})
    socket.send_fds(server, [asked.encode()], list(its))
    for pipe in its:
        os.close(pipe)
    return Forked(list(ours))


def _serve(asked_at: socket.socket) -> None:
    """Fork for everything that is asked; returns in the forked processes only."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how parents ended
    while True:
        asked, pipes, _, _ = socket.recv_fds(asked_at, 1 << 20, 3)
        if not asked:
            os._exit(0)
        if os.fork() == 0:
            asked_at.close()
            _fork_and_tell(pipes.pop())
            _become(json.loads(asked), pipes)
            return
        for pipe in pipes:
            os.close(pipe)


def _fork_and_tell(told: int) -> None:
    """Stay the parent of a command: tell its id, and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    command = os.fork()
    if command:
        os.closerange(0, told)
        os.write(told, f"{command}\n".encode())
        os.write(told, f"{os.waitpid(command, 0)[1]}\n".encode())
        os._exit(0)
    os.close(told)


def _become(asked: dict, pipes: list[int]) -> None:
    """Give a forked process what a started one would have."""
    import resource

    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, pipe in enumerate([os.open(os.devnull, os.O_RDONLY), *pipes]):
        os.dup2(pipe, number)
        os.close(pipe)
    # Made anew: those that are there know what the old files could do.
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(asked["env"])
    if asked["room"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["room"], asked["room"]))
    sys.argv = ["s3fo", *asked["words"]]


if __name__ == "__main__":
    import importlib

    for name in sys.argv[2:]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    _serve(socket.socket(fileno=int(sys.argv[1])))
    sys.path[0] = os.getcwd()
    from s3fo.cli import main

    main()
