"""Training curves: a CSV table always, TensorBoard where it is installed."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Curves:
    """Collects values per step and writes their means every `interval` steps.

    Attributes:
        file: ``curves.csv`` in the run's folder; grows over resumed runs.
    """

    def __init__(self, folder: Path, interval: int = 20) -> None:
        self.file = folder / "curves.csv"
        self.interval = interval
        self._sums: dict[str, float] = {}
        self._count = 0
        self._board = _tensorboard(folder)

    def add(self, step: int, values: Mapping[str, float]) -> dict[str, float] | None:
        """Take in the values of a step; the means when they were written."""
        self._count += 1
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        if self._count < self.interval:
            return None
        means = {name: total / self._count for name, total in self._sums.items()}
        self._sums, self._count = {}, 0
        self.write(step, means)
        return means

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write values of a step at once, in long form: step, name, value."""
        fresh = not self.file.exists()
        with self.file.open("a", newline="") as stream:
            writer = csv.writer(stream)
            if fresh:
                writer.writerow(["step", "name", "value"])
            for name, value in values.items():
                writer.writerow([step, name, f"{value:.6g}"])
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"), flush_secs=30)
