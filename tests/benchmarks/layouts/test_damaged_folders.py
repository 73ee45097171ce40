"""Folders with something amiss: told in full, never misread in silence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import Benchmark, open_benchmark, validate
from s3fo.benchmarks.catalog import get_entry
from tests.benchmarks.benchmark_trees import (
    write_clip,
    write_davis,
    write_entry,
    write_image,
    write_mask,
)

Damage = Callable[[Path], Any]


def tree(root: Path, name: str, split: str = "val") -> Path:
    write_entry(root, get_entry(name, split))
    return root


def refusal(name: str, root: Path, split: str = "val", **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        open_benchmark(name, root, split=split, **options)
    return str(caught.value)


def problems(benchmark: Benchmark) -> list[str]:
    """What validation says, the number of videos aside."""
    found = validate(benchmark).problems
    return [text for text in found if "the catalog says" not in text]


def change(path: Path, edit: Callable[[Any], object]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def wrong_size(path: Path) -> None:
    write_label_map(path, np.ones((9, 7), np.uint8))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


MASKS, IMAGES = "Annotations/480p/ape", "JPEGImages/480p/ape"
SLIGHT: dict[str, tuple[Damage, str]] = {
    "mask gone": (
        lambda root: (root / MASKS / "00002.png").unlink(),
        "ape: no mask of 1 frame (00002)",
    ),
    "frame gone": (
        lambda root: [
            (root / MASKS / "00002.png").unlink(),
            (root / IMAGES / "00002.jpg").unlink(),
        ],
        "ape: no image for 1 frame (00002)",
    ),
    "mask of another size": (
        lambda root: wrong_size(root / MASKS / "00002.png"),
        "ape, frame 00002: the image is 32x24, its mask 7x9",
    ),
    "image of another size": (
        lambda root: write_image(root / IMAGES / "00002.jpg", size=(9, 7)),
        "ape, frame 00002: the image is 7x9, its mask 32x24",
    ),
    "mask cut short": (
        lambda root: cut_short(root / MASKS / "00002.png"),
        "breaks off",
    ),
    "image cut short": (
        lambda root: cut_short(root / IMAGES / "00003.jpg"),
        "00003.jpg",
    ),
    "empty image": (
        lambda root: (root / IMAGES / "00003.jpg").write_bytes(b""),
        "no image that can be read",
    ),
}


@pytest.mark.parametrize("damage", SLIGHT)
def test_a_file_amiss_is_found_by_validation(tmp_path: Path, damage: str) -> None:
    root = tree(tmp_path, "davis-2017")
    inflict, expected = SLIGHT[damage]
    inflict(root)
    (problem,) = problems(open_benchmark("davis-2017", root))
    assert expected in problem


def test_what_seems_to_be_missing_is_noted_when_opening(tmp_path: Path) -> None:
    root = write_davis(tmp_path, {"blackswan": [1]}, frames=3)
    benchmark = open_benchmark("davis-2017", root)
    assert benchmark.notes[-1] == "seems incomplete: blackswan: 3 frames of 50"
    assert problems(benchmark) == ["blackswan: 3 frames of 50"]


@pytest.mark.parametrize("name", ["davis-2017", "mose-v1"])
def test_all_objects_begin_in_the_first_frame(tmp_path: Path, name: str) -> None:
    root = tree(tmp_path, name)
    for path in root.rglob("Annotations/**/ape/00000.png"):
        path.rename(path.with_name("00003.png"))
    if name == "mose-v1":
        (root / "valid/meta.json").unlink()
        (root / "valid/Annotations/ape/00003.png").rename(
            root / "valid/Annotations/ape/00005.png"
        )
    assert "no mask of the first frame of ape (00000)" in refusal(name, root)


def test_a_mistyped_root_is_not_taken_for_the_folder_above(tmp_path: Path) -> None:
    root = tree(tmp_path, "davis-2017")
    assert "no such folder" in refusal("davis-2017", root / "DAVSI")
    assert "found a file" in refusal("davis-2017", root / "ImageSets/2017/val.txt")


def test_a_list_may_be_empty_marked_or_foreign(tmp_path: Path) -> None:
    root = tree(tmp_path, "davis-2017")
    listing = root / "ImageSets/2017/val.txt"
    listing.write_text("\n")
    assert "no sequences in ImageSets/2017/val.txt" in refusal("davis-2017", root)
    listing.write_bytes("ape\n".encode("utf-16"))
    assert "UTF-8" in refusal("davis-2017", root)
    listing.write_bytes(b"\xef\xbb\xbfape\r\n")  # Written by Windows.
    assert [item.name for item in open_benchmark("davis-2017", root)] == ["ape"]


def test_names_may_hold_spaces_and_letters_of_any_kind(tmp_path: Path) -> None:
    root = write_davis(tmp_path / "été à Zürich", {"un chat": [1], "猫": [1]})
    names = [item.name for item in open_benchmark("davis-2017", root)]
    assert names == ["un chat", "猫"]


def test_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    root = tree(tmp_path, "davis-2017")
    circle = root / "JPEGImages/480p/circle"
    circle.symlink_to(circle)  # which no list names
    assert len(open_benchmark("davis-2017", root)) == 2
    image = root / IMAGES / "00002.jpg"
    image.unlink()
    image.symlink_to("/nowhere/00002.jpg")
    message = refusal("davis-2017", root)
    assert f"{image}: found a link to /nowhere/00002.jpg, which is not there" in message


def test_archives_beside_the_gaps_are_named(tmp_path: Path) -> None:
    root = tree(tmp_path, "davis-2017")
    shutil.rmtree(root / "Annotations")
    (root / "Annotations.zip").write_bytes(b"PK")
    message = refusal("davis-2017", root)
    assert "no masks of ape" in message
    assert "no masks of bat" in message
    assert "Archives wait there to be unpacked: Annotations.zip" in message


def test_a_split_without_its_images_is_not_another_benchmark(tmp_path: Path) -> None:
    root = tree(tmp_path, "mose-v1")
    shutil.rmtree(root / "valid/JPEGImages")
    (root / "valid/JPEGImages.zip").write_bytes(b"PK")
    for place in (root, root / "valid"):
        message = refusal("mose-v1", place)
        assert "found Annotations, JPEGImages.zip" in message
        assert "Unpack JPEGImages.zip there" in message


@pytest.mark.parametrize("name", ["youtube-vos-2019", "mose-v1", "lvos-v2"])
def test_one_split_is_never_taken_for_another(tmp_path: Path, name: str) -> None:
    root = tree(tmp_path, name, "train")
    assert "the folder of the split train" in refusal(name, root / "train")
    assert "found train" in refusal(name, root)


@pytest.mark.parametrize("given", [".", "sav_test"])
def test_sa_v_test_is_never_taken_for_val(tmp_path: Path, given: str) -> None:
    root = tree(tmp_path, "sa-v", "test")
    assert "the folder of the split test" in refusal("sa-v", root / given)


def test_the_split_folder_that_has_images_is_taken(tmp_path: Path) -> None:
    root = tree(tmp_path, "youtube-vos-2019")
    (root / "valid").rename(root / "val")
    (root / "valid").mkdir()
    assert len(open_benchmark("youtube-vos-2019", root)) == 1


def test_frames_a_server_wants_must_have_images(tmp_path: Path) -> None:
    root = tree(tmp_path, "youtube-vos-2019")
    (root / "valid/JPEGImages/ape/00015.jpg").unlink()
    message = refusal("youtube-vos-2019", root)
    assert "no image for 1 listed frame of ape (00015)" in message


OBJECTS: dict[str, tuple[Any, str]] = {
    "absent": ({"7": {"frames": ["00005"]}}, "frame 00005: object 7 is not there"),
    "without frames": ({"7": {"frames": []}}, "lists no frames of object 7"),
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_objects_of_the_meta_file_that_no_mask_has(tmp_path: Path, kind: str) -> None:
    root = tree(tmp_path, "youtube-vos-2019")
    objects, expected = OBJECTS[kind]
    change(
        root / "valid/meta.json",
        lambda meta: meta["videos"]["ape"]["objects"].update(objects),
    )
    (problem,) = problems(open_benchmark("youtube-vos-2019", root))
    assert expected in problem


def test_an_object_that_the_meta_file_forgot(tmp_path: Path) -> None:
    root = tree(tmp_path, "youtube-vos-2019")
    change(
        root / "valid/meta.json", lambda meta: meta["videos"]["ape"]["objects"].pop("2")
    )
    (problem,) = problems(open_benchmark("youtube-vos-2019", root))
    assert problem == "ape, frame 00005: id 2 is in the mask, but the objects are 1"


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ('{"1": {"frames": ["00000"]}, "1": {"frames": []}}', "1 twice"),
        ('{"1": {}, "01": {}}', "1 twice"),
        ('{"0": {"frames": ["00000"]}}', "id 0, which is background"),
        ("[1, 1]", "1 twice"),
    ],
)
def test_ids_are_unique_and_no_background(
    tmp_path: Path, objects: str, says: str
) -> None:
    root = tree(tmp_path, "youtube-vos-2019")
    meta = root / "valid/meta.json"
    meta.write_text('{"videos": {"ape": {"objects": ' + objects + "}}}")
    message = refusal("youtube-vos-2019", root)
    assert says in message
    assert str(meta) in message


def test_videos_that_the_meta_file_does_not_name_are_noted(tmp_path: Path) -> None:
    root = tree(tmp_path, "youtube-vos-2019")
    write_image(root / "valid/JPEGImages/cow/00000.jpg")
    note, _ = open_benchmark("youtube-vos-2019", root).notes
    assert note == "videos that no meta file names are left out: cow"


def test_an_object_without_mask_in_its_range_is_named(tmp_path: Path) -> None:
    """LVOS, reduced to first masks, but one of them forgotten."""
    root = tree(tmp_path, "lvos-v1")
    for path in sorted((root / "valid/Annotations/ape").iterdir())[1:]:
        path.unlink()
    assert "no first mask of ape: object 2 (00000006)" in refusal("lvos-v1", root)


OBJECT_FOLDERS = "sav_val/Annotations_6fps/sav_000001"
SA_V: dict[str, tuple[Damage, str]] = {
    "image of a mask": (
        lambda root: (root / "sav_val/JPEGImages_24fps/sav_000001/00004.jpg").unlink(),
        "no image for 1 annotated frame of sav_000001 (00004)",
    ),
    "two folders of one object": (
        lambda root: shutil.copytree(
            root / OBJECT_FOLDERS / "002", root / OBJECT_FOLDERS / "2"
        ),
        "two folders of one object of sav_000001 (000, 002, 2)",
    ),
    "number too high": (
        lambda root: (root / OBJECT_FOLDERS / "002").rename(
            root / OBJECT_FOLDERS / "70000"
        ),
        "object folder 70000 of sav_000001",
    ),
}


@pytest.mark.parametrize("damage", SA_V)
def test_sa_v_folders_that_cannot_be_used(tmp_path: Path, damage: str) -> None:
    root = tree(tmp_path, "sa-v")
    inflict, expected = SA_V[damage]
    inflict(root)
    assert expected in refusal("sa-v", root)


def test_sa_v_objects_without_all_their_masks(tmp_path: Path) -> None:
    root = tree(tmp_path, "sa-v")
    (root / OBJECT_FOLDERS / "002/00008.png").unlink()
    (root / OBJECT_FOLDERS / "003").mkdir()
    wrong_size(root / OBJECT_FOLDERS / "000/00004.png")
    assert problems(open_benchmark("sa-v", root)) == [
        "sav_000001: no mask in object folder 002 of 1 frame (00008)",
        "sav_000001: no mask in object folder 003 of 3 frames (00000, 00004, 00008)",
        "sav_000001, frame 00004: the image is 32x24, its mask 7x9",
    ]


def test_sa_v_train_tells_all_broken_videos_at_once(tmp_path: Path) -> None:
    root = tree(tmp_path, "sa-v", "train")
    (root / "._sav_000001.mp4").write_bytes(b"of macOS")
    assert len(open_benchmark("sa-v", root, split="train")) == 1
    for name in ("sav_000002", "sav_000003"):
        (root / f"sav_000/{name}.mp4").write_bytes(b"no video")
        (root / f"sav_000/{name}_manual.json").write_text("{}")
    message = refusal("sa-v", root, "train")
    assert "2 gaps" in message
    assert "sav_000/sav_000003.mp4" in message


def test_sa_v_masklets_longer_than_their_video(tmp_path: Path) -> None:
    root = tree(tmp_path, "sa-v", "train")
    write_clip(root / "sav_000/sav_000001.mp4", frames=5)
    (problem,) = problems(open_benchmark("sa-v", root, split="train"))
    assert problem == (
        "sav_000001: masks of 1 frame (00008) that the video does not have"
    )


def test_sa_v_objects_begin_where_their_masks_do(tmp_path: Path) -> None:
    """However `masklet_first_appeared_frame` is meant."""
    root = tree(tmp_path, "sa-v", "train")
    change(
        root / "sav_000/sav_000001_manual.json",
        lambda content: content.update(masklet_first_appeared_frame=[0, 4]),
    )
    sequence = open_benchmark("sa-v", root, split="train")["sav_000001"]
    assert [item.first_frame for item in sequence.objects] == ["00000", "00004"]


@pytest.mark.parametrize("edit", [{"masklet_id": [0]}, {"masklet_id": [0, 0]}])
def test_sa_v_masklets_that_do_not_fit_are_refused(
    tmp_path: Path, edit: dict[str, Any]
) -> None:
    root = tree(tmp_path, "sa-v", "train")
    path = root / "sav_000/sav_000001_manual.json"
    change(path, lambda content: content.update(edit))
    with pytest.raises(InputError, match="sav_000001_manual"):
        _ = open_benchmark("sa-v", root, split="train")["sav_000001"].objects


@pytest.mark.parametrize("given", ["annotations", "frames", ".."])
def test_burst_at_the_wrong_level_is_found_and_said(tmp_path: Path, given: str) -> None:
    root = tree(tmp_path / "BURST", "burst")
    benchmark = open_benchmark("burst", root / given)
    assert benchmark.root.resolve() == root.resolve()
    note, few = benchmark.notes
    assert "one level too" in note
    assert few.startswith(f"{len(benchmark)} of the 993 videos of BURST val ")


def test_burst_without_anything_names_both_pieces(tmp_path: Path) -> None:
    (tmp_path / "annotations.zip").write_bytes(b"PK")
    message = refusal("burst", tmp_path)
    for piece in ("annotations.zip", "annotations/val/all_classes.json", "frames/val"):
        assert piece in message
    assert "first-frame" in refusal("burst", tmp_path, annotations="some")


@pytest.mark.parametrize("lost", ["height", "annotated_image_paths"])
def test_burst_annotations_that_lack_something(tmp_path: Path, lost: str) -> None:
    root = tree(tmp_path, "burst")
    path = root / "annotations/val/all_classes.json"
    change(path, lambda content: content["sequences"][0].pop(lost))
    assert lost in refusal("burst", root)
    change(path, lambda content: content["sequences"].clear())
    assert "no videos in all_classes.json" in refusal("burst", root)


def test_burst_masks_of_more_frames_than_images(tmp_path: Path) -> None:
    root = tree(tmp_path, "burst")
    path = root / "annotations/val/all_classes.json"
    change(path, lambda content: content["sequences"][0]["annotated_image_paths"].pop())
    assert "1 annotated images, but masks of 2" in refusal("burst", root)


def test_numbered_videos_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    for name in ("10", "9"):
        write_image(tmp_path / f"valid/JPEGImages/{name}/00000.jpg")
        write_mask(tmp_path / f"valid/Annotations/{name}/00000.png", [1])
    assert [item.name for item in open_benchmark("mose-v1", tmp_path)] == ["9", "10"]
