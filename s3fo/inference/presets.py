"""The settings each benchmark is run with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.errors import InputError
from s3fo.benchmarks import catalog
from s3fo.inference.engine.config import InferenceConfig, LongTermConfig


@dataclass(frozen=True)
class InferencePreset:
    """How a benchmark is run.

    Attributes:
        engine: settings of the engine.
        size: shorter side in pixels that larger frames are shrunk to; None = keep.
    """

    engine: InferenceConfig
    size: int | None = None


def _fifo(size: int, *, every: int = 5, frames: int = 5) -> InferencePreset:
    engine = InferenceConfig(mem_every=every, max_mem_frames=frames)
    return InferencePreset(engine, size)


def _long_term(size: int | None, *, every: int = 5) -> InferencePreset:
    engine = InferenceConfig(mem_every=every, use_long_term=True)
    return InferencePreset(engine, size)


_SHIPPED_LIMITS = LongTermConfig(
    max_mem_frames=25, min_mem_frames=15, max_num_tokens=30_000, buffer_tokens=3_000
)

GENERIC = "generic"

PRESETS: Mapping[str, InferencePreset] = {
    GENERIC: _long_term(None),
    "davis": _fifo(480),
    "youtube-vos": _fifo(480),
    "mose": _fifo(480),
    "burst": _long_term(600, every=10),
    "lvos": _long_term(600),
    # Where Cutie's settings are not those of S3.
    "cutie-lvos": _long_term(480),
    "davis-plus": _fifo(720, every=3, frames=10),
    "youtube-vos-plus": _fifo(600, frames=10),
    "mose-plus": _fifo(720, every=3, frames=10),
    # What S3's own evaluation file applies to every benchmark.
    "s3": InferencePreset(
        InferenceConfig(
            mem_every=10, use_long_term=True, long_term=_SHIPPED_LIMITS, flip_aug=True
        ),
        size=720,
    ),
    "vots": InferencePreset(
        InferenceConfig(mem_every=2, use_long_term=True, flip_aug=True),
        size=600,
    ),
    "interactive": InferencePreset(
        InferenceConfig(use_long_term=True, max_internal_size=480)
    ),
    "video": InferencePreset(
        InferenceConfig(mem_every=10, use_long_term=True, max_internal_size=480)
    ),
}
"""Settings by name: a benchmark's own, its "plus" variant, and whole programs'."""


def get_preset(name: str) -> InferencePreset:
    """The settings of a preset, or of a benchmark such as ``"davis-2017"``.

    Raises:
        InputError: there is neither a preset nor a benchmark of this name.
    """
    if name in PRESETS:
        return PRESETS[name]
    if name not in catalog.names():
        raise InputError(
            "memory",
            repr(name),
            f"one of {', '.join(PRESETS)}, or a benchmark's name",
            "Pass one of these; generic suits any video.",
        )
    return PRESETS[preset_for(name)]


def preset_for(benchmark: str) -> str:
    """Name of the settings that a benchmark is run with.

    One without settings of its own gets ``"generic"``, and so does anybody's folder.
    """
    if benchmark not in catalog.names():
        return GENERIC
    families = [name for name in PRESETS if f"{benchmark}-".startswith(f"{name}-")]
    return max(families, key=len, default=GENERIC)


def cutie_preset(name: str) -> str:
    """Name of Cutie's own settings, where they differ from those of S3.

    Args:
        name: of a preset or a benchmark.
    """
    family = name if name in PRESETS else preset_for(name)
    return f"cutie-{family}" if f"cutie-{family}" in PRESETS else name
