"""The panel that holds the failures of two methods against each other."""

from __future__ import annotations

import numpy as np
import pytest

import s3fo
from benchmarks.panels import Visitor
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from s3fo.datasets.reading import tables
from s3fo.plugin.panels.changed_failures import FailureDifference
from s3fo.plugin.panels.charts.changed_failures import changed_failures


@pytest.fixture
def two(dataset, benchmark, tmp_path):
    """Method "a" loses object 2 of "pair" for ever; "b" is right there, but loses the
    object of "alone"."""
    for name, lost, gone in (("a", "pair", 2), ("b", "alone", 1)):
        for video in benchmark:
            for number, frame in enumerate(video.frames):
                label_map = np.array(video.read_annotation(frame))
                if video.name == lost and number >= 2:
                    label_map[label_map == gone] = 0
                write_label_map(
                    tmp_path / name / video.name / f"{frame}.png", label_map
                )
        s3fo.add_predictions(dataset, tmp_path / name, name)
        s3fo.evaluate(dataset, name, workers=1)
        s3fo.find_failures(dataset, name, error_maps=False, workers=1)
    return dataset


def test_what_is_fixed_and_what_is_new(two):
    told = changed_failures(two, "a", "b")
    found = {(row.status, row.sequence, row.object) for row in told.itertuples()}
    assert found == {("fixed", "pair", 2), ("new", "alone", 1)}
    lost = [1 - tables.summary(two, key)["J&F"] for key in ("a", "b")]
    assert told["gain"].sum() == pytest.approx(lost[0] - lost[1])
    back = changed_failures(two, "b", "a")
    assert back["gain"].sum() == pytest.approx(lost[1] - lost[0])


def test_the_panel_shows_and_opens_them(two):
    person = Visitor(FailureDifference(), two)
    person.do("open", "on_load")
    assert person.state["pair"] == ["a", "b"]
    assert "**1 fixed**, **1 new**, **0 shared**" in person.state["changes_text"]
    assert [trace["x"][0] > 0 for trace in person.data["changes"]] == [
        True,
        False,
        False,
    ]
    person.do("bar", "on_click_change", id="fixed", path="changes")
    (row,) = person.data["failures"]
    assert (row["sequence"], row["object"], row["status"]) == ("pair", "2", "fixed")

    answer = person.do("row", "on_click_failure", row=0, path="failures")
    shown = answer.requests["@s3fo/vos/show_frame"]
    pair = two.match({"sequence": "pair"}).first()
    event = pair["a_failures"].detections[0]
    assert (shown["id"], shown["frame"]) == (pair.id, event.support[0])
    assert "frames.a" in shown["fields"] and "frames.b" not in shown["fields"]

    view = person.do("clips", "on_clips", side="first").requests["set_view"]["view"]
    assert "ToClips" in str(view)
    answer = person.do("none", "on_clips", side="second")
    assert "none of these" in answer.requests["notify"]["message"]
    assert "set_view" not in answer.requests


def test_one_method_is_not_enough(two):
    two.delete_evaluation("b")
    person = Visitor(FailureDifference(), two)
    person.do("open", "on_load")
    assert "failures of 1 evaluation" in person.state["problem"]


def test_rules_that_differ_are_not_compared(two):
    s3fo.evaluate(two, "b", protocol="vos-benchmark", workers=1)
    s3fo.find_failures(two, "b", error_maps=False, workers=1)
    with pytest.raises(InputError, match="different protocols"):
        changed_failures(two, "a", "b")
    with pytest.raises(InputError, match="two evaluations"):
        changed_failures(two, "a", "a")
