"""One row of a breakdown: what is said of one group, one trend, one difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.results.bootstrap import Bootstrap, SlopeOf, all_slopes, interval

FEW = 5
"""Groups of fewer objects are marked: their mean says little."""


def group_rows(
    values: NDArray[np.float64],
    parts: Sequence[tuple[NDArray[np.bool_], NDArray[np.bool_]]],
    bootstrap: Bootstrap,
) -> list[dict[str, object]]:
    """Mean of each group, of the rest, and their difference.

    All groups are resampled together: one product of large matrices takes a fraction
    of the time of many thin ones.

    Args:
        values: [n] scores; NaN where an object has none.
        parts: of each group, which [n] are in it, and of which [n] the attribute is
            known; others are in neither part.
        bootstrap: over the same objects.
    """
    scored = ~np.isnan(values)
    pairs = [(own & scored, ~own & known & scored) for own, known in parts]
    values = np.nan_to_num(values)
    resampled = bootstrap.means(values, *(mask for pair in pairs for mask in pair))
    return [
        _group_row(values, pair, resampled[2 * i : 2 * i + 2], bootstrap)
        for i, pair in enumerate(pairs)
    ]


def _group_row(
    values: NDArray[np.float64],
    pair: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    resampled: NDArray[np.float64],
    bootstrap: Bootstrap,
) -> dict[str, object]:
    member, rest = pair
    means, others = resampled
    mean, other = _mean(values, member), _mean(values, rest)
    n_videos = bootstrap.n_videos(member)
    low, high = interval(means, n_videos)
    delta_low, delta_high = interval(
        means - others, min(n_videos, bootstrap.n_videos(rest))
    )
    return {
        "n_objects": int(member.sum()),
        "n_videos": n_videos,
        "mean": mean,
        "low": low,
        "high": high,
        "rest": other,
        "delta": mean - other,
        "delta_low": delta_low,
        "delta_high": delta_high,
        "few": bool(member.sum() < FEW),
    }


def trend_rows(
    attributes: Sequence[NDArray[np.float64]],
    values: NDArray[np.float64],
    bootstrap: Bootstrap,
) -> list[dict[str, object]]:
    """How scores [n] go with each continuous attribute [n].

    In the resamples objects keep the ranks they have among all objects.
    """
    asked: list[SlopeOf] = []
    for attribute in attributes:
        known = ~np.isnan(attribute) & ~np.isnan(values)
        if _has_trend(attribute[known], values[known]):
            order = [bootstrap.ranks(series, known) for series in (attribute, values)]
            asked += [
                (order[0], order[1], known, True),
                (np.nan_to_num(attribute), np.nan_to_num(values), known, False),
            ]
    found = iter(all_slopes(asked, bootstrap))
    return [_trend_row(one, values, bootstrap, found) for one in attributes]


def _has_trend(attribute: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
    enough = len(values) >= FEW
    return enough and np.ptp(attribute) != 0 and np.ptp(values) != 0


def _trend_row(
    attribute: NDArray[np.float64],
    values: NDArray[np.float64],
    bootstrap: Bootstrap,
    found: Iterator[tuple[float, NDArray[np.float64]]],
) -> dict[str, object]:
    """One row; where there can be a trend it takes its two slopes from `found`."""
    known = ~np.isnan(attribute) & ~np.isnan(values)
    n_videos = bootstrap.n_videos(known)
    row: dict[str, Any] = {"n_objects": int(known.sum()), "n_videos": n_videos}
    if not _has_trend(attribute[known], values[known]):
        return row | dict.fromkeys(
            ("spearman", "low", "high", "change", "change_low", "change_high"), np.nan
        )
    (rho, rhos), (slope, resampled) = next(found), next(found)
    first, third = np.percentile(attribute[known], [25, 75])
    low, high = interval(rhos, n_videos)
    # A resample of equal attribute values has no slope.
    resampled = resampled[np.isfinite(resampled)]
    change_low, change_high = interval(resampled * (third - first), n_videos)
    return row | {
        "spearman": rho,
        "low": low,
        "high": high,
        "change": slope * (third - first),
        "change_low": change_low,
        "change_high": change_high,
    }


def difference_rows(
    values: NDArray[np.float64],
    members: Sequence[NDArray[np.bool_]],
    bootstrap: Bootstrap,
    *,
    lower_is_better: bool = False,
) -> list[dict[str, object]]:
    """Mean of b - a over the members of each group that both methods have scored.

    Args:
        values: [n] b - a; NaN where a method has no score.
        members: of each group, which [n] are in it.
        bootstrap: over the same objects.
        lower_is_better: whether b is better where b - a is below 0.
    """
    sign = -1 if lower_is_better else 1
    scored = ~np.isnan(values)
    own = [member & scored for member in members]
    values = np.nan_to_num(values)
    resampled = bootstrap.means(values, *own)
    return [
        _difference_row(values, member, means, bootstrap, sign)
        for member, means in zip(own, resampled, strict=True)
    ]


def _difference_row(
    values: NDArray[np.float64],
    member: NDArray[np.bool_],
    means: NDArray[np.float64],
    bootstrap: Bootstrap,
    sign: int,
) -> dict[str, object]:
    n_videos = bootstrap.n_videos(member)
    low, high = interval(means, n_videos)
    inside = sign * values[member]
    return {
        "n_objects": int(member.sum()),
        "n_videos": n_videos,
        "b_minus_a": _mean(values, member),
        "low": low,
        "high": high,
        "b_wins": float(np.mean((np.sign(inside) + 1) / 2)) if len(inside) else np.nan,
        "few": bool(member.sum() < FEW),
    }


def _mean(values: NDArray[np.float64], member: NDArray[np.bool_]) -> float:
    return float(np.mean(values[member])) if member.any() else np.nan
