"""The pipeline from a benchmark to a report, and taking its results out again."""

from __future__ import annotations

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.executor import ExecutionError
from operator_runs import folder, form, problem, run, run_delegated
from small_benchmark import own_name

import s3fo
from s3fo.datasets.reading.tables import vos_evaluations


@pytest.fixture(autouse=True)
def plugin():
    from s3fo.plugin import install

    return install()


@pytest.fixture
def empty():
    dataset = fo.Dataset(own_name("empty"), persistent=True)
    yield dataset
    dataset.delete()


def test_it_is_a_pipeline_of_fiftyone():
    operator = foo.get_operator("@s3fo/vos/benchmark_method")
    assert isinstance(operator, foo.PipelineOperator)


def test_an_empty_dataset_gets_everything(empty, benchmark, tmp_path):
    run(
        "benchmark_method",
        empty,
        benchmark="davis-2017",
        root=str(benchmark.root),
        split="val",
        method="copy",
        out=str(tmp_path),
    )
    empty.reload()
    assert sorted(empty.values("sequence")) == ["alone", "pair"]
    assert vos_evaluations(empty) == ["copy"]
    scores = s3fo.evaluate(empty, "copy", "again", workers=1)
    kept = empty.get_evaluation_info("copy").config.summary
    assert kept == scores.summary
    assert empty.has_sample_field("copy_failures")
    assert empty.has_field("objects.detections.occlusion")
    assert not empty.has_frame_field("copy_errors")
    assert (tmp_path / "copy" / "pair").is_dir()
    assert (tmp_path / "report-copy" / "report.html").is_file()


def test_masks_that_are_there_and_nothing_that_is_not_wanted(dataset, results):
    run(
        "benchmark_method",
        dataset,
        method="results folder",
        results=folder(results),
        name="mine",
        attributes=False,
        report=False,
    )
    dataset.reload()
    assert vos_evaluations(dataset) == ["mine"]
    assert dataset.has_sample_field("mine_failures")
    assert not dataset.has_field("objects.detections.occlusion")


def test_a_stage_that_fails_ends_it_and_says_why(dataset, results):
    (results / "pair" / "00003.png").unlink()
    with pytest.raises(ExecutionError, match="predictions missing: pair: 00003"):
        run(
            "benchmark_method",
            dataset,
            method="results folder",
            results=folder(results),
            name="mine",
        )
    assert vos_evaluations(dataset) == []


def test_it_runs_delegated(dataset, tmp_path):
    done = run_delegated(
        "benchmark_method", dataset, method="copy", out=folder(tmp_path), report=False
    )
    assert done.run_state == "completed", done.result.error
    dataset.reload()
    assert vos_evaluations(dataset) == ["copy"]


def test_the_form_asks_for_what_is_missing(empty, dataset):
    assert "benchmark" in form("benchmark_method", empty)
    assert "method" not in form("benchmark_method", empty)
    assert "method" in form("benchmark_method", dataset)
    with pytest.raises(ExecutionError):
        run("benchmark_method", empty, method="copy")


def test_how_masks_were_made_is_a_run_of_the_dataset(dataset, tmp_path):
    run("run_method", dataset, method="copy", out=str(tmp_path), name="mine")
    dataset.reload()
    assert dataset.list_runs(method="s3fo/inference") == ["inference_mine"]
    config = dataset.get_run_info("inference_mine").config
    assert (config.segmenter, config.predictions) == ("copy", "mine")
    assert config.versions["s3fo"] == s3fo.__version__
    videos = dataset.load_run_results("inference_mine").videos
    assert {item["sequence"]: item["frames"] for item in videos} == {
        "alone": 6,
        "pair": 8,
    }
    run("remove_predictions", dataset, predictions="mine", confirm=True)
    dataset.reload()
    assert dataset.list_runs(method="s3fo/inference") == []


def test_masks_of_unknown_origin_have_no_run(predicted):
    assert predicted.list_runs(method="s3fo/inference") == []


def test_predictions_go_with_their_evaluations_and_come_back(predicted, results):
    s3fo.add_predictions(predicted, results, "other")
    for key in ("shifted", "other"):
        s3fo.evaluate(predicted, key, workers=1)
    s3fo.evaluate(predicted, "shifted", "again", workers=1)
    done = foo.execute_operator(
        "@s3fo/vos/remove_predictions",
        {
            "dataset": predicted,
            "params": {"predictions": "shifted", "confirm": True},
        },
    ).result
    assert done["evaluations removed"] == "shifted, again"
    assert vos_evaluations(predicted) == ["other"]
    assert not predicted.has_frame_field("shifted")
    active = predicted.app_config.active_fields.paths
    assert not [path for path in active if "shifted" in path]
    assert (results / "pair" / "00003.png").is_file()
    run("import_predictions", predicted, results=str(results), name="shifted")
    assert predicted.has_frame_field("shifted")


def test_an_evaluation_goes_and_the_masks_stay(predicted):
    s3fo.evaluate(predicted, "shifted", "k", workers=1)
    s3fo.find_failures(predicted, "k", error_maps=False, workers=1)
    run("remove_evaluation", predicted, eval_key="k", confirm=True)
    assert vos_evaluations(predicted) == []
    assert not [name for name in predicted.get_field_schema() if name.startswith("k_")]
    assert not [name for name in predicted.list_saved_views() if name.startswith("k ")]
    assert predicted.has_frame_field("shifted")


@pytest.mark.parametrize("name", ["remove_predictions", "remove_evaluation"])
def test_nothing_goes_that_nobody_confirmed(predicted, name):
    s3fo.evaluate(predicted, "shifted", "k", workers=1)
    with pytest.raises(ExecutionError):
        run(name, predicted, predictions="shifted", eval_key="k")
    asked = form(name, predicted)["confirm"]
    assert asked.invalid and asked.error_message
    assert not form(name, predicted, confirm=True)["confirm"].invalid
    assert vos_evaluations(predicted) == ["k"] and predicted.has_frame_field("shifted")


def test_of_several_none_is_guessed(predicted, results):
    s3fo.add_predictions(predicted, results, "other")
    with pytest.raises(ExecutionError):
        run("remove_predictions", predicted, confirm=True)
    assert predicted.has_frame_field("shifted") and predicted.has_frame_field("other")


def test_there_is_nothing_to_remove(dataset):
    assert "no evaluation" in problem("remove_evaluation", dataset)
    assert "no predictions" in problem("remove_predictions", dataset)
