"""Boundary accuracy F: how well two outlines agree within a tolerance.

F = 2 P R / (P + R), where P is the share of predicted boundary pixels within the
tolerance of the ground-truth boundary, and R the share of ground-truth boundary
pixels within the tolerance of the predicted one. Source: Perazzi et al., CVPR 2016,
section 4.1; `f_measure` and `_seg2bmap` of the DAVIS evaluation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.counts import (
    GT_BOUNDARY,
    GT_MATCHED,
    GT_MATCHED_ADAPTIVE,
    PRED_BOUNDARY,
    PRED_MATCHED,
    PRED_MATCHED_ADAPTIVE,
    Counts,
)


def boundary_f(counts: Counts) -> NDArray[np.float64]:
    """F of every mask pair: 1 where both boundaries are empty, 0 where one is.

    Args:
        counts: [..., 7] pixel counts.

    Returns:
        [...] fractions 0..1.
    """
    return _f_measure(
        counts[..., GT_BOUNDARY],
        counts[..., PRED_BOUNDARY],
        counts[..., GT_MATCHED],
        counts[..., PRED_MATCHED],
    )


def adaptive_boundary_f(counts: Counts) -> NDArray[np.float64]:
    """F with the tolerance adapted to the object's size (MOSE v2).

    Args:
        counts: [..., 9] pixel counts.

    Returns:
        [...] fractions 0..1.
    """
    return _f_measure(
        counts[..., GT_BOUNDARY],
        counts[..., PRED_BOUNDARY],
        counts[..., GT_MATCHED_ADAPTIVE],
        counts[..., PRED_MATCHED_ADAPTIVE],
    )


def _f_measure(
    gt_boundary: Counts,
    pred_boundary: Counts,
    gt_matched: Counts,
    pred_matched: Counts,
) -> NDArray[np.float64]:
    both = (gt_boundary > 0) & (pred_boundary > 0)
    precision = np.zeros(both.shape)
    recall = np.zeros(both.shape)
    np.divide(pred_matched, pred_boundary, out=precision, where=both)
    np.divide(gt_matched, gt_boundary, out=recall, where=both)
    scores = np.zeros(both.shape)
    total = precision + recall
    np.divide(2 * precision * recall, total, out=scores, where=total > 0)
    scores[(gt_boundary == 0) & (pred_boundary == 0)] = 1.0
    return scores
