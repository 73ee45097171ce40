"""Engine Ray: tasks of a Ray cluster, handed over by a process of its own.

Ray ends a driver that loses its cluster without asking. So the driver is a child, which
may die: this process then says what happened. All that passes between them are files.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from evaluation._utils.atomic import write_atomically
from evaluation.errors import InputError, InputWarning
from s3fo.cluster.engines.base import LOGS, Handle, Resources
from s3fo.cluster.engines.ray_driver import TOLD, Order
from s3fo.cluster.task_file import Verb

_SLOTS = 8
"""Tasks at once, for dividing the work: Ray is not asked before it is needed."""

_STOP_SECONDS = 20.0
"""That the driver gets to leave its cluster."""

_FIX = (
    "See that it runs (`ray status`) and can be reached, then repeat the same command: "
    "finished videos are kept."
)


class RayEngine:
    """Tasks of a Ray cluster, begun again where a worker or a node is lost.

    Args:
        on: ``"ray"`` or ``"ray://host:port"``.
        verb: what the tasks do.
        resources: what each gets.
    """

    name, outlives_us = "ray", False
    retries = 0  # Ray's own; see the driver
    at_once: int | None = None

    def __init__(self, on: str, verb: Verb, resources: Resources) -> None:
        self._on, self._verb, self._resources = on, verb, resources
        self.slots = resources.parallel or _SLOTS
        self._drivers: list[_Driver] = []

    def submit(self, paths: Sequence[Path]) -> list[Handle]:
        """Start a driver that hands them to Ray, a few at a time."""
        order = Order(
            self._on, self._verb, asdict(self._resources), tuple(map(str, paths))
        )
        driver = _Driver(self._on, order, paths[0].parent / LOGS)
        self._drivers.append(driver)
        return [_WithRay(path, driver) for path in paths]

    def attach(self, path: Path, task_id: str) -> Handle | None:
        """A driver's tasks end with it."""
        return None

    def close(self) -> None:
        """Leave the cluster, which stops tasks that have not ended."""
        for driver in self._drivers:
            driver.stop()
            if driver.process.returncode != 1:  # whose words are an error
                for line in driver.told():
                    warnings.warn(line, InputWarning, stacklevel=2)


class _Driver:
    """The process that talks to Ray."""

    def __init__(self, on: str, order: Order, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        number = len(list(folder.glob("ray-*.json"))) + 1
        path = folder / f"ray-{number}.json"
        write_atomically(path, json.dumps(asdict(order), indent=1).encode())
        self.on, self.log = on, path.with_suffix(".log")
        words = [sys.executable, "-m", "s3fo.cluster.engines.ray_driver", str(path)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        self.id = str(self.process.pid)

    def check(self) -> None:
        """See that it works.

        Raises:
            InputError: it lost its cluster, or found none.
        """
        code = self.process.poll()
        if code is None or code == 0:
            return
        told = self.told()
        why = told[-1] if told else f"the connection was lost (exit code {code})"
        raise InputError(
            f"--on {self.on}",
            f"{why}; log: {self.log}",
            "a Ray cluster that stays until the end",
            _FIX,
        )

    def told(self) -> list[str]:
        """What it has to say to people."""
        with suppress(OSError):
            lines = self.log.read_text(errors="replace").splitlines()
            return [line[len(TOLD) :] for line in lines if line.startswith(TOLD)]
        return []

    def stop(self) -> None:
        """End it; its tasks end with it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP_SECONDS)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class _WithRay:
    """A task that a driver has."""

    def __init__(self, path: Path, driver: _Driver) -> None:
        self.path, self._driver, self.id = path, driver, f"driver {driver.id}"

    def problem(self) -> str:
        """Why its process is gone.

        Raises:
            InputError: the cluster is gone, and with it all tasks.
        """
        self._driver.check()
        ended = self._driver.process.poll() is not None
        return "Ray ended it without a word" if ended else ""

    def cancel(self) -> None:
        self._driver.stop()
