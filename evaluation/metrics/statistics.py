"""What a series of per-frame scores is summed up to.

Source: Perazzi et al., CVPR 2016, section 4.2; `db_statistics` of the DAVIS
evaluation; variance V: LVOS evaluation toolkit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
"""[T] scores 0..1 of one object in T frames, in playing order."""

RECALL_THRESHOLD = 0.5
DECAY_PARTS = 4


def mean(series: Series) -> float:
    """Mean over frames; NaN without frames."""
    return float(np.mean(series)) if len(series) else float("nan")


def recall(series: Series) -> float:
    """Share of frames scored above 0.5; NaN without frames."""
    return mean((series > RECALL_THRESHOLD).astype(np.float64))


def decay(series: Series, *, wrap_indices: bool = False) -> float:
    """Mean of the first quarter of the frames minus mean of the last quarter.

    Neighbouring quarters share their border frame.

    Args:
        series: scores of one object.
        wrap_indices: keep frame indices in 8 bits as the official code does. From
            257 frames on its decay is wrong or NaN.
    """
    if not len(series):
        return float("nan")
    borders = np.round(np.linspace(1, len(series), DECAY_PARTS + 1) + 1e-10) - 1
    ids = borders.astype(np.int64)
    if wrap_indices:
        ids %= 256
    first, last = series[ids[0] : ids[1] + 1], series[ids[3] : ids[4] + 1]
    return mean(first) - mean(last)


def last_quarter(series: Series) -> Series:
    """The last quarter of the frames, from frame floor(0.75 T) on.

    Source: evaluation code of VOST (Tokmakov et al., CVPR 2023).
    """
    return series[int(len(series) * 0.75) :]


def variance(region: Series, boundary: Series) -> float:
    """V of LVOS: standard deviation over frames of (J + F) / 2.

    The mean square is rounded to four decimals before the root, as in the official
    tool.
    """
    both = (region + boundary) / 2
    return float(np.sqrt(np.round(np.mean((both - np.mean(both)) ** 2), 4)))
