"""Which failures of one method another one fixes."""

from __future__ import annotations

import pandas as pd
import pytest

from evaluation.failures.difference import failure_difference

COLUMNS = ["id", "sequence", "object", "kind", "start", "end", "cost"]


def events(*rows) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=COLUMNS)


def statuses(table: pd.DataFrame) -> list[tuple]:
    return [(row.status, row.first, row.second) for row in table.itertuples()]


def test_alone_it_is_fixed_or_new():
    first = events(("a", "cat", 1, "missed", 3, 8, 0.02))
    second = events(("b", "cat", 2, "drift", 3, 8, 0.03), ("c", "dog", 1, "x", 3, 8, 0))
    told = failure_difference(first, second)
    assert statuses(told) == [
        ("new", [], ["b"]),
        ("fixed", ["a"], []),
        ("new", [], ["c"]),
    ]
    assert told["gain"].tolist() == [-0.03, 0.02, 0]
    assert told["kind"].tolist() == ["drift", "missed", "x"]


@pytest.mark.parametrize(
    ("start", "end", "same"),
    [
        (10, 13, True),  # half of the shorter: frames 10 and 11 of 10 to 13
        (11, 13, False),  # a third of the shorter
        (2, 11, True),  # equal
        (5, 5, True),  # within
        (12, 14, False),  # beside it
    ],
)
def test_half_of_the_shorter_one_makes_it_the_same(start, end, same):
    first = events(("a", "cat", 1, "missed", 2, 11, 0.02))
    second = events(("b", "cat", 1, "drift", start, end, 0.01))
    told = failure_difference(first, second)
    assert (len(told) == 1) == same
    assert set(told["status"]) == ({"shared"} if same else {"fixed", "new"})


def test_events_that_split_one_are_one_failure_with_it():
    first = events(("a", "cat", 1, "missed", 1, 10, 0.05))
    second = events(
        ("b", "cat", 1, "drift", 1, 3, 0.01),
        ("c", "cat", 1, "leak", 7, 9, 0.02),
        ("d", "cat", 1, "leak", 20, 22, 0.01),
    )
    told = failure_difference(first, second)
    assert statuses(told) == [("shared", ["a"], ["b", "c"]), ("new", [], ["d"])]
    shared = told.iloc[0]
    assert shared["cost_second"] == pytest.approx(0.03)
    assert shared["gain"] == pytest.approx(0.02)
    assert (shared["start"], shared["end"]) == (1, 10)
    assert (shared["kind"], shared["kind_second"]) == ("missed", "leak")


def test_one_events_bridge_two():
    first = events(
        ("a", "cat", 1, "missed", 1, 4, 0.01), ("b", "cat", 1, "missed", 8, 11, 0.01)
    )
    second = events(("c", "cat", 1, "drift", 1, 12, 0.05))
    assert statuses(failure_difference(first, second)) == [
        ("shared", ["a", "b"], ["c"])
    ]


def test_gains_add_up_to_the_difference_of_all_costs():
    first = events(("a", "cat", 1, "m", 1, 4, 0.01), ("b", "dog", 1, "m", 1, 4, 0.07))
    second = events(("c", "cat", 1, "m", 2, 4, 0.04), ("d", "cow", 1, "m", 1, 1, 0.02))
    told = failure_difference(first, second)
    assert told["gain"].sum() == pytest.approx(0.08 - 0.06)


def test_no_failures_at_all():
    assert failure_difference(events(), events()).empty
