"""Panels where something is missing, or was changed beneath them."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import fiftyone as fo
import pytest
from small_benchmark import own_name

import s3fo
from benchmarks.panels import Visitor
from s3fo.datasets.reading import tables
from s3fo.datasets.views.images import opening_view
from s3fo.plugin.panels.evaluation import VOSEvaluation
from s3fo.plugin.panels.failures import Failures
from s3fo.plugin.panels.timeline import ObjectTimeline, video_of


@pytest.fixture
def evaluated(explained):
    """One evaluation, with attributes and failures."""
    return explained


def visit(panel, dataset, tab=None):
    """Open a panel, and one of its tabs."""
    person = Visitor(panel(), dataset, dataset.first().id if len(dataset) else None)
    person.do("open", "on_load")
    if tab:
        person.do(tab, "on_open_tab", tab=tab)
    return person


def told(answer):
    """What the App was told to say."""
    return answer.requests.get("notify", {}).get("message", "")


def test_clicks_on_an_evaluation_that_is_gone_are_answered(evaluated):
    bars = visit(VOSEvaluation, evaluated)
    bar = bars.data["by_attribute"][0]["ids"][0]
    worst = visit(VOSEvaluation, evaluated, "worst")
    failures = visit(Failures, evaluated)
    shown = {"event_id": failures.state["event"], "at": 0}
    timeline = visit(ObjectTimeline, evaluated)
    evaluated.rename_evaluation("k", "new")

    answer = bars.do("bar", "on_click_group", id=bar)
    assert "'k'" in told(answer) and "new" in told(answer)
    assert [row["method"] for row in bars.data["headline"]] == ["new"]
    assert "'k'" in told(worst.do("row", "on_click_worst", row=0, path="worst"))
    assert "no such event" in told(failures.do("clip", "on_open", **shown))
    s3fo.datasets.find_failures(evaluated, "new", error_maps=False)
    assert "no such event" in told(failures.do("tag", "on_tag", tag="ignore", **shown))
    curve = timeline.do("curve", "on_click_frame", x=3)
    assert curve.requests["@s3fo/vos/show_frame"]["frame"] == 3

    evaluated.delete_evaluation("new")
    for person in (bars, worst, failures, timeline):
        person.do("anything", "on_load")
        assert "no evaluation" in person.state["problem"]


def test_a_panel_begins_anew_in_another_dataset(evaluated):
    person = visit(VOSEvaluation, evaluated, "worst")
    other = fo.Dataset(own_name("other"))
    try:
        answer = person.do("open", "on_change_dataset", value=evaluated.name)
        assert "clear_panel_state" not in answer.requests
        assert person.state["tab"] == "worst", "what was chosen is still chosen"
        person.dataset = other
        person.do("there", "on_change_dataset", value=other.name)
        assert "of other origin" in person.state["problem"]
        person.dataset = evaluated
        answer = person.do("and back", "on_change_dataset", value=evaluated.name)
    finally:
        other.delete()
    assert "clear_panel_state" in answer.requests
    assert person.state["problem"] is None and "by_attribute" in person.layout


def test_the_timeline_follows_the_video_that_is_opened(evaluated):
    ids = dict(zip(*evaluated.values(["sequence", "id"]), strict=True))
    person = Visitor(ObjectTimeline(), evaluated, ids["alone"])
    person.do("open", "on_load")
    curves = len(person.data["timeline"])
    person.sample = ids["pair"]
    person.do("next video", "on_change_current_sample", value=ids["pair"])
    assert len(person.data["timeline"]) > curves


def test_what_is_missing_is_said(dataset, predicted):
    panels = (VOSEvaluation, Failures, ObjectTimeline)
    people = [visit(panel, predicted) for panel in panels]
    assert all("Evaluate VOS" in person.state["problem"] for person in people)
    asked = people[0].do("menu", "on_menu").requests
    assert asked["prompt_user_for_operation"]["operator_uri"] == "@s3fo/vos/menu"
    s3fo.datasets.remove_predictions(predicted, "shifted")
    assert "Import VOS" in visit(VOSEvaluation, predicted).state["problem"]
    predicted.clear()
    assert "no videos" in visit(VOSEvaluation, predicted).state["problem"]


def test_without_attributes_nothing_is_drawn_by_them(predicted):
    s3fo.evaluate(predicted, "shifted", "k", workers=1)
    person = visit(VOSEvaluation, predicted)
    assert "No attributes yet" in person.state["by_attribute_text"]
    assert not {"attribute", "by_attribute"} & set(person.layout)
    s3fo.evaluate(predicted, "shifted", "again", workers=1)
    person = visit(VOSEvaluation, predicted, "difference")
    assert "duel" in person.layout and "difference" not in person.layout


def test_evaluations_of_other_videos_by_other_rules_stand_side_by_side(evaluated):
    rules = "davis-2017-unsupervised"
    s3fo.evaluate(evaluated, "shifted", "u", protocol=rules, workers=1)
    s3fo.evaluate(evaluated, "shifted", "one", sequences=["alone"], workers=1)
    person = visit(VOSEvaluation, evaluated)
    person.choose("attribute", "attribute", "n_objects")
    assert person.state["problem"] is None
    assert "do not compare" in person.state["rules"]
    bars = {trace["name"]: trace for trace in person.data["by_attribute"]}
    assert list(bars) == ["one", "u", "k"]
    labels = [trace["y"] for trace in bars.values()]
    assert labels[0] == labels[1] == labels[2], "one place per group"

    person.do("difference", "on_open_tab", tab="difference")
    assert "different protocols" in person.state["difference_text"]
    assert "duel" not in person.layout and "choices" in person.layout
    person.choose("by the same rules", "first", "one")
    person.choose("by the same rules", "second", "k")
    assert "duel" in person.layout, person.state["difference_text"]


def test_failures_are_listed_where_their_masks_are_gone(predicted, results):
    s3fo.evaluate(predicted, "shifted", "k", workers=1)
    s3fo.datasets.find_failures(predicted, "k", error_maps=False)
    shutil.move(results, results.parent / "elsewhere")
    person = visit(Failures, predicted)
    assert person.state["problem"] is None and "events" in person.layout
    assert "no such folder" in person.layout["no_strip"]["default"]
    assert "strip" not in person.layout


def test_without_mp4_an_object_opens_as_images(benchmark, results):
    name = own_name("images")
    dataset = s3fo.load_benchmark(benchmark, dataset_name=name, video="none")
    try:
        s3fo.add_predictions(dataset, results, "shifted")
        s3fo.evaluate(dataset, "shifted", "k", workers=1)
        s3fo.datasets.find_failures(dataset, "k", error_maps=False)
        pair = dataset.match({"sequence": "pair"}).first().id
        person = visit(VOSEvaluation, dataset, "worst")
        row = [place[0] for place in person.state["worst_places"]].index(pair)
        object_id = person.state["worst_places"][row][1]
        answer = person.do("row", "on_click_worst", row=row)
        shown = answer.requests["@s3fo/vos/show_frame"]
        assert shown["id"] == dataset[pair].frames.first().id
        assert "set_view" in answer.requests
        assert shown["frame"] > 1 and shown["stages"] == 2
        assert shown["fields"][-1] == "shifted"
        asked = shown["filters"]["shifted.detections.index"]["range"]
        assert asked == [object_id, object_id]
        assert "no mp4" in told(visit(Failures, dataset).do("clips", "on_clips"))

        images = opening_view(dataset)
        frame = images.first()
        open_now = SimpleNamespace(current_sample=frame.id, view=images)
        assert video_of(open_now) == (frame.sample_id, 1)
    finally:
        dataset.delete()


def test_a_failure_is_reviewed_beside_the_player(evaluated):
    events = tables.event_table(evaluated, "k")
    own = events[events["sample_id"] == events["sample_id"].iloc[-1]]
    person = Visitor(ObjectTimeline(), evaluated, own["sample_id"].iloc[0])
    person.do("open", "on_load")
    assert len(person.data["failures"]["rows"]) == len(own)
    assert person.state["event"] == own["id"].iloc[0], "the costliest first"

    row = len(own) - 1
    answer = person.do("row", "on_click_failure", row=row)
    asked = answer.requests["@s3fo/vos/show_frame"]
    assert asked["frame"] == own["start"].iloc[row]
    seen = {"event_id": person.state["event"], "eval_key": "k"}
    person.do("confirm", "on_tag", tag="confirmed", **seen)
    assert tags_of(evaluated, own["id"].iloc[row]) == ["confirmed"]
    assert person.state["reviewed"] == "confirmed"
    assert person.data["failures"]["rows"][row][-1] == "confirmed"
    person.do("undo", "on_undo")
    assert tags_of(evaluated, own["id"].iloc[row]) == []
    assert person.state["reviewed"] == ""


def tags_of(dataset: fo.Dataset, event_id: str) -> list[str]:
    events = tables.event_table(dataset, "k")
    return list(events[events["id"] == event_id]["tags"].iloc[0])


def test_a_method_has_one_colour_in_all_charts(evaluated):
    s3fo.evaluate(evaluated, "shifted", "again", workers=1)
    person = visit(VOSEvaluation, evaluated)
    colours = colours_of(person.data["by_attribute"])
    assert set(colours) == {"k", "again"} and len(set(colours.values())) == 2
    assert list(colours) == ["again", "k"], "the legend is in the order of the bars"
    axis = person.layout["by_attribute"]["view"]["layout"]["yaxis"]
    assert axis["autorange"] == "reversed", "the first bar is on top"

    person.do("objects", "on_open_tab", tab="objects")
    assert colours_of(person.data["histogram"]) == colours
    assert colours_of(person.data["scatter"]) == colours
    person.choose("the older one alone", "methods", ["k"])
    assert colours_of(person.data["histogram"]) == {"k": colours["k"]}


def colours_of(traces: list[dict]) -> dict[str, str]:
    return {trace["name"]: trace["marker"]["color"] for trace in traces}
