"""Boundaries of statistics that changes to the code once crossed unnoticed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evaluation.breakdown.rows import FEW, difference_rows, trend_rows
from evaluation.breakdown.strongest import (
    LEVEL,
    MIN_VIDEOS,
    _benjamini_hochberg,
    _direction,
    _test,
)
from evaluation.failures.onset import CIRCUMSTANCES, onset_table
from evaluation.results.bootstrap import Bootstrap


def row(estimate: float, low: float, high: float, n_videos: int = 12) -> dict:
    return {
        "attribute": "speed", "n_videos": n_videos, "n_objects": 30,
        "delta": estimate, "delta_low": low, "delta_high": high,
    }  # fmt: skip


COLUMNS = ("delta", "delta_low", "delta_high")


@pytest.mark.parametrize(
    ("estimate", "low", "high", "towards_0"),
    [(0.3, 0.1, 0.9, 0.2), (-0.3, -0.9, -0.1, 0.2), (0.4, -0.2, 0.5, 0.6)],
)
def test_the_p_value_is_students_of_the_half_that_points_at_0(
    estimate, low, high, towards_0
):
    one = _test(row(estimate, low, high), "yes", estimate, COLUMNS)
    assert one is not None
    error = towards_0 / stats.norm.ppf(0.975)
    assert one.p == pytest.approx(2 * stats.t.sf(abs(estimate) / error, 11), rel=1e-6)
    assert _direction(one) == ("higher" if estimate < 0 else "smaller")


def test_an_interval_without_width_is_sure_unless_nothing_is_lost():
    sure = _test(row(-0.1, -0.1, -0.1), "yes", -0.1, COLUMNS)
    none = _test(row(0.0, 0.0, 0.0), "yes", 0.0, COLUMNS)
    assert sure is not None and sure.p == 0
    assert none is not None and none.p == 1


def test_so_many_videos_are_enough():
    assert _test(row(-0.1, -0.2, -0.05, MIN_VIDEOS), "", -0.1, COLUMNS) is not None
    assert _test(row(-0.1, -0.2, -0.05, MIN_VIDEOS - 1), "", -0.1, COLUMNS) is None


@pytest.mark.parametrize(
    ("p", "beyond"),
    [
        ([LEVEL], [True]),
        ([LEVEL * 1.0001], [False]),
        ([LEVEL, LEVEL / 2 * 1.01], [True, True]),
        ([LEVEL / 2, 0.9], [True, False]),
        ([0.9, LEVEL / 3, LEVEL], [False, True, False]),
        ([], []),
    ],
)
def test_benjamini_hochberg_at_its_limits(p, beyond):
    assert _benjamini_hochberg(np.array(p, float)).tolist() == beyond


def test_circumstances_are_compared_with_all_frames():
    first, second, *others = CIRCUMSTANCES
    events = pd.DataFrame(
        {first: [True, False, True, True], second: False, "cost": [1.0, 2.0, 4.0, 8.0]}
    )
    frames = pd.DataFrame({first: [True, False] * 10, second: False})
    table = onset_table(events, frames).to_dict("records")
    assert table[0] == {
        "circumstance": first, "events": 3, "share": 0.75, "base": 0.5, "lift": 1.5,
        "cost": 13.0,
    }  # fmt: skip
    assert table[1]["circumstance"] == second and np.isnan(table[1]["lift"])
    assert len(table) == 2 and others


def test_a_circumstance_that_is_not_known_leaves_the_later_ones():
    first, second, *_ = CIRCUMSTANCES
    events = pd.DataFrame({second: [True], "cost": [1.0]})
    frames = pd.DataFrame({second: [True, False]})
    assert onset_table(events, frames)["circumstance"].tolist() == [second]
    assert first not in onset_table(events, frames)["circumstance"].tolist()


def bootstrap(n: int) -> Bootstrap:
    return Bootstrap(pd.Series([f"v{i}" for i in range(n)]), 200, 0)


def test_a_trend_needs_some_objects_and_two_different_values():
    def of(n: int, **changed: np.ndarray) -> dict:
        given = {"attribute": np.arange(n, dtype=float), "values": np.arange(n) / n}
        given |= changed
        return trend_rows([given["attribute"]], given["values"], bootstrap(n))[0]

    known = of(FEW)
    assert known["spearman"] == pytest.approx(1.0)
    few = of(FEW - 1)
    assert set(few) == set(known) and np.isnan(few["spearman"])
    assert few["n_objects"] == few["n_videos"] == FEW - 1
    for column in ("attribute", "values"):
        flat = of(20, **{column: np.ones(20)})
        assert np.isnan([flat[name] for name in ("spearman", "low", "change")]).all()
    tight = of(20, values=np.arange(20) / 40)
    assert tight["spearman"] == pytest.approx(1.0)


def test_a_trend_is_over_objects_of_which_both_are_known():
    attribute, values = np.arange(20.0), np.arange(20) / 20
    attribute[:3], values[5:7] = np.nan, np.nan
    [found] = trend_rows([attribute], values, bootstrap(20))
    assert found["n_objects"] == found["n_videos"] == 15


def test_a_difference_counts_ties_as_half_a_win():
    values = np.array([0.1, -0.2, 0.0, np.nan, 0.3])
    member = np.array([True, True, True, True, False])
    [found] = difference_rows(values, [member], bootstrap(5))
    assert found["n_objects"] == found["n_videos"] == 3
    assert found["b_wins"] == 0.5 and found["few"] is True
    assert found["b_minus_a"] == pytest.approx(-0.1 / 3)
    [none] = difference_rows(values, [np.zeros(5, bool)], bootstrap(5))
    assert np.isnan(none["b_wins"]) and none["n_objects"] == 0
    enough = np.arange(FEW) / 10
    [row] = difference_rows(enough, [enough >= 0], bootstrap(FEW))
    assert row["few"] is False
