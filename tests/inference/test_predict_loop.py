from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from evaluation._utils.claims import JOURNAL
from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map, write_label_map
from evaluation.runs import schema
from evaluation.runs.schema import RUN_FILE
from s3fo.benchmarks import Benchmark, VideoSequence, open_folders
from s3fo.benchmarks.video_file import count_frames, iterate_frames
from s3fo.inference import build_method, predict
from s3fo.inference.running import record
from s3fo.inference.running.pace import Pace
from s3fo.inference.running.reader import read_frames, read_image
from s3fo.inference.running.record import RunRecord
from s3fo.inference.running.writer import MaskWriter

SIZE = (24, 32)


def square(left: int, object_id: int) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8)
    mask[4:10, left : left + 6] = object_id
    return mask


def write_video(
    root: Path,
    name: str,
    frames: int = 5,
    masks: Mapping[int, np.ndarray] | None = None,
) -> None:
    folder = root / "images" / name
    folder.mkdir(parents=True)
    for index in range(frames):
        image = np.full((*SIZE, 3), 10 + index, np.uint8)
        cv2.imwrite(str(folder / f"{index:05d}.png"), image)
    for index, mask in (masks or {0: square(3, 1)}).items():
        write_label_map(root / "masks" / name / f"{index:05d}.png", mask)


def benchmark_in(root: Path) -> Benchmark:
    return open_folders(root / "images", root / "masks")


class Recorder:
    """Remembers what it was shown; answers with the first prompt."""

    name = "recorder"
    device = "cpu"

    def __init__(
        self, fail_at: tuple[str, int] | None = None, setting: int = 0
    ) -> None:
        self.settings: Mapping[str, Any] = {"setting": setting}
        self.seen: list[tuple[str, int, list[int] | None, bool]] = []
        self.fail_at = fail_at

    def start(self, sequence: VideoSequence) -> None:
        self.video = sequence.name

    def step(
        self, image: np.ndarray, prompt: np.ndarray | None, *, last: bool = False
    ) -> np.ndarray:
        brightness = int(image[0, 0, 0])
        if (self.video, brightness - 10) == self.fail_at:
            raise RuntimeError("out of memory")
        ids = None if prompt is None else np.unique(prompt).tolist()
        self.seen.append((self.video, brightness - 10, ids, last))
        return np.full(image.shape[:2], brightness, np.uint8)


def test_each_object_is_shown_once_when_it_first_appears(tmp_path: Path) -> None:
    masks = {
        1: square(3, 1),
        2: np.maximum(square(5, 1), square(20, 7)),
        4: np.maximum(square(9, 1), square(24, 7)),
    }
    write_video(tmp_path, "a", masks=masks)
    method = Recorder()
    run = predict(benchmark_in(tmp_path), tmp_path / "out", method=method)
    assert run.failures == {}
    assert method.seen == [
        ("a", 1, [0, 1], False),
        ("a", 2, [0, 7], False),
        ("a", 3, None, False),
        ("a", 4, None, True),
    ]


def test_later_annotations_are_not_read(tmp_path: Path) -> None:
    masks = {index: square(index + 1, 1) for index in range(5)}
    write_video(tmp_path, "a", masks=masks)
    sequence = benchmark_in(tmp_path)["a"]
    assert sequence.object_ids == (1,)
    for frame in sequence.frames[1:]:
        sequence.annotations[frame].write_bytes(b"unreadable from now on")
    assert predict(sequence, tmp_path / "out", method="copy").failures == {}


def test_results_have_the_frames_names_and_values(tmp_path: Path) -> None:
    write_video(tmp_path, "a", masks={2: square(3, 1)})
    predict(benchmark_in(tmp_path), tmp_path / "out", method=Recorder())
    files = sorted((tmp_path / "out/a").iterdir())
    assert [path.name for path in files] == [f"{index:05d}.png" for index in range(5)]
    values = [np.unique(read_label_map(path)).tolist() for path in files]
    assert values == [[0], [0], [12], [13], [14]], "nothing before the first object"


def test_listed_frames_only(tmp_path: Path) -> None:
    from dataclasses import replace

    write_video(tmp_path, "a")
    sequence = replace(benchmark_in(tmp_path)["a"], listed_frames=("00000", "00004"))
    method = Recorder()
    predict(sequence, tmp_path / "out", method=method, frames="listed")
    assert sorted(path.name for path in (tmp_path / "out/a").iterdir()) == [
        "00000.png",
        "00004.png",
    ]
    assert len(method.seen) == 5, "all frames are seen"


def test_a_failing_video_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    for name in "abc":
        write_video(tmp_path, name)
    run = predict(
        benchmark_in(tmp_path), tmp_path / "out", method=Recorder(fail_at=("b", 3))
    )
    assert run.failures == {"b": "RuntimeError: out of memory"}
    assert run.finished == ("a", "c")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a",
        "c",
        "run.json",
    ]
    again = predict(benchmark_in(tmp_path), tmp_path / "out", method=Recorder())
    assert (again.kept, again.finished, again.failures) == (("a", "c"), ("b",), {})
    assert RunRecord.load(tmp_path / "out").failures == {}  # type: ignore[union-attr]


def test_bad_files_of_a_video_are_named(tmp_path: Path) -> None:
    for name in ("broken", "fine", "small", "unannotated"):
        write_video(tmp_path, name)
    (tmp_path / "images/broken/00003.png").write_bytes(b"")
    write_label_map(tmp_path / "masks/small/00000.png", np.ones((5, 7), np.uint8))
    write_label_map(tmp_path / "masks/unannotated/00000.png", np.zeros(SIZE, np.uint8))
    run = predict(benchmark_in(tmp_path), tmp_path / "out", method="copy")
    assert run.finished == ("fine",)
    assert "00003.png" in run.failures["broken"]
    assert "a mask of 7x5 pixels" in run.failures["small"]
    assert "no annotated object" in run.failures["unannotated"]


def test_an_interrupted_run_goes_on_at_the_first_unfinished_video(
    tmp_path: Path,
) -> None:
    for name in "abc":
        write_video(tmp_path, name)

    def interrupt(done: int, total: int, label: str) -> None:
        if label.startswith("b 3/5"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(
            benchmark_in(tmp_path), tmp_path / "out", method="copy", progress=interrupt
        )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a",
        "run.json",
    ]
    seen: list[tuple[int, int]] = []
    run = predict(
        benchmark_in(tmp_path),
        tmp_path / "out",
        method="copy",
        progress=lambda done, total, label: seen.append((done, total)),
    )
    assert (run.kept, run.finished) == (("a",), ("b", "c"))
    assert seen == [(done, 15) for done in range(6, 16)]
    uninterrupted = predict(benchmark_in(tmp_path), tmp_path / "whole", method="copy")
    assert uninterrupted.failures == {}
    for path in (tmp_path / "whole").rglob("*.png"):
        twin = tmp_path / "out" / path.relative_to(tmp_path / "whole")
        assert twin.read_bytes() == path.read_bytes()


def test_an_incomplete_folder_is_done_again(tmp_path: Path) -> None:
    write_video(tmp_path, "a")
    predict(benchmark_in(tmp_path), tmp_path / "out", method="copy")
    (tmp_path / "out/a/00002.png").unlink()
    run = predict(benchmark_in(tmp_path), tmp_path / "out", method="copy")
    assert run.finished == ("a",)
    assert (tmp_path / "out/a/00002.png").is_file()


def test_runs_with_other_settings_do_not_mix(tmp_path: Path) -> None:
    write_video(tmp_path, "a")
    out = tmp_path / "out"
    predict(benchmark_in(tmp_path), out, method=Recorder(setting=1))
    with pytest.raises(InputError, match=r"made with setting 1; .* setting 2"):
        predict(benchmark_in(tmp_path), out, method=Recorder(setting=2))
    with pytest.raises(InputError, match="found masks made with method recorder;"):
        predict(benchmark_in(tmp_path), out, method="copy")
    run = predict(
        benchmark_in(tmp_path), out, method=Recorder(setting=2), overwrite=True
    )
    assert run.finished == ("a",)
    assert json.loads((out / "run.json").read_text())["settings"] == {"setting": 2}


def test_results_of_unknown_origin_are_not_touched(tmp_path: Path) -> None:
    write_video(tmp_path, "a")
    foreign = tmp_path / "out/a/00000.png"
    write_label_map(foreign, square(9, 5))
    before = foreign.read_bytes()
    with pytest.raises(InputError, match="unknown origin"):
        predict(benchmark_in(tmp_path), tmp_path / "out", method="copy")
    with pytest.raises(InputError, match="unknown origin"):
        predict(benchmark_in(tmp_path), tmp_path / "out", method="copy", overwrite=True)
    assert foreign.read_bytes() == before
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


def test_what_another_process_does_meanwhile_is_no_foreign_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process does the whole job just after this one saw no ``run.json``."""
    for name in "ab":
        write_video(tmp_path, name)
    out = tmp_path / "out"
    original = Path.exists
    seen: list[Path] = []

    def exists(path: Path) -> bool:
        found = original(path)
        if path == out / RUN_FILE and not seen:
            seen.append(path)
            predict(benchmark_in(tmp_path), out, method="copy")
        return found

    monkeypatch.setattr(Path, "exists", exists)
    run = predict(benchmark_in(tmp_path), out, method="copy")
    assert seen and not run.failures
    assert run.kept == ("a", "b")


def test_an_entry_merged_while_a_record_is_read_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path, "a")
    out = tmp_path / "out"
    predict(benchmark_in(tmp_path), out, method="copy")
    whole = RunRecord.load(out)
    assert whole is not None
    folder = record.ResultsFolder(out, whole, list(benchmark_in(tmp_path)))
    entry = out / JOURNAL / "0.video"
    original = schema.read_run_file

    def read_then_merged(path: Path) -> RunRecord | None:
        read = original(path)
        whole.save(out)
        entry.unlink()
        return read

    monkeypatch.setattr(schema, "read_run_file", read_then_merged)
    monkeypatch.setattr(record, "read_run_file", read_then_merged)
    for videos in (folder._videos, lambda: RunRecord.load(out).videos()):
        written = {
            "sequence": "a",
            "folder": (out / "a").stat().st_ino,
            "record": asdict(whole.sequences["a"]),
        }
        entry.parent.mkdir(exist_ok=True)
        entry.write_text(json.dumps(written))
        replace(whole, sequences={}).save(out)
        assert set(videos()) == {"a"}
        assert not entry.exists()


def test_an_interrupted_overwrite_keeps_nothing_of_the_old_run(tmp_path: Path) -> None:
    for name in "ab":
        write_video(tmp_path, name)
    out = tmp_path / "out"
    predict(benchmark_in(tmp_path), out, method=Recorder(setting=1))

    def interrupt(done: int, total: int, label: str) -> None:
        if label.startswith("b"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(
            benchmark_in(tmp_path),
            out,
            method=Recorder(setting=2),
            overwrite=True,
            progress=interrupt,
        )
    run = predict(benchmark_in(tmp_path), out, method=Recorder(setting=2))
    assert (run.kept, run.finished) == (("a",), ("b",))


def test_the_record_says_how_it_was_made(tmp_path: Path) -> None:
    write_video(tmp_path, "a")
    run = predict(benchmark_in(tmp_path), tmp_path / "out", method="flow", size=16)
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert record["method"] == "flow"
    assert record["settings"]["size"] == 16
    assert record["sequences"]["a"]["frames"] == 5
    assert record["frames_per_second"] == pytest.approx(run.frames_per_second, abs=0.01)
    assert {"numpy", "python", "s3fo"} <= set(record["versions"])


def write_video_file(path: Path) -> None:
    """Twelve frames at 25 a second; frame i has the grey level 10 * i."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = SIZE
        stream.pix_fmt = "yuv420p"
        for index in range(12):
            image = np.full((*SIZE, 3), 10 * index, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_a_video_file_and_one_mask(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video_file(path)
    write_label_map(tmp_path / "first.png", square(3, 2))
    benchmark = open_folders(path, tmp_path / "first.png")
    assert benchmark["clip"].fps == 25
    run = predict(benchmark, tmp_path / "out", method="copy")
    assert run.failures == {}
    assert len(list((tmp_path / "out/clip").glob("*.png"))) == 12
    levels = [image.mean() for _, image in read_frames(benchmark["clip"])]
    np.testing.assert_allclose(levels, np.arange(12) * 10, atol=4)


def test_frames_that_a_cut_video_does_not_show_are_not_counted(tmp_path: Path) -> None:
    """Cut without encoding anew, a clip keeps what its first frames depend on."""
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    write_video_file(whole)
    with av.open(str(whole)) as source, av.open(str(cut), "w") as target:
        copied = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.pts -= 5 * 512
                packet.dts -= 5 * 512
                packet.stream = copied
                target.mux(packet)
    shown = [int(image.mean()) for image in iterate_frames(cut)]
    assert 0 < len(shown) < 12
    assert (count_frames(cut), count_frames(whole)) == (len(shown), 12)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    write_video(tmp_path, "a")
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="cannot be written to"):
        predict(benchmark_in(tmp_path), tmp_path / "out", method="copy")


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"not a video")
    with pytest.raises(InputError, match=r"clip\.mp4"):
        open_folders(tmp_path / "clip.mp4")


def test_reading_ahead_is_bounded_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path, "a", frames=40)
    started = []

    def counting(path: Path) -> np.ndarray:
        started.append(path)
        return read_image(path)

    monkeypatch.setattr("s3fo.inference.running.reader.read_image", counting)
    frames = read_frames(benchmark_in(tmp_path)["a"], ahead=4)
    for index, (name, image) in enumerate(frames):
        assert name == f"{index:05d}"
        assert image[0, 0, 0] == 10 + index
        assert len(started) <= index + 5
    assert threading.active_count() < 20


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError), MaskWriter(tmp_path / "a") as writer:
        writer.write("00000", square(1, 1))
        writer.write("00001", np.zeros((2, 2, 2), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_images_keep_their_stored_orientation(tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    Image.new("RGB", (32, 24)).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape == (24, 32, 3)


def test_pace_is_what_was_measured() -> None:
    now = 0.0
    pace = Pace(100, clock=lambda: now)
    assert pace.seconds_left is None
    for _ in range(20):
        now += 0.5
        pace.frame_done()
    assert pace.frames_per_second == pytest.approx(2.0)
    assert pace.seconds_left == pytest.approx(40.0)
    for _ in range(40):  # slower now: the window forgets the quick start
        now += 2.0
        pace.frame_done()
    assert pace.frames_per_second == pytest.approx(0.5)
    pace.skip(30)
    assert pace.seconds_left == pytest.approx(20.0)
    assert "0.5 frames/s, 20 s left" in str(pace)


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    write_video(tmp_path, "a")
    with pytest.raises(InputError, match=r"one of s3, cutie, sam2, .*, copy"):
        build_method("osvos")
    with pytest.raises(InputError, match="weights"):
        build_method("flow", weights="best.pth")
    with pytest.raises(InputError, match="all"):
        predict(benchmark_in(tmp_path), tmp_path / "out", method="copy", frames="some")
    with pytest.raises(InputError, match="none"):
        predict([], tmp_path / "out", method="copy")


def test_options_of_another_method_are_not_passed_over(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from s3fo import cli

    write_video(tmp_path, "a")
    folders = ["--images", str(tmp_path / "images"), "--masks", str(tmp_path / "masks")]
    more = ["--out", str(tmp_path / "out"), "--method", "flow", "--weights", "best.pth"]
    monkeypatch.setattr("sys.argv", ["s3fo", "predict", *folders, *more])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert "weights" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_ctrl_c_says_how_to_go_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from s3fo import cli

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    write_video(tmp_path, "a")
    monkeypatch.setattr("s3fo.inference.predict", interrupted)
    folders = ["--images", str(tmp_path / "images"), "--masks", str(tmp_path / "masks")]
    out = ["--out", str(tmp_path / "out"), "--method", "copy"]
    monkeypatch.setattr("sys.argv", ["s3fo", "predict", *folders, *out])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 130
    assert "run the same command to continue" in capsys.readouterr().err


def test_frames_of_12_bits_are_seen_as_those_of_8_and_told(tmp_path: Path) -> None:
    write_video(tmp_path, "a", 3)
    for path in (tmp_path / "images" / "a").iterdir():
        eight = cv2.imread(str(path)) + 200
        cv2.imwrite(str(path), eight.astype(np.uint16) * 16)
    method = Recorder()
    done = predict(benchmark_in(tmp_path), tmp_path / "out", method=method)
    assert [brightness for _, brightness, _, _ in method.seen] == [200, 201, 202]
    told = (
        "a: images of 16 bits with no value above 3392 of 65535 (00002.png): read as "
    )
    assert [note[: len(told)] for note in done.notes] == [told]
