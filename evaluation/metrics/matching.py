"""Which proposal stands for which true object, where a benchmark leaves it open.

Every true object takes at most one proposal, so that the sum of scores is as large
as possible (Hungarian method). Source: Caelles et al., "The 2019 DAVIS Challenge on
VOS", section 2; `_evaluate_unsupervised` of the DAVIS evaluation; TrackEval.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def assign_proposals(scores: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Match proposals to true objects for the largest total score.

    Args:
        scores: [m, n] score of proposal i for object j.

    Returns:
        Pairs (proposal index, object index), ascending by proposal.
    """
    from scipy.optimize import linear_sum_assignment

    proposals, objects = linear_sum_assignment(-scores)
    return list(zip(proposals.tolist(), objects.tolist(), strict=True))
