"""Operators as Python and agents call them: results, optional parameters, risks."""

from __future__ import annotations

import fiftyone.operators as foo
import pandas as pd
import pytest
from operator_runs import triggers_in_app

import s3fo


@pytest.fixture(autouse=True)
def plugin():
    from s3fo.plugin import install

    return install()


def call(operator, dataset, **params):
    done = foo.execute_operator(
        f"@s3fo/vos/{operator}", {"dataset": dataset, "params": params}
    )
    return done.result


def test_an_evaluation_returns_its_scores(predicted):
    result = call("evaluate_vos", predicted)
    scores = s3fo.evaluate(predicted, "shifted", "again", workers=1)
    assert result["J&F"] == pytest.approx(scores.summary["J&F"])
    assert result["evaluation"] == "shifted" and result["objects"] == 3


def test_an_import_needs_no_name(dataset, results):
    result = call(
        "import_predictions", dataset, results={"absolute_path": str(results)}
    )
    assert result["predictions"] == "shifted" and result["sequences"] == 2


def test_a_key_of_another_method_is_replaced_only_when_told(predicted, results):
    s3fo.add_predictions(predicted, results, "other")
    call("evaluate_vos", predicted, predictions="shifted", eval_key="k")
    asked = {"predictions": "other", "eval_key": "k"}
    with pytest.raises(Exception, match="another key"):
        call("evaluate_vos", predicted, **asked)
    call("evaluate_vos", predicted, **asked, replace=True)
    assert predicted.get_evaluation_info("k").config.predictions == "other"


def test_every_operator_says_what_it_does_and_risks():
    ours = [op for op in foo.list_operators() if "@s3fo/vos" in op.uri]
    for operator in ours:
        if operator.config.unlisted:
            continue
        assert operator.config.description, operator.uri
        assert operator.config.risk_level.value in ("low", "medium", "high")
    from fiftyone.operators.registry import list_operators

    panels = [p for p in list_operators(type="panel") if "@s3fo/vos" in p.uri]
    assert panels
    for panel in panels:
        assert panel.config.description and panel.risk_level.value in ("low", "medium")
        assert panel.config.risk_level == panel.risk_level
    # FiftyOne lists by the first letter of the description, then as registered.
    listed = [op.name for op in ours if not op.config.unlisted]
    work = ["menu", "load_benchmark", "run_method", "evaluate_vos", "find_failures"]
    work += ["make_report", "show_changes", "remove_evaluation"]
    assert [name for name in listed if name in work] == work
    letters = {op.config.description[0] for op in ours if op.name in work}
    assert letters == {"V"}
    risky = {op.name for op in ours if op.config.risk_level.value == "high"}
    assert {"make_report", "export_submission"} <= risky


def test_an_unforeseen_error_is_told_in_the_app(predicted, monkeypatch):
    def broken(*args, **settings):
        raise ZeroDivisionError("no such luck")

    monkeypatch.setattr("s3fo.datasets.evaluate", broken, raising=False)
    window = triggers_in_app("evaluate_vos", predicted, predictions="shifted")[-1]
    shown = str(window.params["outputs"])
    assert "ZeroDivisionError: no such luck" in shown and "Traceback" not in shown


def test_an_evaluation_of_a_target_scores_these_videos_only(predicted):
    alone = predicted.match({"sequence": "alone"})
    result = foo.execute_operator(
        "@s3fo/vos/evaluate_vos",
        {"view": alone, "params": {"view_target": "CURRENT_VIEW"}},
    ).result
    assert result["objects"] == 1


def test_a_method_runs_on_a_target(dataset, tmp_path):
    alone = dataset.match({"sequence": "alone"})
    result = foo.execute_operator(
        "@s3fo/vos/run_method",
        {
            "view": alone,
            "params": {
                "view_target": "CURRENT_VIEW",
                "method": "copy",
                "out": str(tmp_path),
            },
        },
    ).result
    assert result["videos"] == 1
    assert [path.name for path in (tmp_path / "copy").glob("*/")] == ["alone"]


def test_a_report_is_about_a_target(predicted, tmp_path):
    alone = predicted.match({"sequence": "alone"})
    foo.execute_operator(
        "@s3fo/vos/make_report",
        {
            "view": alone,
            "params": {"view_target": "CURRENT_VIEW", "out": str(tmp_path)},
        },
    )
    objects = pd.read_csv(tmp_path / "tables" / "objects.csv")
    assert set(objects["sequence"]) == {"alone"}


def test_fiftyone_computes_our_metrics(predicted):
    """As it does for every metric that is an operator."""
    scores = s3fo.evaluate(predicted, "shifted", workers=1)
    results = predicted.load_evaluation_results("shifted")
    results.custom_metrics = None
    results.add_custom_metrics(["@s3fo/vos/mean_jf", "@s3fo/vos/mean_f_adaptive"])
    assert results.custom_metrics == {
        "@s3fo/vos/mean_jf": {
            "key": "J&F",
            "value": scores.summary["J&F"],
            "label": "J&F",
            "lower_is_better": False,
        }
    }


def test_a_metric_of_a_target(predicted):
    scores = s3fo.evaluate(predicted, "shifted", workers=1)
    pair = predicted.match({"sequence": "pair"})
    result = foo.execute_operator(
        "@s3fo/vos/mean_j", {"view": pair, "params": {"view_target": "CURRENT_VIEW"}}
    ).result
    own = scores.objects[scores.objects["sequence"] == "pair"]
    assert result == {"evaluation": "shifted", "J": own["J_mean"].mean(), "objects": 2}
