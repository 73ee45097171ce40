"""How well masks fit, and what to say where videos contradict each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evaluation.errors import InputError
from evaluation.masks.label_map import Mask
from evaluation.masks.names import shown
from evaluation.masks.pairs import Masks

COMPARED = 6
"""Frames in which two ways to number are compared."""

MARGIN = 0.005
"""Mean IoU by which one way must be better than the other."""


def agreement(one: Masks, other: Masks) -> float:
    """IoU of all that is not background; 0 where sizes differ."""
    first, second = _foreground(one), _foreground(other)
    if first is None or second is None:
        return 0.0
    return mask_iou(first, second)


def mask_iou(first: Mask, second: Mask) -> float:
    """IoU of two masks [H, W]; 0 where their sizes differ, 1 where both are empty."""
    if first.shape != second.shape:
        return 0.0
    union = int((first | second).sum())
    return float((first & second).sum()) / union if union else 1.0


def _foreground(masks: Masks) -> Mask | None:
    if isinstance(masks, dict):
        parts = list(masks.values())
        return np.asarray(np.logical_or.reduce(parts)) if parts else None
    return np.asarray(masks != 0)


def contradiction(votes: Mapping[str, int], label: str, kind: str) -> InputError:
    """The error about videos that count from different numbers."""
    by_offset = {
        offset: shown([k for k, v in votes.items() if v == offset])
        for offset in sorted(set(votes.values()))
    }
    told = "; ".join(f"{names}: {_sign(k)}" for k, names in by_offset.items())
    return InputError(
        label,
        f"{kind} counted from another number than those of the ground truth in some "
        f"videos, and not in others ({told})",
        f"one way of counting {kind} in all videos",
        f"Number {kind} of all videos alike, as the ground truth does.",
    )


def _sign(offset: int) -> str:
    return f"off by {offset}" if offset else "as they are"
