"""Kinds of video that are easy to get wrong, on synthetic clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

RECORDED = Path(__file__).resolve().parents[1] / "fixtures" / "s3" / "public"
"""What the official program made of synthetic clips, and these clips."""

_MASKS = {
    "crossing_96": ("o01_tiny_k3_fifo", "mask_0"),
    "away_80": ("o04_tiny_k3_flip_longterm", "mask_0"),
    "post_75": ("o11_tiny_no_mask_first", "mask_2"),
}
"""Clip -> the recorded case and its array with a mask of objects 1, 2 and 3."""


@dataclass(frozen=True)
class Given:
    """A mask at a frame: which of the drawn objects, and the ids that they get."""

    ids: Mapping[int, int] = field(default_factory=dict)
    soft: bool = False

    @property
    def objects(self) -> list[int] | None:
        """Ids to name to the engine; a soft mask has a channel per object instead."""
        return None if self.soft else list(self.ids.values())

    def mask(self, drawn: np.ndarray) -> np.ndarray:
        """[H, W] int64 label map, or [K, H, W] float32 of a soft mask."""
        if self.soft:
            return np.stack([0.9 * (drawn == k) for k in self.ids]).astype(np.float32)
        label_map = np.zeros(drawn.shape, np.int64)
        for old, new in self.ids.items():
            label_map[drawn == old] = new
        return label_map


@lru_cache
def clip(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Frames [T, H, W, 3] uint8 and the drawn label map [H, W] of a clip."""
    recorded, array = _MASKS[name]
    with np.load(RECORDED / f"clip_{name}.npz") as file:
        frames = file["frames"]
    with np.load(RECORDED / f"{recorded}.npz") as file:
        return frames, file[array]


@dataclass(frozen=True)
class Case:
    """A clip, settings, and what happens at which frame."""

    name: str
    clip: str
    masks: dict[int, Given]
    overrides: dict[str, Any] = field(default_factory=dict)
    preset: str = "tiny"
    frames: int = 9
    rot90: bool = False
    permanent: tuple[int, ...] = ()
    deleted: dict[int, list[int]] = field(default_factory=dict)

    def play(self, engine: Any) -> list[np.ndarray]:
        """Probabilities of all frames."""
        frames, drawn = clip(self.clip)
        if self.rot90:
            frames, drawn = np.rot90(frames, 1, axes=(1, 2)), np.rot90(drawn)
        results = []
        for t, frame in enumerate(frames[: self.frames]):
            if t in self.deleted:
                engine.delete_objects(self.deleted[t])
            image = np.ascontiguousarray(frame.transpose(2, 0, 1), np.float32) / 255
            given = self.masks.get(t)
            results.append(
                engine.step(
                    image,
                    given and given.mask(drawn),
                    given and given.objects,
                    **({"idx_mask": not given.soft} if given else {}),
                    end=t == self.frames - 1,
                    force_permanent=t in self.permanent,
                )
            )
        return results


_EMPTY = Given()
_ALL = Given({1: 1, 2: 2, 3: 3})
_THREE = {0: _ALL}
_ONE = {0: Given({2: 1})}
_LIMITS = {
    "max_mem_frames": 4,
    "min_mem_frames": 2,
    "num_prototypes": 32,
    "max_num_tokens": 128,
    "buffer_tokens": 32,
}
_LONG = {"mem_every": 1, "use_long_term": True, "long_term": _LIMITS}
_FIFO = {"mem_every": 2, "max_mem_frames": 3}

CASES = [
    Case("h01_tiny_k3_fifo_default", "crossing_96", _THREE, frames=12),
    Case("h02_tiny_k1_longterm", "away_80", _ONE, _LONG),
    Case(
        "h03_tiny_k3_longterm_nocount",
        "crossing_96",
        _THREE,
        {**_LONG, "long_term": {**_LIMITS, "count_usage": False}},
        frames=9,
    ),
    Case(
        "h04_tiny_add_objects_fifo",
        "crossing_96",
        {0: Given({1: 7}), 5: Given({2: 3}), 9: Given({3: 12})},
        _FIFO,
        frames=12,
    ),
    Case(
        "h05_tiny_add_objects_longterm",
        "crossing_96",
        {0: Given({1: 1, 2: 2}), 6: Given({3: 3})},
        _LONG,
        frames=12,
    ),
    Case("h06_tiny_k3_flip_fifo", "crossing_96", _THREE, {**_FIFO, "flip_aug": True}),
    Case(
        "h07_tiny_k3_flip_longterm", "crossing_96", _THREE, {**_LONG, "flip_aug": True}
    ),
    Case("h08_tiny_k3_chunk1", "crossing_96", _THREE, {"chunk_size": 1}, frames=6),
    Case("h09_tiny_k3_chunkall", "crossing_96", _THREE, {"chunk_size": 3}, frames=6),
    Case(
        "h10_tiny_k3_topk5_stagger",
        "away_80",
        _THREE,
        {"top_k": 5, "stagger_updates": 2},
        frames=12,
    ),
    Case("h11_tiny_k3_oddsize", "post_75", _THREE, _FIFO),
    Case("h12_tiny_k3_portrait", "away_80", _THREE, _FIFO, rot90=True),
    Case(
        "h13_tiny_soft_internal_size",
        "away_80",
        {0: Given({1: 1, 2: 2, 3: 3}, soft=True)},
        {**_FIFO, "max_internal_size": 64},
    ),
    Case(
        "h14_tiny_reannotate_all",
        "crossing_96",
        {0: _ALL, 6: Given({2: 1, 3: 2, 1: 3})},
        _FIFO,
    ),
    Case(
        "h15_tiny_no_mask_first",
        "crossing_96",
        {2: _EMPTY, 3: _ALL, 8: _EMPTY},
        _FIFO,
    ),
    Case("h16_tiny8_k3_fifo", "crossing_96", _THREE, _FIFO, preset="tiny8", frames=4),
    Case(
        "h17_tinyfpn_k3_fifo", "crossing_96", _THREE, _FIFO, preset="tiny_fpn", frames=4
    ),
    Case(
        "h18_tinyr18_k3_fifo", "crossing_96", _THREE, _FIFO, preset="tiny_r18", frames=4
    ),
    Case(
        "h19_tiny_k1_stagger10",
        "away_80",
        _ONE,
        {"mem_every": 10, "stagger_updates": 4},
        frames=12,
    ),
    Case("v01_vitb_k3_fifo", "crossing_96", _THREE, _FIFO, preset="vitb", frames=3),
    Case(
        "v02_vitb_k1_flip_longterm",
        "away_80",
        _ONE,
        {**_LONG, "flip_aug": True},
        preset="vitb",
        frames=3,
    ),
    Case(
        "v03_vitbvit_k3_fifo", "crossing_96", _THREE, _FIFO, preset="vitb_vit", frames=3
    ),
    Case(
        "x01_fixed_partial_mask",
        "crossing_96",
        {0: Given({1: 1, 2: 2}), 5: Given({2: 2, 3: 3})},
        _FIFO,
    ),
    Case("x02_fixed_force_permanent", "crossing_96", _THREE, _LONG, permanent=(3, 6)),
    Case(
        "x03_fixed_idx_internal_size",
        "away_80",
        _THREE,
        {**_FIFO, "max_internal_size": 64},
    ),
    Case("x04_delete_object", "crossing_96", _THREE, _LONG, deleted={6: [2]}),
]
