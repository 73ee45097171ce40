"""YouTube-VOS, MOSE and LVOS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.errors import InputError
from evaluation.scoring import score
from s3fo.benchmarks import open_benchmark, validate
from tests.benchmarks.benchmark_trees import (
    names,
    write_image,
    write_json,
    write_mask,
    write_tree,
)

STEP_5 = names(4, step=5)  # 00000 00005 00010 00015
LVOS_NAMES = names(6, step=5, digits=8, first=1)


def youtube_vos(root: Path, split: str = "valid", **changes: Any) -> Path:
    """Two videos; in the first, object 2 begins in the middle."""
    videos = {
        "0a": {"00000": [1], "00010": [2]},
        "0b": {"00005": [1]},
    }
    write_tree(root / split, videos, STEP_5)
    objects = {
        "0a": {
            "1": {"category": "sedan", "frames": STEP_5},
            "2": {"category": "spider", "frames": STEP_5[2:]},
        },
        "0b": {"1": {"category": "cat", "frames": STEP_5[1:3]}},
    }
    meta = {"videos": {name: {"objects": item} for name, item in objects.items()}}
    write_json(root / split / "meta.json", {**meta, **changes})
    return root


def test_youtube_vos_validation(tmp_path: Path) -> None:
    benchmark = open_benchmark("youtube-vos-2019", youtube_vos(tmp_path), split="val")
    assert benchmark.protocol == "youtube-vos"
    a, b = benchmark
    assert a.prompt_frames() == {"00000": (1,), "00010": (2,)}
    assert [(item.category, item.seen) for item in a.objects] == [
        ("sedan", True),
        ("spider", False),
    ]
    assert a.listed_frames == tuple(STEP_5)
    assert b.listed_frames == ("00005", "00010")
    assert b.frames == tuple(STEP_5)
    assert a.fps == 6


def test_objects_of_a_meta_file_cost_no_decode(tmp_path: Path) -> None:
    youtube_vos(tmp_path)
    for path in (tmp_path / "valid/Annotations").rglob("*.png"):
        path.write_bytes(b"unreadable")
    benchmark = open_benchmark("youtube-vos-2019", tmp_path)
    assert benchmark["0a"].object_ids == (1, 2)


def test_without_a_meta_file_masks_tell_the_objects(tmp_path: Path) -> None:
    youtube_vos(tmp_path)
    (tmp_path / "valid/meta.json").unlink()
    benchmark = open_benchmark("youtube-vos-2018", tmp_path)
    assert benchmark["0a"].prompt_frames() == {"00000": (1,), "00010": (2,)}
    assert benchmark["0a"].listed_frames is None
    assert any("no meta file" in note for note in benchmark.notes)


@pytest.mark.parametrize("place", ["all_frames", "."])
def test_all_frames_are_a_split_of_their_own(tmp_path: Path, place: str) -> None:
    youtube_vos(tmp_path)
    for name in ("0a", "0b"):
        for frame in names(16):
            folder = tmp_path / place / "valid_all_frames/JPEGImages" / name
            write_image(folder / f"{frame}.jpg")
    benchmark = open_benchmark("youtube-vos-2019", tmp_path, split="val-all-frames")
    assert len(benchmark["0a"].frames) == 16
    assert benchmark["0a"].listed_frames == tuple(STEP_5)
    assert benchmark["0a"].annotated_frames == ("00000", "00010")
    assert benchmark["0a"].fps == 30


def test_all_frames_that_are_not_there_are_explained(tmp_path: Path) -> None:
    youtube_vos(tmp_path)
    with pytest.raises(InputError, match="valid_all_frames"):
        open_benchmark("youtube-vos-2019", tmp_path, split="val-all-frames")


@pytest.mark.parametrize("given", ["..", ".", "valid", "valid/JPEGImages"])
def test_a_root_at_any_level(tmp_path: Path, given: str) -> None:
    root = youtube_vos(tmp_path / "YouTubeVOS")
    benchmark = open_benchmark("youtube-vos-2019", root / given, split="val")
    assert len(benchmark) == 2
    assert any("using" in note for note in benchmark.notes) == (given != ".")


def test_a_renamed_split_folder_is_taken_and_said(tmp_path: Path) -> None:
    youtube_vos(tmp_path, "y19_validation")
    benchmark = open_benchmark("youtube-vos-2019", tmp_path / "y19_validation")
    assert len(benchmark) == 2
    assert any("for the split val" in note for note in benchmark.notes)


def test_everything_missing_is_told_at_once(tmp_path: Path) -> None:
    youtube_vos(tmp_path)
    (tmp_path / "valid/Annotations/0a/00010.png").unlink()
    for path in (tmp_path / "valid/JPEGImages/0b").iterdir():
        path.unlink()
    with pytest.raises(InputError) as caught:
        open_benchmark("youtube-vos-2019", tmp_path)
    assert "no frames of 0b" in str(caught.value)
    assert "no first mask of 0a: object 2 (00010)" in str(caught.value)


def test_zips_are_named(tmp_path: Path) -> None:
    (tmp_path / "valid.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"valid\.zip"):
        open_benchmark("youtube-vos-2019", tmp_path)


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"videos": []}', '{"videos": {"0a": {"objects": {"x": 1}}}}'],
)
def test_a_damaged_meta_file_is_named(tmp_path: Path, content: str) -> None:
    youtube_vos(tmp_path)
    (tmp_path / "valid/meta.json").write_text(content)
    with pytest.raises(InputError, match=r"meta\.json"):
        open_benchmark("youtube-vos-2019", tmp_path)


@pytest.mark.parametrize(
    "objects",
    [
        ["1", "2"],
        [{"id": 1}, {"id": "2", "category": "cat"}],
        2,
        {"1": {}, "2": {"category": "cat"}},
    ],
)
@pytest.mark.parametrize("place", ["meta_valid.json", "valid/meta.json"])
def test_mose_metas_in_their_variants(tmp_path: Path, objects: Any, place: str) -> None:
    write_tree(tmp_path / "valid", {"v": {"00000": [1, 2]}}, names(5))
    video = {"length": 5, "height": 24, "width": 32, "objects": objects}
    write_json(tmp_path / place, {"videos": {"v": video}})
    sequence = open_benchmark("mose-v2", tmp_path, split="val")["v"]
    assert sequence.prompt_frames() == {"00000": (1, 2)}
    assert sequence.listed_frames is None


def test_videos_shorter_than_their_meta_file_says_are_noted(tmp_path: Path) -> None:
    """A download that is not whole shows at the end of videos."""
    videos = {"short": {"00000": [1]}, "whole": {"00000": [1]}}
    write_tree(tmp_path / "valid", videos, names(3))
    lengths = {"short": 5, "whole": 3}
    meta = {key: {"length": n, "objects": 1} for key, n in lengths.items()}
    write_json(tmp_path / "meta_valid.json", {"videos": meta})
    benchmark = open_benchmark("mose-v2", tmp_path, split="val")
    assert benchmark.notes[1:] == ("seems incomplete: short: 3 frames of 5",)
    assert "short: 3 frames of 5" in validate(benchmark).problems


def test_mose_train_has_masks_of_every_frame(tmp_path: Path) -> None:
    write_tree(tmp_path / "train", {"v": {key: [1, 3] for key in names(5)}}, names(5))
    write_tree(tmp_path / "valid", {"w": {"00000": [1]}}, names(5))
    train = open_benchmark("mose-v1", tmp_path, split="train")
    assert train["v"].object_ids == (1, 3)
    assert len(train["v"].annotated_frames) == 5
    assert [item.name for item in open_benchmark("mose-v1", tmp_path)] == ["w"]


def lvos(root: Path, folder: str = "valid") -> Path:
    """Object 2 is there from the third to the fifth frame."""
    annotated = {
        frame: [1, 2] if 2 <= index < 5 else [1]
        for index, frame in enumerate(LVOS_NAMES)
    }
    videos = {"R3UJGYwy": annotated, "aaaaaaaa": annotated}
    write_tree(root / folder, videos, LVOS_NAMES)

    def ranges(start: int, end: int) -> dict[str, Any]:
        span = {"start": str(start), "end": str(end), "frame_nums": "3"}
        return {"frame_range": span}

    objects = {"1": ranges(1, 31), "2": ranges(11, 26)}
    meta = {"videos": {key: {"objects": objects} for key in videos}}
    write_json(root / folder / "valid_meta.json", meta)
    captions = {"videos": {"aaaaaaaa": {"objects": {"1": {"caption": "a red car"}}}}}
    write_json(root / folder / "valid_expression_meta.json", captions)
    tags = {"videos": {"aaaaaaaa": {"attributes": ["OCC", "LRA"], "set": "valid"}}}
    write_json(root / folder / "valid_meta_attribute.json", tags)
    return root


@pytest.mark.parametrize("folder", ["valid", "val"])
def test_lvos_validation(tmp_path: Path, folder: str) -> None:
    benchmark = open_benchmark("lvos-v2", lvos(tmp_path, folder), split="val")
    unseen, seen = benchmark["R3UJGYwy"], benchmark["aaaaaaaa"]
    assert seen.prompt_frames() == {"00000001": (1,), "00000011": (2,)}
    assert [item.frame_range for item in seen.objects] == [(1, 31), (11, 26)]
    assert seen.objects[0].attributes == {"caption": "a red car"}
    assert seen.attributes == ("OCC", "LRA")
    assert unseen.attributes is None
    assert {item.seen for item in unseen.objects} == {False}
    assert {item.seen for item in seen.objects} == {True}


def test_lvos_scores_with_its_protocol(tmp_path: Path) -> None:
    benchmark = open_benchmark("lvos-v1", lvos(tmp_path))
    perfect = score(tmp_path / "valid/Annotations", benchmark, benchmark.protocol)
    assert perfect.summary["J&F"] == 1
    scored = perfect.frames.groupby("object")["frame"].unique()
    frames = {key: sorted(value) for key, value in scored.items()}
    assert frames[2] == ["00000016"], "its range without first and last"
    assert frames[1] == LVOS_NAMES[1:-1]


def test_youtube_vos_train_scores_with_its_protocol(tmp_path: Path) -> None:
    videos = {"0a": {key: [1, 2] for key in STEP_5}}
    write_tree(tmp_path / "train", videos, STEP_5)
    objects = {
        "1": {"category": "sedan", "frames": STEP_5},
        "2": {"category": "spider", "frames": STEP_5},
    }
    write_json(tmp_path / "train/meta.json", {"videos": {"0a": {"objects": objects}}})
    results = tmp_path / "results"
    for index, frame in enumerate(STEP_5):
        write_mask(results / "0a" / f"{frame}.png", [1], index)
    benchmark = open_benchmark("youtube-vos-2018", tmp_path, split="train")
    scores = score(results, benchmark, benchmark.protocol)
    assert scores.summary["J&F"] == pytest.approx(0.5), "seen 1, unseen 0"


def test_the_annotation_is_what_was_written(tmp_path: Path) -> None:
    benchmark = open_benchmark("youtube-vos-2019", youtube_vos(tmp_path))
    assert set(np.unique(benchmark["0a"].read_prompt("00010"))) == {0, 2}
