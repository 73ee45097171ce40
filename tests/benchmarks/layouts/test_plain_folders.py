from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import Benchmark, open_folders
from tests.benchmarks.benchmark_trees import (
    label_map,
    names,
    write_image,
    write_mask,
    write_sequence,
)


def test_two_folders_of_sequences(tmp_path: Path) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    write_sequence(images, masks, "b", names(3), {"00000": [1], "00002": [1, 4]})
    write_sequence(images, masks, "a", names(2), {"00001": [300]})
    benchmark = open_folders(images, masks, name="mine")
    assert [sequence.name for sequence in benchmark] == ["a", "b"]
    b = benchmark["b"]
    assert b.annotated_frames == ("00000", "00002")
    assert {item.object_id: item.first_frame for item in b.objects} == {
        1: "00000",
        4: "00002",
    }
    assert b.prompt_frames() == {"00000": (1,), "00002": (4,)}
    assert benchmark["a"].read_annotation("00001").max() == 300


def test_a_prompt_shows_only_what_is_new(tmp_path: Path) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    write_sequence(images, masks, "a", names(2), {"00000": [1], "00001": [1, 2]})
    sequence = open_folders(images, masks)["a"]
    assert set(np.unique(sequence.read_prompt("00001"))) == {0, 2}
    assert set(np.unique(sequence.read_annotation("00001"))) == {0, 1, 2}


def test_one_sequence_directly_in_the_folders(tmp_path: Path) -> None:
    for frame in names(3):
        write_image(tmp_path / "cat/JPEGImages" / f"{frame}.jpg")
    write_mask(tmp_path / "cat/Annotations/00000.png", [1, 2])
    folder = tmp_path / "cat"
    benchmark = open_folders(folder / "JPEGImages", folder / "Annotations")
    assert [sequence.name for sequence in benchmark] == ["cat"]
    assert benchmark["cat"].object_ids == (1, 2)
    one_file = open_folders(folder / "JPEGImages", folder / "Annotations/00000.png")
    assert one_file["cat"].object_ids == (1, 2)


@pytest.mark.parametrize(
    ("lengths", "told"),
    [((10, 8), "one frame in 3"), ((10, 12), None), ((10, 4), None), ((10,), None)],
)
def test_masks_of_every_third_frame_that_were_numbered_anew_are_told(
    tmp_path: Path, lengths: tuple[int, ...], told: str | None
) -> None:
    """Of 10 frames 4 masks, of 8 three; of 12 it would be 4, and not 3."""
    images, masks = tmp_path / "images", tmp_path / "masks"
    for count, n_masks in zip(lengths, (4, 3), strict=False):
        first = {frame: [1] for frame in names(n_masks)}
        write_sequence(images, masks, f"v{count}", names(count), first)
    notes = [n for n in open_folders(images, masks).notes if "numbered anew" in n]
    assert len(notes) == bool(told) and all(str(told) in note for note in notes)


@pytest.mark.parametrize("step", [1, 3])
def test_one_video_with_masks_numbered_anew_is_told_by_its_images(
    tmp_path: Path, step: int
) -> None:
    """A square goes 3 pixels per frame; its 4 masks are of frames 0, 3, 6, 9, or not.

    Masks of the first frames alone, named as they should be, are not told.
    """
    for t in range(10):
        pixels = np.full((60, 80), 40, np.uint8)
        pixels[20:40, 10 + 3 * t : 30 + 3 * t] = 200
        (tmp_path / "images/a").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / f"images/a/{t:05d}.png")
        if t % step == 0 and t // step < 4:
            path = tmp_path / f"masks/a/{t // step:05d}.png"
            write_label_map(path, (pixels > 100).astype(np.uint8))
    notes = open_folders(tmp_path / "images", tmp_path / "masks").notes
    told = [note for note in notes if "numbered anew" in note]
    assert len(told) == (step == 3)
    assert all("(4 of 10)" in n and "one frame in 3 have" in n for n in told)


def test_a_folder_given_too_high_is_said(tmp_path: Path) -> None:
    images, masks = tmp_path / "JPEGImages", tmp_path / "Annotations"
    write_sequence(images / "480p", masks / "480p", "a", names(2), {"00000": [1]})
    benchmark = open_folders(images, masks)
    assert benchmark["a"].object_ids == (1,)
    assert sum("too high" in note for note in benchmark.notes) == 2


def test_white_masks_are_object_one(tmp_path: Path) -> None:
    images, masks = tmp_path / "images", tmp_path / "masks"
    write_sequence(images, masks, "a", names(2), {"00000": [255]})
    benchmark = open_folders(images, masks)
    assert benchmark["a"].object_ids == (1,)
    assert any("0/255" in note for note in benchmark.notes)
    np.testing.assert_array_equal(
        benchmark["a"].read_annotation("00000"), label_map([1])
    )


def test_unpadded_names_play_in_numeric_order(tmp_path: Path) -> None:
    for index in (10, 9, 1):
        write_image(tmp_path / "images/a" / f"{index}.png")
    assert open_folders(tmp_path / "images")["a"].frames == ("1", "9", "10")


def test_images_alone_have_no_objects(tmp_path: Path) -> None:
    write_image(tmp_path / "images/a/0.jpg")
    assert open_folders(tmp_path / "images")["a"].objects == ()


def test_masks_that_match_nothing_are_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "images/a/00000.jpg")
    write_mask(tmp_path / "masks/a/other.png", [1])
    with pytest.raises(InputError, match="other"):
        open_folders(tmp_path / "images", tmp_path / "masks")
    write_mask(tmp_path / "other/b/00000.png", [1])
    with pytest.raises(InputError, match="no mask named like a frame of a"):
        open_folders(tmp_path / "images", tmp_path / "other")


@pytest.mark.parametrize("made", [False, True])
def test_empty_or_absent_folders_are_refused(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "images"
    if made:
        folder.mkdir()
    with pytest.raises(InputError, match=str(folder)):
        open_folders(folder)


def test_ids_above_255_do_not_know_void(tmp_path: Path) -> None:
    write_image(tmp_path / "images/a/00000.jpg")
    write_label_map(tmp_path / "masks/a/00000.png", label_map([255, 300]))
    sequence = open_folders(tmp_path / "images", tmp_path / "masks")["a"]
    assert sequence.object_ids == (255, 300)


def test_a_subset_keeps_the_order_and_names_the_unknown(tmp_path: Path) -> None:
    for name in "abc":
        write_image(tmp_path / "images" / name / "0.jpg")
    benchmark: Benchmark = open_folders(tmp_path / "images")
    assert [item.name for item in benchmark.subset(["c", "a"])] == ["a", "c"]
    with pytest.raises(InputError, match="x, y"):
        benchmark.subset(["a", "x", "y"])


def test_masks_without_images_are_noted(tmp_path: Path) -> None:
    write_sequence(tmp_path / "i", tmp_path / "m", "a", ["0"], {"0": [1]})
    write_mask(tmp_path / "m/b/0.png", [1])
    (note,) = open_folders(tmp_path / "i", tmp_path / "m").notes
    assert note == "masks without images are left out: b"


def test_white_masks_are_binary_even_if_the_first_is_empty(tmp_path: Path) -> None:
    masks = {"0": [], "1": [255]}
    write_sequence(tmp_path / "i", tmp_path / "m", "a", masks, masks)
    (sequence,) = open_folders(tmp_path / "i", tmp_path / "m")
    assert sequence.prompt_frames() == {"1": (1,)}
