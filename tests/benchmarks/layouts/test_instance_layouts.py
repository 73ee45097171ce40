"""YouTube-VIS, OVIS, LV-VIS and MeViS: masks in JSON, frames beside it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from evaluation import InputError, score
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import open_benchmark
from s3fo.benchmarks.catalog import get_entry
from tests.benchmarks.benchmark_trees import (
    INSTANCE_FILES,
    SIZE,
    names,
    square,
    write_instances,
    write_mevis,
)


@pytest.mark.parametrize("name", INSTANCE_FILES)
def test_objects_are_numbered_by_annotation_and_frames_are_those_listed(tmp_path, name):
    write_instances(tmp_path, get_entry(name, "train"))
    (video,) = open_benchmark(name, tmp_path, split="train")
    assert video.name == "ape" and list(video.frames) == names(4, 5)
    assert [(item.object_id, item.first_frame) for item in video.objects] == [
        (1, "00000"),
        (2, "00005"),
    ]
    masks = video.object_masks
    assert masks is not None
    second = masks.read("00010")
    assert isinstance(second, dict)
    np.testing.assert_array_equal(second[1], square(4, 12))
    np.testing.assert_array_equal(second[2], square(5, 4))
    assert video.images["00015"].name == "00015.jpg"


def test_missing_frames_are_named(tmp_path):
    write_instances(tmp_path, get_entry("ovis", "train"))
    (tmp_path / "train/ape/00010.jpg").unlink()
    with pytest.raises(InputError, match="no image for 1 annotated frame of ape"):
        open_benchmark("ovis", tmp_path, split="train")
    (tmp_path / "annotations_train.json").write_text(json.dumps({"ape": {}}))
    with pytest.raises(InputError, match="OVIS"):
        open_benchmark("ovis", tmp_path, split="train")


def test_names_in_the_file_stay_inside(tmp_path):
    write_instances(tmp_path, get_entry("ovis", "train"))
    path = tmp_path / "annotations_train.json"
    content = json.loads(path.read_text())
    content["videos"][0]["file_names"] = [
        f"../ape/{frame}.jpg" for frame in names(4, 5)
    ]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"\.\."):
        open_benchmark("ovis", tmp_path, split="train")


def test_a_sentence_is_the_union_of_what_it_names(tmp_path):
    write_mevis(tmp_path, "valid_u")
    benchmark = open_benchmark("mevis", tmp_path, split="valid-u")
    (video,) = benchmark
    assert [(item.object_id, item.first_frame) for item in video.objects] == [
        (1, "00000"),
        (2, "00001"),
    ]
    assert video.objects[0].category == "both of them"
    masks = video.object_masks
    assert masks is not None
    frame = masks.read("00001")
    np.testing.assert_array_equal(frame[1], square(3) | square(20))
    np.testing.assert_array_equal(frame[2], square(20))


def test_sentences_are_scored_over_all_frames_as_mevis_does(tmp_path):
    """Its code takes the mean of J over all frames of each sentence, empty ones too."""
    write_mevis(tmp_path, "valid_u")
    benchmark = open_benchmark("mevis", tmp_path, split="valid-u")
    results = tmp_path / "results"
    found = {"0": [square(2), square(3), square(4)], "1": [square(20)] * 3}
    for expression, masks in found.items():
        for frame, mask in zip(names(3), masks, strict=True):
            path = results / "ape" / expression / f"{frame}.png"
            write_label_map(path, mask.astype(np.uint8) * 255)
    scores = score(results, benchmark, "mevis")
    both = [1.0, 0.5, 0.5]
    alone = [0.0, 1.0, 30 / 42]
    objects = scores.objects.set_index("object")["J_mean"]
    assert objects[1] == pytest.approx(np.mean(both))
    assert objects[2] == pytest.approx(np.mean(alone))
    assert scores.summary["J"] == pytest.approx(np.mean([*both, *alone]))
    assert SIZE == (24, 32)


def test_results_that_lack_the_first_sentence_are_counted_from_0(tmp_path):
    """The only folder is called 1, as object 1 is, but is sentence 1, object 2."""
    write_mevis(tmp_path, "valid_u")
    benchmark = open_benchmark("mevis", tmp_path, split="valid-u")
    for frame in names(3):
        mask = square(20).astype(np.uint8) * 255
        write_label_map(tmp_path / "results/ape/1" / f"{frame}.png", mask)
    scores = score(tmp_path / "results", benchmark, "mevis", missing="score-as-empty")
    objects = scores.objects.set_index("object")["J_mean"]
    assert objects[1] == 0
    assert objects[2] == pytest.approx(np.mean([0.0, 1.0, 30 / 42]))
    assert any("object 1 was taken for 2" in note for note in scores.notes)


def test_a_damaged_file_of_masks_is_named(tmp_path):
    folder = write_mevis(tmp_path, "valid_u")
    masks = json.loads((folder / "mask_dict.json").read_text())
    masks["11"] = masks["11"][:2]
    (folder / "mask_dict.json").write_text(json.dumps(masks))
    with pytest.raises(InputError, match="2 masks of annotation 11"):
        open_benchmark("mevis", tmp_path, split="valid-u")
