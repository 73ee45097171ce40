"""Where `s3fo demo --app` leads; no browser is needed to know."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import fiftyone as fo
import pandas as pd
import pytest
from typer.testing import CliRunner

import s3fo
from evaluation.errors import InputError
from evaluation.failures import Failures
from evaluation.results.scores import Scores
from evaluation.runs.registry import find_runs, runs_table
from evaluation.scoring import score
from s3fo.cli import app, system
from s3fo.demo import _keep, _segment
from s3fo.inference import predict
from s3fo.inference.running.record import RunRecord


def test_the_demo_opens_on_videos_and_scores(predicted, tmp_path, monkeypatch):
    s3fo.evaluate(predicted, "shifted")
    opened = {}

    def launch_app(shown, **settings):
        opened.update(settings, shown=shown)
        return SimpleNamespace(wait=lambda seconds: None)

    made = SimpleNamespace(dataset_name=predicted.name)

    def run_demo(out, *, progress, begin):
        begin("a step")
        return made

    monkeypatch.setattr("s3fo.demo.run_demo", run_demo)
    monkeypatch.setattr(system, "_show", lambda result: None)
    monkeypatch.setattr(fo, "launch_app", launch_app)

    done = CliRunner().invoke(app, ["demo", "--app", "--out", str(tmp_path)])

    assert done.exit_code == 0, done.output
    assert "demo: a step" in done.stderr.splitlines()
    assert opened["shown"] == predicted
    shown = [panel["type"] for panel in panels(opened["spaces"].to_dict())]
    assert shown == ["Samples", "vos_evaluation"]


def test_masks_that_others_made_are_never_replaced(benchmark, results, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(results, out)
    (out / "run.json").unlink(missing_ok=True)
    before = (out / "pair" / "00003.png").read_bytes()
    with pytest.raises(InputError, match="unknown origin"):
        _segment(benchmark, out, "copy", None)
    assert (out / "pair" / "00003.png").read_bytes() == before


def test_masks_of_other_settings_are_made_anew(benchmark, tmp_path):
    predict(benchmark, tmp_path, method="flow")
    _segment(benchmark, tmp_path, "copy", None)
    assert RunRecord.load(tmp_path).method == "copy"


def test_runs_know_the_scores_of_the_demo(benchmark, results, tmp_path):
    shutil.copytree(results, tmp_path / "results" / "flow")
    scores = score(results, benchmark, workers=1)
    _keep(scores, tmp_path, "flow")
    for folder in (tmp_path / "results", tmp_path):
        (row,) = runs_table(find_runs(folder)).to_dict("records")
        assert row["state"] == "current"
        assert (
            row["J&F"]
            == scores.summary["J&F"]
            == Scores.load(tmp_path / "scores" / "flow").summary["J&F"]
        )


def panels(space):
    """Everything in a layout that is not a space itself."""
    for child in space["children"]:
        yield from panels(child) if "children" in child else [child]


def test_the_printed_costs_add_up_to_the_loss():
    frames = pd.DataFrame({"event": [0, 0, 1, -1], "cost": [0.1, 0.05, 0.02, 0.03]})
    events = pd.DataFrame(
        {
            "event": [0, 1],
            "kind": ["missed", "leak"],
            "n_frames": [2, 1],
            "cost": [0.15, 0.02],
        }
    )
    rows = Failures(frames, events, 0.8, "davis-2017").balance()
    assert rows["kind"].tolist() == ["missed", "leak", "in no event", "all"]
    assert rows["n_frames"].tolist() == [2, 1, 1, 4]
    assert rows["events"].dropna().tolist() == [1, 1, 2]
    assert rows["cost"].tolist() == pytest.approx([0.15, 0.02, 0.03, 0.2])
    assert rows["share"].tolist() == pytest.approx([0.75, 0.1, 0.15, 1])


def test_only_groups_with_lower_scores_are_called_lower():
    groups = pd.DataFrame(
        [
            ("s3", "n_objects", "2", 8, 0.85, 0.99, False),
            ("s3", "fast_motion", "yes", 6, 0.92, 0.87, False),
            ("s3", "fast_motion", "no", 6, 0.87, 0.92, False),
            ("s3", "reappearances", "1", 3, 0.10, 0.99, True),
            ("copy", "occluded", "yes", 8, 0.10, 0.99, False),
        ],
        columns=["method", "attribute", "group", "n_objects", "mean", "rest", "few"],
    )
    groups["delta"] = groups["mean"] - groups["rest"]
    (row,) = system._drops(groups, "s3")
    assert row[:5] == ("Objects in video", "2", 8, 0.85, 0.99)
    assert row[5] == pytest.approx(-0.14)
