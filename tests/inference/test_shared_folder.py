"""A results folder that several processes fill, die in, and replace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map, write_label_map
from evaluation.runs.registry import find_runs, runs_table
from evaluation.runs.schema import JOURNAL, RunRecord
from s3fo.benchmarks import open_folders
from s3fo.inference import predict
from tests.benchmarks.benchmark_trees import write_image

SIZE = (24, 32)


class Painter:
    """Answers with one value; slow, to be killed in the middle."""

    name = "painter"
    device = "cpu"

    def __init__(self, value: int = 1, seconds: float = 0.0) -> None:
        self.settings = {"value": value}
        self._value, self._seconds = value, seconds

    def start(self, sequence) -> None:
        pass

    def step(self, image, prompt, *, last=False):
        time.sleep(self._seconds)
        return np.full(image.shape[:2], self._value, np.uint8)


def write_videos(root: Path, names="abcdefgh", frames: int = 4) -> None:
    for name in names:
        for t in range(frames):
            write_image(root / "images" / name / f"{t:05d}.png", 50 + t, SIZE)
        first = np.zeros(SIZE, np.uint8)
        first[3:9, 3:9] = 1
        write_label_map(root / "masks" / name / "00000.png", first)


def benchmark_in(root: Path):
    return open_folders(root / "images", root / "masks")


def start(root: Path, value: int = 1, seconds: float = 0.02, overwrite: bool = False):
    """Another process that predicts into `root`/out and prints what it did."""
    code = (
        "import json, sys; from pathlib import Path;"
        "from tests.inference.test_shared_folder import Painter, benchmark_in;"
        "from s3fo.inference import predict;"
        f"run = predict(benchmark_in(Path({str(root)!r})), {str(root / 'out')!r},"
        f" method=Painter({value}, {seconds}), overwrite={overwrite});"
        "print(json.dumps([run.finished, run.kept, run.failures]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def values(out: Path) -> dict[str, set[int]]:
    return {
        folder.name: {
            int(v) for f in folder.iterdir() for v in np.unique(read_label_map(f))
        }
        for folder in sorted(out.iterdir())
        if folder.is_dir() and folder.name[0] != "."
    }


@pytest.mark.seconds
def test_processes_share_the_videos_of_one_folder(tmp_path):
    write_videos(tmp_path)
    processes = [start(tmp_path) for _ in range(3)]
    told = [process.communicate(timeout=120) for process in processes]
    assert all(process.returncode == 0 for process in processes), told
    reports = [json.loads(out) for out, _ in told]
    done = [name for finished, _, _ in reports for name in finished]
    assert sorted(done) == list("abcdefgh"), "nothing twice, nothing lost"
    for finished, kept, failures in reports:
        assert not failures
        assert sorted([*finished, *kept]) == list("abcdefgh")
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert sorted(record["sequences"]) == list("abcdefgh")
    assert record["state"] == "done" and not record["others"]
    assert sorted(os.listdir(tmp_path / "out")) == [*"abcdefgh", "run.json"]
    again = predict(benchmark_in(tmp_path), tmp_path / "out", method=Painter())
    assert (again.kept, again.finished) == (tuple("abcdefgh"), ())


@pytest.mark.seconds
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_killed_process_held_is_taken_over(tmp_path, sign):
    write_videos(tmp_path)
    out = tmp_path / "out"
    first = start(tmp_path, seconds=0.03)
    wait_for(lambda: (out / "b").is_dir())
    second = start(tmp_path, seconds=0.001)
    wait_for(lambda: (out / "c").is_dir())
    first.send_signal(sign)
    first.communicate(timeout=60)
    told, trace = second.communicate(timeout=60)
    assert second.returncode == 0, trace
    finished, kept, _ = json.loads(told)
    assert sorted([*finished, *kept]) == list("abcdefgh")
    record = RunRecord.load(out)
    assert sorted(record.sequences) == list("abcdefgh")
    assert sorted(os.listdir(out)) == [*"abcdefgh", "run.json"]


@pytest.mark.seconds
def test_a_killed_process_loses_only_its_unfinished_video(tmp_path):
    write_videos(tmp_path)
    out = tmp_path / "out"
    process = start(tmp_path, seconds=0.01)
    wait_for(lambda: (out / "c").is_dir())
    process.kill()
    process.communicate()
    done = sorted(values(out))
    assert len(done) >= 3 and (out / JOURNAL).is_dir()
    assert sorted(RunRecord.load(out).sequences) == done
    run = predict(benchmark_in(tmp_path), out, method=Painter())
    assert sorted(run.kept) == done
    assert sorted(os.listdir(out)) == [*"abcdefgh", "run.json"]


@pytest.mark.seconds
def test_other_settings_do_not_join_in(tmp_path):
    write_videos(tmp_path)
    process = start(tmp_path, seconds=0.03)
    wait_for(lambda: (tmp_path / "out/a").is_dir())
    try:
        for overwrite in (False, True):
            with pytest.raises(InputError, match=r"value 1|writing there"):
                predict(
                    benchmark_in(tmp_path), tmp_path / "out", method=Painter(2),
                    overwrite=overwrite,
                )  # fmt: skip
    finally:
        process.kill()
        process.communicate()


@pytest.mark.seconds
def test_a_killed_replacement_claims_nothing_of_the_old_run(tmp_path):
    write_videos(tmp_path)
    out = tmp_path / "out"
    predict(benchmark_in(tmp_path), out, method=Painter(1))
    process = start(tmp_path, 2, 0.02, overwrite=True)
    wait_for(lambda: values(out).get("b") == {2})
    process.kill()
    process.communicate()
    new = [name for name, found in values(out).items() if found == {2}]
    record = RunRecord.load(out)
    assert sorted(record.sequences) == new and 2 <= len(new) < 8
    assert sorted(record.others) == sorted(set("abcdefgh") - set(new))
    assert all(video.method == "painter" for video in record.others.values())
    state = runs_table(find_runs(out))["state"][0]
    assert f"{8 - len(new)} videos of another run (painter)" in state
    run = predict(benchmark_in(tmp_path), out, method=Painter(2), overwrite=True)
    assert sorted(run.kept) == new, "the same command goes on"
    assert set(map(frozenset, values(out).values())) == {frozenset({2})}
    run = predict(benchmark_in(tmp_path), out, method=Painter(2), overwrite=True)
    assert not run.kept, "a new one begins anew"


@pytest.mark.parametrize("where", ["images", "masks", "images/a", "masks/a", ""])
def test_inputs_are_never_outputs(tmp_path, where):
    write_videos(tmp_path, "a")
    if not where:  # a video's folder that holds its own images
        shutil.move(tmp_path / "images/a", tmp_path / "a")
        source = open_folders(tmp_path / "a", tmp_path / "masks" / "a")
        assert source.sequences[0].name == "a"
    else:
        source = benchmark_in(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    (tmp_path / "link").symlink_to(tmp_path / where)
    for out in (tmp_path / where, tmp_path / "link"):
        for overwrite in (False, True):
            with pytest.raises(InputError):
                predict(source, out, method="copy", overwrite=overwrite)
    assert {p: p.read_bytes() for p in before} == before
    assert not list(tmp_path.rglob("run.json"))


def test_a_record_of_another_program_stays(tmp_path):
    write_videos(tmp_path, "a")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/run.json").write_text('{"mine": 1}')
    for overwrite in (False, True):
        with pytest.raises(InputError, match="another program"):
            predict(
                benchmark_in(tmp_path), tmp_path / "out", method="copy",
                overwrite=overwrite,
            )  # fmt: skip
    assert (tmp_path / "out/run.json").read_text() == '{"mine": 1}'


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"method": 3}, "at method"),
        ({"method": "x", "sequences": []}, "at sequences"),
        ({"method": "x", "sequences": {"a": {"frames": "4", "seconds": 1}}},
         r"sequences\.a\.frames"),
        ({"method": "x", "sequences": {"a": {"frames": 4}}}, r"sequences\.a"),
        ({"method": "x", "failures": {"a": None}}, r"failures\.a"),
        ({"method": "x", "format": 99}, "format 99"),
        ({"method": "x", "state": "odd"}, "at state"),
    ],
)  # fmt: skip
def test_a_damaged_record_names_the_place(tmp_path, content, place):
    (tmp_path / "run.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"run\.json.*{place}"):
        RunRecord.load(tmp_path)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"method": 1, "method": 2}'])
def test_a_record_that_is_no_json(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run\.json"):
        RunRecord.load(tmp_path)


def test_records_of_the_first_format_are_gone_on_with(tmp_path):
    write_videos(tmp_path, "ab")
    out = tmp_path / "out"
    predict(benchmark_in(tmp_path), out, method=Painter())
    old = json.loads((out / "run.json").read_text())
    for key in ("format", "run", "state", "replaces", "others"):
        del old[key]
    old["sequences"] = {"a": {"frames": 4, "seconds": 2.0}}
    (out / "run.json").write_text(json.dumps(old))
    shutil.rmtree(out / "b")
    run = predict(benchmark_in(tmp_path), out, method=Painter())
    assert (run.kept, run.finished) == (("a",), ("b",))
    assert sorted(RunRecord.load(out).sequences) == ["a", "b"]


def with_orientation(path: Path, turn: int, size: tuple[int, int]) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = turn
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (90, 80, 70)).save(path, exif=exif)


@pytest.mark.parametrize(
    ("turn", "size", "mask", "taken"),
    [
        (6, (32, 24), (24, 32), True),  # the mask lies on the stored pixels
        (6, (32, 24), (32, 24), False),  # it was drawn on what viewers show
        (6, (24, 24), (24, 24), False),  # nobody knows
        (3, (32, 24), (24, 32), False),  # upside down: nobody knows
        (1, (24, 24), (24, 24), True),
    ],
)
def test_images_that_viewers_turn(tmp_path, turn, size, mask, taken):
    for t in range(3):
        with_orientation(tmp_path / "images/a" / f"{t:05d}.jpg", turn, size)
    write_label_map(tmp_path / "masks/a/00000.png", np.ones(mask, np.uint8))
    run = predict(benchmark_in(tmp_path), tmp_path / "out", method="copy")
    assert (run.finished == ("a",)) == taken
    assert taken or f"EXIF orientation {turn}" in run.failures["a"]


def test_a_video_that_ends_early_keeps_what_it_has(tmp_path, monkeypatch):
    from dataclasses import replace

    import av

    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        for t in range(6):
            image = np.full((*SIZE, 3), 20 * t, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode())
    first = tmp_path / "first.png"
    write_label_map(first, np.ones(SIZE, np.uint8))
    (video,) = open_folders(path, first).sequences
    promised = tuple(f"{t:05d}" for t in range(9))
    video = replace(video, frames=promised)
    run = predict(video, tmp_path / "out", method="copy")
    assert run.finished == ("clip",) and not run.failures
    assert "6 of the 9 frames" in run.notes[0]
    assert len(list((tmp_path / "out/clip").glob("*.png"))) == 6
    assert RunRecord.load(tmp_path / "out").sequences["clip"].frames == 6
    assert predict(video, tmp_path / "out", method="copy").kept == ("clip",)
