"""What a click opens: which video, frame, fields and labels, for every method."""

from __future__ import annotations

import json

import fiftyone as fo
import numpy as np
import pytest
from bson import json_util
from small_benchmark import own_name, write_results

import s3fo
from benchmarks.panels import Visitor
from s3fo.datasets.field_names import AUDIT
from s3fo.datasets.reading import tables
from s3fo.datasets.scoring import failures
from s3fo.plugin.panels.charts import failures as charts
from s3fo.plugin.panels.evaluation import VOSEvaluation
from s3fo.plugin.panels.failures import Failures
from s3fo.plugin.panels.first import evaluation_shown
from s3fo.plugin.panels.opening import (
    exactly,
    plan_audit_clips,
    plan_clips,
    plan_frame,
    plan_grid,
    seek,
    show_all_videos,
    show_frame,
)
from s3fo.plugin.panels.timeline import ObjectTimeline

METHODS = ("first", "second", "third")


@pytest.fixture(
    scope="module",
    params=["instances", pytest.param("reference", marks=pytest.mark.slow)],
)
def three(request, benchmark, tmp_path_factory):
    """Three evaluated methods, one after the other, with failures."""
    folder = tmp_path_factory.mktemp("three")
    name = own_name(f"three-{request.param}")
    dataset = s3fo.load_benchmark(benchmark, dataset_name=name, masks=request.param)
    for shift, method in enumerate(METHODS, start=2):
        write_results(benchmark, folder / method, shift)
        s3fo.add_predictions(dataset, folder / method, method)
        s3fo.evaluate(dataset, method, f"{method}_run", workers=1)
        s3fo.datasets.find_failures(dataset, f"{method}_run", error_maps=False)
    yield dataset
    dataset.delete()


def pair(dataset):
    return dataset.match({"sequence": "pair"}).first().id


@pytest.mark.parametrize("method", METHODS)
def test_a_plan_shows_the_masks_of_its_method_and_no_others(three, method):
    active = ["sequence", "third_run_JF", "num_objects", "frames.third"]
    plan = plan_frame(three, pair(three), 4, [f"{method}_run"], active=active)
    files = three.has_frame_field("third_mask")
    mask = f"frames.{method}_mask" if files else f"frames.{method}"
    assert (plan.id, plan.frame) == (pair(three), 4)
    assert plan.fields == ("sequence", "num_objects", f"{method}_run_JF", mask)
    assert plan.filters == {}


def test_a_plan_shows_masks_that_are_files(benchmark, results):
    dataset = s3fo.load_benchmark(
        benchmark, dataset_name=own_name("files"), masks="reference"
    )
    try:
        s3fo.add_predictions(dataset, results, "shifted")
        s3fo.evaluate(dataset, "shifted", "k", workers=1)
        plan = plan_frame(dataset, pair(dataset), 4, ["k"], active=["sequence"])
        assert plan.fields == ("sequence", "k_JF", "frames.shifted_mask")
        plan = plan_frame(dataset, pair(dataset), 4, ["k"], object_id=2)
        assert "frames.shifted" in plan.fields
        assert plan.filters["frames.shifted.detections.index"] == exactly(2)
    finally:
        dataset.delete()


@pytest.mark.parametrize("method", METHODS)
def test_one_object_is_told_apart_by_its_labels(three, method):
    plan = plan_frame(three, pair(three), 2, [f"{method}_run"], object_id=2)
    assert f"frames.{method}" in plan.fields
    assert plan.filters[f"frames.{method}.detections.index"] == exactly(2)
    assert plan.filters["frames.ground_truth.detections.index"]["range"] == [2, 2]


@pytest.mark.parametrize("method", METHODS)
def test_a_click_opens_the_worst_frame_of_any_method(three, method):
    person = Visitor(VOSEvaluation(), three)
    person.do("open", "on_load")
    person.do("tab", "on_open_tab", tab="worst")
    chosen = person.choose("of", "ranked_by", f"{method}_run")
    own = {f"frames.{method}", f"frames.{method}_mask"}
    grid = masks_in(chosen.requests["set_active_fields"]["fields"])
    assert grid and grid <= own
    scores = tables.object_scores(three, f"{method}_run").objects
    lowest = scores.sort_values("J&F").iloc[0]
    answer = person.do("row", "on_click_worst", row=0)
    shown = answer.requests["@s3fo/vos/show_frame"]
    assert shown["id"] == lowest["sample_id"]
    assert shown["frame"] == frame_of_lowest(three, method, lowest)
    # An object has one colour everywhere: two masks over each other are not told apart.
    masks = masks_in(shown["fields"])
    assert masks and masks <= own
    assert not {"set_view", "clear_view"} & set(answer.requests)


def masks_in(paths) -> set[str]:
    return {path for path in paths if path.startswith("frames.")}


def frame_of_lowest(dataset, method, row) -> int:
    """By FiftyOne's own labels: the first frame with the lowest J + F."""
    means = {}
    for number, frame in dataset[row["sample_id"]].frames.items():
        for label in frame[method].detections:
            if label.index == row["object"] and label.get_field("J") is not None:
                means[number] = label.J + label.F
        if number not in means and frame.ground_truth is not None:
            present = {label.index for label in frame.ground_truth.detections}
            scored = 1 < number < len(dataset[row["sample_id"]].frames)
            if row["object"] in present and scored:
                means[number] = 0.0
    return min(means, key=means.__getitem__)


@pytest.mark.parametrize("method", METHODS)
def test_a_failure_opens_where_it_begins_for_any_method(three, method):
    person = Visitor(Failures(), three)
    person.do("open", "on_load")
    person.choose("of", "method", f"{method}_run")
    costliest = tables.event_table(three, f"{method}_run").iloc[0]
    assert person.state["event"] == costliest["id"]
    about = {"event_id": costliest["id"], "at": 0}
    shown = person.do("clip", "on_open", **about).requests["@s3fo/vos/show_frame"]
    assert (shown["id"], shown["frame"]) == (
        costliest["sample_id"],
        costliest["start"],
    )
    assert {f"{method}_run_JF"} == {f for f in shown["fields"] if f.endswith("_JF")}
    only = exactly(int(costliest["object"]))
    assert shown["filters"][f"frames.{method}.detections.index"] == only
    assert shown["filters"]["frames.ground_truth.detections.index"] == only
    chosen = {"object": costliest["object"], "event": costliest["id"]}
    assert shown["focus"] == chosen


@pytest.mark.parametrize("number", [1, 2])
def test_the_timeline_is_about_the_object_that_was_opened(three, number):
    events = tables.event_table(three, "third_run")
    events = events[events["sample_id"] == pair(three)]
    own = events[events["object"] == number]
    person = Visitor(ObjectTimeline(), three, pair(three))
    about = {"id": pair(three), "object": number}
    person.state["focus"] = {**about, "event": own["id"].iloc[-1]}
    person.do("open", "on_load")
    assert person.state["timeline_text"].startswith(f"**Object {number}**, which was")
    assert person.state["event"] == own["id"].iloc[-1]
    first = own.sort_values("start").iloc[0]
    assert f"First failure: {first['kind']}," in person.state["timeline_text"]
    # Opened again by a row of the worst objects: its costliest failure.
    person.state["focus"] = {**about, "event": None}
    person.do("again", "on_change_current_sample")
    assert person.state["event"] == own["id"].iloc[0]
    # Another video, opened from the grid, is about all its objects.
    person.state["focus"] = {**about, "id": "another"}
    person.do("again", "on_change_current_sample")
    assert person.state["timeline_text"].startswith("Lowest: object ")


def test_a_click_writes_nothing_to_the_dataset(three):
    def state():
        three.reload()
        config = three.app_config.active_fields
        modified = three.values("last_modified_at")
        frames = three.values("frames.last_modified_at", unwind=True)
        return config and config.paths, three.last_modified_at, modified, frames

    before = state()
    worst = Visitor(VOSEvaluation(), three)
    worst.do("open", "on_load")
    worst.do("tab", "on_open_tab", tab="worst")
    worst.do("row", "on_click_worst", row=0)
    failures = Visitor(Failures(), three)
    failures.do("open", "on_load")
    about = {"event_id": failures.state["event"], "at": 0}
    failures.do("clip", "on_open", **about)
    failures.do("all clips", "on_clips")
    failures.do("back", "on_all_videos")
    timeline = Visitor(ObjectTimeline(), three, pair(three))
    timeline.do("open", "on_load")
    timeline.do("curve", "on_click_frame", x=3.4)
    assert state() == before


def test_the_timeline_follows_the_masks_that_are_shown():
    fields = {"a_run": "a", "b_run": "b", "a_again": "a", "c_run": "c"}
    shown = ["sequence", "a_JF", "frames.b_mask"]
    assert evaluation_shown(fields, shown, None) == "b_run"
    assert evaluation_shown(fields, ["frames.a"], None) == "a_again"
    assert evaluation_shown(fields, ["sequence"], None) == "c_run"
    assert evaluation_shown(fields, shown, "a_run") == "a_run"
    assert evaluation_shown(fields, shown, "deleted") == "b_run"


@pytest.mark.parametrize("panel", [Failures, VOSEvaluation])
def test_a_new_page_begins_with_the_method_that_its_grid_shows(three, panel):
    person = Visitor(panel(), three)
    # As the App's server keeps it of pages before.
    person.state["choices"] = {"method": "second_run", "first": "second_run"}
    person.state["methods"] = ["second_run"]
    person.shown = {"active_fields": ["sequence", "frames.first"]}
    person.do("open", "on_load")
    first = {"Failures": "shown", "VOS evaluation": "methods"}[panel.label]
    expected = {
        "shown": "first_run",
        "methods": ["first_run", "third_run", "second_run"],
    }
    assert person.state[first] == expected[first]


def test_an_unforeseen_error_is_a_short_report_with_details(three, monkeypatch):
    def broken(*args, **settings):
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr("s3fo.plugin.panels.headline.headline", broken)
    person = Visitor(VOSEvaluation(), three)
    person.do("open", "on_load")
    assert {"trouble", "trouble_buttons"} <= set(person.layout)
    assert "ZeroDivisionError: no such luck" in str(person.layout["trouble"])
    assert "Traceback" not in str(person.layout["trouble"])
    copied = person.do("copy", "on_copy_details").requests["@s3fo/vos/copy_text"]
    assert "Traceback" in copied["text"] and "no such luck" in copied["text"]


def test_a_broken_handler_does_not_break_the_panel(three, monkeypatch):
    person = Visitor(Failures(), three)
    person.do("open", "on_load")
    monkeypatch.setattr(Failures, "on_step", lambda self, ctx: 1 / 0)
    person.do("next", "on_step", at=1)
    assert "ZeroDivisionError" in str(person.layout["trouble"])


def test_the_filter_of_a_number_is_the_sidebars():
    own = exactly(np.int64(7))
    no = dict.fromkeys(("exclude", "isMatching", "none", "nan", "inf", "ninf"), False)
    assert own == {**no, "range": [7, 7]}


def test_a_review_shows_can_be_taken_back_and_undone(three):
    key = "second_run"
    person = Visitor(Failures(), three)
    person.do("open", "on_load")
    person.choose("of", "method", key)
    first = person.state["event"]

    def tags():
        three.reload()
        events = tables.event_table(three, key)
        return events[events["id"] == first]["tags"].iloc[0]

    about = {"event_id": first, "at": 0}
    person.do("review", "on_tag", tag="ignore", **about)
    assert tags() == ["ignore"] and person.state["at"] == 1
    person.do("back", "on_step", at=0)
    buttons = person.layout["review"]["type"]["properties"]
    assert buttons["ignore"]["view"]["variant"] == "contained"
    assert buttons["confirmed"]["view"]["variant"] == "outlined"
    person.do("review otherwise", "on_tag", tag="confirmed", **about)
    assert tags() == ["confirmed"]
    person.do("undo", "on_undo")
    assert tags() == ["ignore"] and person.state["at"] == 0
    person.do("the same again", "on_tag", tag="ignore", **about)
    assert tags() == []


def test_a_bar_of_costs_filters_the_grid_as_well(three):
    person = Visitor(Failures(), three)
    person.do("open", "on_load")
    person.choose("of", "method", "first_run")
    bar = person.data["costs"][0]["ids"][0]
    answer = person.do("bar", "on_click_cost", id=bar)
    stages = json_util.loads(json.dumps(answer.requests["set_view"]["view"]))
    view = fo.DatasetView._build(three, stages)
    events = tables.event_table(three, "first_run")
    kind = bar.split("|")[0]
    wanted = set(events[events["kind"] == kind]["id"])
    shown = view.values("first_run_failures.detections.id", unwind=True)
    assert wanted == set(shown)


@pytest.mark.parametrize("method", METHODS)
def test_tiles_of_clips_carry_video_kind_cost_and_masks(three, method):
    key = f"{method}_run"
    events = tables.event_table(three, key).head(3)
    clips = failures.event_clips(three, key, list(events["id"]))
    assert clips.values("sequence") == list(events["sequence"])
    wanted = [
        f"{kind}, {round(100 * cost, 1):g} points"
        for kind, cost in zip(events["kind"], events["cost"], strict=True)
    ]
    shown = [
        label.replace(".0 ", " ") for label in clips.values(f"{key}_failures.label")
    ]
    assert shown == wanted
    path = f"{key}_failures.detections.cost"
    costs = three.values(path)
    try:
        three.set_values(path, [[0.00049] * len(own or []) for own in costs])
        small = failures.event_clips(three, key, list(events["id"]))
        named = small.values(f"{key}_failures.label")
        assert all(name.endswith(", under 0.1 points") for name in named)
    finally:
        three.set_values(path, costs)
    fields = plan_clips(three, key)
    assert fields[:2] == ("sequence", f"{key}_failures")
    assert fields[2].startswith(f"frames.{method}")


def test_the_part_of_the_loss_that_is_in_no_event_is_named(three):
    key = "third_run"
    person = Visitor(Failures(), three)
    person.do("open", "on_load")
    person.choose("of", "method", key)
    lost = 100 * (1 - tables.summary(three, key)["J&F"])
    rest = lost - 100 * tables.event_table(three, key)["cost"].sum()
    assert round(rest, 1) == 0
    told = person.state["costs_text"]
    assert told.endswith("Next to nothing is lost outside events.")
    assert "other 0.0" not in told and f" of {lost:.1f} points of J&F lost" in told


def test_what_is_lost_outside_events_is_told_in_points(three, monkeypatch):
    key = "third_run"
    lost = tables.summary(three, key)["J&F"]
    monkeypatch.setattr(tables, "summary", lambda *_: {"J&F": lost - 0.034})
    told = charts.costs(three, key, "all").text
    assert f"The other 3.4 of all {100 * (1 - lost) + 3.4:.1f} points lost" in told


def test_what_the_grid_and_clips_show_of_a_method(three):
    files = three.has_frame_field("second_mask")
    mask, truth = (
        f"frames.{name}_mask" if files else f"frames.{name}"
        for name in ("second", "ground_truth")
    )
    grid = ("sequence", "second_run_JF", mask)
    assert plan_grid(three, "second_run") == grid
    assert plan_clips(three, "second_run") == (
        "sequence",
        "second_run_failures",
        mask,
    )
    assert plan_audit_clips(three) == ("sequence", AUDIT, truth)
    assert plan_frame(three, pair(three), 1, ["second_run"]).fields == grid


class _App:
    """What a handler tells the App, in order, where the grid shows a view."""

    def __init__(self, dataset, view=None):
        self.dataset, self.view = dataset, dataset if view is None else view
        self.has_custom_view, self.request_params = view is not None, {}
        self.current_sample, self.told = "abc", []
        self.ops = self

    def __getattr__(self, name):
        return lambda *given: self.told.append((name, *given))

    def trigger(self, operator, params):
        self.told.append((operator.split("/")[-1], params))


def test_a_view_gives_way_only_where_it_lacks_the_video(three):
    plan = plan_frame(three, pair(three), 4, ["second_run"], object_id=1)
    inside = _App(three, three.match({"sequence": "pair"}))
    show_frame(inside, plan)
    [(name, params)] = inside.told
    assert name == "show_frame" and "stages" not in params
    assert (params["id"], params["frame"]) == (pair(three), 4)
    outside = _App(three, three.match({"sequence": "alone"}))
    show_frame(outside, plan)
    assert outside.told == [("clear_view",), ("show_frame", {**params, "stages": 0})]
    seek(outside, 3)
    assert outside.told[-1] == ("show_frame", {"id": "abc", "frame": 3})


def test_all_videos_are_shown_as_the_dataset_opens(three):
    app = _App(three, three.match({"sequence": "pair"}))
    show_all_videos(app)
    told = dict(own if len(own) == 2 else (own[0], None) for own in app.told)
    assert {"clear_view", "clear_sidebar_filters", "restore_sidebar"} <= set(told)
    # It opens with all of its videos, and has no other media to come back from.
    assert not {"set_view", "show_media"} & set(told)
    restored, groups = told["restore_sidebar"], three.app_config.sidebar_groups
    assert restored["stages"] == 0
    assert [(g["name"], g["paths"], g["expanded"]) for g in restored["groups"]] == [
        (group.name, group.paths, group.expanded) for group in groups
    ]
    assert told["set_active_fields"] == three.app_config.active_fields.paths
