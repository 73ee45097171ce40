"""The commands `report`, `leaderboard` and `runs`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from evaluation.masks.label_map import read_label_map, write_label_map
from evaluation.results.scores import Scores
from s3fo.benchmarks.synthetic import Factors, write_synthetic
from s3fo.cli import app, import_commands


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("reports") / "benchmark"
    videos = {"one": Factors(length=8), "two": Factors(length=8)}
    write_synthetic(root, videos=videos, size=(60, 96), textures="procedural")
    return root


@pytest.fixture
def results(benchmark, tmp_path) -> Path:
    """Results whose every mask is 6 pixels off."""
    gt = benchmark / "Annotations" / "480p"
    for path in gt.rglob("*.png"):
        label_map = np.roll(read_label_map(path), 6, axis=1)
        write_label_map(tmp_path / "mine" / path.relative_to(gt), label_map)
    return tmp_path / "mine"


def synthetic(benchmark: Path) -> tuple[object, ...]:
    return "--benchmark", "synthetic", "--root", benchmark


@pytest.mark.seconds
def test_report_of_two_runs(cli, benchmark, results, tmp_path):
    truth = benchmark / "Annotations" / "480p"
    code, out, _ = cli(
        "report", results, truth, "--name", "mine", "--name", "perfect", "--out",
        tmp_path / "report", *synthetic(benchmark), "--top", 1, "--json",
    )  # fmt: skip
    made = json.loads(out)
    assert code == 0
    assert Path(made["page"]).read_text().startswith("<!doctype html>")
    assert all(Path(path).is_file() for path in made["tables"] + made["pictures"])
    assert made["findings"][0]["headline"].startswith("Fix first")
    assert any("perfect is better" in item["headline"] for item in made["findings"])


def test_report_says_first_what_to_fix(cli, benchmark, results, tmp_path):
    out = tmp_path / "report"
    code, printed, _ = cli(
        "report", results, "--out", out, *synthetic(benchmark), "--top", 0,
        "--title", "A <title>",
    )  # fmt: skip
    assert code == 0 and printed.startswith("Fix first: ")
    assert "<h1>A &lt;title&gt;</h1>" in (out / "report.html").read_text()


def test_names_must_fit_the_runs(cli, benchmark, results, tmp_path):
    words = ("--out", tmp_path / "report", *synthetic(benchmark))
    code, _, err = cli("report", results, *words, "--name", "a", "--name", "b")
    assert code == 2 and "--name" in err and not (tmp_path / "report").exists()


def evaluate(cli, benchmark: Path, results: Path, *words: object) -> None:
    code, _, _ = cli(
        "evaluate", results, *synthetic(benchmark), "--no-cache", "--record", *words
    )
    assert code == 0


def test_runs_lists_and_compares_what_was_evaluated(cli, benchmark, results):
    evaluate(cli, benchmark, results)
    code, out, _ = cli("runs", results.parent, "--json")
    (row,) = json.loads(out)
    assert code == 0 and row["run"] == str(results) and row["state"] == "current"
    assert 0 < row["J&F"] < 1

    better = results.parent / "better"
    shutil.copytree(benchmark / "Annotations" / "480p", better)
    evaluate(cli, benchmark, better)
    code, out, _ = cli("runs", "--compare", results, better, "--json")
    differences = {item["what"]: item for item in json.loads(out)}
    assert code == 0
    assert differences["davis-2017 J&F"]["difference"] == 1 - row["J&F"]

    code, out, _ = cli("runs", results.parent)
    assert code == 0 and "better" in out and "mine" in out


def test_scores_of_some_sequences_are_no_record(cli, benchmark, results):
    evaluate(cli, benchmark, results, "--sequence", "one")
    assert not (results / "scores").exists()


@pytest.mark.seconds
def test_leaderboard_in_every_form(cli, tmp_path):
    words = ("leaderboard", "davis-2017", "--split", "test-dev")
    starts = {
        "terminal": "davis-2017 test-dev",
        "markdown": "## davis-2017 test-dev",
        "html": "<!doctype html>",
        "latex": r"\begin{table}",
    }
    for form, start in starts.items():
        code, out, _ = cli(*words, "--format", form)
        assert code == 0 and out.lstrip().startswith(start)
        assert "87.8" in out and "superseded" in out
    plot = tmp_path / "ranks.png"
    code, out, _ = cli(*words, "--json", "--plot", plot)
    rows = json.loads(out)["rows"]
    assert code == 0 and plot.read_bytes().startswith(b"\x89PNG")
    assert {row["method"] for row in rows} >= {"S3", "JointFormer"}
    code, _, err = cli(*words, "--plot", tmp_path / "ranks.doc")
    assert code == 2 and ".svg" in err


def test_leaderboard_with_an_own_run_warns_of_what_does_not_compare(
    cli, benchmark, results
):
    words = ("leaderboard", "davis-2017", "--local", results)
    code, _, err = cli(*words)
    assert code == 2 and "no scores" in err
    evaluate(cli, benchmark, results)
    code, out, err = cli(*words, "--since", 2025, "--format", "markdown")
    assert code == 0 and "local run" in out and "| mine |" in out
    assert "no rank" in err and "none of davis-2017 val" in err
    assert "another benchmark" in out


def test_leaderboard_filters_published_figures_by_training_data(
    cli, benchmark, results
):
    evaluate(cli, benchmark, results)
    words = ("leaderboard", "davis-2017", "--local", results, "--json")
    local, wanted = "--local-training-data", "--filter-training-data"
    code, out, err = cli(*words, local, "my data", wanted, "MOSE")
    assert "warning: --" not in err
    trained = {row["training_data"] for row in json.loads(out)["rows"]}
    assert code == 0 and trained > {"my data"}
    assert all("MOSE" in words for words in trained - {"my data"})
    code, _, err = cli(*words, local, "a", local, "b")
    assert code == 2 and local in err


def test_former_names_of_options_work_and_warn(cli, benchmark, results):
    evaluate(cli, benchmark, results)
    words = ("leaderboard", "davis-2017", "--local", results, "--json")
    now = cli(*words, "--local-training-data", "x", "--filter-training-data", "MOSE")
    code, out, err = cli(*words, "--trained-on", "x", "--training-data", "MOSE")
    assert (code, out) == now[:2]
    assert "--trained-on is now --local-training-data" in err
    assert "--training-data is now --filter-training-data" in err
    both = ("--training-data", "MOSE", "--filter-training-data", "MOSE")
    code, _, err = cli(*words, *both)
    assert code == 2 and "both --training-data" in err


def test_leaderboard_by_attribute_and_unknown_ones(cli):
    code, out, _ = cli("leaderboard", "mose-v2", "--attributes", "--format", "markdown")
    assert code == 0 and "OCC" in out and "42.9" in out
    code, _, err = cli("leaderboard", "davis-2071")
    assert code == 2 and "davis-2017" in err
    code, _, err = cli("leaderboard", "lvos-v1", "--split", "val", "--attributes")
    assert code == 2 and "mose-v2" in err


def test_only_an_evaluation_writes_into_the_results(cli, benchmark, results, tmp_path):
    out = tmp_path / "report"
    code, _, _ = cli("report", results, "--out", out, *synthetic(benchmark), "--top", 0)
    assert code == 0
    evaluate(cli, benchmark, results, "--no-record")
    assert sorted(path.name for path in results.iterdir()) == ["one", "two"]


def test_evaluate_writes_nothing_into_its_inputs(cli, benchmark, results, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    code, _, _ = cli("evaluate", results, *synthetic(benchmark), "--no-cache")
    assert code == 0 and sorted(tmp_path.rglob("*")) == before
    words = (*synthetic(benchmark), "--no-cache", "--out", tmp_path / "saved/mine")
    assert cli("evaluate", results, *words)[0] == 0
    code, out, _ = cli("runs", tmp_path, "--json")
    (row,) = json.loads(out)
    assert code == 0 and row["run"] == str(results) and row["state"] == "current"
    words = ("leaderboard", "davis-2017", "--local", tmp_path / "saved/mine")
    assert cli(*words)[0] == 0
    changed = next(results.rglob("*.png"))
    changed.unlink()
    (row,) = json.loads(cli("runs", tmp_path, "--json")[1])
    assert row["state"] == "masks changed"


def test_scores_are_kept_when_nobody_reads_on(
    benchmark, results, tmp_path, monkeypatch
):
    """As with `s3fo evaluate ... --out kept | head -1`."""

    def nobody_reads(*_):
        raise BrokenPipeError

    monkeypatch.setattr("s3fo.cli.scores._print_scores", nobody_reads)
    gt, out = benchmark / "Annotations" / "480p", tmp_path / "kept"
    words = ["evaluate", results, "--gt", gt, "--out", out]
    import_commands(["evaluate"])
    done = CliRunner().invoke(app, list(map(str, words)))
    assert isinstance(done.exception, BrokenPipeError)
    assert Scores.load(out).objects["object"].tolist() == [1, 1]
