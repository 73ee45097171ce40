"""Programs that are started, watched and ended with all that they started."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from evaluation.errors import InputError

_LINES = 20


_LONGEST_LINE = 300


_WITH_PARENT = (
    "import ctypes, os, signal, sys; "
    "ctypes.CDLL(None).prctl(1, signal.SIGKILL); "
    "os.getppid() == int(sys.argv[1]) or os._exit(1); "
    "os.execvp(sys.argv[2], sys.argv[2:])"
)
"""Runs a program that ends when this process does, even if it is killed (prctl(2),
PR_SET_PDEATHSIG); in a process of its own, as none may be set up after a fork where
there are threads."""


def start_program(
    words: Sequence[str], output: IO[bytes], environment: Mapping[str, str], video: str
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own.

    Raises:
        InputError: it cannot be started.
    """
    guard = [sys.executable, "-S", "-c", _WITH_PARENT, str(os.getpid())]
    try:
        # In a session of its own, so that its own processes end with it.
        return subprocess.Popen(
            [*guard, *words] if sys.platform == "linux" else list(words),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(
            f"{video}: {shlex.join(words)}",
            f"a program that cannot be started ({error.strerror})",
            "an executable program",
            "Make it executable, or name its interpreter first.",
        ) from error


def end_program(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def describe_exit(code: int) -> str:
    """How a program ended, for an error."""
    if code < 0:
        return f"a program ended by signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def last_lines(log: Path) -> str:
    """The last lines of a program's output, for an error."""
    with log.open(errors="replace") as lines:
        last = [line.rstrip()[:_LONGEST_LINE] for line in deque(lines, _LINES)]
    text = "\n    ".join(line for line in last if line)
    return f"; its last lines were:\n    {text}" if text else "; it printed nothing"
