from __future__ import annotations

import shutil

import fiftyone as fo
import fiftyone.operators as foo
import fiftyone.plugins as fop
import pytest
from fiftyone.operators.executor import ExecutionError
from operator_runs import folder, form, problem, run, run_delegated, triggers_in_app
from small_benchmark import own_name

import s3fo
from s3fo.plugin import install

EVALUATION = {"predictions": "shifted", "eval_key": "k", "protocol": "davis-2017"}


@pytest.fixture(scope="session", autouse=True)
def plugin():
    """The plugin as a user installs it, in the plugins folder of the tests."""
    return install()


def test_installing_lists_every_operator(plugin):
    definition = fop.get_plugin("@s3fo/vos")
    assert definition.directory == str(plugin)
    operators = [op.uri for op in foo.list_operators() if "@s3fo/vos" in op.uri]
    assert sorted(operators) == sorted(
        f"@s3fo/vos/{name}" for name in definition.operators
    )
    assert len(operators) > 20


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


def test_load_benchmark_without_videos(benchmark):
    params = {"root": folder(benchmark.root), "dataset_name": own_name("silent")}
    run("load_benchmark", benchmark="davis-2017", video="none", **params)
    dataset = fo.load_dataset(own_name("silent"))
    try:
        assert dataset.list_saved_views() == ["images"]
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
    operation = run_delegated("evaluate_vos", predicted, **EVALUATION)
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
    operation = run_delegated("evaluate_vos", predicted, **EVALUATION)
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


def test_the_app_gets_progress_changes_and_a_result(predicted):
    """In the App an operator is a stream of triggers."""
    steps = triggers_in_app(
        "evaluate_vos",
        predicted,
        predictions="shifted",
        eval_key="k",
        protocol="davis-2017",
    )
    names = [step.operator_uri for step in steps]
    assert names.count("set_progress") >= 1
    assert names[-5:] == [
        "reload_dataset",
        "set_color_scheme",
        "refresh_colors",
        "set_active_fields",
        "show_output",
    ]
    window = steps[-1].params
    assert window["results"]["protocol"] == "DAVIS-2017 semi-supervised"
    predicted.reload()
    assert buttons(window["outputs"], predicted) == [
        "See the evaluation",
        "Find failures",
    ]


def buttons(window, dataset) -> list[str]:
    """Labels of a result's buttons; each leads to something that is there."""
    line = window["type"]["properties"]["steps"]["type"]["properties"].values()
    for button in (item["view"] for item in line):
        if "link" not in button["params"]:
            assert foo.get_operator(button["operator"])
        if "workspace" in button["params"]:
            assert button["params"]["workspace"] in dataset.list_workspaces()
    return [item["view"]["label"] for item in line]


def test_an_open_app_gets_the_colours_of_new_masks(dataset, results):
    """It keeps the colours it began with unless told."""
    steps = triggers_in_app(
        "import_predictions", dataset, results=folder(results), name="shifted"
    )
    told = {step.operator_uri: step.params for step in steps}
    fields = {item["path"]: item for item in told["set_color_scheme"]["fields"]}
    assert fields["frames.shifted"] == fields["frames.ground_truth"] | {
        "path": "frames.shifted"
    }
    colours = {
        item["value"]: item["color"] for item in fields["objects"]["valueColors"]
    }
    assert colours["2"] == s3fo.datasets.object_colour(2)
    assert "frames.shifted" in told["set_active_fields"]["fields"]


def test_colours_come_back_when_a_dataset_is_opened(predicted):
    """A session keeps the colours it began with, even when the page is loaded again."""
    assert foo.get_operator("@s3fo/vos/restore_colours").config.on_dataset_open
    told, painted = triggers_in_app("restore_colours", predicted)
    paths = [item["path"] for item in told.params["fields"]]
    assert told.operator_uri == "set_color_scheme" and "frames.shifted" in paths
    assert painted.operator_uri == "refresh_colors"
    assert triggers_in_app("restore_colours", fo.Dataset()) == []
    names = [step.operator_uri for step in triggers_in_app("show_changes", predicted)]
    assert names == [
        "reload_dataset",
        "set_color_scheme",
        "refresh_colors",
        "set_active_fields",
    ]


def test_every_result_leads_on(predicted, results, tmp_path):
    s3fo.evaluate(predicted, "shifted", "k")
    for operator, params in {
        "compute_attributes": {},
        "import_predictions": {"results": folder(results), "name": "again"},
        "find_failures": {"eval_key": "k"},
        "make_report": {"predictions": "shifted", "out": folder(tmp_path)},
    }.items():
        window = triggers_in_app(operator, predicted, **params)[-1].params["outputs"]
        predicted.reload()
        assert buttons(window, predicted), operator
        title = window["type"]["properties"]["title"]["view"]["label"]
        assert (
            title == f"{foo.get_operator(f'@s3fo/vos/{operator}').config.label}: done"
        )


def test_an_error_is_told_in_the_app_and_raised_in_python(predicted, results):
    shutil.rmtree(results / "pair")
    told = triggers_in_app("evaluate_vos", predicted, **EVALUATION)[-1]
    assert told.operator_uri == "show_output"
    error = told.params["outputs"]["type"]["properties"]["error"]["view"]
    assert error["severity"] == "error"
    assert "pair" in error["label"] and "Traceback" not in str(error)
    with pytest.raises(ExecutionError, match="pair"):
        run("evaluate_vos", predicted, **EVALUATION)


def test_missing_frames_can_be_scored_as_empty(predicted, results):
    shutil.rmtree(results / "alone")
    (results / "pair" / "00003.png").unlink()
    with pytest.raises(ExecutionError, match="score-as-empty"):
        run("evaluate_vos", predicted, **EVALUATION)
    run("evaluate_vos", predicted, missing="score-as-empty", **EVALUATION)
    predicted.reload()
    scores = dict(zip(*predicted.values(["sequence", "k_JF"]), strict=True))
    assert scores["alone"] == 0 < scores["pair"] < 1


def test_the_result_of_a_delegated_run_can_be_looked_at(predicted):
    operation = run_delegated("evaluate_vos", predicted, **EVALUATION)
    context = foo.executor.ExecutionContext(
        {"dataset_name": predicted.name, "results": operation.result.result}
    )
    shown = foo.get_operator("@s3fo/vos/evaluate_vos").resolve_output(context)
    assert {"J&F", "protocol", "steps"} <= set(shown.type.properties)


def test_the_menu_leads_to_every_operator(dataset):
    entries = form("menu", dataset)
    lines = [
        entry.type.properties for name, entry in entries.items() if "_line" in name
    ]
    leads_to = {button.view.operator for line in lines for button in line.values()
                if getattr(button.view, "operator", None)}  # fmt: skip
    verbs = {
        operator.uri
        for operator in foo.list_operators()
        if "@s3fo/vos" in operator.uri and operator.config.allow_delegated_execution
    }
    assert leads_to == verbs | {"@s3fo/vos/show_changes"} and len(verbs) == 17


def test_a_submission_is_checked_and_packed(benchmark, results, tmp_path):
    """The synthetic videos stand for a benchmark that a server scores."""
    from dataclasses import replace

    hidden = replace(benchmark, name="mose-v1", split="val")
    dataset = s3fo.load_benchmark(hidden, dataset_name=own_name("hidden"))
    try:
        s3fo.add_predictions(dataset, results, "shifted")
        run("export_submission", dataset, predictions="shifted", out=folder(tmp_path))
        assert (tmp_path / "mose-v1-val-shifted.zip").is_file()
        (results / "pair" / "00003.png").unlink()
        with pytest.raises(ExecutionError, match="1 frames missing"):
            run("export_submission", dataset, out=folder(tmp_path),
                predictions="shifted")  # fmt: skip
    finally:
        dataset.delete()


def test_the_submission_form_names_the_server(predicted):
    assert "no server" in problem("export_submission", predicted)


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


def test_a_report_has_a_folder_of_its_own(predicted, tmp_path, monkeypatch):
    monkeypatch.setattr(fo.config, "default_dataset_dir", str(tmp_path))
    page = tmp_path / "s3fo" / predicted.name / "report-shifted" / "report.html"
    told = triggers_in_app("make_report", predicted, predictions="shifted")[-1].params
    assert page.is_file() and told["results"]["page"] == str(page)
    button = told["outputs"]["type"]["properties"]["steps"]["type"]["properties"]
    opened = button["step_0"]["view"]
    assert opened["operator"] == "@s3fo/vos/open_link"
    assert opened["params"]["link"].endswith("report-shifted/report.html")


def test_report_form_needs_predictions(dataset):
    assert "no predictions" in problem("make_report", dataset)
