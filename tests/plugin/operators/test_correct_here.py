"""Correcting a failure from the App: masks, scores and what is shown of both."""

from __future__ import annotations

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError
from operator_runs import form, problem, run, triggers_in_app

import s3fo
from evaluation.masks.label_map import read_label_map
from s3fo.datasets.reading import tables
from s3fo.plugin import install


@pytest.fixture(scope="session", autouse=True)
def plugin():
    return install()


@pytest.fixture
def failing(dataset, benchmark, tmp_path):
    """Predictions of the copy baseline, whose failures are found."""
    s3fo.predict(benchmark, tmp_path / "copy", method="copy")
    s3fo.add_predictions(dataset, tmp_path / "copy", "copied")
    s3fo.evaluate(dataset, "copied", "k")
    s3fo.find_failures(dataset, "k", error_maps=False)
    return dataset


def _event(dataset):
    return tables.event_table(dataset, "k").iloc[0]


def test_a_failure_is_corrected_where_it_begins(failing, benchmark):
    event = _event(failing)
    asked = form("correct_here", failing)
    assert {"eval_key", "event", "mask_field", "method", "name"} <= set(asked)
    assert asked["method"].default == "copy", "as the record of the masks says"
    assert asked["event"].default == str(event["id"])
    run("correct_here", failing, eval_key="k", event=str(event["id"]))
    sequence = benchmark[event["sequence"]]
    frame = sequence.frames[event["start"] - 1]
    folder = s3fo.datasets.load_predictions_info(failing)["copied_corrected"].folder
    made = read_label_map(folder / sequence.name / f"{frame}.png")
    truth = sequence.read_annotation(frame)
    own = event["object"]
    assert np.array_equal(made == own, truth == own)
    before = tables.object_scores(failing, "k").objects
    after = tables.object_scores(failing, "copied_corrected").objects
    assert set(after["sequence"]) == {sequence.name}, "no other video was segmented"
    key = {"sequence": sequence.name, "object": own}
    old, new = (
        table.loc[(table[list(key)] == list(key.values())).all(axis=1), "J&F"].item()
        for table in (before, after)
    )
    assert new > old


def test_what_was_regained_is_told_and_shown(failing):
    event = _event(failing)
    params = {"eval_key": "k", "event": str(event["id"]), "method": "flow"}
    window = triggers_in_app("correct_here", failing, **params)[-1].params
    told = window["results"]
    assert float(told["J&F of the object after"]) > float(
        told["J&F of the object before"]
    )
    assert float(told["cost of the failure, points"]) == pytest.approx(
        100 * event["cost"], rel=1e-3
    )
    assert float(told["regained, points"])
    failing.reload()
    labels = failing.values("k_failures.detections", unwind=True)
    (kept,) = [one.regain for one in labels if one.has_field("regain")]
    assert 100 * kept == pytest.approx(float(told["regained, points"]), rel=1e-3)
    assert len(tables.event_table(failing, "k")) == len(labels)
    assert "See before and after" in str(window["outputs"])
    shown = {"eval_key": "k", "event": str(event["id"])}
    shown["corrected"] = told["predictions"]
    executor = foo.executor.Executor()
    request = {"dataset_name": failing.name, "params": shown, "spaces": None}
    context = foo.executor.ExecutionContext(request, executor=executor)
    foo.get_operator("@s3fo/vos/show_correction").execute(context)
    asked = {
        one["operator_uri"]: one["params"] for one in executor.to_json()["requests"]
    }
    plan = asked["@s3fo/vos/show_frame"]
    assert {"frames.copied", "frames.copied_corrected"} <= set(plan["fields"])
    assert plan["frame"] == event["start"]


def test_masks_of_a_field_correct(failing, benchmark):
    event = _event(failing)
    sequence = benchmark[event["sequence"]]
    frame = sequence.frames[event["start"] - 1]
    drawn = np.zeros(sequence.read_annotation(frame).shape, bool)
    drawn[3:23, 5:35] = True
    sample = failing.match({"sequence": sequence.name}).first()
    label = fo.Detection.from_mask(drawn, label="mine", instance=fo.Instance())
    sample.frames[int(event["start"])]["mine"] = fo.Detections(detections=[label])
    sample.save()
    run(
        "correct_here",
        failing,
        eval_key="k",
        event=str(event["id"]),
        mask_field="mine",
        name="by_hand",
    )
    folder = s3fo.datasets.load_predictions_info(failing)["by_hand"].folder
    made = read_label_map(folder / sequence.name / f"{frame}.png")
    assert np.array_equal(made == event["object"], drawn)


def test_a_field_without_the_object_is_refused(failing):
    event = _event(failing)
    elsewhere = failing.match({"sequence": event["sequence"]}).first()
    drawn = np.eye(61, 93, dtype=bool)
    labels = [fo.Detection.from_mask(drawn, label="x", index=i) for i in (7, 8)]
    number = int(event["start"])
    elsewhere.frames[number]["mine"] = fo.Detections(detections=labels)
    elsewhere.save()
    chosen = {"eval_key": "k", "event": str(event["id"]), "mask_field": "mine"}
    with pytest.raises(ExecutionError, match="2 labels, none with the index"):
        run("correct_here", failing, **chosen)
    assert "copied_corrected" not in s3fo.datasets.load_predictions_info(failing)


def test_it_says_what_is_missing(dataset, failing):
    with pytest.raises(ExecutionError, match="no such failure"):
        run("correct_here", failing, eval_key="k", event="nothing")


def test_without_failures_it_says_so(predicted):
    assert "no failures" in problem("correct_here", predicted)
