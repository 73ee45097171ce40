from __future__ import annotations

import fiftyone as fo
import pytest
from operator_runs import form, run, triggers_in_app

import s3fo
from benchmarks.panels import Visitor
from s3fo.datasets.reading import tables
from s3fo.plugin import install
from s3fo.plugin.panels.evaluation import VOSEvaluation
from s3fo.plugin.panels.failures import Failures
from s3fo.plugin.panels.opening import exactly
from s3fo.plugin.panels.timeline import ObjectTimeline


@pytest.fixture(scope="session", autouse=True)
def plugin():
    return install()


def test_attributes_are_computed_from_the_app(dataset):
    assert "about" in form("compute_attributes", dataset)
    run("compute_attributes", dataset)
    assert None not in dataset.values("objects.detections.occlusion", unwind=True)


def test_failures_are_found_from_the_app(predicted):
    s3fo.evaluate(predicted, "shifted", "k")
    assert {"eval_key", "error_maps"} <= set(form("find_failures", predicted))
    run("find_failures", predicted, eval_key="k", error_maps=False)
    assert predicted.count("k_failures.detections") > 0
    assert not predicted.has_frame_field("k_errors")


def test_failures_of_other_scores_are_to_be_found_again(predicted):
    s3fo.evaluate(predicted, "shifted", "k")
    run("find_failures", predicted, eval_key="k", error_maps=False)
    again = {"predictions": "shifted", "eval_key": "k"}
    *_, window = triggers_in_app("evaluate_vos", predicted, **again)
    assert "failures" not in window.params["results"]
    again["protocol"] = "mose-v2"
    *_, window = triggers_in_app("evaluate_vos", predicted, **again)
    assert "find them again" in window.params["results"]["failures"]


def test_failures_need_an_evaluation_and_say_so(dataset):
    problem = form("find_failures", dataset)["problem"]
    assert "no evaluation" in problem.view.label


@pytest.fixture
def by_instance(predicted) -> fo.Dataset:
    """The imported masks once more in the field ``drawn``, known by instance alone."""
    frames = {}
    for sample in predicted:
        own = {
            label.index: label.instance.id
            for frame in sample.frames.values()
            for label in frame.ground_truth.detections
        }
        frames[sample.id] = {
            number: fo.Detections(
                detections=[
                    fo.Detection(
                        label="drawn", mask=label.mask,
                        bounding_box=label.bounding_box,
                        instance=fo.Instance(id=own[label.index]),
                    )
                    for label in frame.shifted.detections
                ]
            )
            for number, frame in sample.frames.items()
        }  # fmt: skip
    predicted.set_values("frames.drawn", frames, key_field="id")
    return predicted


def test_labels_with_an_instance_and_no_index_work_from_scores_to_clips(by_instance):
    indices = by_instance.values("frames.drawn.detections.index", unwind=True)
    assert indices and set(indices) == {None}
    run("evaluate_vos", by_instance, predictions="drawn", eval_key="k")
    run("evaluate_vos", by_instance, predictions="shifted", eval_key="files")
    run("compute_attributes", by_instance)
    run("find_failures", by_instance, eval_key="k", error_maps=False)
    by_instance.reload()
    keys = ["sequence", "object", "J&F"]
    own, files = (
        tables.object_scores(by_instance, key).objects[keys].sort_values(keys[:2])
        for key in ("k", "files")
    )
    assert own.to_numpy().tolist() == files.to_numpy().tolist()

    person = Visitor(VOSEvaluation(), by_instance)
    person.do("open", "on_load")
    person.do("tab", "on_open_tab", tab="worst")
    person.choose("of", "ranked_by", "k")
    worst = own.sort_values("J&F").iloc[0]
    shown = person.do("row", "on_click_worst", row=0).requests["@s3fo/vos/show_frame"]
    number = int(worst["object"])
    assert shown["filters"]["frames.drawn.detections.index"] == exactly(number)
    labels = [
        label.index
        for frame in by_instance[shown["id"]].frames.values()
        for label in frame.drawn.detections
    ]
    assert labels.count(number), "the filter would hide the object"

    person = Visitor(Failures(), by_instance)
    person.do("open", "on_load")
    event = tables.event_table(by_instance, "k").iloc[0]
    about = {"event_id": event["id"], "at": 0}
    shown = person.do("clip", "on_open", **about).requests["@s3fo/vos/show_frame"]
    assert (shown["id"], shown["frame"]) == (event["sample_id"], event["start"])
    person = Visitor(ObjectTimeline(), by_instance, event["sample_id"])
    person.state["focus"] = {**shown["focus"], "id": event["sample_id"]}
    person.state["chosen"] = "k"
    person.do("open", "on_load")
    assert person.state["timeline_text"].startswith(f"**Object {event['object']}**")
