from __future__ import annotations

import json
import re
import warnings
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from benchmark_trees import (
    burst,
    names,
    write_davis,
    write_entry,
    write_json,
    write_mask,
    write_tree,
)
from PIL import Image

from evaluation.errors import InputError, InputWarning
from evaluation.masks.label_map import davis_palette, read_label_map, write_label_map
from evaluation.masks.run_lengths import decode_rle
from evaluation.scoring import score
from s3fo.benchmarks import (
    Benchmark,
    open_benchmark,
    write_burst_predictions,
    write_submission,
)
from s3fo.benchmarks.catalog import get_entry
from s3fo.benchmarks.submission import build
from s3fo.benchmarks.submission import burst as burst_file
from s3fo.benchmarks.submission.checks import refuse_unfit
from s3fo.cli import main
from s3fo.inference import predict


def hidden_split(root: Path, name: str) -> Benchmark:
    """A small tree of a split that a server scores."""
    if name == "davis-2017":
        write_davis(
            root, {"ape": [1, 2], "bat": [3]}, split="test-dev", first_only=True
        )
        return open_benchmark(name, root, split="test-dev")
    step = 5 if name.startswith(("youtube", "lvos")) else 1
    frames = names(4, step=step)
    folder = "test" if name == "lvos-v1" else "valid"
    videos = {"ape": {frames[0]: [1], frames[2]: [2]}, "bat": {frames[0]: [3]}}
    if name.startswith("mose"):
        videos["ape"] = {frames[0]: [1, 2]}
    write_tree(root / folder, videos, frames)
    if name.startswith("youtube"):
        objects = {
            "ape": {"1": {"frames": frames}, "2": {"frames": frames[2:]}},
            "bat": {"3": {"frames": frames[:2]}},
        }
        content = {"videos": {key: {"objects": item} for key, item in objects.items()}}
        write_json(root / folder / "meta.json", content)
    return open_benchmark(name, root, split="test" if name == "lvos-v1" else "val")


SERVERS = {
    "davis-2017": ("", 8),
    "youtube-vos-2018": ("Annotations/", 6),
    "youtube-vos-2019": ("Annotations/", 6),
    "mose-v1": ("", 8),
    "mose-v2": ("", 8),
    "lvos-v1": ("Annotations/", 8),
}


@pytest.mark.parametrize("name", SERVERS)
def test_the_zip_each_server_wants(tmp_path: Path, name: str) -> None:
    benchmark = hidden_split(tmp_path / "data", name)
    predict(benchmark, tmp_path / "out", method="copy")
    prefix, count = SERVERS[name]
    submission = write_submission(tmp_path / "out", benchmark, tmp_path / "x.zip")
    with zipfile.ZipFile(submission.path) as archive:
        assert archive.testzip() is None
        members = archive.namelist()
        with archive.open(f"{prefix}ape/00000.png") as file, Image.open(file) as image:
            assert image.mode == "P"
            first = set(np.unique(np.array(image))) - {0}
    assert first == set(benchmark["ape"].prompt_frames()["00000"])
    assert submission.frames == len(members) == count
    assert all(member.startswith(prefix) for member in members)
    assert {member.removeprefix(prefix).split("/")[0] for member in members} == {
        "ape",
        "bat",
    }
    assert submission.upload_to.startswith("https://")
    form = get_entry(name, benchmark.split).submission
    assert (submission.remark, submission.page) == (form.remark, form.page)


PUBLIC = {
    ("davis-2017", "test-dev"): "val",
    ("youtube-vos-2018", "val"): "train",
    ("youtube-vos-2019", "val-all-frames"): "train-all-frames",
    ("mose-v1", "val"): "train",
    ("mose-v2", "val"): "train",
    ("lvos-v1", "test"): "val",
}
"""A split with ground truth for each split that a server scores."""


@pytest.mark.parametrize(("name", "hidden"), PUBLIC)
def test_from_zip_back_to_scores(tmp_path: Path, name: str, hidden: str) -> None:
    split = PUBLIC[name, hidden]
    write_entry(tmp_path / "data", get_entry(name, split))
    benchmark = open_benchmark(name, tmp_path / "data", split=split)
    predict(benchmark, tmp_path / "out", method="copy")
    form = get_entry(name, hidden).submission
    write_submission(tmp_path / "out", benchmark, tmp_path / "x.zip", form=form)
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        archive.extractall(tmp_path / "back")
    direct = score(tmp_path / "out", benchmark, benchmark.protocol)
    returned = score(tmp_path / "back", benchmark, benchmark.protocol)
    pd.testing.assert_frame_equal(direct.frames, returned.frames)
    assert 0 < direct.summary["J&F"] < 1


def test_everything_unfit_is_told_and_nothing_written(tmp_path: Path) -> None:
    benchmark = hidden_split(tmp_path / "data", "mose-v1")
    out = tmp_path / "out"
    predict(benchmark, out, method="copy")
    (out / "ape/00001.png").unlink()
    write_mask(out / "ape/00002.png", [1, 9])
    write_label_map(out / "ape/00003.png", np.ones((5, 7), np.uint8))
    Image.new("L", (32, 24)).save(out / "bat/00000.png")
    (out / "bat/00001.png").write_bytes((out / "bat/00002.png").read_bytes()[:60])
    with pytest.raises(InputError) as caught:
        write_submission(out, benchmark, tmp_path / "x.zip")
    message = str(caught.value)
    for expected in (
        "5 problems",
        "ape: 1 frames missing (00001)",
        "ape/00002.png: ids [9]",
        "ape/00003.png: 7x5 pixels, not 32x24",
        "bat/00000.png: no 8-bit indexed PNG (8-bit grey), as `s3fo convert RESULTS ",
        "OUT --to davis` writes them",
        "bat/00001.png: ",
    ):
        assert expected in message
    assert not list(tmp_path.glob("*zip*"))


def test_what_is_not_asked_for_stays_out(tmp_path: Path) -> None:
    benchmark = hidden_split(tmp_path / "data", "davis-2017")
    out = tmp_path / "out"
    predict(benchmark, out, method="copy")
    write_mask(out / "cow/00000.png", [1])
    write_mask(out / "ape/99999.png", [1])
    write_mask(out / "preview.PNG", [1])
    submission = write_submission(out, benchmark, tmp_path / "x.zip")
    assert submission.ignored == ("cow", "preview.PNG")
    assert submission.frames == 8


def test_a_missing_video_is_named(tmp_path: Path) -> None:
    benchmark = hidden_split(tmp_path / "data", "davis-2017")
    predict(benchmark["ape"], tmp_path / "out", method="copy")
    with pytest.raises(InputError, match="bat: missing"):
        write_submission(tmp_path / "out", benchmark, tmp_path / "x.zip")


def test_videos_that_the_folder_lacks_are_told(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    """MOSE v2 val has 433 videos: two that were unpacked are no submission."""
    benchmark = hidden_split(tmp_path / "data", "mose-v2")
    fewer = "2 of the 433 videos of MOSE v2 val are here"
    assert benchmark.of_published == 433
    assert sum(note.startswith(fewer) for note in benchmark.notes) == 1
    predict(benchmark, tmp_path / "out", method="copy")
    given = [tmp_path / "out", "--benchmark", "mose-v2", "--root", tmp_path / "data"]
    argv = ["s3fo", "submit", *map(str, given), "--out", str(tmp_path / "x.zip")]
    monkeypatch.setattr("sys.argv", argv)
    with pytest.raises(SystemExit, match="0"):
        main()
    told = capsys.readouterr().err
    assert fewer in told
    assert "the server wants all 433 videos of MOSE v2 val, and the zip has 2" in told
    chosen = benchmark.subset(["bat"])
    assert chosen.of_published == 0
    assert not any("videos of" in note for note in chosen.notes)
    write_submission(tmp_path / "out", chosen, tmp_path / "y.zip")


def test_whole_splits_and_own_videos_are_not_called_a_part(tmp_path: Path) -> None:
    """PUMaVOS has 24 videos; of DAVIS none is called kite."""
    write_davis(tmp_path / "davis", {"kite": [1]})
    own = open_benchmark("davis-2017", tmp_path / "davis")
    frames = names(1)
    videos = {f"v{n}": {frames[0]: [1]} for n in range(24)}
    write_tree(tmp_path / "whole/valid", videos, frames)
    whole = open_benchmark("pumavos", tmp_path / "whole")
    for opened in (own, whole):
        assert opened.of_published == 0
        assert not any("videos of" in note for note in opened.notes)


def test_equal_masks_give_equal_zips(tmp_path: Path) -> None:
    benchmark = hidden_split(tmp_path / "data", "davis-2017")
    for place in "ab":
        predict(benchmark, tmp_path / place, method="copy")
        write_submission(tmp_path / place, benchmark, tmp_path / f"{place}.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_public_splits_are_scored_at_home(tmp_path: Path) -> None:
    write_davis(tmp_path, {"ape": [1]})
    benchmark = open_benchmark("davis-2017", tmp_path)
    with pytest.raises(InputError, match="score it at home"):
        write_submission(tmp_path, benchmark, tmp_path / "x.zip")


def test_burst_is_submitted_as_json(tmp_path, monkeypatch, capsys):
    burst(tmp_path)
    results = tmp_path / "results/LaSOT_-_zebra-17"
    for frame in ("frame0002", "frame0005"):
        write_label_map(results / f"{frame}.png", np.full((24, 32), 4, np.uint8))
    target = tmp_path / "predictions.json"
    words = ["s3fo", "submit", results.parent, "--benchmark", "burst"]
    words += ["--root", tmp_path, "--out", target]
    monkeypatch.setattr("sys.argv", [str(word) for word in words])
    with pytest.raises(SystemExit):
        main()
    assert "evaluation code of BURST" in capsys.readouterr().out
    (written,) = json.loads(target.read_text())["sequences"]
    assert [set(frame) for frame in written["segmentations"]] == [{"4"}, {"4"}]


def test_ids_exchanged_against_the_first_masks_are_refused(tmp_path: Path) -> None:
    benchmark = hidden_split(tmp_path / "data", "mose-v1")
    out = tmp_path / "out"
    predict(benchmark, out, method="copy")
    exchanged = np.array([0, 2, 1], np.uint8)
    for path in (out / "ape").iterdir():
        write_label_map(path, exchanged[read_label_map(path)])
    with pytest.raises(InputError, match=r"ape/00000\.png: ids \[1, 2\].*exchanged"):
        write_submission(out, benchmark, tmp_path / "x.zip")
    predict(benchmark, tmp_path / "again", method="copy")
    first = read_label_map(tmp_path / "again/ape/00000.png")
    write_label_map(out / "ape/00000.png", first)
    with pytest.warns(
        InputWarning, match=r"ape: in 00001.png.*\[1, 2\] lie under each"
    ):
        write_submission(out, benchmark, tmp_path / "x.zip")
    for path in (out / "ape").iterdir():  # Bad, but no exchange.
        write_label_map(path, np.where(first, 1, 0).astype(np.uint8))
    with pytest.warns(InputWarning, match="ape: the mask of 00000.*no pixel of it"):
        write_submission(out, benchmark, tmp_path / "x.zip")


def test_objects_that_come_later_are_held_against_their_own_masks(tmp_path) -> None:
    """Beside a large object, a small one that is given later tells nothing of it."""
    benchmark = hidden_split(tmp_path / "data", "youtube-vos-2019")
    out = tmp_path / "out"
    predict(benchmark, out, method="copy")
    paths = sorted((out / "ape").glob("*.png"))[2:]
    for path in paths:
        mask = read_label_map(path)
        mask[12:][mask[12:] == 0] = 1
        write_label_map(path, mask)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_submission(out, benchmark, tmp_path / "x.zip")
    for path in paths:
        write_label_map(path, (read_label_map(path) > 0).astype(np.uint8))
    with pytest.warns(InputWarning, match="ape: .*object 2 is given, has no pixel"):
        write_submission(out, benchmark, tmp_path / "y.zip")


def test_first_masks_of_another_video_are_told(tmp_path: Path) -> None:
    """Where no other way of drawing them fits, either."""
    benchmark = with_corner(tmp_path / "data")
    out = tmp_path / "out"
    predict(benchmark, out, method="copy")
    ring = np.zeros((24, 32), np.uint8)
    ring[4:20:2, 2:30:3] = 1
    write_label_map(out / "ape/00000.png", ring)
    with pytest.warns(InputWarning, match="ape: masks of frame 00000 hardly fit"):
        write_submission(out, benchmark, tmp_path / "x.zip")


def corner(mask: np.ndarray) -> np.ndarray:
    """One object of two parts in a corner, alike from no side."""
    drawn = np.zeros_like(mask)
    drawn[2:12, 3:9] = 1
    drawn[9:12, 9:16] = 1
    return drawn


def with_corner(root: Path) -> Benchmark:
    frames = names(4)
    write_tree(
        root / "valid", {"ape": {frames[0]: [1]}, "bat": {frames[0]: [1]}}, frames
    )
    for path in (root / "valid/Annotations").rglob("*.png"):
        write_label_map(path, corner(read_label_map(path)))
    return open_benchmark("mose-v1", root, split="val")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m[:, ::-1], "left and right exchanged"),
        (lambda m: m[::-1], "top and bottom exchanged"),
        (lambda m: 1 - m, "the background is an object"),
        (lambda m: np.roll(m, 9, axis=1), "moved by 9 pixels to the left"),
    ],
)
def test_first_masks_that_fit_if_drawn_otherwise_are_refused(
    tmp_path: Path, change, told: str
) -> None:
    benchmark = with_corner(tmp_path / "data")
    out = tmp_path / "out"
    predict(benchmark, out, method="copy")
    told_of: list[tuple[int, int, str]] = []
    write_submission(
        out, benchmark, tmp_path / "right.zip", progress=lambda *at: told_of.append(at)
    )
    assert told_of == [(1, 2, "ape"), (2, 2, "bat")]
    for path in out.rglob("*.png"):
        write_label_map(path, np.ascontiguousarray(change(read_label_map(path))))
    with pytest.raises(InputError, match=rf"ape/00000\.png: .*{told}"):
        write_submission(out, benchmark, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_empty_masks_are_told_and_nothing_but_them_refused(tmp_path: Path) -> None:
    benchmark = with_corner(tmp_path / "data")
    out = tmp_path / "out"
    predict(benchmark, out, method="copy")
    first, *others = sorted((out / "ape").glob("*.png"))
    for path in others:
        write_label_map(path, 0 * read_label_map(path))
    with pytest.warns(InputWarning, match="in every frame but the first: ape"):
        write_submission(out, benchmark, tmp_path / "w.zip")
    for video in ("ape", "bat"):
        for path in [first] if video == "ape" else (out / video).glob("*.png"):
            write_label_map(path, 0 * read_label_map(path))
        if video == "ape":
            with pytest.warns(InputWarning, match="1 of 2 videos are empty .*: ape"):
                write_submission(out, benchmark, tmp_path / "x.zip")
    with pytest.raises(InputError, match="masks of all videos are empty"):
        write_submission(out, benchmark, tmp_path / "y.zip")


def test_one_folder_may_lie_around_the_results(tmp_path: Path) -> None:
    benchmark = hidden_split(tmp_path / "data", "davis-2017")
    predict(benchmark, tmp_path / "unpacked/Annotations", method="copy")
    done = write_submission(tmp_path / "unpacked", benchmark, tmp_path / "x.zip")
    with zipfile.ZipFile(done.path) as archive:
        assert "ape/00000.png" in archive.namelist()
    predict(benchmark, tmp_path / "unpacked/other", method="copy")
    with pytest.raises(InputError, match=r"more than one set .*Annotations, other"):
        write_submission(tmp_path / "unpacked", benchmark, tmp_path / "x.zip")
    with pytest.raises(InputError, match="such as ape"):
        write_submission(tmp_path / "unpacked/other/ape", benchmark, tmp_path / "x.zip")


def test_a_zip_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    benchmark = hidden_split(tmp_path / "data", "davis-2017")
    predict(benchmark, tmp_path / "out", method="copy")
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file/x.zip", Path("/proc/x.zip")):
        with pytest.raises(InputError, match=re.escape(str(place))):
            write_submission(tmp_path / "out", benchmark, place)
    assert not list(tmp_path.rglob("*.part"))


def test_a_disk_that_fills_is_told_for_either_file(tmp_path, monkeypatch) -> None:
    def full(*_):
        raise OSError(28, "No space left on device")

    for verb in (build, burst_file):
        monkeypatch.setattr(verb, "write_atomically", full)
    davis = hidden_split(tmp_path / "davis", "davis-2017")
    predict(davis, tmp_path / "a", method="copy")
    with pytest.raises(InputError, match="No space left") as caught:
        write_submission(tmp_path / "a", davis, tmp_path / "x.zip")
    assert str(tmp_path / "x.zip") in caught.value.where
    tracks = open_benchmark("burst", burst(tmp_path / "burst"))
    predict(tracks, tmp_path / "b", method="copy")
    told: list[tuple[object, ...]] = []
    with pytest.raises(InputError, match="No space left") as caught:
        write_burst_predictions(
            tmp_path / "b",
            tracks,
            tmp_path / "x.json",
            progress=lambda *at: told.append(at),
        )
    assert str(tmp_path / "x.json") in caught.value.where
    assert told == [(1, 1, "LaSOT_-_zebra-17")]


def test_many_problems_are_counted_and_the_first_twenty_listed() -> None:
    problems = [f"video-{n}: missing" for n in range(23)]
    benchmark = SimpleNamespace(name="mose-v1", split="val")
    for many, expected in ((23, "23 problems"), (20, "20 problems"), (1, "1 problem")):
        with pytest.raises(InputError) as caught:
            refuse_unfit(Path("results"), benchmark, problems[:many])
        lines = caught.value.found.strip().split("\n")
        assert lines[0] == f"{expected}:"
        rest = ["  - and 3 more"] if many == 23 else []
        assert lines[1:] == [f"  - {text}" for text in problems[:many][:20]] + rest
        assert caught.value.where == "results"
        assert "every frame that mose-v1 val wants" in caught.value.expected


def test_every_track_of_a_frame_is_submitted() -> None:
    label_map = np.zeros((4, 5), np.uint8)
    label_map[0, :2], label_map[2, 1:] = 1, 7
    tracks = burst_file._segmentations(label_map)
    areas = {
        track: int(decode_rle({"size": [4, 5], "counts": entry["rle"]}, "x").sum())
        for track, entry in tracks.items()
    }
    assert areas == {"1": 2, "7": 4}


def test_a_split_that_nobody_can_score_says_so() -> None:
    with pytest.raises(InputError, match="not public: no public evaluation server"):
        build._catalog_form(SimpleNamespace(name="lvos-v2", split="test"))


def test_all_frame_results_are_cut_down_to_the_listed_frames(tmp_path: Path) -> None:
    write_entry(tmp_path / "data", get_entry("youtube-vos-2019", "val-all-frames"))
    benchmark = open_benchmark(
        "youtube-vos-2019", tmp_path / "data", split="val-all-frames"
    )
    predict(benchmark, tmp_path / "out", method="copy")
    assert len(list((tmp_path / "out/ape").glob("*.png"))) == 16
    done = write_submission(tmp_path / "out", benchmark, tmp_path / "x.zip")
    with zipfile.ZipFile(done.path) as archive:
        assert archive.namelist() == [
            f"Annotations/ape/{frame}.png" for frame in names(4, step=5)
        ]


def test_burst_results_are_checked_like_any_others(tmp_path: Path) -> None:
    benchmark = open_benchmark("burst", burst(tmp_path / "data"))
    folder = tmp_path / "out/LaSOT_-_zebra-17"
    write_label_map(folder / "frame0002.png", np.ones((9, 7), np.uint8))
    write_label_map(folder / "frame0005.png", np.full((24, 32), 77, np.uint8))
    with (
        pytest.raises(InputError) as caught,
        pytest.warns(InputWarning, match="frame0005.*no pixel of it"),
    ):
        write_burst_predictions(tmp_path / "out", benchmark, tmp_path / "x.json")
    for problem in ("7x9 pixels, not 32x24", "frame0005.png: ids [77]"):
        assert problem in str(caught.value)
    for frame in ("frame0002", "frame0005"):
        write_label_map(folder / f"{frame}.png", np.full((24, 32), 4, np.uint8))
    for place in (tmp_path, Path("/proc/x.json")):
        with pytest.raises(InputError, match=re.escape(str(place))):
            write_burst_predictions(tmp_path / "out", benchmark, place)
    assert not list(tmp_path.glob("*.json*"))


@pytest.mark.parametrize("shape", [(24, 31), (23, 32)])
def test_either_side_of_a_mask_may_be_wrong(tmp_path: Path, shape) -> None:
    benchmark = hidden_split(tmp_path / "data", "mose-v1")
    predict(benchmark, tmp_path / "out", method="copy")
    write_label_map(tmp_path / "out/ape/00003.png", np.ones(shape, np.uint8))
    with pytest.raises(InputError) as caught:
        write_submission(tmp_path / "out", benchmark, tmp_path / "x.zip")
    height, width = shape
    assert f"ape/00003.png: {width}x{height} pixels, not 32x24" in str(caught.value)


def test_masks_under_other_names_are_zipped_under_the_right_ones(tmp_path):
    benchmark = hidden_split(tmp_path / "data", "davis-2017")
    predict(benchmark, tmp_path / "right", method="copy")
    write_submission(tmp_path / "right", benchmark, tmp_path / "right.zip")
    for path in sorted((tmp_path / "right").rglob("*.png")):
        other = tmp_path / "other" / path.parent.name / f"frame_{path.name}"
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_bytes(path.read_bytes())
    with pytest.warns(InputWarning, match="without a prefix"):
        write_submission(tmp_path / "other", benchmark, tmp_path / "other.zip")
    same = (tmp_path / "other.zip").read_bytes() == (
        tmp_path / "right.zip"
    ).read_bytes()
    assert same


def test_object_folders_are_refused_with_a_way_out(tmp_path):
    benchmark = hidden_split(tmp_path / "data", "davis-2017")
    predict(benchmark, tmp_path / "right", method="copy")
    for path in sorted((tmp_path / "right").rglob("*.png")):
        other = tmp_path / "other" / path.parent.name / "001" / path.name
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_bytes(path.read_bytes())
    with pytest.raises(InputError, match=r"one folder per object.*s3fo convert"):
        write_submission(tmp_path / "other", benchmark, tmp_path / "o.zip")


def walking(mask: np.ndarray, t: int) -> np.ndarray:
    """What a method makes of a mask t frames on: it goes a pixel to the right."""
    return np.roll(mask, t, axis=1) if t else mask


def submitted(out: Path, benchmark: Benchmark, zipped: Path) -> list[str]:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        write_submission(out, benchmark, zipped)
    return [str(one.message) for one in told if one.category is InputWarning]


def test_masks_of_other_frames_and_videos_are_told(tmp_path: Path) -> None:
    """Whatever comes after the copied first masks, as far as these can tell."""
    benchmark = with_corner(tmp_path / "data")
    path = tmp_path / "data/valid/Annotations/bat/00000.png"
    bar = np.zeros((24, 32), np.uint8)
    bar[1:12, 7:26] = 1  # near the corner of `ape`, and unlike it
    write_label_map(path, bar)
    benchmark = open_benchmark("mose-v1", tmp_path / "data", split="val")
    out, zipped = tmp_path / "out", tmp_path / "x.zip"
    first = {s.name: s.read_prompt(s.frames[0]) for s in benchmark}

    def told(change) -> list[str]:
        for name, mask in first.items():
            for t, frame in enumerate(benchmark[name].frames):
                drawn = change(name, t) if t else mask
                (out / name).mkdir(parents=True, exist_ok=True)
                write_label_map(out / name / f"{frame}.png", drawn)
        return submitted(out, benchmark, zipped)

    assert told(lambda name, t: walking(first[name], t)) == []
    assert told(lambda name, t: first[name]) == []  # as the baseline `copy` does
    assert told(lambda name, t: walking(first[name], t // 2 * 2)) == []
    late = told(lambda name, t: walking(first[name], t - 1))
    assert [note.partition(":")[0] for note in late] == ["ape", "bat"]
    assert all("one frame late?" in note for note in late)
    n_frames = len(benchmark["bat"].frames)
    for name, mask in first.items():
        for t, frame in enumerate(benchmark[name].frames):
            ahead = walking(mask, min(t + 1, n_frames - 1))
            write_label_map(out / name / f"{frame}.png", ahead)
    [early] = submitted(out, benchmark, zipped)
    assert early.startswith("ape, bat: the last two") and "one frame early?" in early
    [mixed] = told(lambda name, t: walking(first["bat"], t))
    assert mixed.startswith("ape: ") and "fit the first masks of bat" in mixed
    flips = told(lambda name, t: np.ascontiguousarray(walking(first[name], t)[::-1]))
    assert any("ape: in 00001.png" in note and "flipped?" in note for note in flips)


def in_other_order(folder: Path, palette: np.ndarray, indices: np.ndarray) -> None:
    """Draw masks anew, id k as index `indices[k]` of a palette."""
    for path in folder.rglob("*.png"):
        image = Image.fromarray(indices[read_label_map(path)].astype(np.uint8))
        image.putpalette(palette.astype(np.uint8).tobytes())
        image.save(path)


def test_ids_that_are_colours_are_handed_in_as_indices(tmp_path: Path) -> None:
    """As `evaluate` reads them; a server reads indices and nothing else."""
    benchmark = hidden_split(tmp_path / "data", "davis-2017")
    predict(benchmark, tmp_path / "out", method="copy")
    write_submission(tmp_path / "out", benchmark, tmp_path / "right.zip")
    order = np.array([2, 3, 0, 1])  # of ids: background is index 2
    palette = np.zeros((4, 3))
    palette[order] = davis_palette()[:4]
    in_other_order(tmp_path / "out", palette, order)
    with pytest.warns(InputWarning, match="ape, bat: .*from the colours.*these ids"):
        write_submission(tmp_path / "out", benchmark, tmp_path / "a.zip")
    assert zipped_indices(tmp_path / "a.zip") == zipped_indices(tmp_path / "right.zip")


def test_indices_are_handed_in_where_colours_fit_no_first_mask(tmp_path: Path) -> None:
    benchmark = hidden_split(tmp_path / "data", "davis-2017")
    predict(benchmark, tmp_path / "out", method="copy")
    right = write_submission(tmp_path / "out", benchmark, tmp_path / "a.zip")
    palette = davis_palette()[[0, 2, 3, 1]]
    in_other_order(tmp_path / "out", palette, np.arange(4))
    with pytest.warns(InputWarning, match="indices were taken for ids"):
        write_submission(tmp_path / "out", benchmark, tmp_path / "b.zip")
    assert zipped_indices(tmp_path / "b.zip") == zipped_indices(right.path)


def zipped_indices(path: Path) -> dict[str, bytes]:
    """Pixels of every file as a server reads them."""
    with zipfile.ZipFile(path) as archive:
        return {
            name: np.array(Image.open(archive.open(name))).tobytes()
            for name in archive.namelist()
        }
