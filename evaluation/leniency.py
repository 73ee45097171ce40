"""What may be mended in the masks on the way in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise InputError(
            name,
            repr(value),
            f"one of {', '.join(map(repr, allowed))}",
            "Choose one of them.",
        )


@dataclass(frozen=True)
class Leniency:
    """What may be mended on the way in; by default nothing.

    Attributes:
        missing: ``"error"``, or ``"score-as-empty"``: frames and sequences without
            a prediction count as predicted empty.
        resize: None, or ``"nearest"``: predictions of another size are resized.
        binarize: take whatever is not 0 as object 1, in both masks.
        void: ground-truth label whose pixels are left out of both masks; None
            follows the protocol.
    """

    missing: str = "error"
    resize: str | None = None
    binarize: bool = False
    void: int | None = None

    def __post_init__(self) -> None:
        _one_of("missing", self.missing, ("error", "score-as-empty"))
        _one_of("resize", self.resize, (None, "nearest"))


STRICT = Leniency()


def resized(mask: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Bring a label map or mask to `shape`: nearest pixel, pixel centres aligned."""
    rows = ((np.arange(shape[0]) + 0.5) * mask.shape[0] / shape[0]).astype(np.int64)
    columns = ((np.arange(shape[1]) + 0.5) * mask.shape[1] / shape[1]).astype(np.int64)
    return np.ascontiguousarray(mask[np.ix_(rows, columns)])
