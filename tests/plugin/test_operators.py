from __future__ import annotations

import shutil

import fiftyone as fo
import fiftyone.operators as foo
import fiftyone.plugins as fop
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionError
from small_benchmark import own_name

import s3fo
from s3fo.plugin import install


@pytest.fixture(scope="session", autouse=True)
def plugin():
    """The plugin as a user installs it, in the plugins folder of the tests."""
    return install()


def run(operator: str, dataset=None, **params):
    """Run an operator at once, as the App does."""
    if dataset is None:
        dataset = fo.Dataset()
    return foo.execute_operator(
        f"@s3fo/vos/{operator}", {"dataset": dataset, "params": params}
    )


def run_delegated(operator: str, dataset, **params):
    """Queue an operator, run the queue, hand back the operation."""
    queued = foo.execute_operator(
        f"@s3fo/vos/{operator}",
        {"dataset": dataset, "params": params, "request_delegation": True},
    )
    service = DelegatedOperationService()
    assert service.get(queued.result["id"]).run_state == "queued"
    service.execute_queued_operations(operator=f"@s3fo/vos/{operator}")
    return service.get(queued.result["id"])


def folder(path) -> dict[str, str]:
    """A folder as the App's file chooser hands it over."""
    return {"absolute_path": str(path)}


def problem(operator: str, dataset, **params) -> str | None:
    """What the form says is wrong."""
    context = foo.executor.ExecutionContext(
        {"dataset_name": dataset.name, "params": params}
    )
    form = foo.get_operator(f"@s3fo/vos/{operator}").resolve_input(context)
    found = form.type.properties.get("problem")
    return found and f"{found.view.label} {found.view.description}"


def test_installing_lists_every_operator(plugin):
    definition = fop.get_plugin("@s3fo/vos")
    assert definition.directory == str(plugin)
    operators = [op.uri for op in foo.list_operators() if "@s3fo/vos" in op.uri]
    assert sorted(operators) == sorted(
        f"@s3fo/vos/{name}" for name in definition.operators
    )
    assert len(operators) == 10, "seven verbs and three panels"


def test_installing_again_changes_nothing_and_repairs(plugin, tmp_path):
    first = install(tmp_path)
    stamp = (first / "fiftyone.yml").stat().st_mtime_ns
    (first / "__init__.py").write_text("broken")
    assert install(tmp_path) == first
    assert (first / "fiftyone.yml").stat().st_mtime_ns == stamp
    assert "from s3fo.plugin import register" in (first / "__init__.py").read_text()


def test_load_benchmark(benchmark):
    params = {"root": folder(benchmark.root), "dataset_name": own_name("operator")}
    run("load_benchmark", benchmark="davis-2017", split="val", **params)
    dataset = fo.load_dataset(own_name("operator"))
    try:
        assert dataset.values("sequence") == ["alone", "pair"]
    finally:
        dataset.delete()


def test_load_own_folders(benchmark):
    run(
        "load_benchmark",
        benchmark="folders",
        images=folder(benchmark.root / "JPEGImages" / "480p"),
        masks=folder(benchmark.root / "Annotations" / "480p"),
        dataset_name=own_name("folders"),
    )
    dataset = fo.load_dataset(own_name("folders"))
    try:
        assert dataset.count("objects.detections") == 3
    finally:
        dataset.delete()


def test_load_form_tells_what_was_found_or_is_wrong(benchmark, tmp_path):
    empty = fo.Dataset()
    form = {"benchmark": "davis-2017", "root": folder(tmp_path)}
    assert "JPEGImages" in problem("load_benchmark", empty, **form)
    form["root"] = folder(benchmark.root)
    assert problem("load_benchmark", empty, **form) is None
    with pytest.raises(ExecutionError, match="JPEGImages"):
        run("load_benchmark", benchmark="davis-2017", root=folder(tmp_path))


def test_import_predictions(dataset, results):
    run("import_predictions", dataset, results=folder(results), name="shifted")
    assert dataset.count("frames.shifted.detections") == 21


def test_import_form_refuses_a_folder_without_results(dataset, tmp_path):
    wrong = problem("import_predictions", dataset, results=folder(tmp_path))
    assert "alone" in wrong
    other = fo.Dataset()
    assert "other origin" in problem("import_predictions", other)


def test_evaluate_at_once(predicted):
    run("evaluate_vos", predicted, predictions="shifted", eval_key="k",
        protocol="davis-2017")  # fmt: skip
    assert predicted.list_evaluations() == ["k"]


def test_evaluate_delegated_reports_summary_and_progress(predicted):
    operation = run_delegated(
        "evaluate_vos",
        predicted,
        predictions="shifted",
        eval_key="k",
        protocol="davis-2017",
    )
    assert operation.run_state == "completed", operation.result.error
    summary = operation.result.result
    scores = s3fo.evaluate(predicted, "shifted", "again")
    assert summary["J&F"] == scores.summary["J&F"]
    assert summary["protocol"] == "DAVIS-2017 semi-supervised"
    assert operation.status.progress == 1
    predicted.reload()
    assert "k" in predicted.list_evaluations()


def test_a_failed_delegated_run_says_why(predicted, results):
    shutil.rmtree(results / "pair")
    operation = run_delegated(
        "evaluate_vos",
        predicted,
        predictions="shifted",
        eval_key="k",
        protocol="davis-2017",
    )
    assert operation.run_state == "failed"
    assert "pair" in operation.result.error


def test_evaluate_form_needs_predictions_and_a_usable_key(dataset, predicted):
    assert problem("evaluate_vos", predicted) is None
    with pytest.raises(ExecutionError, match="letters, digits"):
        run("evaluate_vos", predicted, predictions="shifted", eval_key="a b",
            protocol="davis-2017")  # fmt: skip
    from s3fo.datasets import remove_predictions

    remove_predictions(predicted, "shifted")
    assert "no predictions" in problem("evaluate_vos", predicted)


def test_run_a_baseline_and_see_its_masks(dataset, tmp_path):
    run("run_s3", dataset, method="copy", out=folder(tmp_path), name="copy")
    assert dataset.count("frames.copy.detections") > 0
    assert (tmp_path / "copy" / "pair" / "00007.png").is_file()


def test_progress_reaches_the_app(predicted):
    """In the App an operator is a stream of triggers."""
    context = foo.executor.ExecutionContext(
        {
            "dataset_name": predicted.name,
            "params": {
                "predictions": "shifted",
                "eval_key": "k",
                "protocol": "davis-2017",
            },
        },
        executor=foo.executor.Executor(),
    )
    operator = foo.get_operator("@s3fo/vos/evaluate_vos")
    triggers = [step.body.operator_uri for step in operator.execute(context)]
    assert triggers.count("set_progress") >= 1
    assert triggers[-2:] == ["reload_dataset", "show_output"]


def test_make_report_compares_the_methods_of_the_dataset(dataset, predicted, tmp_path):
    run("run_s3", dataset, method="copy", out=folder(tmp_path), name="copy")
    out = tmp_path / "report"
    run("make_report", predicted, predictions="shifted", out=folder(out))
    page = (out / "report.html").read_text()
    assert "copy is" in page and "Fix first" in page
    operation = run_delegated(
        "make_report", predicted, predictions="copy", compare=False, out=folder(out)
    )
    assert operation.run_state == "completed", operation.result.error
    assert "shifted" not in (out / "tables" / "methods.csv").read_text()


def test_report_form_needs_predictions(dataset):
    assert "no predictions" in problem("make_report", dataset)
