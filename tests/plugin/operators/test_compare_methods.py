"""One command compares methods of every kind; leaderboard and App show them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_benchmark import own_name

from evaluation.errors import InputError
from evaluation.leaderboard.local import LocalRun, local_row
from evaluation.masks.label_map import read_label_map
from s3fo import cli
from s3fo.comparing import MethodChoice, compare_methods
from s3fo.model import build_network
from s3fo.plugin.panels import headline

HOLD = (
    "import sys\nfrom pathlib import Path\nimport numpy as np\nfrom PIL import Image\n"
    "frames, masks, out = map(Path, sys.argv[1:4])\n"
    "first = np.array(Image.open(next(masks.iterdir())))\n"
    "for frame in frames.iterdir():\n"
    "    Image.fromarray(first).save(out / (frame.stem + '.png'))\n"
)


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("program") / "hold.py"
    path.write_text(HOLD)
    return path


@pytest.fixture(scope="module")
def cutie(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "cutie-small-mega.pth"
    torch.save(build_network("cutie-small").state_dict(), path)
    return path


def _run(monkeypatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["s3fo", "compare-methods", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


@pytest.mark.parametrize(
    "networks", [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_one_command_compares_methods_of_every_kind(
    request, benchmark, program, networks, tmp_path, monkeypatch, capsys
):
    import fiftyone as fo

    import s3fo

    out, name = tmp_path / "out", own_name("compared")
    command = f"{sys.executable} {program} {{frames}} {{masks}} {{out}}"
    chosen = ["copy", "flow", f"mine=command command='{command}'"]
    if networks:
        weights = request.getfixturevalue("cutie")
        chosen.append("s3 size=48 device=cpu")
        chosen.append(f"cutie weights={weights} size=48 device=cpu")
    words = [word for text in chosen for word in ("--method", text)]
    folders = benchmark.root
    source = [
        "--images", str(folders / "JPEGImages" / "480p"),
        "--masks", str(folders / "Annotations" / "480p"),
    ]  # fmt: skip
    code = _run(
        monkeypatch, *source, *words, "--out", str(out), "--dataset", name, "--json"
    )
    assert code == 0
    printed = capsys.readouterr().out
    told = {item["method"]: item for item in json.loads(printed)}
    labels = ["copy", "flow", "mine", *(("s3", "cutie") if networks else ())]
    assert list(told) == labels
    for label in labels:
        assert 0 <= told[label]["summary"]["J&F"] <= 1
        assert told[label]["frames_per_second"] > 0
    assert told["mine"]["peak_memory_mb"] is None
    assert not networks or told["s3"]["peak_memory_mb"] > 100
    # The program repeats the first masks, as the baseline does.
    assert told["mine"]["summary"] == told["copy"]["summary"]
    one = read_label_map(out / "results" / "mine" / "pair" / "00003.png")
    np.testing.assert_array_equal(
        one, read_label_map(out / "results" / "copy" / "pair" / "00003.png")
    )

    for label in labels:  # the leaderboard: score and speed of each
        row = local_row(LocalRun.load(out / "results" / label, "davis-2017"), "J&F")
        assert row["J&F"] == pytest.approx(100 * told[label]["summary"]["J&F"])
        assert row["fps"] == pytest.approx(told[label]["frames_per_second"])

    page = (out / "report" / "report.html").read_text()
    assert all(label in page for label in labels)
    assert "Speed against quality" in page

    dataset = fo.load_dataset(name)  # the App: masks, scores and speed of each
    try:
        assert set(dataset.list_evaluations()) >= set(labels)
        predictions = s3fo.datasets.load_predictions_info(dataset)
        for label in labels:
            assert predictions[label].made["frames_per_second"] > 0
            assert dataset.count(f"frames.{label}.detections") > 0
        shown = headline.headline(dataset, labels).set_index("method")
        assert headline.headline_columns(shown.reset_index())["fps"] == "Frames/s"
        for label in labels:
            speed = told[label]["frames_per_second"]
            assert shown.loc[label, "fps"] == f"{speed:.1f}"
        assert not networks or float(shown.loc["s3", "memory"]) > 100
    finally:
        dataset.delete()


def test_a_method_that_fails_does_not_stop_the_others(benchmark, tmp_path, monkeypatch):
    command = f"{sys.executable} -c 'raise SystemExit(4)' {{out}}"
    chosen = MethodChoice("broken", "command", {"command": command})
    broken, copied = compare_methods(benchmark, [chosen, "copy"], tmp_path)
    assert broken.scores is None and "exit code 4" in broken.failures["pair"]
    assert copied.scores is not None and copied.scores.summary["J&F"] > 0


@pytest.mark.parametrize(
    ("methods", "match"),
    [
        ([], "none"),
        (["copy", "copy"], "copy twice"),
        (["copy", "sam5"], "unknown name"),
        (["s3 size"], "NAME=VALUE"),
        (["s3 weights='x"], "Close its quotes"),
        (["../up=copy"], "method"),
    ],
)
def test_what_cannot_work_is_refused_at_once(benchmark, tmp_path, methods, match):
    with pytest.raises(InputError, match=match):
        compare_methods(benchmark, methods, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_labels_must_name_fields_where_a_dataset_is_asked_for(benchmark, tmp_path):
    with pytest.raises(InputError, match="LABEL=copy"):
        compare_methods(benchmark, ["a-b=copy"], tmp_path, dataset_name="x")
