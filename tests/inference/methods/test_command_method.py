"""Any program as a method: what it is shown, and what is taken from it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks import Benchmark, open_folders
from s3fo.inference import predict
from s3fo.inference.methods.command import CommandMethod

SIZE = (20, 30)
PYTHON = sys.executable

HEAD = """
import json, os, shutil, sys, time
from pathlib import Path
frames, masks, out = map(Path, sys.argv[1:4])
"""
HOLD = (
    HEAD
    + """
import numpy as np
from PIL import Image
known = None
for frame in sorted(frames.iterdir()):
    mask = masks / (frame.stem + ".png")
    if mask.exists():
        new = np.array(Image.open(mask))
        known = new if known is None else np.where(new > 0, new, known)
    Image.fromarray(known).save(out / (frame.stem + ".png"))
"""
)


def _box(left: int, object_id: int, onto: np.ndarray | None = None) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8) if onto is None else onto
    mask[5:12, left : left + 6] = object_id
    return mask


@pytest.fixture
def videos(tmp_path: Path) -> Benchmark:
    """ "late": object 7 from frame 1 on, 3 from frame 3 on, annotated throughout."""
    for name in ("early", "late"):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for t in range(5):
            image = np.full((*SIZE, 3), 30 * t, np.uint8)
            cv2.imwrite(str(folder / f"{t:05d}.png"), image)
    masks = tmp_path / "masks"
    write_label_map(masks / "early" / "00000.png", _box(2, 1))
    for t in range(1, 5):
        mask = _box(4 + t, 7)
        write_label_map(
            masks / "late" / f"{t:05d}.png", mask if t < 3 else _box(20, 3, mask)
        )
    return open_folders(tmp_path / "images", masks)


def _program(folder: Path, code: str) -> Path:
    path = folder / "run it.py"  # a space in its path
    path.write_text(code)
    return path


def _command(program: Path, *words: str) -> str:
    return " ".join([PYTHON, f"'{program}'", "{frames} {masks} {out}", *words])


def _only(source: Benchmark, name: str):
    return next(item for item in source if item.name == name)


def test_a_program_gives_the_masks(videos, tmp_path):
    program = _program(tmp_path, HOLD)
    run = predict(videos, tmp_path / "out", method="command", command=_command(program))
    assert run.failures == {} and set(run.finished) == {"early", "late"}
    for t in range(5):
        found = read_label_map(tmp_path / "out" / "early" / f"{t:05d}.png")
        np.testing.assert_array_equal(found, _box(2, 1))
    empty = read_label_map(tmp_path / "out" / "late" / "00000.png")
    assert empty.shape == SIZE and not empty.any()
    last = read_label_map(tmp_path / "out" / "late" / "00004.png")
    np.testing.assert_array_equal(last, _box(20, 3, _box(5, 7)))


def test_it_sees_links_to_the_frames_and_first_masks_only(videos, tmp_path):
    tell = (
        HEAD
        + """
seen = {p.name: [os.path.realpath(p), os.path.islink(p)] for p in frames.iterdir()}
import numpy as np
from PIL import Image
shown = {p.name: sorted(np.unique(np.array(Image.open(p))).tolist())
         for p in masks.iterdir()}
Path(sys.argv[4]).write_text(json.dumps([seen, shown, sys.argv[5:]]))
"""
    )
    told = tmp_path / "told.json"
    program = _program(tmp_path, tell)
    words = (str(told), "{video}", "{objects}", "{device}", "{frames_root}", "{{x}}")
    method = CommandMethod(command=_command(program, *words), device="cpu")
    with pytest.raises(InputError, match=r"late"):
        method.segment(_only(videos, "late"), ("00002",), tmp_path / "late")
    seen, shown, values = json.loads(told.read_text())
    originals = _only(videos, "late").images
    assert seen == {
        f"{t:05d}.png": [str(originals[f"{t:05d}"].resolve()), True]
        for t in range(1, 5)  # none before the first object
    }
    assert shown == {"00001.png": [0, 7], "00003.png": [0, 3]}
    assert values[:3] == ["late", "3,7", "cpu"] and values[4] == "{x}"
    assert Path(values[3]).name == "JPEGImages"
    assert not Path(values[3]).exists()  # the scratch folder is gone


def test_a_program_may_take_out_for_the_folder_of_all_videos(videos, tmp_path):
    code = HOLD.replace("out / (", "out / frames.name / (").replace(
        "known = None\n", "known = None\n(out / frames.name).mkdir()\n", 1
    )
    program = _program(tmp_path, code)
    run = predict(videos, tmp_path / "out", method="command", command=_command(program))
    assert run.failures == {}
    last = read_label_map(tmp_path / "out" / "late" / "00004.png")
    np.testing.assert_array_equal(last, _box(20, 3, _box(5, 7)))


def test_one_folder_per_object_is_read_too(videos, tmp_path):
    code = (
        HEAD
        + """
import numpy as np
from PIL import Image
for object_id in (3, 7):
    folder = out / f"{object_id:03d}"
    folder.mkdir()
    for frame in frames.iterdir():
        mask = np.zeros((20, 30), np.uint8)
        mask[2:18, 2:20] = 255
        if object_id == 3:
            mask[:, :10] = 0
        Image.fromarray(mask).save(folder / (frame.stem + ".png"))
"""
    )
    method = CommandMethod(command=_command(_program(tmp_path, code)))
    folder = tmp_path / "late"
    method.segment(_only(videos, "late"), ("00001", "00004"), folder)
    found = read_label_map(folder / "00004.png")
    expected = np.zeros(SIZE, np.uint8)
    expected[2:18, 2:10], expected[2:18, 10:20] = 7, 3  # the smaller one on top
    np.testing.assert_array_equal(found, expected)
    assert sorted(path.name for path in folder.iterdir()) == ["00001.png", "00004.png"]


def test_a_failing_program_is_told_with_its_last_lines(videos, tmp_path):
    code = "print('first line'); print('CUDA out of memory'); raise SystemExit(3)"
    program = _program(tmp_path, code)
    run = predict(videos, tmp_path / "out", method="command", command=_command(program))
    assert run.finished == () and set(run.failures) == {"early", "late"}
    assert "exit code 3" in run.failures["late"]
    assert "CUDA out of memory" in run.failures["late"]
    assert not (tmp_path / "out" / "late").exists()
    program.write_text(HOLD.replace("print", ""))  # mended: another program by its hash
    command = _command(program)
    again = predict(videos, tmp_path / "out", method="command", command=command)
    assert set(again.finished) == {"early", "late"}
    program.write_text(HOLD + "pass")  # masks of two programs must not mix
    with pytest.raises(InputError, match="files"):
        predict(videos, tmp_path / "out", method="command", command=command)


@pytest.mark.seconds
def test_finished_videos_are_kept(videos, tmp_path):
    code = HOLD + "\nif frames.name == 'late' and not Path(sys.argv[4]).exists():\n"
    program = _program(tmp_path, code + "    raise SystemExit('not yet')\n")
    flag = tmp_path / "flag"
    command = _command(program, str(flag))
    first = predict(videos, tmp_path / "out", method="command", command=command)
    assert first.finished == ("early",) and "not yet" in first.failures["late"]
    flag.mkdir()
    second = predict(videos, tmp_path / "out", method="command", command=command)
    assert second.kept == ("early",) and second.finished == ("late",)


def test_the_time_limit_ends_the_program_and_what_it_started(videos, tmp_path):
    mark = tmp_path / "mark"
    child = f"import time; time.sleep(3); open({str(mark)!r}, 'w')"
    code = (
        "import subprocess, sys, time\nprint('started', flush=True)\n"
        f"subprocess.Popen([sys.executable, '-c', {child!r}])\ntime.sleep(60)\n"
    )
    method = CommandMethod(command=_command(_program(tmp_path, code)), timeout=1.5)
    begun = time.monotonic()
    with pytest.raises(InputError, match=r"still running after 1.5 s(?s:.)*started"):
        method.segment(_only(videos, "early"), ("00000",), tmp_path / "early")
    assert time.monotonic() - begun < 20
    time.sleep(3.5)
    assert not mark.exists()


@pytest.mark.seconds
@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_program_ends_when_this_process_is_killed(videos, tmp_path):
    program = _program(tmp_path, "import os, sys, time\n"
        "open(sys.argv[4], 'w').write(str(os.getpid()))\ntime.sleep(60)\n")  # fmt: skip
    told = tmp_path / "pid"
    words = ["-m", "s3fo.cli", "predict", "--images", str(tmp_path / "images")]
    words += ["--masks", str(tmp_path / "masks"), "--out", str(tmp_path / "out")]
    words += ["--command", _command(program, str(told))]
    ours = subprocess.Popen([PYTHON, *words], stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 60
    while not (told.exists() and told.read_text()) and time.monotonic() < limit:
        time.sleep(0.1)
    theirs = Path("/proc") / told.read_text()
    assert theirs.exists()
    ours.kill()
    ours.wait()
    while theirs.exists() and time.monotonic() < limit:
        time.sleep(0.1)
    assert not theirs.exists()


def test_videos_run_at_once_one_per_device(videos, tmp_path):
    code = (
        HOLD
        + """
meet = Path(sys.argv[4])
(meet / (frames.name + "=" + sys.argv[5])).touch()
limit = time.monotonic() + 20
while len(list(meet.iterdir())) < 2:
    if time.monotonic() > limit:
        raise SystemExit("alone")
    time.sleep(0.05)
"""
    )
    meet = tmp_path / "meet"
    meet.mkdir()
    command = _command(_program(tmp_path, code), str(meet), "{device}")
    run = predict(
        videos,
        tmp_path / "out",
        method="command",
        command=command,
        device="cuda:0,cuda:1",
    )
    assert run.failures == {}
    devices = {path.name.partition("=")[2] for path in meet.iterdir()}
    assert devices == {"cuda:0", "cuda:1"}


def test_a_command_without_a_device_sees_its_gpu_only(videos, tmp_path):
    code = "import os; print('sees', os.environ['CUDA_VISIBLE_DEVICES']); exit(1)"
    command = _command(_program(tmp_path, code))
    method = CommandMethod(command=command, device="cuda:3")
    with pytest.raises(InputError, match="sees 3"):
        method.segment(_only(videos, "early"), ("00000",), tmp_path / "early")


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("tail", "match"),
    [
        ("(out / '00002.png').unlink()", r"no masks of 1 frames \(00002\)"),
        ("Image.new('L', (9, 9)).save(out / '00001.png')", "9x9 pixels"),
        ("Image.new('L', (30, 20), 5).save(out / '00001.png')", "ids 5"),
        ("(out / '00001.png').write_bytes(b'no png')", "00001.png"),
        ("shutil.rmtree(out)", "none of the sequences"),
    ],
)
def test_wrong_output_is_refused(videos, tmp_path, tail, match):
    program = _program(tmp_path, f"{HOLD}\n{tail}\n")
    run = predict(
        [_only(videos, "early")],
        tmp_path / "out",
        method="command",
        command=_command(program),
    )
    assert not (tmp_path / "out" / "early").exists()
    with pytest.raises(InputError, match=match):
        CommandMethod(command=_command(program)).segment(
            _only(videos, "early"), _only(videos, "early").frames, tmp_path / "x"
        )
    assert set(run.failures) == {"early"}


@pytest.mark.parametrize(
    ("command", "match"),
    [
        ("python run.py {frame} {out}", "{frame}"),
        ("python run.py {frames} {masks}", "a program with {out}"),
        ("no-such-program {out}", "no program no-such-program"),
        ("python 'run.py {out}", "quotes"),
        ("python -c 'x = {' {out}", "braces"),
        ("", "a program with"),
    ],
)
def test_a_command_that_cannot_work_is_refused_at_once(command, match):
    with pytest.raises(InputError, match=match):
        CommandMethod(command=command)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "soon", True])
def test_a_time_limit_must_be_a_number(timeout):
    with pytest.raises(InputError, match="timeout"):
        CommandMethod(command=f"{PYTHON} {{out}}", timeout=timeout)


def test_frames_as_jpeg_where_a_program_reads_nothing_else(videos, tmp_path):
    code = HEAD + "print(sorted(p.name for p in frames.iterdir())); exit(1)"
    method = CommandMethod(command=_command(_program(tmp_path, code)), jpeg=True)
    with pytest.raises(InputError, match=r"\['00001.jpg', '00002.jpg'"):
        method.segment(_only(videos, "late"), ("00001",), tmp_path / "late")


def test_the_command_line_names_the_program(videos, tmp_path, monkeypatch):
    from s3fo import cli

    def run(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["s3fo", "predict", *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return int(stop.value.code or 0)

    out = tmp_path / "out"
    source = ["--images", str(tmp_path / "images"), "--masks", str(tmp_path / "masks")]
    command = ["--command", _command(_program(tmp_path, HOLD)), "--out", str(out)]
    assert run(*source, *command, "--method", "sam2") == 2
    assert run(*source, *command, "--method", "holder", "--timeout", "60") == 0
    record = json.loads((out / "run.json").read_text())
    assert record["method"] == "holder"
    assert list(record["settings"]["files"]) == [str(tmp_path / "run it.py")]
