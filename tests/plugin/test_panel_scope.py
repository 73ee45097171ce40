"""Panels that are about what the grid shows, by its view and the sidebar."""

from __future__ import annotations

import pytest
from fiftyone import ViewField as F
from small_benchmark import copied

import s3fo
from benchmarks.panels import Visitor
from s3fo.datasets.reading import tables
from s3fo.datasets.reading.scope import limited_to, present_scope
from s3fo.plugin.panels.evaluation import VOSEvaluation
from s3fo.plugin.panels.failures import Failures


@pytest.fixture(scope="module")
def evaluated(explained_once):
    """One evaluation of everything, one of "pair" alone, with failures."""
    with copied(explained_once) as dataset:
        s3fo.evaluate(dataset, "shifted", "pair", sequences=["pair"], workers=1)
        s3fo.datasets.find_failures(dataset, "pair", error_maps=False)
        yield dataset


@pytest.fixture
def pair(evaluated):
    return evaluated.match({"sequence": "pair"}).first().id


def test_tables_of_a_part_are_those_of_an_evaluation_of_this_part(evaluated, pair):
    with limited_to({(pair, 1), (pair, 2)}):
        own = tables.summary(evaluated, "k")
        events = tables.event_table(evaluated, "k")
        groups = tables.breakdown(evaluated, ("k",)).groups
        objects = tables.object_table(evaluated)
    alone = tables.summary(evaluated, "pair")
    for name in ("J&F", "J", "F"):
        assert own[name] == pytest.approx(alone[name], abs=1e-12)
    expected = tables.event_table(evaluated, "pair")
    assert list(events["kind"]) == list(expected["kind"]) and len(events)
    assert list(events["cost"]) == pytest.approx(list(expected["cost"]))
    whole = tables.event_table(evaluated, "k")
    assert events["cost"].iloc[0] == pytest.approx(whole["cost"].iloc[0] * 3 / 2)
    everything = groups[groups["attribute"] == "all"].iloc[0]
    assert everything["n_objects"] == 2 and everything["mean"] == own["J&F"]
    assert len(objects) == 2


def test_the_scope_ends_even_with_an_error(evaluated, pair):
    with pytest.raises(ZeroDivisionError), limited_to({(pair, 1)}):
        raise ZeroDivisionError
    assert present_scope() is None
    assert len(tables.object_scores(evaluated, "k").objects) == 3


def headline(person: Visitor) -> str:
    (row,) = [row for row in person.data["headline"] if row["method"] == "k"]
    return row["J&F"], row["n_objects"]


def test_the_evaluation_follows_view_and_sidebar(evaluated, pair):
    person = Visitor(VOSEvaluation(), evaluated)
    person.do("open", "on_load")
    everything = headline(person)
    measured = {name for row in person.data["headline"] for name in row}
    view = evaluated.select(pair)
    person.shown = {"view": view._serialize()}
    assert "follower" not in person.layout, "nothing is asked where nobody follows"
    person.choose("follow", "scope", "shown")
    assert "follower" in person.layout
    expected = tables.summary(evaluated, "pair")["J&F"]
    assert headline(person) == (f"{expected:.3f}", "2") != everything
    # No column of what other protocols measure, such as J&F_adaptive, comes up.
    columns = {name for row in person.data["headline"] for name in row}
    assert columns == measured
    assert "Of 2 of 3 objects, in 1 video" in str(person.layout["scope_text"])

    person.shown = {
        "view": [],
        "filters": {
            "objects.detections.index": {
                "range": [2, 2],
                **dict.fromkeys(
                    ("exclude", "isMatching", "none", "nan", "inf", "ninf"), False
                ),
            }
        },
    }
    person.do("sidebar", "on_follow")
    objects = tables.object_scores(evaluated, "k").objects
    (second,) = objects[objects["object"] == 2]["J&F"]
    assert headline(person) == (f"{second:.3f}", "1")

    person.choose("all", "scope", "all")
    assert headline(person) == everything and "scope_text" not in person.layout


def test_nothing_shown_is_said_and_can_be_left(evaluated):
    person = Visitor(VOSEvaluation(), evaluated)
    person.do("open", "on_load")
    nothing = evaluated.match(F("sequence") == "none")
    person.shown = {"view": nothing._serialize()}
    person.choose("follow", "scope", "shown")
    assert "no object" in person.state["problem"]
    person.choose("all", "scope", "all")
    assert person.state["problem"] is None and headline(person)[1] == "3"


def test_failures_cost_of_what_is_shown(evaluated, pair):
    person = Visitor(Failures(), evaluated)
    person.do("open", "on_load")
    person.choose("of k", "method", "k")
    before = sum(sum(trace["x"]) for trace in person.data["costs"])
    person.shown = {
        "view": evaluated.filter_labels("k_objects", F("index") == 2)._serialize()
    }
    person.choose("follow", "scope", "shown")
    events = tables.event_table(evaluated, "k")
    own = events[(events["sample_id"] == pair) & (events["object"] == 2)]
    shown = sum(sum(trace["x"]) for trace in person.data["costs"])
    assert shown == pytest.approx(300 * own["cost"].sum()) and shown != before
    rows = person.data["events"]["rows"]
    assert len(rows) == len(own) and {row[2] for row in rows} == {"2"}


def test_evaluations_whose_failures_were_not_looked_for_are_named(evaluated):
    person = Visitor(Failures(), evaluated)
    person.do("open", "on_load")
    assert "not_searched" not in person.layout
    s3fo.evaluate(evaluated, "shifted", "new", sequences=["pair"], workers=1)
    try:
        person.choose("of k", "method", "k")
        told = str(person.layout["not_searched"])
        assert "Not in the list: new." in told and "Find failures" in told
    finally:
        evaluated.delete_evaluation("new")
