"""`speed.json`: how fast a method is, by number of objects, frame size and length."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from evaluation._utils.atomic import write_atomically
from evaluation._utils.json_files import parse, read_json
from evaluation.errors import InputError

SPEED_FILE = "speed.json"
"""Beside ``run.json``: a report draws what it says."""

SCHEMA = 1
_WHAT = "the JSON that `s3fo speed --out` writes"
_FIX = "Measure again with `s3fo speed`, or delete this file."


@dataclass(frozen=True)
class SpeedRow:
    """One measurement.

    Attributes:
        objects: how many are followed.
        height: of the frames, in pixels.
        width: of the frames, in pixels.
        length: frames of the clip, those of the warm-up included.
        frames: frames that were measured.
        fps: measured frames per second.
        latency_p50_ms: median time of a frame in milliseconds; None where a program
            does all frames at once.
        latency_p95_ms: time that 95 % of the frames keep within; None likewise.
        first_frame_ms: time of the first frame, masks given; None likewise.
        peak_memory_mb: peak while the clip ran, see `SpeedRecord.memory`; None where it
            cannot be told.
    """

    objects: int
    height: int
    width: int
    length: int
    frames: int
    fps: float
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    first_frame_ms: float | None
    peak_memory_mb: float | None


@dataclass(frozen=True)
class SpeedRecord:
    """Measurements of one method on one machine.

    Attributes:
        method: name of the method.
        device: what it ran on.
        settings: everything that changes its results.
        warm_up: frames at the beginning of each clip that are not measured.
        timing: what lies between start and stop of the clock, in words.
        synchronisation: how the device was waited for, in words.
        memory: what the peak is of, in words.
        rows: the measurements.
        versions: of the packages that took part.
        hardware: the machine.
        measured: when, UTC.
        schema: version of this form.
    """

    method: str
    device: str
    settings: Mapping[str, Any]
    warm_up: int
    timing: str
    synchronisation: str
    memory: str
    rows: tuple[SpeedRow, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    hardware: Mapping[str, Any] = field(default_factory=dict)
    measured: str = ""
    schema: int = SCHEMA

    def to_dict(self) -> dict[str, object]:
        """JSON-able content."""
        return asdict(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file; into a folder as ``speed.json``.

        Raises:
            InputError: it cannot be written there.
        """
        path = Path(path)
        if path.is_dir():
            path = path / SPEED_FILE
        text = json.dumps(self.to_dict(), indent=1, default=dict) + "\n"
        try:
            write_atomically(path, text.encode())
        except OSError as error:
            raise InputError(
                path,
                f"a place that cannot be written to ({error.strerror})",
                "a file, or the results folder of the method",
                "Choose another path for the measurements.",
            ) from error
        return path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SpeedRecord:
        """Read one from a file, or from ``speed.json`` in a folder.

        Raises:
            InputError: it is missing, damaged, or of another form.
        """
        path = Path(path)
        if path.is_dir():
            path = path / SPEED_FILE
        content = read_json(path, _FIX, _WHAT)
        schema = content.get("schema") if isinstance(content, dict) else None
        if schema != SCHEMA:
            raise InputError(path, f"schema {schema}", f"{_WHAT} ({SCHEMA})", _FIX)
        return parse(content, cls, path, _FIX)
