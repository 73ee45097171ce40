"""Region similarity J: how much of two masks is shared.

J = |A and B| / |A or B|, the Jaccard index. Source: Perazzi et al., "A Benchmark
Dataset and Evaluation Methodology for Video Object Segmentation", CVPR 2016,
section 4.1; `db_eval_iou` of the DAVIS evaluation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.counts import GT_AREA, INTERSECTION, PRED_AREA, Counts


def jaccard(counts: Counts) -> NDArray[np.float64]:
    """J of every mask pair; two empty masks agree perfectly.

    Args:
        counts: [..., 7] pixel counts.

    Returns:
        [...] fractions 0..1.
    """
    intersection, union = _intersection_and_union(counts)
    scores = np.ones(union.shape)
    np.divide(intersection, union, out=scores, where=union > 0)
    return scores


def smoothed_jaccard(counts: Counts) -> NDArray[np.float64]:
    """J of MOSE v2: (I + 1) / (U + 1), cut to 0..1.

    Source: scoring program of the MOSE v2 challenge.

    Args:
        counts: [..., 7] pixel counts.

    Returns:
        [...] fractions 0..1.
    """
    intersection, union = _intersection_and_union(counts)
    return np.clip((intersection + 1) / (union + 1), 0.0, 1.0)


def _intersection_and_union(counts: Counts) -> tuple[Counts, Counts]:
    intersection = counts[..., INTERSECTION]
    return intersection, counts[..., GT_AREA] + counts[..., PRED_AREA] - intersection
