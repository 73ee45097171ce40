"""The speed that `measure_speed` tells is the one that a method has."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from evaluation.errors import InputError
from evaluation.runs.speed import SpeedRecord, SpeedRow
from s3fo.inference.methods.command import CommandMethod
from s3fo.inference.running.speed import Clip, measure_speed, parse_size


class Sleeper:
    """Takes a known time per frame, and holds known memory."""

    name, device, settings = "sleeper", "cpu", {"kind": "dummy"}

    def __init__(self, seconds: float = 0.0, per_object: float = 0.0) -> None:
        self.seconds, self.per_object = seconds, per_object
        self.slow_frames: dict[int, float] = {}
        self.shapes: list[tuple[int, ...]] = []
        self.megabytes = 0

    def start(self, sequence) -> None:
        self.frame = -1
        self.held = None
        self.objects = len(sequence.objects)

    def step(self, image, prompt, *, last=False):
        self.frame += 1
        self.shapes.append(image.shape)
        if prompt is not None:
            self.masks = prompt
            assert set(np.unique(prompt)) == set(range(self.objects + 1))
        if self.frame == 3 and self.megabytes:
            self.held = np.ones(self.megabytes << 20, np.uint8)
        pause = self.seconds + self.per_object * self.objects
        time.sleep(self.slow_frames.get(self.frame, pause))
        return self.masks


@pytest.fixture
def clock(monkeypatch):
    """A clock that only sleeping moves: a busy machine must not decide a test."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)


def test_a_method_that_sleeps_is_measured_by_the_clock_on_the_wall():
    record = measure_speed(
        Sleeper(0.05), objects=(1,), sizes=((48, 64),), lengths=(13,)
    )
    # Sleeping never takes less; how much more depends on what else is running.
    assert 5 < record.rows[0].fps < 1.05 / 0.05


@pytest.mark.usefixtures("clock")
def test_a_method_that_sleeps_is_measured_right():
    record = measure_speed(
        Sleeper(0.02, 0.01), objects=(1, 3), sizes=((48, 64),), lengths=(25,)
    )
    one, three = record.rows
    assert one.fps == pytest.approx(1 / 0.03, rel=0.05)
    assert three.fps == pytest.approx(1 / 0.05, rel=0.05)
    assert one.latency_p50_ms == pytest.approx(30, rel=0.05)
    assert three.latency_p50_ms == pytest.approx(50, rel=0.05)
    assert one.frames == 20 and one.length == 25


@pytest.mark.usefixtures("clock")
def test_percentiles_are_those_of_the_frames():
    sleeper = Sleeper(0.01)
    sleeper.slow_frames = {6: 0.1, 7: 0.1, 8: 0.1}  # 3 of 20 measured: above the p95
    row = measure_speed(sleeper, objects=(1,), sizes=((48, 64),), lengths=(25,)).rows[0]
    assert row.latency_p50_ms == pytest.approx(10, rel=0.1)
    assert row.latency_p95_ms == pytest.approx(100, rel=0.05)
    assert row.fps == pytest.approx(20 / (17 * 0.01 + 3 * 0.1), rel=0.05)


@pytest.mark.usefixtures("clock")
def test_the_warm_up_is_not_measured():
    sleeper = Sleeper(0.005)
    sleeper.slow_frames = {0: 0.3, 1: 0.2}
    record = measure_speed(
        sleeper, objects=(1,), sizes=((48, 64),), lengths=(20,), warm_up=2
    )
    assert record.rows[0].fps == pytest.approx(200, rel=0.1)
    assert record.rows[0].first_frame_ms == pytest.approx(300, rel=0.05)
    assert record.warm_up == 2 and "clock" not in record.timing


def peaks() -> list[float]:
    """Peaks of a clip, of one that needs 200 MB more, and of the first one again."""
    small, large = Sleeper(), Sleeper()
    large.megabytes = 200
    case = {"objects": (1,), "sizes": ((48, 64),), "lengths": (10,)}
    base = measure_speed(small, **case).rows[0].peak_memory_mb
    more = measure_speed(large, **case).rows[0].peak_memory_mb
    large.held = None
    return [base, more, measure_speed(small, **case).rows[0].peak_memory_mb]


@pytest.mark.seconds
def test_peak_memory_is_that_of_the_clip():
    """In a process of its own: others may have given up the right to reset the peak."""
    here = Path(__file__)
    code = f"import sys; sys.path.insert(0, {str(here.parent)!r}); "
    code += f"from {here.stem} import peaks; print(*peaks())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    base, more, again = map(float, done.stdout.split())
    assert more - base == pytest.approx(200, rel=0.1)
    assert again - base < 20  # the peak of an earlier clip is forgotten


def test_every_combination_is_measured():
    sleeper = Sleeper()
    record = measure_speed(
        sleeper, objects=(1, 16), sizes=((48, 64), (33, 97)), lengths=(6, 9)
    )
    cases = [(r.objects, r.height, r.width, r.length) for r in record.rows]
    assert len(cases) == len(set(cases)) == 8
    assert set(sleeper.shapes) == {(48, 64, 3), (33, 97, 3)}


@pytest.mark.parametrize("objects", [1, 2, 5, 16, 300])
def test_clips_hold_as_many_objects_as_asked_for(objects):
    label_map = Clip(objects, (480, 854), 2).first_masks()
    assert np.unique(label_map).tolist() == list(range(objects + 1))


def test_clips_are_the_same_every_time_and_move():
    one, other = (list(Clip(1, (40, 60), 3).images()) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one[0][:, 2:], one[1][:, :-2])
    assert one[0].std() > 20


def test_a_program_is_measured_as_a_whole(tmp_path):
    program = tmp_path / "run.py"
    program.write_text(
        "import sys, time\nfrom pathlib import Path\nfrom PIL import Image\n"
        "frames, masks, out = map(Path, sys.argv[1:])\n"
        "time.sleep(1)\n"
        "first = Image.open(next(masks.iterdir()))\n"
        "for frame in frames.iterdir():\n"
        "    first.save(out / (frame.stem + '.png'))\n"
    )
    command = f"{sys.executable} {program} {{frames}} {{masks}} {{out}}"
    record = measure_speed(
        CommandMethod(command=command), objects=(2,), sizes=((48, 64),), lengths=(8,)
    )
    row = record.rows[0]
    assert row.frames == 8 and 1 < 8 / row.fps < 4
    assert row.latency_p50_ms is None and row.peak_memory_mb is None
    assert record.warm_up == 0 and "start of the program" in record.timing


@pytest.mark.parametrize(
    ("case", "match"),
    [
        ({"lengths": (5,)}, "more frames than the warm-up"),
        ({"objects": (0,)}, "at least 1 object"),
        ({"objects": (100,), "sizes": ((16, 16),)}, "room for all"),
        ({"warm_up": 0}, "warm_up"),
        ({"sizes": ()}, "none"),
        ({"depth": 3}, "none together with a built method"),
    ],
)
def test_impossible_cases_are_refused(case, match):
    with pytest.raises(InputError, match=match):
        measure_speed(Sleeper(), **case)


def test_sizes_in_words():
    assert parse_size("854x480") == (480, 854)
    assert parse_size("480") == (480, 854)
    assert parse_size("720") == (720, 1280)
    with pytest.raises(InputError, match="854x480"):
        parse_size("large")


def test_a_record_is_read_as_it_was_written(tmp_path):
    record = measure_speed(Sleeper(), objects=(1,), sizes=((48, 64),), lengths=(6,))
    path = record.save(tmp_path)
    assert path == tmp_path / "speed.json"
    assert SpeedRecord.load(tmp_path) == record
    assert isinstance(record.rows[0], SpeedRow)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "schema": 9}))
    with pytest.raises(InputError, match="schema 9"):
        SpeedRecord.load(path)
    path.write_text("{")
    with pytest.raises(InputError, match="Measure again"):
        SpeedRecord.load(path)


def test_the_command_prints_the_same_as_json(tmp_path, capsys, monkeypatch):
    from s3fo import cli

    def run(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["s3fo", "speed", *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return int(stop.value.code or 0)

    file = tmp_path / "speed.json"
    words = ["--method", "copy", "--objects", "1,2", "--size", "64x48", "--length", "7"]
    assert run(*words, "--out", str(file), "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(file.read_text())
    assert [row["objects"] for row in printed["rows"]] == [1, 2]
    assert run(*words) == 0
    assert "Warm-up: 5 frames" in capsys.readouterr().out
    assert run("--method", "copy", "--objects", "1,x") == 2


@pytest.mark.seconds
def test_the_report_draws_what_lies_in_a_results_folder(tmp_path):
    import cv2

    from evaluation.masks.label_map import write_label_map
    from evaluation.report import report

    for t in range(3):
        image = np.full((40, 60, 3), 50 * t, np.uint8)
        folder = tmp_path / "images" / "v"
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{t:05d}.png"), image)
        mask = np.zeros((40, 60), np.uint8)
        mask[10:20, 10 + t : 30 + t] = 1
        for kind in ("truth", "sleepy"):
            write_label_map(tmp_path / kind / "v" / f"{t:05d}.png", mask)
    measured = measure_speed(
        Sleeper(0.004), objects=(1, 4), sizes=((48, 64),), lengths=(8,)
    )
    measured.save(tmp_path / "sleepy")
    made = report(tmp_path / "sleepy", tmp_path / "truth", tmp_path / "report")
    table = made.tables["throughput"].data
    assert table["objects"].tolist() == [1, 4]
    assert table["fps"].tolist() == [row.fps for row in measured.rows]
    assert (tmp_path / "report" / "figures" / "throughput.svg").is_file()
    page = Path(made.page).read_text()
    assert "Speed by number of objects" in page and "not needed" in page
