"""The audit of the ground truth in the App: events, reviews, scores told twice."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest
from small_benchmark import own_name, write_results

import s3fo
from benchmarks.panels import Visitor
from evaluation.audit import side_by_side
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.plots.audit_strip import frames_of_strip
from evaluation.scoring import score
from s3fo.benchmarks import write_synthetic
from s3fo.benchmarks.synthetic import Factors
from s3fo.datasets.auditing.events import audit_clips, review_audited, stored_audit
from s3fo.datasets.field_names import AUDIT
from s3fo.datasets.reading import tables
from s3fo.plugin.panels.audit import GroundTruthAudit

HOLE = 7
"""Index of the frame in which the ground truth of "pair" lost object 2."""


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """Ground truth with a hole in time, and a method that has none there."""
    root = tmp_path_factory.mktemp("spoilt")
    videos = {"pair": Factors(objects=2, length=14, size=0.06, speed=0.0)}
    benchmark = write_synthetic(
        root / "data", videos=videos, size=(61, 93), textures="procedural"
    )
    write_results(benchmark, root / "right", shift=0)  # It loses object 2 in frame 4.
    (video,) = benchmark
    frame = video.frames[HOLE]
    label_map = np.array(video.read_annotation(frame))
    label_map[label_map == 2] = 0
    write_label_map(video.annotations[frame], label_map)
    return benchmark, root / "right"


@pytest.fixture(scope="module")
def audited(spoilt):
    benchmark, results = spoilt
    dataset = s3fo.load_benchmark(benchmark, dataset_name=own_name("audited"))
    s3fo.add_predictions(dataset, results, "right")
    s3fo.evaluate(dataset, "right", "k", workers=1)
    s3fo.datasets.audit_ground_truth(dataset, workers=1)
    yield dataset
    dataset.delete()


@pytest.fixture
def hole(audited):
    """The event of the hole, not reviewed; taken back afterwards."""
    events = tables.audit_table(audited)
    (event,) = events[events["kind"] == "vanishes"].to_dict("records")
    yield event
    review_audited(audited, event, None)


def test_events_are_those_of_the_tables_by_number_of_frame(audited, hole):
    assert (hole["object"], hole["start"], hole["end"]) == (2, HOLE + 1, HOLE + 1)
    assert "Audit" in audited.list_workspaces()
    found = stored_audit(audited)
    (frame,) = found.frames[found.frames["kind"] == "vanishes"]["frame"]
    (video,) = s3fo.datasets.load_benchmark_info(audited)
    assert frame == video.frames[HOLE]
    clips = audit_clips(audited, [hole["id"]])
    assert clips.values("support") == [[HOLE + 1, HOLE + 1]]
    assert clips.values(f"{AUDIT}.label") == ["vanishes, object 2"]


def test_scores_are_told_twice_by_the_confirmed_events(audited, hole, spoilt):
    review_audited(audited, hole, "confirmed")
    table = s3fo.datasets.scores_side_by_side(audited, "k", workers=1)
    benchmark, results = spoilt
    frames = score(results, benchmark, "davis-2017", workers=1)
    expected = side_by_side(frames, stored_audit(audited, "confirmed"))
    assert table.to_dict("records") == expected.to_dict("records")
    told = table.set_index("metric")
    # By hand: object 1 is right; object 2 is lost in one of the 12 frames that count,
    # and found in another where the ground truth has lost it.
    assert told.loc["J", "all"] == pytest.approx((1 + 10 / 12) / 2)
    assert told.loc["J", "without"] == pytest.approx((1 + 10 / 11) / 2)
    summary = audited.get_evaluation_info("k").config.summary
    assert summary["J"] == told.loc["J", "all"]


def test_reviews_stay_when_the_ground_truth_is_audited_again(audited, hole):
    review_audited(audited, hole, "dismissed")
    s3fo.datasets.audit_ground_truth(audited, images=False, workers=1)
    events = tables.audit_table(audited)
    assert events[events["kind"] == "vanishes"]["tags"].tolist() == [["dismissed"]]
    with pytest.raises(InputError, match="confirmed, dismissed"):
        review_audited(audited, events.iloc[0], "ignore")


def test_a_person_confirms_and_sees_both_numbers(audited, hole):
    person = Visitor(GroundTruthAudit(), audited)
    person.do("open", "on_load")
    assert not person.state["problem"]
    person.do("bar", "on_click_kind", id="vanishes", path="kinds")
    assert "object 2: vanishes" in person.state["event_text"]
    assert str(person.layout["strip"]).count("data:image/jpeg") == 2 * 3
    person.do("tell", "on_tell")
    assert "No event is confirmed" in person.state["scores_text"]

    about = {"event_id": person.state["event"], "at": 0}
    answer = person.do("review", "on_tag", tag="confirmed", **about)
    assert "confirmed" in answer.requests["notify"]["message"]
    told = person.layout["review_line"]["default"]
    assert "object 2: vanishes is **confirmed**" in told and "*Undo*" in told
    assert f" of {person.state['count']}." in told
    assert "1 confirmed event" in person.state["scores_text"]
    rows = {row["score"]: row for row in person.data["scores"]}
    assert (rows["J"]["all"], rows["J"]["without"]) == ("0.917", "0.955")
    person.do("undo", "on_undo")
    assert " again**." in person.state["told_of_review"]
    assert "No event is confirmed" in person.state["scores_text"]


def test_a_clip_opens_with_the_ground_truth_alone(audited, hole):
    person = Visitor(GroundTruthAudit(), audited)
    person.do("open", "on_load")
    answer = person.do("clip", "on_open", event_id=hole["id"])
    shown = answer.requests["@s3fo/vos/show_frame"]
    assert (shown["id"], shown["frame"]) == (hole["sample_id"], HOLE + 1)
    assert list(shown["fields"]) == ["sequence", "frames.ground_truth"]
    clips = person.do("clips", "on_clips").requests
    assert "ToClips" in str(clips["set_view"]["view"])
    assert clips["set_active_fields"]["fields"][-1] == "frames.ground_truth"


def test_a_strip_has_the_frames_around_those_in_question():
    names = ["a", "b", "c", "d"]
    assert frames_of_strip(names, "b", "b") == [
        *(("before", "a"), ("in question", "b"), ("after", "c")),
    ]
    assert frames_of_strip(names, "a", "d") == [("first", "a"), ("last", "d")]


def test_clean_ground_truth_is_audited_and_shown(tmp_path):
    """Tables without rows have columns of any type."""
    videos = {"still": Factors(objects=1, length=6, size=0.06, speed=0.0)}
    clean = write_synthetic(
        tmp_path / "data", videos=videos, size=(61, 93), textures="procedural"
    )
    dataset = s3fo.load_benchmark(clean, dataset_name=own_name("clean"), video="none")
    try:
        found = s3fo.datasets.audit_ground_truth(dataset, workers=1)
        assert len(found.events) == 0
        s3fo.datasets.audit_ground_truth(dataset, workers=1)
        assert "Audit" in dataset.list_workspaces()
        write_results(clean, tmp_path / "right", shift=0)
        s3fo.add_predictions(dataset, tmp_path / "right", "right")
        s3fo.evaluate(dataset, "right", "k", workers=1)
        person = Visitor(GroundTruthAudit(), dataset)
        person.do("open", "on_load")
        assert "0 events" in person.state["kinds_text"]
        assert "kinds" not in person.layout
    finally:
        dataset.delete()


def test_what_was_not_audited_says_what_to_do():
    empty = fo.Dataset(own_name("not-audited"))
    try:
        with pytest.raises(InputError, match="Audit the ground truth"):
            stored_audit(empty)
    finally:
        empty.delete()
