"""One row of a breakdown: what is said of one group, one trend, one difference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.results.bootstrap import Bootstrap, interval, ranks, slopes

FEW = 5
"""Groups of fewer objects are marked: their mean says little."""


def group_row(
    values: NDArray[np.float64],
    member: NDArray[np.bool_],
    known: NDArray[np.bool_],
    bootstrap: Bootstrap,
) -> dict[str, object]:
    """Mean of a group, of the rest, and their difference.

    Args:
        values: [n] scores; NaN where an object has none.
        member: [n] in the group.
        known: [n] whether the attribute is known; others are in neither part.
        bootstrap: over the same objects.
    """
    scored = ~np.isnan(values)
    member, rest = member & scored, ~member & known & scored
    values = np.nan_to_num(values)
    means, others = bootstrap.means(values, member, rest)
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


def trend_row(
    attribute: NDArray[np.float64],
    values: NDArray[np.float64],
    bootstrap: Bootstrap,
) -> dict[str, object]:
    """How scores go with a continuous attribute.

    In the resamples objects keep the ranks they have among all objects.
    """
    known = ~np.isnan(attribute) & ~np.isnan(values)
    n_videos = bootstrap.n_videos(known)
    row: dict[str, Any] = {"n_objects": int(known.sum()), "n_videos": n_videos}
    if known.sum() < FEW or np.ptp(attribute[known]) == 0 or np.ptp(values[known]) == 0:
        return row | dict.fromkeys(
            ("spearman", "low", "high", "change", "change_low", "change_high"), np.nan
        )
    order = [ranks(series, known) for series in (attribute, values)]
    rho, rhos = slopes(order[0], order[1], known, bootstrap, normalised=True)
    first, third = np.percentile(attribute[known], [25, 75])
    slope, resampled = slopes(
        np.nan_to_num(attribute), np.nan_to_num(values), known, bootstrap
    )
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


def difference_row(
    values: NDArray[np.float64], member: NDArray[np.bool_], bootstrap: Bootstrap
) -> dict[str, object]:
    """Mean of b - a over the members that both methods have scored."""
    member = member & ~np.isnan(values)
    values = np.nan_to_num(values)
    n_videos = bootstrap.n_videos(member)
    low, high = interval(bootstrap.means(values, member)[0], n_videos)
    inside = values[member]
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
