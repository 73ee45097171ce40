from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import s3fo
from evaluation.breakdown import strongest
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.protocols import PROTOCOLS
from s3fo.datasets.reading import frame_table, tables
from s3fo.datasets.scoring.failures import event_clips
from s3fo.datasets.scoring.review import tag_event
from s3fo.plugin.panels import headline
from s3fo.plugin.panels.charts import attributes as attribute_charts
from s3fo.plugin.panels.charts import failures as failure_charts
from s3fo.plugin.panels.charts import objects as object_charts
from s3fo.plugin.panels.charts import timeline as timeline_chart
from s3fo.plugin.panels.timeline import video_of


@pytest.fixture
def evaluated(explained):
    """One evaluation, with attributes and failures."""
    return explained


def test_scores_read_from_the_dataset_are_those_of_the_files(predicted):
    scores = s3fo.evaluate(predicted, "shifted", "k")
    read = tables.object_scores(predicted, "k")
    for name in ("J&F", "J", "F", "J_recall", "F_decay"):
        assert read.summary[name] == pytest.approx(scores.summary[name], abs=1e-12)
    columns = ["sequence", "object", "J_mean", "F_mean", "J&F"]
    pd.testing.assert_frame_equal(
        read.objects[columns].sort_values(columns[:2], ignore_index=True),
        scores.objects[columns].sort_values(columns[:2], ignore_index=True),
    )


def test_tables_follow_the_dataset(evaluated):
    before = tables.event_table(evaluated, "k")
    assert tables.event_table(evaluated, "k") is before
    tag_event(evaluated, "k", before.iloc[0], "confirmed")
    after = tables.event_table(evaluated, "k")
    assert after["tags"].iloc[0] == ["confirmed"]


def test_an_event_has_one_review_and_its_view_follows(evaluated):
    event = tables.event_table(evaluated, "k").iloc[0]
    tag_event(evaluated, "k", event, "confirmed")
    tag_event(evaluated, "k", event, "ignore")
    assert tables.event_table(evaluated, "k")["tags"].iloc[0] == ["ignore"]
    assert not evaluated.has_saved_view("k confirmed"), "no event carries it"
    shown = evaluated.load_saved_view("k ignore")
    assert shown.values("k_failures.detections.id", unwind=True) == [event["id"]]
    with pytest.raises(InputError, match="confirmed"):
        tag_event(evaluated, "k", event, "wrong")
    tag_event(evaluated, "k", event, None)
    assert not evaluated.has_saved_view("k ignore")


def test_the_worst_frame_is_where_the_object_was_lost(predicted):
    s3fo.evaluate(predicted, "shifted", "k")
    sample_id = predicted.match({"sequence": "pair"}).first().id
    # The results lose object 2 in the frame of index 4.
    assert frame_table.worst_frame(predicted, "k", sample_id, 2) == 5


def test_of_equally_bad_frames_all_panels_show_the_same(monkeypatch):
    frames = pd.DataFrame(
        {
            "object": [1, 2, 1, 2, 1, 2],
            "number": [2, 2, 3, 3, 4, 4],
            "J": [0.5, 0.0, 0.2, 0.0, 0.3, 0.0],
            "F": [0.5, 0.0, 0.2, 0.0, 0.1, 0.0],
        }
    )
    monkeypatch.setattr(frame_table, "object_frames", lambda *_: frames)
    # Object 1 is equally bad in frames 3 and 4, object 2 in all of them.
    assert frame_table.worst_frame(None, "k", "v", 1) == 3
    assert frame_table.worst_frame(None, "k", "v", 2) == 2
    assert frame_table.lowest(None, "k", "v") == (2, 2)
    assert frame_table.lowest(None, "k", "v", 7) is None
    assert frame_table.worst_frame(None, "k", "v", 7) == 1


def test_objects_are_held_against_their_strongest_attribute_first(monkeypatch):
    objects = pd.DataFrame(
        {"length": [9, 9, 9], "size": [0.1, 0.2, 0.4], "speed": [1.0, 3.0, 2.0]}
    )
    trends = pd.DataFrame(
        {
            "method": ["k", "k", "other"],
            "attribute": ["size", "speed", "length"],
            "spearman": [0.2, -0.9, 1.0],
        }
    )
    found = SimpleNamespace(trends=trends)
    monkeypatch.setattr(object_charts.tables, "object_table", lambda _: objects)
    monkeypatch.setattr(object_charts.tables, "breakdown", lambda *_: found)
    named = SimpleNamespace(found=None, closest=None)
    monkeypatch.setattr(object_charts, "strongest", lambda *_: named)
    order = list(object_charts.against_choices(None, ["k"]))
    assert order == ["speed", "size", "length"]
    named.closest = SimpleNamespace(attribute="size")
    order = list(object_charts.against_choices(None, ["k"]))
    assert order == ["size", "speed", "length"]


def test_bars_show_the_means_of_their_objects(evaluated):
    chart = attribute_charts.by_attribute(evaluated, ["k"], "n_objects")
    objects = tables.object_scores(evaluated, "k").objects
    scores = objects.set_index(["sample_id", "object"])["J&F"]
    trace = chart.traces[0]
    assert len(trace["ids"]) == 2
    for label, mean in zip(trace["ids"], trace["x"], strict=True):
        _, name, group = label.split("|")
        members = attribute_charts.members(evaluated, name, group)
        assert scores.loc[members].mean() == pytest.approx(mean)


def test_the_headline_about_attributes_is_that_of_reports(evaluated):
    text = attribute_charts.by_attribute(evaluated, ["k"], None).text
    found = strongest(tables.breakdown(evaluated, ("k",)), "k")
    assert found.found is None, "two videos prove nothing"
    assert text.startswith("**No attribute is beyond chance.**")
    assert found.text("k", lambda change: f"{change:+.3f}") in text


def test_every_object_is_in_one_bar_of_the_histogram(evaluated):
    (trace,) = object_charts.histogram(evaluated, ["k"])
    found = []
    for label, count in zip(trace["ids"], trace["y"], strict=True):
        method, score, *edges = label.split("|")
        low, high = map(float, edges)
        bar = object_charts.objects_between(evaluated, method, score, low, high)
        assert len(bar) == count
        found += bar
    assert len(found) == len(set(found)) == 3


def test_costs_of_the_bars_add_up_to_those_of_the_events(evaluated):
    total = 100 * tables.event_table(evaluated, "k")["cost"].sum()
    for split in ("all", *failure_charts.splits(evaluated)):
        chart = failure_charts.costs(evaluated, "k", split)
        assert sum(sum(trace["x"]) for trace in chart.traces) == pytest.approx(total)


def test_a_filmstrip_is_drawn_from_the_files(evaluated):
    event = tables.event_table(evaluated, "k").iloc[0]
    strip = failure_charts.filmstrip(evaluated, "k", event)
    sources = [source for row in strip.pictures for source in row]
    assert strip.rows == ("ground truth", "prediction", "errors")
    assert len(sources) == 9 and len(strip.columns) == 3
    assert all(one.startswith("data:image/jpeg;base64,") for one in sources)
    frames = failure_charts.frame_labels(evaluated, event)
    assert strip.columns[1] == f"worst: {frames['worst']}"


def test_the_timeline_has_two_curves_an_object(evaluated):
    sample_id = evaluated.match({"sequence": "pair"}).first().id
    chart = timeline_chart.timeline(evaluated, "k", sample_id)
    names = [trace["name"] for trace in chart.traces]
    for name in ("object 1 J", "object 1 F", "object 2 J", "object 2 F"):
        assert names.count(name) == 1


@pytest.mark.parametrize(
    "protocols",
    [
        ["davis-2017", "mose-v2"],
        pytest.param(list(PROTOCOLS), marks=pytest.mark.slow, id="all"),
    ],
)
def test_the_headline_is_that_of_every_protocol(predicted, protocols):
    for protocol in protocols:
        scores = s3fo.evaluate(predicted, "shifted", "k", protocol=protocol, workers=1)
        (row,) = headline.headline(predicted, ["k"]).to_dict("records")
        assert row.pop("method") == "k"
        assert row.pop("n_objects") == len(scores.objects)
        assert {"J&F", "J", "F"} <= set(row)
        for name, value in row.items():
            assert value == pytest.approx(scores.summary[name], abs=0, nan_ok=True)
        assert ("J&F_adaptive" in row) == (protocol == "mose-v2")
        read = tables.object_scores(predicted, "k").summary
        assert read["J&F"] == pytest.approx(row["J&F"])


def test_proposals_stand_for_the_objects_they_were_matched_with(
    dataset, benchmark, tmp_path
):
    for sequence in benchmark:
        for frame in sequence.frames:
            label_map = sequence.read_annotation(frame)
            label_map = np.array([0, 7, 4], np.uint8)[label_map]
            write_label_map(tmp_path / sequence.name / f"{frame}.png", label_map)
    s3fo.add_predictions(dataset, tmp_path, "renamed")
    s3fo.evaluate(dataset, "renamed", "k", protocol="davis-2017-unsupervised")
    sample_id = dataset.match({"sequence": "pair"}).first().id
    frames = frame_table.object_frames(dataset, "k", sample_id)
    assert set(frames["object"]) == {1, 2}
    assert (frames["J"] == 1).all()
    assert tables.predicted_index(dataset, "k", sample_id, 1) == 7
    assert tables.predicted_index(dataset, "k", sample_id, 2) == 4


def test_the_timeline_marks_where_a_clip_begins(evaluated):
    sample_id = evaluated.match({"sequence": "pair"}).first().id
    clip = evaluated.select(sample_id).to_clips([[(3, 8)]])
    context = SimpleNamespace(current_sample=clip.first().id, view=clip)
    assert video_of(context) == (sample_id, 3)
    context = SimpleNamespace(current_sample=sample_id, view=evaluated.view())
    assert video_of(context) == (sample_id, 1)
    shapes = timeline_chart.timeline(evaluated, "k", sample_id, 3).layout["shapes"]
    (line,) = [shape for shape in shapes if shape["type"] == "line"]
    assert (line["x0"], line["x1"], line["yref"]) == (3, 3, "paper")
    unmarked = timeline_chart.timeline(evaluated, "k", sample_id).layout["shapes"]
    assert [shape for shape in shapes if shape is not line] == unmarked


def test_the_player_steps_through_clips_by_cost(evaluated):
    events = tables.event_table(evaluated, "k")
    assert len(events) > 2
    clips = event_clips(evaluated, "k", list(events["id"][::-1][:2]))
    assert list(clips.values("k_failures.cost")) == list(events["cost"][-2:])
