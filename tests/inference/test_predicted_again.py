"""Predicting again: no file of the user is lost, and nothing stale stays."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks import Benchmark, open_folders
from s3fo.inference import predict


def drawn(left: int) -> np.ndarray:
    mask = np.zeros((24, 32), np.uint8)
    mask[4:10, left : left + 6] = 1
    return mask


def two_frames(root: Path, left: int = 3) -> Benchmark:
    for index in range(2):
        path = root / f"images/a/{index:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((24, 32, 3), 10 + index, np.uint8))
    write_label_map(root / "masks/a/00000.png", drawn(left))
    return open_folders(root / "images", root / "masks")


def test_overwriting_keeps_the_users_own_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    predict(two_frames(tmp_path), out, method="copy")
    own = {"notes.txt": b"mine", "vis/a.txt": b"x", "00000_edit.png": b"edited"}
    for name, content in own.items():
        (out / "a" / name).parent.mkdir(exist_ok=True)
        (out / "a" / name).write_bytes(content)
    (out / "a/link").symlink_to("nowhere")
    run = predict(two_frames(tmp_path, 9), out, method="copy", overwrite=True)
    assert {name: (out / "a" / name).read_bytes() for name in own} == own
    assert (out / "a/link").readlink() == Path("nowhere")
    assert np.array_equal(read_label_map(out / "a/00001.png"), drawn(9))
    (note,) = run.notes
    assert "00000_edit.png, link, notes.txt, vis" in note


def test_a_folder_in_the_place_of_a_mask_is_named(tmp_path: Path) -> None:
    out = tmp_path / "out"
    predict(two_frames(tmp_path), out, method="copy")
    (out / "a/00001.png").unlink()
    (out / "a/00001.png").mkdir()
    (out / "a/00001.png/mine.txt").write_text("mine")
    run = predict(two_frames(tmp_path), out, method="copy", overwrite=True)
    assert "00001.png" in run.failures["a"]
    assert (out / "a/00001.png/mine.txt").read_text() == "mine"


def test_a_mask_that_was_cut_is_made_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    predict(two_frames(tmp_path), out, method="copy")
    cut = out / "a/00001.png"
    whole = cut.read_bytes()
    for length in (len(whole) - 10, 0):
        cut.write_bytes(whole[:length])
        run = predict(two_frames(tmp_path), out, method="copy")
        assert run.finished == ("a",)
        assert cut.read_bytes() == whole
    assert predict(two_frames(tmp_path), out, method="copy").kept == ("a",)


def test_changed_first_masks_are_followed_and_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    predict(two_frames(tmp_path), out, method="copy")
    run = predict(two_frames(tmp_path, 9), out, method="copy")
    assert run.notes == ("1 video made anew: first masks changed since (a)",)
    assert np.array_equal(read_label_map(out / "a/00001.png"), drawn(9))
    assert predict(two_frames(tmp_path, 9), out, method="copy").kept == ("a",)


def test_videos_without_digests_of_their_inputs_are_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    predict(two_frames(tmp_path), out, method="copy")
    record = json.loads((out / "run.json").read_text())
    record["sequences"]["a"]["inputs"] = None
    (out / "run.json").write_text(json.dumps(record))
    run = predict(two_frames(tmp_path, 9), out, method="copy")
    assert run.kept == ("a",)
    (note,) = run.notes
    assert "does not say from which images" in note and "--overwrite" in note
    run = predict(two_frames(tmp_path, 9), out, method="copy", overwrite=True)
    assert np.array_equal(read_label_map(out / "a/00001.png"), drawn(9))
    assert not run.notes


def test_equal_masks_in_another_file_are_no_change(tmp_path: Path) -> None:
    """Written anew, in grey instead of colours and at another time, or moved."""
    out = tmp_path / "out"
    predict(two_frames(tmp_path), out, method="copy")
    cv2.imwrite(str(tmp_path / "masks/a/00000.png"), drawn(3))
    again = open_folders(tmp_path / "images", tmp_path / "masks")
    assert predict(again, out, method="copy").kept == ("a",)
    shutil.copytree(tmp_path / "images", tmp_path / "moved")
    moved = open_folders(tmp_path / "moved", tmp_path / "masks")
    assert predict(moved, out, method="copy").kept == ("a",)


def test_a_changed_image_of_the_same_size_is_noticed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    predict(two_frames(tmp_path), out, method="copy")
    path = tmp_path / "images/a/00001.png"
    before = path.stat().st_size
    cv2.imwrite(str(path), np.full((24, 32, 3), 12, np.uint8))
    assert path.stat().st_size == before
    again = open_folders(tmp_path / "images", tmp_path / "masks")
    run = predict(again, out, method="copy")
    assert run.notes == ("1 video made anew: images changed since (a)",)


def test_a_frame_that_was_taken_out_leaves_no_mask(tmp_path: Path) -> None:
    out = tmp_path / "out"
    predict(two_frames(tmp_path), out, method="copy")
    (out / "a/mine.png").write_bytes(b"mine")
    (tmp_path / "images/a/00001.png").unlink()
    again = open_folders(tmp_path / "images", tmp_path / "masks")
    assert predict(again, out, method="copy").finished == ("a",)
    assert sorted(p.name for p in (out / "a").iterdir()) == ["00000.png", "mine.png"]


def test_masks_stay_where_the_inputs_cannot_be_read_any_more(tmp_path: Path) -> None:
    out = tmp_path / "out"
    benchmark = two_frames(tmp_path)
    predict(benchmark, out, method="copy")
    (tmp_path / "masks/a/00000.png").unlink()
    run = predict(benchmark, out, method="copy")
    assert "no such file" in run.failures["a"]
    assert np.array_equal(read_label_map(out / "a/00001.png"), drawn(3))


def test_records_without_digests_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    predict(two_frames(tmp_path), out, method="copy")
    record = json.loads((out / "run.json").read_text())
    assert set(record["sequences"]["a"].pop("inputs")) == {"images", "prompts", "state"}
    (out / "run.json").write_text(json.dumps(record))
    assert predict(two_frames(tmp_path, 9), out, method="copy").kept == ("a",)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_damaged_record_names_a_way_that_works(
    tmp_path: Path, overwrite: bool
) -> None:
    out = tmp_path / "out"
    predict(two_frames(tmp_path), out, method="copy")
    before = (out / "a/00001.png").read_bytes()
    (out / "run.json").write_text('{"method": "copy", "sequ')
    with pytest.raises(InputError) as caught:
        predict(two_frames(tmp_path, 9), out, method="copy", overwrite=overwrite)
    assert f"move {out} elsewhere, masks and all" in caught.value.remedy
    assert (out / "a/00001.png").read_bytes() == before
    out.rename(tmp_path / "elsewhere")
    assert predict(two_frames(tmp_path, 9), out, method="copy").finished == ("a",)


def test_records_of_videos_stand_in_for_a_damaged_one(tmp_path: Path) -> None:
    """As a killed process leaves them, before they are taken over into run.json."""
    out = tmp_path / "out"
    predict(two_frames(tmp_path), out, method="copy")
    record = json.loads((out / "run.json").read_text())
    entry = {
        "sequence": "a",
        "folder": (out / "a").stat().st_ino,
        "record": record["sequences"]["a"],
    }
    (out / ".s3fo").mkdir()
    (out / ".s3fo/left.video").write_text(json.dumps(entry))
    (out / "run.json").write_text("{")
    assert predict(two_frames(tmp_path), out, method="copy").kept == ("a",)
    again = json.loads((out / "run.json").read_text())
    assert again["sequences"] == record["sequences"]
    assert sorted(path.name for path in out.iterdir()) == ["a", "run.json"]
