"""`run.json`: how the masks in a results folder were made."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from evaluation._utils.atomic import write_atomically
from evaluation._utils.versions import installed_versions
from evaluation.errors import InputError

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
        """Write it into the results folder.

        Raises:
            InputError: that is no folder, or it cannot be written to.
        """
        content = {**vars(self), "frames_per_second": round(self.frames_per_second, 3)}
        text = json.dumps(content, indent=1, default=dict)
        try:
            write_atomically(folder / FILE_NAME, text.encode())
        except OSError as error:
            raise InputError(
                folder,
                f"a place that cannot be written to ({error.strerror})",
                "a folder for results",
                "Choose another folder, or make room.",
            ) from error

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

    def changes_from(self, other: RunRecord) -> dict[str, tuple[Any, Any]]:
        """What would make other masks: by setting, what it was and what it is now."""
        if self.method != other.method:
            return {"method": (other.method, self.method)}
        was, now = other._choices(), self._choices()
        return {
            name: (was.get(name, "unset"), now.get(name, "unset"))
            for name in sorted(was.keys() | now.keys())
            if was.get(name) != now.get(name)
        }

    def _choices(self) -> dict[str, Any]:
        """Settings in one level: ``engine.top_k``."""
        return _flat(json.loads(json.dumps(self.settings, default=dict)))


def open_record(
    folder: Path, fresh: RunRecord, sequences: Sequence[str], *, overwrite: bool
) -> RunRecord:
    """Go on with the record in a results folder, or begin one.

    Args:
        folder: the results folder.
        fresh: the record to begin with.
        sequences: names of the videos to segment.
        overwrite: begin anew in any case.

    Raises:
        InputError: there are results of another kind, or of nobody knows what.
    """
    old = None if overwrite else RunRecord.load(folder)
    if old is None:
        unknown = [name for name in sequences if (folder / name).is_dir()]
        if unknown and not overwrite:
            raise InputError(
                folder,
                f"results of unknown origin ({', '.join(unknown[:5])}), no {FILE_NAME}",
                "an empty folder, or an earlier run of this command",
                "Choose another folder, or overwrite.",
            )
        return fresh
    if not old.sequences:
        return fresh  # nothing was finished, so no masks can mix
    changes = fresh.changes_from(old)
    if changes:
        listed = [f"{name} {was}" for name, (was, _) in changes.items()]
        wanted = [f"{name} {now}" for name, (_, now) in changes.items()]
        raise InputError(
            folder,
            f"masks made with {', '.join(listed)}",
            f"an empty folder, or masks made with {', '.join(wanted)}",
            "Choose another folder, or overwrite.",
        )
    return old


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their dotted names."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _hardware() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }
