"""Commands that are killed, starved and run side by side, and what they leave."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import prepared

LONG = os.environ.get("S3FO_FAULTS") == "long"
"""Set by `make faults`: many more attempts of everything."""

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


@dataclass
class Count:
    """How many attacks were tried, and how many were survived, by kind."""

    tried: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)

    def table(self) -> str:
        rows = [
            f"  {k:<28} {self.survived[k]:>4} of {n}" for k, n in self.tried.items()
        ]
        total = f"{sum(self.survived.values())} of {sum(self.tried.values())}"
        return "\n".join([f"faults survived: {total}", *rows])


COUNT = Count()


class survived:
    """Counts a block as tried, and as survived if nothing is raised in it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __enter__(self) -> None:
        COUNT.tried[self.kind] += 1

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        COUNT.survived[self.kind] += kind is None


@dataclass
class Done:
    code: int
    out: str
    err: str

    def check_plain(self) -> Done:
        """No traceback, whatever happened."""
        assert "Traceback" not in self.err, self.err[-3000:]
        return self


def start(words, cache: Path, room: int | None = None) -> prepared.Forked:
    """Start a command; `room` limits the bytes of any file it writes."""
    env = {**os.environ, "S3FO_CACHE_DIR": str(cache), "OMP_NUM_THREADS": "1"}
    return prepared.start([*map(str, words)], env, room)


def finish(process: prepared.Forked) -> Done:
    out, err = process.communicate(timeout=900 if LONG else 120)
    return Done(process.returncode, out, err)


def run(words, cache: Path, room: int | None = None) -> Done:
    return finish(start(words, cache, room)).check_plain()


def kill_at_random(words, cache: Path, longest: float, chance: random.Random) -> Done:
    """Start a command and end it by a signal some time before it would end."""
    process = start(words, cache)
    time.sleep(chance.uniform(0.0, longest))
    process.send_signal(chance.choice(SIGNALS))
    return finish(process)


def tree(folder: Path) -> dict[str, bytes]:
    """Content of all files, without what times and machines differ in."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(folder))
            found[name] = _lasting(path)
    return found


def left_behind(folder: Path) -> list[str]:
    """Unfinished files and claims."""
    odd = [*folder.rglob("*.part"), *folder.rglob(".s3fo")]
    return [str(path.relative_to(folder)) for path in odd]


_PASSING = {
    "scored", "started", "finished", "seconds", "frames_per_second", "run", "machine",
    "peak_memory_mb", "hardware", "state", "replaces",
}  # fmt: skip


def _lasting(path: Path) -> bytes:
    if path.suffix != ".json":
        return path.read_bytes()
    return json.dumps(_without_times(json.loads(path.read_text()))).encode()


def _without_times(value):
    if isinstance(value, dict):
        return {k: _without_times(v) for k, v in value.items() if k not in _PASSING}
    return [_without_times(v) for v in value] if isinstance(value, list) else value
