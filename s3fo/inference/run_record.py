"""`run.json`: how the masks in a results folder were made."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from evaluation.errors import InputError
from evaluation.labelmap import write_atomically
from evaluation.versions import installed_versions

FILE_NAME = "run.json"
_PACKAGES = ("s3fo", "numpy", "opencv-python-headless", "av", "torch")


@dataclass
class RunRecord:
    """What made the masks of a results folder, and how fast.

    Attributes:
        method: name of the method.
        settings: everything that changes its results (weights by their hash).
        benchmark: name of the benchmark, if it has one.
        sequences: of each finished video, ``frames`` and ``seconds``.
        failures: of each failed video, what went wrong.
        started: when the folder was begun, UTC.
        versions: of the packages that took part.
        device: what the method ran on.
        hardware: the machine.
    """

    method: str
    settings: Mapping[str, Any]
    device: str = "cpu"
    benchmark: str | None = None
    sequences: dict[str, dict[str, float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    started: str = field(
        default_factory=lambda: datetime.now(timezone.utc).isoformat("T", "seconds")
    )
    versions: dict[str, str] = field(
        default_factory=lambda: installed_versions(_PACKAGES)
    )
    hardware: dict[str, Any] = field(default_factory=lambda: _hardware())

    @property
    def frames_per_second(self) -> float:
        """Frames over seconds of all finished videos; 0 before the first."""
        seconds = sum(entry["seconds"] for entry in self.sequences.values())
        frames = sum(entry["frames"] for entry in self.sequences.values())
        return frames / seconds if seconds else 0.0

    def save(self, folder: Path) -> None:
        """Write it into the results folder."""
        content = {**vars(self), "frames_per_second": round(self.frames_per_second, 3)}
        text = json.dumps(content, indent=1, default=dict)
        write_atomically(folder / FILE_NAME, text.encode())

    @classmethod
    def load(cls, folder: Path) -> RunRecord | None:
        """Read it from a results folder; None if there is none.

        Raises:
            InputError: it is there, but damaged.
        """
        path = folder / FILE_NAME
        if not path.is_file():
            return None
        try:
            content = json.loads(path.read_text())
            content.pop("frames_per_second")
            return cls(**content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                path, f"a damaged run record ({error})", "JSON", "Delete this file."
            ) from error

    def continues(self, other: RunRecord) -> bool:
        """Whether both would put equal masks into the folder."""
        ours = json.dumps([self.method, self.settings], sort_keys=True, default=dict)
        theirs = json.dumps([other.method, other.settings], sort_keys=True)
        return ours == theirs


def _hardware() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }
