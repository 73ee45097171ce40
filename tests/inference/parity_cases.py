"""Kinds of video that are easy to get wrong, with inputs of the reference data."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


def load_module(path: Path) -> ModuleType:
    """Import a file that is in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Given:
    """A mask at a frame: its name in the case's file, and what it is said to hold."""

    mask: str
    objects: list[int] | None
    idx_mask: bool = True


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

    def play(self, engine: Any, shared: Path) -> list[np.ndarray]:
        """Probabilities of all frames."""
        folder = shared / "fixtures/s3/inputs"
        with np.load(folder / f"clip_{self.clip}.npz") as clip:
            frames = clip["frames"][: self.frames]
        with np.load(folder / f"{self.name}.npz") as file:
            masks = {name[5:]: file[name] for name in file.files}
        if self.rot90:
            frames = np.rot90(frames, 1, axes=(1, 2))
        results = []
        for t, frame in enumerate(frames):
            if t in self.deleted:
                engine.delete_objects(self.deleted[t])
            image = np.ascontiguousarray(frame.transpose(2, 0, 1), np.float32) / 255
            given = self.masks.get(t)
            mask, keywords = None, {}
            if given:
                mask = masks[given.mask].astype(
                    np.int64 if given.idx_mask else np.float32
                )
                keywords = {"idx_mask": given.idx_mask}
            results.append(
                engine.step(
                    image,
                    mask,
                    given and given.objects,
                    **keywords,
                    end=t == len(frames) - 1,
                    force_permanent=t in self.permanent,
                )
            )
        return results


_THREE = {0: Given("0", [1, 2, 3])}
_ONE = {0: Given("0", [1])}
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
    Case("h01_tiny_k3_fifo_default", "camel_96", _THREE, frames=12),
    Case("h02_tiny_k1_longterm", "libby_96", _ONE, _LONG),
    Case(
        "h03_tiny_k3_longterm_nocount",
        "dance-twirl_96",
        _THREE,
        {**_LONG, "long_term": {**_LIMITS, "count_usage": False}},
        frames=9,
    ),
    Case(
        "h04_tiny_add_objects_fifo",
        "camel_96",
        {0: Given("0", [7]), 5: Given("5", [3]), 9: Given("9", [12])},
        _FIFO,
        frames=12,
    ),
    Case(
        "h05_tiny_add_objects_longterm",
        "dance-twirl_96",
        {0: Given("0", [1, 2]), 6: Given("6", [3])},
        _LONG,
        frames=12,
    ),
    Case("h06_tiny_k3_flip_fifo", "camel_96", _THREE, {**_FIFO, "flip_aug": True}),
    Case("h07_tiny_k3_flip_longterm", "camel_96", _THREE, {**_LONG, "flip_aug": True}),
    Case("h08_tiny_k3_chunk1", "camel_96", _THREE, {"chunk_size": 1}, frames=6),
    Case("h09_tiny_k3_chunkall", "camel_96", _THREE, {"chunk_size": 3}, frames=6),
    Case(
        "h10_tiny_k3_topk5_stagger",
        "libby_96",
        _THREE,
        {"top_k": 5, "stagger_updates": 2},
        frames=12,
    ),
    Case("h11_tiny_k3_oddsize", "soapbox_101", _THREE, _FIFO),
    Case("h12_tiny_k3_portrait", "paragliding-launch_90", _THREE, _FIFO, rot90=True),
    Case(
        "h13_tiny_soft_internal_size",
        "kite-surf_120",
        {0: Given("0", None, idx_mask=False)},
        {**_FIFO, "max_internal_size": 96},
    ),
    Case(
        "h14_tiny_reannotate_all",
        "camel_96",
        {0: Given("0", [1, 2, 3]), 6: Given("6", [1, 2, 3])},
        _FIFO,
    ),
    Case(
        "h15_tiny_no_mask_first",
        "camel_96",
        {2: Given("e", []), 3: Given("0", [1, 2, 3]), 8: Given("e", [])},
        _FIFO,
    ),
    Case("h16_tiny8_k3_fifo", "camel_96", _THREE, _FIFO, preset="tiny8", frames=4),
    Case("h17_tinyfpn_k3_fifo", "camel_96", _THREE, _FIFO, preset="tiny_fpn", frames=4),
    Case("h18_tinyr18_k3_fifo", "camel_96", _THREE, _FIFO, preset="tiny_r18", frames=4),
    Case(
        "h19_tiny_k1_stagger10",
        "libby_96",
        _ONE,
        {"mem_every": 10, "stagger_updates": 4},
        frames=12,
    ),
    Case("v01_vitb_k3_fifo", "camel_96", _THREE, _FIFO, preset="vitb", frames=3),
    Case(
        "v02_vitb_k1_flip_longterm",
        "libby_96",
        _ONE,
        {**_LONG, "flip_aug": True},
        preset="vitb",
        frames=3,
    ),
    Case("v03_vitbvit_k3_fifo", "camel_96", _THREE, _FIFO, preset="vitb_vit", frames=3),
    Case(
        "x01_fixed_partial_mask",
        "camel_96",
        {0: Given("0", [1, 2]), 5: Given("5", [2, 3])},
        _FIFO,
    ),
    Case("x02_fixed_force_permanent", "camel_96", _THREE, _LONG, permanent=(3, 6)),
    Case(
        "x03_fixed_idx_internal_size",
        "kite-surf_120",
        _THREE,
        {**_FIFO, "max_internal_size": 96},
    ),
    Case("x04_delete_object", "camel_96", _THREE, _LONG, deleted={6: [2]}),
]
