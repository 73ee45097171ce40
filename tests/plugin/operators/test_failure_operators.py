from __future__ import annotations

import pytest
from operator_runs import form, run, triggers_in_app

import s3fo
from s3fo.plugin import install


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
