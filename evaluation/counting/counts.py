"""The integers every score is made of.

All scores of one object in one frame follow from seven pixel counts, held as one
row of an int64 array [..., 7] (9 where a benchmark uses a second tolerance). The
counting is done in :mod:`evaluation.counting.kernels`, and once more in plain numpy and
OpenCV in :mod:`evaluation.counting.reference`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

GT_AREA = 0
"""Pixels of the ground-truth mask."""
PRED_AREA = 1
"""Pixels of the predicted mask."""
INTERSECTION = 2
"""Pixels in both masks."""
GT_BOUNDARY = 3
"""Boundary pixels of the ground-truth mask."""
PRED_BOUNDARY = 4
"""Boundary pixels of the predicted mask."""
GT_MATCHED = 5
"""Ground-truth boundary pixels within the tolerance of the predicted boundary."""
PRED_MATCHED = 6
"""Predicted boundary pixels within the tolerance of the ground-truth boundary."""
GT_MATCHED_ADAPTIVE = 7
"""As GT_MATCHED, with the tolerance adapted to the object's size (MOSE v2)."""
PRED_MATCHED_ADAPTIVE = 8
"""As PRED_MATCHED, with the tolerance adapted to the object's size (MOSE v2)."""

N_COUNTS = 7
N_COUNTS_ADAPTIVE = 9

Counts = NDArray[np.signedinteger[Any]]
"""[..., 7] or [..., 9] int64 (int32 where many are kept), columns as named above."""
