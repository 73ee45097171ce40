"""The command line: what it prints, where it complains, how it exits."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import s3fo.cli as cli_package
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks.synthetic import Factors, write_synthetic


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cli") / "benchmark"
    videos = {"one": Factors(), "two": Factors()}
    write_synthetic(root, videos=videos, size=(60, 96))
    return root


def masks(root: Path) -> Path:
    return root / "Annotations" / "480p"


def images(root: Path) -> Path:
    return root / "JPEGImages" / "480p"


def test_help_loads_none_of_the_heavy_packages():
    code = (
        "import sys; sys.argv = ['s3fo', '--help']\n"
        "from s3fo.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'fiftyone', 'numpy', 'pandas', 'cv2'}\n"
        "print('loaded', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "loaded []", done.stdout + done.stderr


COMMANDS_BY_MODULE = """
import importlib, json
from s3fo.cli import _COMMANDS, app

def names():
    commands = app.registered_commands
    found = {c.name or c.callback.__name__.replace("_", "-") for c in commands}
    return found | {group.name for group in app.registered_groups}

found = {}
for module in _COMMANDS:
    before = names()
    importlib.import_module(f"s3fo.cli.{module}")
    found[module] = sorted(names() - before)
print(json.dumps([found, {k: sorted(v) for k, v in _COMMANDS.items()}]))
"""


def test_the_module_of_every_command_is_known():
    """A command missing in the table would be an unknown command."""
    command = [sys.executable, "-c", COMMANDS_BY_MODULE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found, declared = json.loads(done.stdout)
    assert found == declared
    files = Path(cli_package.__file__).parent.glob("*.py")
    texts = {path.stem: path.read_text() for path in files}
    assert set(found) == {name for name, text in texts.items() if "command(" in text}


def test_evaluate_prints_one_json_object(cli, benchmark):
    code, out, _ = cli(
        "evaluate", masks(benchmark), "--gt", masks(benchmark), "--protocol",
        "davis-2017", "--json", "--no-cache",
    )  # fmt: skip
    result = json.loads(out)
    assert code == 0
    assert result["protocol"] == "davis-2017"
    assert (result["J&F"], result["J"], result["F"]) == (1.0, 1.0, 1.0)
    assert {row["sequence"] for row in result["objects"]} == {"one", "two"}
    assert all(row["J&F"] == 1.0 for row in result["objects"])


def test_packages_run_as_modules(benchmark, capsys, monkeypatch):
    """``python -m evaluation`` scores, ``python -m s3fo`` is the command line."""
    from evaluation.__main__ import main

    truth = str(masks(benchmark))
    assert main([truth, truth, "--per-object"]) == 0
    out = capsys.readouterr().out
    assert "DAVIS-2017" in out and "one_1" in out and "byte for byte" in out
    assert main([str(benchmark / "nowhere"), truth]) == 2
    assert "no such folder" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["s3fo", "--version"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("s3fo", run_name="__main__")
    assert not end.value.code and "s3fo " in capsys.readouterr().out


def test_evaluate_saves_tables_that_load_again(cli, benchmark, tmp_path):
    from evaluation.scoring import Scores

    saved = tmp_path / "scores"
    code, out, _ = cli(
        "evaluate", masks(benchmark), "--gt", masks(benchmark), "--out", saved,
        "--no-cache", "--per-object",
    )  # fmt: skip
    assert code == 0 and "DAVIS-2017" in out and "one_1" in out
    assert Scores.load(saved).summary["J&F"] == 1.0


def test_evaluate_takes_a_benchmark_by_name(cli, benchmark):
    code, out, _ = cli(
        "evaluate", masks(benchmark), "--benchmark", "davis-2017", "--root", benchmark,
        "--sequence", "one", "--json", "--no-cache",
    )  # fmt: skip
    result = json.loads(out)
    assert code == 0 and result["protocol"] == "davis-2017"
    assert {row["sequence"] for row in result["objects"]} == {"one"}


def test_a_missing_frame_is_named_and_nothing_is_scored(cli, benchmark, tmp_path):
    results = tmp_path / "results"
    shutil.copytree(masks(benchmark), results)
    gone = sorted((results / "one").glob("*.png"))[3]
    gone.unlink()
    code, out, err = cli(
        "evaluate", results, "--gt", masks(benchmark), "--json", "--no-cache"
    )
    assert code == 2 and out == ""
    assert gone.stem in err and "one" in err
    assert all(word in err for word in ("found", "expected", "remedy"))

    code, out, _ = cli(
        "evaluate", results, "--gt", masks(benchmark), "--json", "--no-cache",
        "--missing", "score-as-empty",
    )  # fmt: skip
    assert code == 0 and json.loads(out)["J&F"] < 1


def test_ground_truth_named_twice_or_not_at_all(cli, benchmark):
    twice = cli(
        "evaluate", masks(benchmark), "--gt", masks(benchmark), "--benchmark", "sa-v"
    )
    never = cli("evaluate", masks(benchmark))
    for code, _, err in (twice, never):
        assert code == 2 and "remedy" in err


def test_predict_on_two_folders_continues_where_it_stopped(cli, benchmark, tmp_path):
    words = (
        "predict", "--images", images(benchmark), "--masks", masks(benchmark),
        "--method", "copy", "--out", tmp_path / "out", "--json",
    )  # fmt: skip
    code, out, _ = cli(*words)
    assert code == 0 and sorted(json.loads(out)["finished"]) == ["one", "two"]

    shutil.rmtree(tmp_path / "out" / "two")
    code, out, _ = cli(*words)
    again = json.loads(out)
    assert code == 0 and (again["finished"], again["kept"]) == (["two"], ["one"])


def test_a_video_that_fails_is_named_and_the_exit_code_says_so(
    cli, benchmark, tmp_path
):
    broken = tmp_path / "images"
    shutil.copytree(images(benchmark), broken)
    victim = sorted((broken / "one").glob("*.jpg"))[2]
    victim.write_bytes(b"not a picture")
    code, _, err = cli(
        "predict", "--images", broken, "--masks", masks(benchmark), "--method",
        "copy", "--out", tmp_path / "out",
    )  # fmt: skip
    assert code == 1
    assert "one" in err and victim.name in err
    assert not (tmp_path / "out" / "one").exists()
    assert (tmp_path / "out" / "two").is_dir()


def test_one_mask_can_only_belong_to_one_sequence(cli, benchmark, tmp_path):
    mask = sorted((masks(benchmark) / "one").glob("*.png"))[0]
    words = ("--masks", mask, "--method", "copy", "--out", tmp_path / "out")
    code, _, err = cli("predict", "--images", images(benchmark), *words)
    assert code == 2 and "one mask file for 2 sequences" in err
    assert str(images(benchmark) / "one") in err, "the remedy names what would work"

    code, out, _ = cli("predict", "--images", images(benchmark) / "one", *words)
    assert code == 0 and "1 video done" in out and "frames/s" in out

    alone = tmp_path / "images" / "one"
    shutil.copytree(images(benchmark) / "one", alone)
    code, out, _ = cli("predict", "--images", alone.parent, *words)
    assert code == 0 and "1 kept" in out
    assert "frames/s" not in out, "no video was timed"

    code, _, err = cli("predict", "--images", "holiday.mp4", *words)
    assert code == 2 and "no such video file" in err and f"{Path.cwd()}/holiday" in err


def test_probabilities_of_several_runs_are_fused(cli, tmp_path):
    from s3fo.inference.running.probabilities import write_probabilities

    p = np.zeros((3, 1, 2), np.float32)
    p[:, 0] = [[0.2, 0.1], [0.5, 0.3], [0.3, 0.6]]
    write_probabilities(tmp_path / "small/clip/0.npz", p, [1, 2])
    p[:, 0] = [[0.1, 0.2], [0.1, 0.7], [0.8, 0.1]]
    write_probabilities(tmp_path / "large/clip/0.npz", p, [1, 2])
    runs, out = (tmp_path / "small", tmp_path / "large"), tmp_path / "merged"
    code, printed, _ = cli("fuse", *runs, "--out", out)
    assert code == 0 and "2 runs fused" in printed
    assert read_label_map(out / "clip" / "0.png").tolist() == [[2, 1]]

    write_probabilities(tmp_path / "large/clip/1.npz", p, [1, 2])
    code, _, err = cli("merge-scores", *runs, "--out", out)
    assert code == 2 and "same frames" in err and "is now fuse" in err


def test_catalog_commands(cli, benchmark, tmp_path):
    code, out, _ = cli("benchmarks", "--json")
    listed = {(entry["name"], entry["split"]) for entry in json.loads(out)}
    assert code == 0
    assert {("davis-2016", "val"), ("sa-v", "test"), ("lvos-v2", "val")} <= listed

    code, out, _ = cli("benchmarks", "show", "youtube-vos-2019")
    assert code == 0 and "507" in out and "youtube-vos" in out
    assert "valid.zip (by hand)" in out

    code, _, err = cli("benchmarks", "show", "davis-2071")
    assert code == 2 and "Did you mean davis-2017?" in err


def test_submission_refuses_unfit_masks_and_writes_nothing(cli, benchmark, tmp_path):
    shutil.copy(
        benchmark / "ImageSets" / "2017" / "val.txt",
        benchmark / "ImageSets" / "2017" / "test-dev.txt",
    )
    results = tmp_path / "results"
    shutil.copytree(masks(benchmark), results)
    first = sorted((results / "one").glob("*.png"))[0]
    write_label_map(first, np.full((60, 96), 77, np.uint8))
    target = tmp_path / "upload.zip"
    words = (
        "submit", results, "--benchmark", "davis-2017", "--split", "test-dev",
        "--root", benchmark, "--out", target,
    )  # fmt: skip
    code, _, err = cli(*words)
    assert code == 2 and "77" in err and not target.exists()

    shutil.copytree(masks(benchmark), results, dirs_exist_ok=True)
    code, out, _ = cli(*words)
    assert code == 0 and target.is_file() and "No public evaluation server" in out


def test_download_says_what_must_be_fetched_by_hand(cli, tmp_path):
    words = ("benchmarks", "download", "mose-v1", "--to", tmp_path)
    code, _, err = cli(*words)
    assert code == 2 and "CC BY-NC-SA" in err
    assert "valid.tar.gz" in err and str(tmp_path) in err


def test_download_ends_with_the_command_that_loads(cli, tmp_path, monkeypatch):
    place = tmp_path / "DAVIS-2017-trainval-480p"
    monkeypatch.setattr("s3fo.benchmarks.fetch_benchmark", lambda *_, **__: place)
    code, out, _ = cli("benchmarks", "download", "davis-2017", "--to", tmp_path)
    assert code == 0
    assert f"s3fo load davis-2017 --split val --root {place}" in out


@pytest.mark.fiftyone
def test_a_benchmark_is_loaded_without_videos(cli, benchmark, tmp_path, monkeypatch):
    import fiftyone as fo

    monkeypatch.setenv("S3FO_CACHE_DIR", str(tmp_path))
    name = f"test-{os.getpid()}-cli"
    code, out, _ = cli(
        "load", "davis-2017", "--root", benchmark, "--dataset", name, "--video", "none"
    )
    try:
        assert code == 0 and f"s3fo app {name}" in out
        assert fo.load_dataset(name).list_saved_views() == ["images"]
        assert not list(tmp_path.rglob("*.mp4"))
    finally:
        fo.delete_dataset(name)


def test_protocols_state_their_rules(cli):
    code, out, _ = cli("protocols", "davis-2017")
    assert code == 0 and "first and the last" in out and "void" in out


def test_doctor_reports_every_check(cli):
    code, out, _ = cli("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(out)}
    assert code == 0, checks
    assert {"python", "packages", "database", "video codec"} <= set(checks)


@pytest.fixture(scope="module")
def shifted(benchmark, tmp_path_factory) -> Path:
    """Results whose every mask is 6 pixels off."""
    results = tmp_path_factory.mktemp("shifted") / "results"
    for path in masks(benchmark).rglob("*.png"):
        label_map = np.roll(read_label_map(path), 6, axis=1)
        target = results / path.relative_to(masks(benchmark))
        target.parent.mkdir(parents=True, exist_ok=True)
        write_label_map(target, label_map)
    return results


@pytest.mark.seconds
def test_attributes_of_every_object(cli, benchmark, tmp_path):
    code, out, _ = cli(
        "attributes", "--gt", masks(benchmark), "--images", images(benchmark), "--json",
        "--pictures", tmp_path,
    )  # fmt: skip
    rows = json.loads(out)
    assert code == 0 and {row["sequence"] for row in rows} == {"one", "two"}
    drawn = {path.name for path in tmp_path.iterdir()}
    assert {"spread.png", "spread.svg", "examples.png", "examples.svg"} == drawn
    assert all(0 <= row["occlusion"] <= 1 and row["length"] > 0 for row in rows)


def test_attributes_refuse_features_that_are_not_there(cli, benchmark):
    code, _, err = cli(
        "attributes", "--gt", masks(benchmark), "--images", images(benchmark),
        "--features", "nowhere.safetensors",
    )  # fmt: skip
    assert code == 2 and "nowhere.safetensors" in err and "s3-small" in err


@pytest.mark.seconds
def test_failures_add_up_to_what_is_lost(cli, benchmark, shifted, tmp_path):
    pictures = tmp_path / "pictures"
    code, out, _ = cli(
        "failures", shifted, "--gt", masks(benchmark), "--top", "1", "--pictures",
        pictures, "--json",
    )  # fmt: skip
    found = json.loads(out)
    assert code == 0 and found["events"]
    lost = sum(kind["cost"] for kind in found["kinds"]) + found["unassigned"]
    assert lost == pytest.approx(1 - found["J&F"])
    drawn = {path.name for path in pictures.iterdir()}
    assert {path.suffix for path in pictures.iterdir()} == {".png", ".svg"}
    # Pictures of another run go, files of others stay.
    event = next(name[2:-4] for name in drawn if name.startswith("01-"))
    for ending in (".png", ".svg"):
        shutil.copy(pictures / f"01{event}{ending}", pictures / f"02{event}{ending}")
    (pictures / "02-own-1-missed.png").write_bytes(b"drawn elsewhere")
    (pictures / "notes.txt").write_text("to keep")
    code, _, _ = cli(
        "failures", shifted, "--gt", masks(benchmark), "--top", "1", "--pictures",
        pictures,
    )  # fmt: skip
    left = {path.name for path in pictures.iterdir()}
    assert code == 0 and left == drawn | {"02-own-1-missed.png", "notes.txt"}
    _, out, _ = cli("failures", shifted, "--gt", masks(benchmark), "--top", "0")
    cost = sum(event["cost"] for event in found["events"])
    assert f"all {len(found['events'])} events cost {cost:.3f}, frames in no" in out


def test_breakdown_and_comparison_of_two_runs(cli, benchmark, shifted, tmp_path):
    saved = tmp_path / "good", tmp_path / "bad"
    for results, folder in zip((masks(benchmark), shifted), saved, strict=True):
        gt = masks(benchmark)
        code, _, _ = cli("evaluate", results, "--gt", gt, "--out", folder, "--no-cache")
        assert code == 0
    code, out, _ = cli(
        "breakdown", *saved, "--gt", masks(benchmark), "--by", "length", "--json"
    )
    groups = json.loads(out)["groups"]
    assert code == 0
    assert all(row["mean"] == 1.0 for row in groups if row["method"] == "good")
    assert all(row["mean"] < 1.0 for row in groups if row["method"] == "bad")

    (every, *_) = json.loads(out)["differences"]

    code, out, _ = cli("compare", *saved, "--json")
    result = json.loads(out)
    assert code == 0 and result["low"] <= result["delta"] <= result["high"] < 0
    assert (every["a"], every["b"]) == ("good", "bad"), "as they were named"
    assert every["b_minus_a"] == pytest.approx(result["delta"])
    assert result["notes"] == []
    code, out, _ = cli("compare", *saved)
    assert code == 0 and f"a = {saved[0]}, b = {saved[1]}" in " ".join(out.split())


def test_a_comparison_tells_ground_truths_that_differ(cli, benchmark, tmp_path):
    other = tmp_path / "other_truth"
    shutil.copytree(masks(benchmark), other)
    for gt, folder in ((masks(benchmark), "a"), (other, "b")):
        out = tmp_path / folder
        assert cli("evaluate", other, "--gt", gt, "--out", out, "--no-cache")[0] == 0
    note = f"different ground truths: {masks(benchmark)} and {other}\n"
    code, _, err = cli("compare", tmp_path / "a", tmp_path / "b")
    assert code == 0 and err == f"note: a and b were scored against {note}"
    words = ("breakdown", tmp_path / "a", "--by", "length", "--gt")
    code, _, err = cli(*words, other)
    assert code == 0 and f"the scores a and the attributes are of {note}" in err
    _, out, err = cli(*words, masks(benchmark))
    assert note not in err and "All objects" in out and "Length" in out
    # What is printed may be asked for, as well as the name of the column.
    titled = ("breakdown", tmp_path / "a", "--by", "Length", "--gt")
    assert cli(*titled, masks(benchmark))[1] == out


@pytest.mark.seconds
def test_correct_tells_the_curve_and_what_events_regain(cli, benchmark, tmp_path):
    words = ("correct", "synthetic", "--root", benchmark, "--out", tmp_path / "out")
    words += ("--method", "copy", "--budget", 1)
    code, out, err = cli(*words, "--events", 2, "--by", "size", "--json")
    assert code == 0
    told = json.loads(out)
    before, after = (row["J&F"] for row in told["curve"])
    assert after > before and told["area"] == pytest.approx((before + after) / 2)
    assert told["how"] == "memory" and told["attributes"]
    regain = [row["regain"] for row in told["events"]]
    assert sum(value is not None for value in regain) == 2
    code, out, err = cli(*words)
    assert code == 0 and "Area under the curve" in out
    frames = len(list(masks(benchmark).glob("*/*.png")))
    assert f"{frames} frames, segmented once" in err and f"{2 * frames} frames" in err
    assert "then again for each of 1 correction:" in err
    assert (tmp_path / "out" / "corrections.png").is_file()
    code, _, err = cli(*words, "--events", "many")
    assert code == 2 and "`all`" in err
    code, _, err = cli(*words, "--prompt", "clicks")
    assert code == 2 and "takes mask" in err
    code, _, err = cli(*words, "--policy", "online")
    assert code == 2 and "--overwrite" in err
    assert cli(*words, "--policy", "online", "--overwrite")[0] == 0


@pytest.mark.seconds
def test_stability_of_each_object(cli, benchmark, shifted):
    words = ("stability", shifted, "--gt", masks(benchmark))
    code, out, _ = cli(*words, "--json")
    found = json.loads(out)
    assert code == 0 and found["protocol"] == "davis-2016"
    known = [row["T"] for row in found["objects"] if row["T"] is not None]
    assert known and found["T"] == pytest.approx(sum(known) / len(known))
    _, out, _ = cli(*words)
    assert f"T {found['T']:.4f}, the mean over {len(known)} objects" in out


def test_stability_tells_what_looks_odd(cli, tmp_path):
    for t in range(4):
        both = np.zeros((40, 60), np.uint8)
        both[4:14, 5:15], both[20:30, 30:40] = 1, 2
        write_label_map(tmp_path / f"gt/cat/{t:05d}.png", both)
        write_label_map(tmp_path / f"pred/cat/{t:05d}.png", both == 0)
    words = ("stability", tmp_path / "pred", "--gt", tmp_path / "gt")
    code, out, err = cli(*words, "--json")
    notes = json.loads(out)["notes"]
    assert code == 0 and len(notes) == 2
    assert any("labels 1, 2 of the ground truth were merged" in n for n in notes)
    assert any("are the masks inverted" in note for note in notes)
    for told in (err, cli(*words)[2]):
        lines = [line for line in told.splitlines() if line.startswith("note: ")]
        assert sorted(lines) == sorted(f"note: {note}" for note in notes)


def test_recommend_tells_settings_where_they_were_measured(cli):
    code, out, _ = cli("recommend", "--device", "cpu", "--json")
    found = json.loads(out)
    assert code == 0 and found["device"] == "cpu"
    aims = [item["aim"] for item in found["settings"]]
    assert aims == ["best", "balanced", "fast"]
    costs = [item["cost"] for item in found["settings"]]
    assert costs == sorted(costs, reverse=True)
    assert all(item["arguments"].startswith("--size ") for item in found["settings"])


def test_recommend_says_where_nothing_was_measured(cli):
    code, out, _ = cli("recommend", "--device", "cuda:1")
    assert code == 0 and "not measured on cuda, only on cpu" in out
    code, out, _ = cli("recommend", "--device", "cuda", "--json")
    assert json.loads(out) == {"device": "cuda", "settings": []}
    code, _, err = cli("recommend", "--device", "abacus")
    assert code == 2 and "abacus" in err
