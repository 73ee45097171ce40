"""How sure a mean is when objects share videos: resampling videos, not objects.

The one bootstrap of the package: comparisons, breakdowns, reports and the App all draw
the same videos the same number of times from the same seed, so that a quantity has one
value and one interval wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

RESAMPLES = 2000
"""How many times videos are drawn: intervals to two digits, within a click."""

SEED = 0


class Bootstrap:
    """Resampled videos, the same ones for every question asked.

    The videos are drawn in the order of their names, so that the order of objects
    does not matter.

    Args:
        videos: [n] video of each object.
        resamples: how many times the videos are drawn with replacement.
        seed: of the draws.
    """

    def __init__(
        self, videos: pd.Series, resamples: int = RESAMPLES, seed: int = SEED
    ) -> None:
        self.video, names = pd.factorize(videos, sort=True)
        # float32 would lose digits in the sums; counts stay small, so this is exact.
        self._draws = _draw(len(names), resamples, seed).astype(np.float64)
        self._known: dict[bytes, NDArray[np.float64]] = {}
        self._ranks: dict[tuple[bytes, bytes], NDArray[np.float64]] = {}

    def n_videos(self, member: NDArray[np.bool_]) -> int:
        """Videos with at least one member."""
        return int(np.count_nonzero(np.bincount(self.video[member])))

    def sums(self, *values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums over objects in every resample.

        What was asked before is not worked out again: methods share the counts of
        their groups, and one half of the objects is the rest of the other half.

        Args:
            *values: k times [n]; together they cost little more than one.

        Returns:
            [k, resamples].
        """
        n_videos = self._draws.shape[1]
        totals = [np.bincount(self.video, own, minlength=n_videos) for own in values]
        keys = [own.tobytes() for own in totals]
        new = {
            key: own
            for key, own in zip(keys, totals, strict=True)
            if key not in self._known
        }
        if new:
            products = np.stack(list(new.values())) @ self._draws.T
            self._known.update(zip(new, products, strict=True))
        return np.stack([self._known[key] for key in keys])

    def means(
        self, values: NDArray[np.float64], *members: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Means over groups of members in every resample; NaN where none was drawn.

        Args:
            values: [n].
            *members: k times [n].

        Returns:
            [k, resamples].
        """
        sums = self.sums(
            *(np.where(member, values, 0.0) for member in members),
            *(member.astype(np.float64) for member in members),
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            return sums[: len(members)] / sums[len(members) :]

    def ranks(
        self, values: NDArray[np.float64], known: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Mean ranks of the known values [n]; 0 for the others."""
        key = (values.tobytes(), known.tobytes())
        if key not in self._ranks:
            ranks = np.zeros(len(values))
            ranks[known] = pd.Series(values[known]).rank().to_numpy()
            self._ranks[key] = ranks
        return self._ranks[key]


@lru_cache(maxsize=2)
def _draw(n_videos: int, resamples: int, seed: int) -> NDArray[np.integer[Any]]:
    """How often every resample draws each video: [resamples, videos], kept small."""
    draws = np.random.default_rng(seed).multinomial(
        n_videos, np.full(n_videos, 1 / n_videos), size=resamples
    )
    small: NDArray[np.integer[Any]] = draws.astype(np.min_scalar_type(draws.max()))
    small.flags.writeable = False
    return small


def interval(
    resampled: NDArray[np.float64], n_videos: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Percentile interval; NaN for fewer than two videos: nothing to resample."""
    resampled = resampled[np.isfinite(resampled)]
    if n_videos < 2 or not len(resampled):
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return float(low), float(high)


SlopeOf = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], bool]
"""x, y, which of them are known, and whether their correlation is asked for."""


def all_slopes(
    asked: Sequence[SlopeOf], bootstrap: Bootstrap
) -> list[tuple[float, NDArray[np.float64]]]:
    """Least-squares slopes of y on x, or correlations, plain and resampled.

    All at once: one product of large matrices is faster than many thin ones.
    """
    parts = [_slope_parts(x, y, known) for x, y, known, _ in asked]
    if not parts:
        return []
    sums = bootstrap.sums(*(part for one in parts for part in one))
    with np.errstate(invalid="ignore", divide="ignore"):
        return [
            (
                float(_slope(normalised, *(np.sum(part) for part in one))),
                _slope(normalised, *sums[6 * i : 6 * i + 6]),
            )
            for i, (one, (*_, normalised)) in enumerate(zip(parts, asked, strict=True))
        ]


def _slope_parts(
    x: NDArray[np.float64], y: NDArray[np.float64], known: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], ...]:
    """What a slope is made of when summed: weight, x, y, xy, xx, yy."""
    # Centred first: the variances are differences of sums.
    x = np.where(known, x - x[known].mean(), 0.0)
    y = np.where(known, y - y[known].mean(), 0.0)
    return known.astype(np.float64), x, y, x * y, x * x, y * y


def _slope(
    normalised: bool, n: Any, sx: Any, sy: Any, xy: Any, xx: Any, yy: Any
) -> Any:
    cross = xy - sx * sy / n
    spread = xx - sx**2 / n
    if normalised:
        spread = np.sqrt(spread * (yy - sy**2 / n))
    return cross / spread
