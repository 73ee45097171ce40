"""Which objects are corrected in which frames: planned, or decided on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from evaluation._utils.fingerprint import digest_json
from evaluation.corrections import is_low

FrameObjects = Mapping[str, tuple[int, ...]]
"""Frame -> ids of objects."""


class VideoPlan(Protocol):
    """What is corrected in one video."""

    def due(self, frame: str) -> tuple[int, ...]:
        """Objects that may be corrected in a frame."""
        ...

    def choose(self, frame: str, ious: Mapping[int, float]) -> Sequence[int]:
        """Those of them that are, by their IoU with the ground truth."""
        ...


class Plan(Protocol):
    """What is corrected in every video of a pass."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """For the record of the pass."""
        ...

    def key(self, sequence: str) -> str:
        """Digest of everything that the corrections of a video rest on."""
        ...

    def begin(self, sequence: str) -> VideoPlan:
        """Start a video."""
        ...


@dataclass(frozen=True)
class Planned:
    """Corrections that are known before the pass.

    Attributes:
        frames: by sequence.
        inputs: digest of the masks, by sequence, that they were chosen by.
        settings: for the record.
    """

    frames: Mapping[str, FrameObjects]
    inputs: Mapping[str, str]
    settings: Mapping[str, Any]

    def key(self, sequence: str) -> str:
        """Of the frames, and of the masks by which they were chosen."""
        frames = {k: list(v) for k, v in self.frames.get(sequence, {}).items()}
        return digest_json([frames, self.inputs.get(sequence, "")])

    def begin(self, sequence: str) -> VideoPlan:
        """Start a video."""
        return _PlannedVideo(self.frames.get(sequence, {}))


@dataclass(frozen=True)
class _PlannedVideo:
    frames: FrameObjects

    def due(self, frame: str) -> tuple[int, ...]:
        return self.frames.get(frame, ())

    def choose(self, frame: str, ious: Mapping[int, float]) -> Sequence[int]:
        return self.due(frame)


@dataclass(frozen=True)
class Online:
    """Every object is corrected in its first frames below an IoU.

    Attributes:
        candidates: frames in which objects may be corrected, by sequence.
        inputs: digest of the masks, by sequence, before any correction.
        budget: corrections per object.
        threshold: IoU below which one is made.
    """

    candidates: Mapping[str, FrameObjects]
    inputs: Mapping[str, str]
    budget: int
    threshold: float

    @property
    def settings(self) -> Mapping[str, Any]:
        """For the record of the pass."""
        return {
            "policy": "online",
            "budget": self.budget,
            "threshold": self.threshold,
        }

    def key(self, sequence: str) -> str:
        """Of the ground truth and the masks before any correction."""
        return digest_json([dict(self.settings), self.inputs.get(sequence, "")])

    def begin(self, sequence: str) -> VideoPlan:
        """Start a video."""
        return _OnlineVideo(
            self.candidates.get(sequence, {}), self.budget, self.threshold
        )


@dataclass
class _OnlineVideo:
    candidates: FrameObjects
    budget: int
    threshold: float
    made: Counter[int] = field(default_factory=Counter)

    def due(self, frame: str) -> tuple[int, ...]:
        shown = self.candidates.get(frame, ())
        return tuple(key for key in shown if self.made[key] < self.budget)

    def choose(self, frame: str, ious: Mapping[int, float]) -> Sequence[int]:
        low = [key for key, iou in ious.items() if is_low(iou, self.threshold)]
        self.made.update(low)
        return low
