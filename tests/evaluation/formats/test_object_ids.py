"""Two texts that are one id or one name never stand in for each other in silence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation import score
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.masks.open import open_ground_truth, read_mask_json
from evaluation.masks.run_lengths import encode_rle
from s3fo.benchmarks.layouts.burst import read_annotations
from s3fo.benchmarks.layouts.sa_v import load_object_folders


def rle(left: int) -> dict[str, Any]:
    mask = np.zeros((20, 30), bool)
    mask[4:12, left : left + 6] = True
    return encode_rle(mask)


def nested(one: Any, other: Any) -> dict[str, Any]:
    return {"cat": {"00000": {one: rle(2), other: rle(15)}}}


def burst(one: Any, other: Any) -> dict[str, Any]:
    entry = {
        "dataset": "TAO",
        "seq_name": "cat",
        "height": 20,
        "width": 30,
        "annotated_image_paths": ["a.jpg", "b.jpg"],
        "segmentations": [
            {one: {"rle": rle(2)["counts"]}},
            {other: {"rle": rle(15)["counts"]}},
        ],
    }
    return {"sequences": [entry]}


def burst_classes(one: Any, other: Any) -> dict[str, Any]:
    document = burst("1", "1")
    document["sequences"][0]["track_category_ids"] = {one: 4, other: 5}
    return document


def coco(one: Any, other: Any) -> dict[str, Any]:
    sizes = {"height": 20, "width": 30}
    images = [{"id": t, "file_name": f"cat/{t}.jpg"} | sizes for t in range(2)]
    masks = [
        {"id": t, "image_id": t, "track_id": key, "segmentation": rle(2 + 9 * t)}
        for t, key in enumerate((one, other))
    ]
    return {"images": images, "annotations": masks}


def youtube_vis(one: Any, other: Any) -> dict[str, Any]:
    masks = [[rle(2), None], [None, rle(15)]]
    tracks = [
        {"id": k, "video_id": 0, "object_id": key, "segmentations": masks[k]}
        for k, key in enumerate((one, other))
    ]
    videos = [{"id": 0, "file_names": ["cat/0.jpg", "cat/1.jpg"]}]
    return {"videos": videos, "annotations": tracks}


FORMS = [nested, burst, burst_classes, coco, youtube_vis]


def write(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("one", "other"), [("1", "01"), ("007", "7")])
def test_two_texts_of_one_id_are_refused_with_both(form, one, other, tmp_path):
    path = write(tmp_path / "m.json", form(one, other))
    with pytest.raises(InputError) as caught:
        read_mask_json(path)
    told = f"{one!r} and {other!r}, which both are object {int(one)}"
    assert told in caught.value.found


@pytest.mark.parametrize("form", [nested, burst])
def test_ids_that_are_padded_throughout_are_read(form, tmp_path):
    masks = read_mask_json(write(tmp_path / "m.json", form("01", "02")))["cat"]
    assert masks.annotated_ids() == {1, 2}


@pytest.mark.parametrize("key", [1.5, True, "1.0", "one", None])
def test_ids_that_are_no_integers_are_refused(key, tmp_path):
    with pytest.raises(InputError, match=r"object id|do not say which object"):
        read_mask_json(write(tmp_path / "m.json", coco(key, 2)))
    whole = read_mask_json(write(tmp_path / "m.json", coco(1.0, 2)))
    assert whole["cat"].annotated_ids() == {1, 2}


def test_result_lists_give_every_object_one_text(tmp_path):
    truth = open_ground_truth(write(tmp_path / "gt.json", youtube_vis(1, 2)))
    entries = youtube_vis("1", "01")["annotations"]
    path = write(tmp_path / "pred.json", [e | {"score": 1.0} for e in entries])
    with pytest.raises(InputError, match="'1' and '01', which both are object 1"):
        read_mask_json(path, truth.sequences)


@pytest.mark.parametrize("ids", [[1, 2, 3, 4], [1, 2, 1, 2]])
def test_ids_of_annotations_are_read_as_their_objects_and_told(ids, tmp_path):
    videos = [
        {"id": k, "file_names": [f"{name}/00000.jpg"], "height": 20, "width": 30}
        for k, name in enumerate(("cat", "dog"), 1)
    ]
    tracks = [
        {"id": k, "video_id": 1 + (k > 2), "category_id": 1, "segmentations": [rle(k)]}
        for k in (1, 2, 3, 4)
    ]
    document = {"videos": videos, "annotations": tracks, "categories": []}
    truth = open_ground_truth(write(tmp_path / "gt.json", document))
    entries = [
        e | {"object_id": own, "score": 1.0} for e, own in zip(tracks, ids, strict=True)
    ]
    read = read_mask_json(write(tmp_path / "pred.json", entries), truth.sequences)
    assert {k: masks.annotated_ids() for k, masks in read.items()} == {
        "cat": {1, 2},
        "dog": {1, 2},
    }
    told = [remark for masks in read.values() for remark in masks.remarks()]
    assert ["ids of annotations" in remark for remark in told] == [True] * len(told)
    assert len(told) == (2 if ids == [1, 2, 3, 4] else 0)


def test_masklets_have_ids_of_their_own(tmp_path):
    masklets = [[rle(2), rle(15)]]
    document = {"video_id": "cat", "masklet_id": [3, 3], "masklet": masklets}
    with pytest.raises(InputError, match="two masklets with the id '3'"):
        read_mask_json(write(tmp_path / "m.json", document))


def test_folders_of_one_object_are_both_named(tmp_path):
    one = np.zeros((20, 30), np.uint8)
    one[4:12, 2:9] = 255
    for name in ("1", "001"):
        write_label_map(tmp_path / "pred" / "cat" / name / "00000.png", one)
    truth = {"cat": np.stack([one // 255] * 3)}
    with pytest.raises(InputError, match="two folders for object 1: 001 and 1"):
        score(tmp_path / "pred", truth)
    with pytest.raises(
        InputError, match=r"two folders of one object of cat \(001, 1\)"
    ):
        load_object_folders(tmp_path / "pred" / "cat", "cat")


def test_tracks_of_the_benchmark_burst_are_written_in_one_way(tmp_path):
    path = write(tmp_path / "all_classes.json", burst("1", "01"))
    with pytest.raises(InputError, match="TAO_-_cat: '1' and '01'"):
        read_annotations(path)
    assert read_annotations(write(path, burst("1", "2")))["sequences"]


def test_videos_that_are_called_alike_are_told(tmp_path):
    truth = {"bear": np.ones((4, 8, 8), np.uint8)}
    truth["bear"][:, 5:] = 0
    found = {"bear": truth["bear"], "Bear ": truth["bear"] * 0, "bears": truth["bear"]}
    told = "bear: masks of 'Bear ' were not read, which is called alike"
    for results in (found, folders(tmp_path / "pred", found)):
        scores = score(results, truth)
        assert scores.summary["J"] == 1
        assert next(note for note in scores.notes if "alike" in note).startswith(told)
    shutil.rmtree(tmp_path / "pred" / "Bear ")
    scores = score(tmp_path / "pred", truth)
    assert not [note for note in scores.notes if "alike" in note]


def folders(root: Path, videos: dict[str, np.ndarray]) -> Path:
    for name, masks in videos.items():
        for t, mask in enumerate(masks):
            write_label_map(root / name / f"{t:05d}.png", mask)
    return root


def test_videos_of_two_data_sets_do_not_share_the_masks_of_one(tmp_path):
    truth = {f"{k}_-_cat": np.ones((3, 20, 30), np.uint8) for k in ("AVA", "LaSOT")}
    for masks in truth.values():
        masks[:, 10:] = 0
    frames = {f"{t:05d}": {"1": rle(2)} for t in range(3)}
    path = write(tmp_path / "m.json", {"cat": frames})
    with pytest.raises(InputError, match="AVA_-_cat and LaSOT_-_cat are two"):
        score(path, truth)
    del truth["AVA_-_cat"]
    assert score(path, truth).sequences["sequence"].tolist() == ["LaSOT_-_cat"]
