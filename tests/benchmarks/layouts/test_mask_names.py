"""Masks of plain folders and videos find their frames; other readings are told."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import open_folders
from s3fo.benchmarks.layouts.mask_names import masks_of_frames, only_mask

FRAMES = tuple(f"{t:05d}" for t in range(6))
FROM_ONE = tuple(f"{t:05d}" for t in range(1, 7))


def mask(value: int) -> np.ndarray:
    """A square of one value, as large as the value says, to know masks by."""
    drawn = np.zeros((24, 32), np.uint8)
    drawn[2 : 3 + value, 2 : 3 + value] = 1
    return drawn


def folder_of(tmp_path, names):
    for place, name in enumerate(names):
        write_label_map(tmp_path / f"masks/clip/{name}.png", mask(place))
    return tmp_path / "masks/clip"


@pytest.mark.parametrize(
    ("names", "invented", "expected"),
    [
        (FRAMES, False, dict(zip(FRAMES, FRAMES, strict=True))),
        (FROM_ONE, False, dict(zip(FRAMES, FROM_ONE, strict=True))),
        (FROM_ONE, True, dict(zip(FRAMES, FROM_ONE, strict=True))),
        (["00001"], True, {"00000": "00001"}),
        (["00001"], False, {"00001": "00001"}),
        (["00002", "00004"], True, {"00002": "00002", "00004": "00004"}),
        (["f_00000", "f_00003"], False, {"00000": "f_00000", "00003": "f_00003"}),
        (["0", "3"], False, {"00000": "0", "00003": "3"}),
    ],
)  # fmt: skip
def test_masks_find_their_frames(tmp_path, names, invented, expected):
    notes: list[str] = []
    folder = folder_of(tmp_path, names)
    found = masks_of_frames(folder, FRAMES, "clip", notes, invented=invented)
    assert {frame: found[frame].stem for frame in found} == expected
    as_named = all(frame == name for frame, name in expected.items())
    assert bool(notes) is (not as_named or (invented and "00000" not in expected))


@pytest.mark.parametrize("name", ["00001", "first", "00000", "mask_7"])
def test_one_mask_of_a_video_is_that_of_its_first_frame(tmp_path, name):
    notes: list[str] = []
    path = folder_of(tmp_path, [name]) / f"{name}.png"
    assert only_mask(path, FRAMES, True, notes) == {"00000": path}
    assert bool(notes) is (name in ("00001", "mask_7"))


def images(root, suffix=".jpg", names=FRAMES):
    for name in names:
        path = root / "clip" / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 24)).save(path)
    return root


def test_each_video_is_read_by_its_own_masks(tmp_path):
    for video in ("white", "ids", "also"):
        for t in range(3):
            path = tmp_path / f"img/{video}/{t:05d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (32, 24)).save(path)
            drawn = mask(5) * np.uint8(255 if video == "white" else 1)
            drawn[15:20, 15:25] = 0 if video == "white" else 2
            write_label_map(tmp_path / f"masks/{video}/{t:05d}.png", drawn)
    opened = open_folders(tmp_path / "img", tmp_path / "masks")
    assert {item.name: item.object_ids for item in opened} == {
        "white": (1,), "ids": (1, 2), "also": (1, 2),
    }  # fmt: skip
    (note,) = opened.notes
    assert note.startswith("white:") and "0/255" in note


def test_soft_first_masks_are_refused(tmp_path):
    soft = Image.fromarray(mask(12) * np.uint8(255)).resize((64, 48), Image.BILINEAR)
    soft.resize((32, 24), Image.BILINEAR).save(tmp_path / "first.png")
    with pytest.raises(InputError, match=r"first\.png.*soft edges"):
        open_folders(images(tmp_path / "img"), tmp_path / "first.png")


@pytest.mark.parametrize(
    ("name", "found"),
    [("none.png", "no such"), ("film.mp4", "a video"), ("m.tif", "a .tif file")],
)
def test_masks_that_are_none_are_named(tmp_path, name, found):
    if name != "none.png":
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=found):
        open_folders(images(tmp_path / "img"), tmp_path / name)


def test_images_that_are_not_read_are_named(tmp_path):
    with pytest.raises(InputError, match=r"6 \.tif files"):
        open_folders(images(tmp_path / "tifs", ".tif"))
    (tmp_path / "films").mkdir()
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / "films" / name).write_bytes(b"x")
    with pytest.raises(InputError, match="2 videos"):
        open_folders(tmp_path / "films")


def test_files_of_two_videos_in_one_folder_are_told(tmp_path):
    two = [f"{video}_{t:05d}" for video in "ab" for t in range(3)]
    (note,) = open_folders(images(tmp_path / "two", names=two) / "clip").notes
    assert note.startswith("clip: frames begin with 'a_' and 'b_', with the same")
    on = [*two[:3], "b_00003", "b_00004"]  # numbers go on: one video in two parts
    notes = open_folders(images(tmp_path / "on", names=on) / "clip").notes
    assert not any("begin with" in note for note in notes)
