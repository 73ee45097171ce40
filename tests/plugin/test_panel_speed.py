"""The benchmark of the panels runs, on little data, and every event does its work."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest
from small_benchmark import own_name

from benchmarks import panels
from benchmarks.many_videos import METHODS, make_dataset
from s3fo.datasets.reading import tables
from s3fo.plugin.panels.failures import Failures

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    name = own_name("many")
    folder = tmp_path_factory.mktemp("many")
    yield make_dataset(folder, name, videos=8, frames=8, size=(60, 90))
    fo.delete_dataset(name)


def test_every_event_is_answered(many, monkeypatch):
    monkeypatch.setattr(panels, "_REPEATS", 1)
    answers = panels.measure(many)
    assert len(answers) == 51
    told = {(item.panel, item.event): item.requests for item in answers}
    quiet = [event for event, asked in told.items() if "show_panel_output" not in asked]
    assert not quiet
    asked = {event: requests for (_, event), requests in told.items()}
    assert {event for event in asked if "set_view" in asked[event]} == {
        "click an attribute's bar",
        "click a bar of the histogram",
        "drag over the histogram",
        "draw around 300 points",
        "draw around 300 failures",
        "all clips",
        "click a bar",
    }
    assert {event for event in asked if "@s3fo/vos/show_frame" in asked[event]} == {
        "click a point",
        "click the worst object",
        "clip",
        "click a curve",
        "click a failure",
    }
    lines = panels.report(many, answers)
    assert f"{len(METHODS)} methods" in lines[0] and len(lines) == 4 + len(answers)


def test_a_panel_that_fails_is_no_fast_panel(many, monkeypatch):
    def fail(*_):
        raise IndexError("no such frame")

    monkeypatch.setattr("s3fo.plugin.panels.charts.failures.frame_labels", fail)
    with pytest.raises(RuntimeError, match="Failures, open, first: ") as told:
        panels.visit_failures(many, {})
    assert "no such frame" in str(told.value)


def test_copies_are_whole_videos_of_their_own(many):
    assert len(many) == 8 and many.count("frames") == 64
    assert len(set(many.values("sequence"))) == 8
    ids = many.values("careless_objects.detections.id", unwind=True)
    assert len(set(ids)) == len(ids) == 24


def test_differences_are_the_same_both_ways_round(many):
    first, second, *_ = METHODS
    forth = tables.differences(many, first, second)
    back = tables.differences(many, second, first)
    np.testing.assert_array_equal(forth["b_minus_a"], -back["b_minus_a"])
    np.testing.assert_array_equal(forth["low"], -back["high"])
    np.testing.assert_allclose(forth["b_wins"], 1 - back["b_wins"])
    means = [tables.object_scores(many, key).objects["J&F"].mean() for key in METHODS]
    overall = forth[forth["attribute"] == "all"].iloc[0]
    assert overall["b_minus_a"] == pytest.approx(means[1] - means[0])


def test_what_is_chosen_stays_chosen(many):
    person = panels.Visitor(Failures(), many)
    person.do("open", "on_load")
    everything = person.state["count"]
    kind = person.data["costs"][0]["ids"][0].split("|")[0]
    person.choose("choose a kind", "kind", kind)
    assert 1 < person.state["count"] < everything
    chosen = person.state["count"]
    person.do("next", "on_step", at=1)
    assert (person.state["at"], person.state["count"]) == (1, chosen)

    other = person.data["costs"][1]["ids"][0]
    person.do("click a bar", "on_click_cost", id=other)
    kind = other.split("|")[0]
    assert person.state["choices"]["kind"] == kind and person.state["at"] == 0
    column = person.data["events"]["columns"].index("kind")
    assert {row[column] for row in person.data["events"]["rows"]} == {kind}


def test_a_drop_down_reports_only_what_a_person_chooses(many):
    """The App reports each one with a default, whenever it appears."""
    person = panels.Visitor(Failures(), many)
    person.do("open", "on_load")
    line = person.layout["choices"]["type"]["properties"]
    assert set(line) == {"method", "kind", "split", "tag"}
    assert all(shown.get("default") is None for shown in line.values())
    assert person.state["choices"] == {
        "method": METHODS[-1],
        "kind": "all",
        "split": "all",
        "tag": "all",
    }
    answer = person.do("next", "on_step", at=1)
    written = answer.requests["patch_panel_state"]["state"]
    assert not [path for path in written if path.startswith("choices")]
