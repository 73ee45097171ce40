from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.errors import InputError
from s3fo.benchmarks import open_benchmark
from s3fo.benchmarks.layouts.davis import davis_facts
from tests.benchmarks.benchmark_trees import (
    label_map,
    write_davis,
    write_image,
    write_mask,
)


def test_a_split_is_read_in_the_order_of_its_list(tmp_path: Path) -> None:
    write_davis(tmp_path, {"zebra": [1, 2], "ape": [1]})
    write_image(tmp_path / "JPEGImages/480p/unlisted/00000.jpg")

    benchmark = open_benchmark("davis-2017", tmp_path, split="val")

    assert [sequence.name for sequence in benchmark] == ["zebra", "ape"]
    zebra = benchmark["zebra"]
    assert zebra.frames == ("00000", "00001", "00002", "00003")
    assert zebra.annotated_frames == zebra.frames
    assert zebra.object_ids == (1, 2)
    assert [item.first_frame for item in zebra.objects] == ["00000", "00000"]
    assert zebra.fps == 24
    assert benchmark.protocol == "davis-2017"
    np.testing.assert_array_equal(zebra.read_annotation("00002"), label_map([1, 2], 2))


def test_object_ids_cost_one_decode(tmp_path: Path) -> None:
    write_davis(tmp_path, {"ape": [1]})
    for frame in ("00001", "00002", "00003"):
        (tmp_path / f"Annotations/480p/ape/{frame}.png").write_bytes(b"unreadable")
    assert open_benchmark("davis-2017", tmp_path, split="val")["ape"].object_ids == (1,)


@pytest.mark.parametrize("foreground", [1, 255])
def test_2016_masks_are_binary_whatever_white_is(
    tmp_path: Path, foreground: int
) -> None:
    write_davis(tmp_path, {"ape": [foreground]}, year=2016)
    sequence = open_benchmark("davis-2016", tmp_path, split="val")["ape"]
    assert sequence.object_ids == (1,)
    np.testing.assert_array_equal(sequence.read_annotation("00000"), label_map([1]))


def test_2016_merges_the_objects_of_a_2017_tree(tmp_path: Path) -> None:
    write_davis(tmp_path, {"ape": [1, 2]}, year=2016)
    sequence = open_benchmark("davis-2016", tmp_path, split="val")["ape"]
    assert sequence.object_ids == (1,)
    assert sequence.read_annotation("00000").sum() == 50


def test_void_is_no_object(tmp_path: Path) -> None:
    write_davis(tmp_path, {"ape": [1, 255]})
    sequence = open_benchmark("davis-2017", tmp_path, split="val")["ape"]
    assert sequence.object_ids == (1,)
    assert sequence.read_annotation("00000").max() == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (".", ""),
        ("..", "one level too high"),
        ("JPEGImages", "too low"),
        ("JPEGImages/480p", "too low"),
    ],
)
def test_a_root_at_the_wrong_level_is_found_and_said(
    tmp_path: Path, given: str, says: str
) -> None:
    root = write_davis(tmp_path / "DAVIS", {"ape": [1]})
    benchmark = open_benchmark("davis-2017", root / given, split="val")
    assert benchmark["ape"].images["00000"].is_file()
    assert any(says in note for note in benchmark.notes)
    assert benchmark.root.resolve() == root.resolve()


def test_without_lists_the_official_sequences_are_taken_and_said(
    tmp_path: Path,
) -> None:
    write_davis(tmp_path, {"blackswan": [1], "dog": [1], "bear": [1]}, split="x")
    (tmp_path / "ImageSets/2017/x.txt").unlink()
    benchmark = open_benchmark("davis-2016", tmp_path, split="val")
    assert [sequence.name for sequence in benchmark] == ["blackswan", "dog"]
    assert any("2 of 20" in note for note in benchmark.notes)


def test_without_lists_unknown_sequences_are_all_taken(tmp_path: Path) -> None:
    write_davis(tmp_path, {"mine-2": [1], "mine-10": [1]}, split="x")
    (tmp_path / "ImageSets/2017/x.txt").unlink()
    benchmark = open_benchmark("davis-2017", tmp_path, split="val")
    assert [sequence.name for sequence in benchmark] == ["mine-2", "mine-10"]
    assert any("the folder itself" in note for note in benchmark.notes)


def test_lists_of_files_name_their_sequences(tmp_path: Path) -> None:
    write_davis(tmp_path, {"ape": [1], "bat": [1]}, year=2016)
    (tmp_path / "ImageSets/2016/val.txt").unlink()
    old = tmp_path / "ImageSets/480p/val.txt"
    old.parent.mkdir()
    old.write_text(
        "".join(
            f"/JPEGImages/480p/{name}/{i:05d}.jpg "
            f"/Annotations/480p/{name}/{i:05d}.png\n"
            for name in ("bat", "ape")
            for i in range(4)
        )
    )
    benchmark = open_benchmark("davis-2016", tmp_path, split="val")
    assert [sequence.name for sequence in benchmark] == ["bat", "ape"]


def test_full_resolution_is_chosen_by_name(tmp_path: Path) -> None:
    write_davis(tmp_path, {"ape": [1]})
    write_davis(tmp_path, {"ape": [1]}, resolution="Full-Resolution", frames=3)
    full = open_benchmark("davis-2017", tmp_path, split="val", resolution="full")
    assert len(full["ape"].frames) == 3
    assert len(open_benchmark("davis-2017", tmp_path, split="val")["ape"].frames) == 4
    with pytest.raises(InputError, match="720p"):
        open_benchmark("davis-2017", tmp_path, split="val", resolution="720p")


def test_everything_missing_is_told_at_once(tmp_path: Path) -> None:
    write_davis(tmp_path, {"ape": [1], "bat": [1]})
    listing = tmp_path / "ImageSets/2017/val.txt"
    listing.write_text("ape\nbat\ncow\ndog\n")
    (tmp_path / "JPEGImages/480p/bat/00002.jpg").unlink()
    write_image(tmp_path / "JPEGImages/480p/cow/00000.jpg")
    with pytest.raises(InputError) as caught:
        open_benchmark("davis-2017", tmp_path, split="val")
    message = str(caught.value)
    assert "3 gaps" in message
    for gap in ("1 annotated frame of bat (00002)", "masks of cow", "frames of dog"):
        assert gap in message


def test_a_split_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    write_davis(tmp_path, {"ape": [1]}, split="train")
    with pytest.raises(InputError, match=r"2017/train\.txt"):
        open_benchmark("davis-2017", tmp_path, split="val")


def test_archives_that_wait_to_be_unpacked_are_named(tmp_path: Path) -> None:
    (tmp_path / "DAVIS-2017-trainval-480p.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"trainval-480p\.zip.*Unpack"):
        open_benchmark("davis-2017", tmp_path, split="val")


def test_strays_are_ignored(tmp_path: Path) -> None:
    write_davis(tmp_path, {"ape": [1]})
    folder = tmp_path / "JPEGImages/480p/ape"
    for stray in ("._00000.jpg", ".DS_Store", "Thumbs.db", "notes.txt"):
        (folder / stray).write_bytes(b"x")
    (tmp_path / "JPEGImages/.cache").mkdir()
    assert len(open_benchmark("davis-2017", tmp_path, split="val")["ape"].frames) == 4


def test_official_attributes_come_along(tmp_path: Path) -> None:
    write_davis(tmp_path, {"blackswan": [1], "drift-chicane": [1], "gold-fish": [1]})
    benchmark = open_benchmark("davis-2017", tmp_path, split="val")
    assert benchmark["blackswan"].attributes == ()
    assert "FM" in (benchmark["drift-chicane"].attributes or ())
    assert benchmark["gold-fish"].attributes is None, "2017 sequences have none"


def test_official_lists_have_the_published_sizes() -> None:
    splits, sequences = davis_facts()["splits"], davis_facts()["sequences"]
    frames = {
        (year, split): sum(sequences[name]["frames"] for name in listing)
        for year, lists in splits.items()
        for split, listing in lists.items()
    }
    assert frames == {
        ("2016", "train"): 2079,
        ("2016", "val"): 1376,
        ("2017", "train"): 4209,
        ("2017", "val"): 1999,
        ("2017", "test-dev"): 2086,
    }
    objects = sum(sequences[name]["objects"] for name in splits["2017"]["val"])
    assert objects == 61


def test_real_val_sequences(shared: Path) -> None:
    benchmark = open_benchmark("davis-2016", shared / "data/davis2016-val", split="val")
    assert len(benchmark) == 10
    assert {sequence.object_ids for sequence in benchmark} == {(1,)}


def test_a_later_object_is_no_prompt_of_davis(tmp_path: Path) -> None:
    """DAVIS takes its objects from the first frame."""
    write_davis(tmp_path, {"ape": [1]})
    write_mask(tmp_path / "Annotations/480p/ape/00002.png", [1, 2])
    sequence = open_benchmark("davis-2017", tmp_path, split="val")["ape"]
    assert sequence.prompt_frames() == {"00000": (1,)}
    assert cv2.imread(str(sequence.images["00000"])) is not None


def test_a_benchmark_of_its_own_is_not_taken_for_a_part_of_davis(tmp_path):
    """`crossing` is a sequence of DAVIS with 52 frames; this one has 4."""
    write_davis(tmp_path, {"crossing": [1], "ape": [1]}, year=2017, split="val")
    benchmark = open_benchmark("davis-2017", tmp_path)
    assert not benchmark.missing_files
    assert benchmark.notes[-1] == (
        "1 of 2 sequences are none of DAVIS (ape): a benchmark of its own in the "
        "layout of DAVIS"
    )
    shutil.rmtree(tmp_path)
    write_davis(tmp_path, {"crossing": [1]}, year=2017, split="val")
    benchmark = open_benchmark("davis-2017", tmp_path)
    assert benchmark.missing_files == ("crossing: 4 frames of 52",)
