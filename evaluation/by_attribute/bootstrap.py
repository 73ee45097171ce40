"""How sure a mean is when objects share videos: resampling videos, not objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class Bootstrap:
    """Resampled videos, the same ones for every question asked.

    Args:
        videos: [n] video of each object.
        resamples: how many times the videos are drawn with replacement.
        seed: of the draws.
    """

    def __init__(self, videos: pd.Series, resamples: int, seed: int) -> None:
        self.video, names = pd.factorize(videos)
        draws = np.random.default_rng(seed).multinomial(
            len(names), np.full(len(names), 1 / len(names)), size=resamples
        )
        # float32 would lose digits in the sums; counts stay small, so this is exact.
        self._draws = draws.astype(np.float64)

    def n_videos(self, member: NDArray[np.bool_]) -> int:
        """Videos with at least one member."""
        return len(np.unique(self.video[member]))

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over objects [n] in every resample: [resamples]."""
        totals = np.bincount(self.video, values, minlength=self._draws.shape[1])
        return self._draws @ totals

    def means(
        self, values: NDArray[np.float64], member: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Mean over members in every resample; NaN where none was drawn."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.sums(np.where(member, values, 0.0)) / self.sums(
                member.astype(np.float64)
            )


def interval(resampled: NDArray[np.float64], n_videos: int) -> tuple[float, float]:
    """95 % percentile interval; NaN for fewer than two videos: nothing to resample."""
    resampled = resampled[np.isfinite(resampled)]
    if n_videos < 2 or not len(resampled):
        return np.nan, np.nan
    low, high = np.percentile(resampled, [2.5, 97.5])
    return float(low), float(high)


def ranks(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean ranks of the known values [n]; 0 for the others."""
    ranks = np.zeros(len(values))
    ranks[known] = pd.Series(values[known]).rank().to_numpy()
    return ranks


def slopes(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    known: NDArray[np.bool_],
    bootstrap: Bootstrap,
    *,
    normalised: bool = False,
) -> tuple[float, NDArray[np.float64]]:
    """Least-squares slope of y on x (or their correlation), plain and resampled."""
    weight = known.astype(np.float64)
    # Centred first: the variances below are differences of sums.
    x = np.where(known, x - x[known].mean(), 0.0)
    y = np.where(known, y - y[known].mean(), 0.0)

    def slope(total: Any) -> Any:
        n, sx, sy = total(weight), total(x), total(y)
        cross = total(x * y) - sx * sy / n
        spread = total(x * x) - sx**2 / n
        if normalised:
            spread = np.sqrt(spread * (total(y * y) - sy**2 / n))
        return cross / spread

    with np.errstate(invalid="ignore", divide="ignore"):
        return float(slope(np.sum)), slope(bootstrap.sums)
