"""How the engine remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np

from evaluation.errors import InputError

_FIXED_WHILE_RUNNING = ("use_long_term", "flip_aug", "count_usage")


def _require_known(given: Mapping[str, object], kind: type, where: str) -> None:
    known = [f.name for f in fields(kind)]
    unknown = sorted(set(given) - set(known))
    _require(not unknown, where, ", ".join(unknown), f"some of {', '.join(known)}")


def _require(
    holds: bool,
    where: str,
    found: str,
    expected: str,
    remedy: str = "Change the setting.",
) -> None:
    if not holds:
        raise InputError(where, found, expected, remedy)


@dataclass(frozen=True)
class LongTermConfig:
    """Limits of the long-term memory.

    Attributes:
        count_usage: count how much long-term tokens are read, so that a full store
            forgets the least used ones; without it, it forgets the oldest.
        max_mem_frames: frames in working memory (the permanent one included) that
            trigger consolidation.
        min_mem_frames: frames that stay in working memory then.
        num_prototypes: tokens that stand for the consolidated frames.
        max_num_tokens: most tokens in the long-term store of a bucket.
        buffer_tokens: tokens forgotten beyond need once that store is full.
    """

    count_usage: bool = True
    max_mem_frames: int = 10
    min_mem_frames: int = 5
    num_prototypes: int = 128
    max_num_tokens: int = 10_000
    buffer_tokens: int = 2_000

    def __post_init__(self) -> None:
        _require(
            1 <= self.min_mem_frames < self.max_mem_frames,
            "long_term.max_mem_frames",
            f"{self.min_mem_frames=}, {self.max_mem_frames=}",
            "1 <= min_mem_frames < max_mem_frames",
        )
        _require(
            self.num_prototypes >= 1 and self.buffer_tokens >= 0,
            "long_term.num_prototypes",
            f"{self.num_prototypes=}, {self.buffer_tokens=}",
            "num_prototypes >= 1, buffer_tokens >= 0",
        )
        _require(
            self.tokens_after_pruning >= 0,
            "long_term.max_num_tokens",
            f"{self.max_num_tokens}",
            "at least num_prototypes + buffer_tokens",
        )

    @property
    def tokens_after_pruning(self) -> int:
        """Long-term tokens that survive when the store is full."""
        return self.max_num_tokens - self.num_prototypes - self.buffer_tokens


@dataclass(frozen=True)
class InferenceConfig:
    """How the engine remembers. The defaults are those of Cutie's evaluation.

    Attributes:
        mem_every: frames between memory writes.
        max_mem_frames: frames in working memory, the permanent first one included
            (without long-term memory).
        use_long_term: consolidate old frames into prototypes instead of dropping them.
        long_term: limits of the long-term memory.
        top_k: memory tokens read by every query pixel.
        stagger_updates: sensory updates between two memory writes.
        chunk_size: objects processed at once; below 1 all of a bucket. It changes the
            output: objects compete within their chunk only, as in the official program.
        flip_aug: average with the prediction of the mirrored video.
        max_internal_size: shorter side in pixels above which frames are shrunk for the
            network; below 1 never.
        reach: largest distance from an object's last mask at which parts of it are
            looked for, in multiples of its size (the square root of its area); 0 looks
            everywhere. Of S3's and Cutie's programs neither has such a limit.
        appearance_gap: by how much, in logits of memory reads, a new part of an object
            may be less similar to it than its other parts are; 0 asks nothing. Neither
            of those programs has this either.
    """

    mem_every: int = 5
    max_mem_frames: int = 5
    use_long_term: bool = False
    long_term: LongTermConfig = field(default_factory=LongTermConfig)
    top_k: int = 30
    stagger_updates: int = 5
    chunk_size: int = -1
    flip_aug: bool = False
    max_internal_size: int = -1
    reach: float = 0.0
    appearance_gap: float = 0.0

    def __post_init__(self) -> None:
        for name in ("mem_every", "max_mem_frames", "top_k"):
            value = getattr(self, name)
            _require(value >= 1, name, f"{value}", "at least 1")
        for name in ("reach", "appearance_gap"):
            limit = getattr(self, name)
            _require(0 <= limit < float("inf"), name, f"{limit}", "at least 0")

    @property
    def sensory_steps(self) -> frozenset[int]:
        """Frames after a memory write at which the sensory memory is updated."""
        if self.stagger_updates >= self.mem_every:
            return frozenset(range(1, self.mem_every + 1))
        steps = np.linspace(1, self.mem_every, max(0, self.stagger_updates))
        return frozenset(int(step) for step in np.round(steps))

    def with_overrides(self, **overrides: Any) -> InferenceConfig:
        """A copy with some settings changed; `long_term` may be a partial mapping.

        Raises:
            InputError: unknown setting or bad value.
        """
        overrides = dict(overrides)
        _require_known(overrides, InferenceConfig, "inference settings")
        nested = overrides.get("long_term")
        if isinstance(nested, Mapping):
            _require_known(nested, LongTermConfig, "long_term settings")
            overrides["long_term"] = replace(self.long_term, **nested)
        return replace(self, **overrides)

    def changed_while_running(self, **overrides: object) -> InferenceConfig:
        """As `with_overrides`, for an engine that already holds memory.

        Raises:
            InputError: also for settings the memory was built for.
        """
        changed = self.with_overrides(**overrides)
        before, after = _flat(self), _flat(changed)
        fixed = [n for n in _FIXED_WHILE_RUNNING if before[n] != after[n]]
        _require(
            not fixed,
            "inference settings",
            f"a change of {', '.join(fixed)}",
            "settings that may change while a video runs",
            "Build a new propagator for it.",
        )
        return changed


def _flat(config: InferenceConfig) -> dict[str, object]:
    settings = asdict(config)
    return settings.pop("long_term") | settings
