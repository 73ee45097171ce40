"""Replay what the official program did to a clip, and compare every number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s3fo.inference.engine.memory import TokenCounts

MAX_ERROR = 1e-4
"""Largest difference of a probability; the official program against itself with other
threads or in double precision differs by up to 6e-6."""

MAX_CHANGED = 5e-4
"""Share of pixels that may go to another object: ties of the arg max."""

_STORED_STEP = 0.5 / 65535
"""Probabilities are stored in 16 bits."""


@dataclass(frozen=True)
class RecordedCase:
    """A clip, the steps of the official program, and what it computed."""

    config: str
    seed: int
    overrides: dict[str, Any]
    steps: list[dict[str, Any]]
    stride: int
    frames: np.ndarray
    arrays: dict[str, np.ndarray]

    @property
    def predictions(self) -> list[dict[str, Any]]:
        """The steps that segment a frame (others delete objects)."""
        return [step for step in self.steps if step["op"] == "step"]

    def mask(self, step: dict[str, Any]) -> np.ndarray | None:
        """The mask given at a step: [H, W] int64, or [K, H, W] float32 (soft)."""
        if step.get("mask") is None:
            return None
        dtype = np.int64 if step.get("idx_mask", True) else np.float32
        return self.arrays[f"mask_{step['mask']}"].astype(dtype)

    def image(self, step: dict[str, Any]) -> np.ndarray:
        """[3, H, W] float32 in 0..1."""
        frame = self.frames[step["t"]].transpose(2, 0, 1)
        return np.ascontiguousarray(frame).astype(np.float32) / 255


def load_case(path: Path) -> RecordedCase:
    """Read a case: JSON, arrays beside it, and its clip."""
    meta = json.loads(path.read_text())
    with np.load(path.parent / f"clip_{meta['clip']}.npz") as file:
        frames = file["frames"]
    with np.load(path.with_suffix(".npz")) as file:
        arrays = dict(file)
    return RecordedCase(
        meta["config"],
        meta["seed"],
        meta["overrides"],
        meta["steps"],
        meta["prob_stride"],
        frames,
        arrays,
    )


def replay(case: RecordedCase, engine: Any) -> list[str]:
    """Take every step, and return how the engine differs from the record."""
    wrong = []
    for number, step in enumerate(case.steps):
        if step["op"] == "delete":
            engine.delete_objects(step["objects"])
            continue
        found = np.asarray(
            engine.step(
                case.image(step),
                case.mask(step),
                step.get("objects"),
                idx_mask=step.get("idx_mask", True),
                end=step.get("end", False),
                force_permanent=step.get("force_permanent", False),
            )
        )
        wrong += [f"step {number}: {text}" for text in _compare(case, number, found)]
    return wrong


def _compare(case: RecordedCase, number: int, found: np.ndarray) -> list[str]:
    if list(found.shape) != case.steps[number]["prob_shape"]:
        return [f"shape {found.shape}"]
    stored = case.arrays[f"prob_s_{number:02d}"] / 65535.0
    error = np.abs(found[:, :: case.stride, :: case.stride] - stored).max(initial=0)
    changed = (found.argmax(0) != case.arrays[f"argmax_{number:02d}"]).mean()
    wrong = []
    if error - _STORED_STEP > MAX_ERROR:
        wrong.append(f"off by {error:.1e}")
    if changed > MAX_CHANGED:
        wrong.append(f"{100 * changed:.2f} % of the pixels are another object's")
    return wrong


def expected_memory(step: dict[str, Any]) -> tuple[TokenCounts, ...]:
    """The official program's bookkeeping after a step, one entry per bucket."""
    after = step["state_after"]
    counts = []
    for bucket, objects in after["buckets"].items():
        permanent = after["perm_tokens"][bucket]
        temporary = after["work_tokens"][bucket] - permanent
        long_term = after.get("long_tokens", {}).get(bucket, 0)
        counts.append(TokenCounts(tuple(objects), long_term, permanent, temporary))
    return tuple(counts)
