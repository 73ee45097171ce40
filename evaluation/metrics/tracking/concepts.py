"""cgF1 of SA-Co: are a phrase's objects found, and is its absence noticed?

Every pair of a video and a phrase is one sequence. Tracks and objects are matched over
the whole video (Hungarian method on the IoU of their tubes). cgF1 is the micro F1 over
pairs with objects, times Matthews' correlation of whether objects were predicted with
whether there are any. Source: Carion et al., "SAM 3: Segment Anything with Concepts",
2025; its evaluation code (cgf1_eval, ytvis_eval).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.overlaps import Overlaps
from evaluation.metrics.tracking.similarity import Values, assign

THRESHOLDS: Values = np.linspace(0.5, 0.95, 10)
"""[10] IoU of the tubes from which a track is right."""

Found = Mapping[str, NDArray[np.int64] | int]
"""Counts of one pair: ``TP``, ``FP``, ``FN`` [10], ``objects``, ``tracks``."""

_SMALL, _TINY = 1e-4, 1e-6


def concept(overlaps: Overlaps) -> dict[str, NDArray[np.int64] | int]:
    """Match the tracks of one video and phrase with its objects.

    Args:
        overlaps: the objects of the phrase, none if it is absent, and the tracks.

    Returns:
        ``TP``, ``FP``, ``FN``: [10] per threshold; ``objects`` and ``tracks``.
    """
    iou = overlaps.tube_iou().T
    rows, columns = assign(iou)
    hits = (iou[rows, columns][:, None] >= THRESHOLDS).sum(axis=0)
    tracks, objects = iou.shape
    return {
        "TP": hits,
        "FP": tracks - hits,
        "FN": objects - hits,
        "objects": objects,
        "tracks": tracks,
    }


def combine_concepts(pairs: Sequence[Found]) -> dict[str, Values | float]:
    """cgF1 and its parts over all pairs of videos and phrases.

    Returns:
        [10] per threshold: ``cgF1``, ``positive_micro_F1``, ``positive_macro_F1``,
        ``positive_micro_precision``, ``precision``, ``recall``, ``F1``; one number:
        ``IL_MCC``, ``IL_precision``, ``IL_recall``, ``IL_F1``, ``IL_FPR`` (whether
        there are objects at all).
    """
    hits = _total(pairs, "TP")
    missed = _total(pairs, "FN")
    present = [pair for pair in pairs if pair["objects"]]
    result = _presence(pairs)
    recall = hits / (hits + missed + _SMALL)
    precision = hits / (hits + _total(pairs, "FP") + _SMALL)
    positive = hits / (hits + _total(present, "FP") + _SMALL)
    result |= {
        "precision": precision,
        "recall": recall,
        "F1": _f1(precision, recall, _SMALL),
        "positive_micro_precision": positive,
        "positive_micro_F1": _f1(positive, recall, _SMALL),
        "positive_macro_F1": _macro(present),
    }
    result["cgF1"] = result["positive_micro_F1"] * result["IL_MCC"]
    return result


def _presence(pairs: Sequence[Found]) -> dict[str, Values | float]:
    there = np.array([bool(pair["objects"]) for pair in pairs], bool)
    said = np.array([bool(pair["tracks"]) for pair in pairs], bool)
    right, false = float((there & said).sum()), float((~there & said).sum())
    silent, missed = float((~there & ~said).sum()), float((there & ~said).sum())
    recall = right / (right + missed + _TINY)
    precision = right / (right + false + _TINY)
    spread = (right + false) * (right + missed) * (silent + false) * (silent + missed)
    return {
        "IL_MCC": (right * silent - false * missed) / (spread**0.5 + _TINY),
        "IL_precision": precision,
        "IL_recall": recall,
        "IL_F1": 2 * precision * recall / (precision + recall + _TINY),
        "IL_FPR": false / (false + silent + _TINY),
    }


def _macro(present: Sequence[Found]) -> Values:
    """Mean F1 of the pairs with objects and with tracks; others add nothing.

    As in the published code, pairs without tracks are left out of the number that the
    sum is divided by.
    """
    total, counted = np.zeros(len(THRESHOLDS)), 0
    for pair in present:
        if pair["tracks"]:
            hits = np.asarray(pair["TP"])
            precision = hits / (hits + pair["FP"] + _SMALL)
            recall = hits / (hits + pair["FN"] + _SMALL)
            total += _f1(precision, recall, _SMALL)
            counted += 1
    return total / counted if counted else total * np.nan


def _f1(precision: Values, recall: Values, small: float) -> Values:
    both: Values = 2 * precision * recall / (precision + recall + small)
    return both


def _total(pairs: Sequence[Found], key: str) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.zeros(len(THRESHOLDS), np.int64)
    for pair in pairs:
        total = total + pair[key]
    return total
