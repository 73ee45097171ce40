"""Masks in JSON: videos keep their names, and errors name the place in the file."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from evaluation import score
from evaluation.errors import InputError
from evaluation.masks.open import read_mask_json
from evaluation.masks.run_lengths import encode_rle


def rle(left: int) -> dict:
    mask = np.zeros((20, 30), bool)
    mask[4:12, left : left + 8] = True
    return encode_rle(mask)


def youtube_vis(folders: list[str], shift: int = 0, n: int = 5) -> dict:
    return {
        "videos": [
            {"id": k, "file_names": [f"{folder}/{t:06d}.jpg" for t in range(n)]}
            for k, folder in enumerate(folders)
        ],
        "annotations": [
            {
                "id": k,
                "video_id": k,
                "segmentations": [rle(3 + t + shift) for t in range(n)],
            }
            for k in range(len(folders))
        ],
    }


def write(path, document):
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["a", "b"], ["a", "b"]),
        (["a/img1", "b/img1"], ["a", "b"]),
        (["x/a/frames", "x/b/frames"], ["a", "b"]),
        (["a/left", "b/left"], ["a", "b"]),
        (["set1/a", "set2/a", "set2/b"], ["set1-a", "set2-a", "set2-b"]),
        (["bear\\img1", "dog\\img1"], ["bear", "dog"]),
        (["only/img1"], ["only"]),
        (["", ""], ["0", "1"]),
    ],
)
def test_videos_have_names_of_their_own(tmp_path, folders, names):
    read = read_mask_json(write(tmp_path / "m.json", youtube_vis(folders)))
    assert list(read) == names
    assert all(len(masks.frames) == 5 for masks in read.values())


def test_every_video_is_scored(tmp_path):
    gt = youtube_vis(["a/img1", "b/img1"])
    pred = copy.deepcopy(gt)
    pred["annotations"][0]["segmentations"] = [None] * 5
    write(tmp_path / "gt.json", gt)
    write(tmp_path / "pred.json", pred)
    scores = score(tmp_path / "pred.json", tmp_path / "gt.json")
    assert scores.summary["J"] == 0.5


def nested(n: int = 4) -> dict:
    return {"v": {f"{t:05d}": {"1": rle(t), "2": None} for t in range(n)}}


def burst() -> dict:
    return {
        "sequences": [
            {
                "seq_name": "v",
                "dataset": "d",
                "height": 20,
                "width": 30,
                "annotated_image_paths": ["00000.jpg", "00001.jpg"],
                "segmentations": [{"1": {"rle": rle(t)["counts"]}} for t in range(2)],
            }
        ]
    }


def sa_v() -> dict:
    return {"video_id": "v", "masklet_id": [0], "masklet": [[rle(0)], [None], [rle(2)]]}


def test_null_stands_for_an_object_that_is_not_there(tmp_path):
    (masks,) = read_mask_json(write(tmp_path / "m.json", nested())).values()
    assert set(masks.read("00000")) == {1}
    (masks,) = read_mask_json(write(tmp_path / "m.json", sa_v())).values()
    assert masks.read("00004") == {}


def at(document, *path):
    for key in path:
        document = document[key]
    return document


@pytest.mark.parametrize(
    ("make", "path", "value", "place"),
    [
        (nested, ("v", "00002", "1"), 7, "v.00002.1"),
        (nested, ("v", "00002", "1"), {"size": [20, 30]}, "v.00002.1"),
        (nested, ("v", "00002"), [1], "v.00002"),
        (nested, ("v", "00002"), {"x": rle(0)}, "v.00002"),
        (burst, ("sequences", 0, "height"), "tall", "sequences[0].height"),
        (burst, ("sequences", 0, "segmentations", 1), None, "segmentations[1]"),
        (burst, ("sequences", 0, "segmentations"), [{}], "v, segmentations"),
        (
            burst,
            ("sequences", 0, "annotated_image_paths"),
            ["a/0.jpg", "b/0.jpg"],
            "'0'",
        ),
        (sa_v, ("masklet", 1), [], "masklet[1]"),
        (sa_v, ("masklet", 1, 0), "no", "masklet[1]"),
        (sa_v, ("masklet_id",), ["x"], "masklet_id"),
        (lambda: youtube_vis(["a"]), ("annotations", 0, "video_id"), 9, "annotation 0"),
        (
            lambda: youtube_vis(["a"]),
            ("annotations", 0, "segmentations"),
            [],
            "annotation 0",
        ),
        (
            lambda: youtube_vis(["a"]),
            ("annotations", 0, "segmentations", 2),
            5,
            "000002",
        ),
        (lambda: youtube_vis(["a"]), ("videos", 0, "file_names"), [], "file_names"),
    ],
)
def test_errors_name_the_place(tmp_path, make, path, value, place):
    document = make()
    at(document, *path[:-1])[path[-1]] = value
    file = write(tmp_path / "broken.json", document)
    with pytest.raises(InputError) as error:
        read_mask_json(file)
    assert error.value.where == str(file)
    assert place in error.value.found, error.value.found


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "null", "3", '"x"', "[" * 100_000, "\xff"]
)
def test_other_texts_are_refused(tmp_path, text):
    file = tmp_path / "broken.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=r"broken\.json"):
        read_mask_json(file)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_documents_are_refused_or_read(tmp_path, seed):
    """Any value in place of any other: an `InputError`, or masks; never a traceback."""
    rng = np.random.default_rng(seed)
    odd = [None, -1, 2**70, 0.5, "", "x", [], {}, [[]], True, "1" * 300, {"rle": 3}]
    for _ in range(60):
        document = [nested(), burst(), sa_v(), youtube_vis(["a", "b/img1"])][
            rng.integers(4)
        ]
        place = document
        while True:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = keys[rng.integers(len(keys))]
            inner = place[key]
            if not isinstance(inner, (dict, list)) or not inner or rng.random() < 0.2:
                break
            place = inner
        place[key] = odd[rng.integers(len(odd))]
        file = write(tmp_path / "fuzz.json", document)
        try:
            for masks in read_mask_json(file).values():
                for frame in masks.frames:
                    read = masks.read(frame)
                    assert all(mask.dtype == bool for mask in read.values())
        except InputError as error:
            assert "fuzz.json" in error.where


# --- lists of results --------------------------------------------------------------


def results_of(document: dict, shift: int, **more: object) -> list[dict]:
    """What a method would send in: tracks in no order, without ids of objects."""
    return [
        {
            "video_id": item["video_id"],
            "category_id": 3,
            "score": 0.5 + 0.1 * k,
            "segmentations": [rle(3 + t + shift) for t in range(5)],
            **{key: item["id"] + 1 for key in more},
        }
        for k, item in enumerate(document["annotations"])
    ][::-1]


def numbered(document: dict) -> dict:
    """The same ground truth; objects carry ids that are not 1."""
    for item in document["annotations"]:
        item["object_id"] = item["id"] + 1
    return document


def test_results_that_name_objects_are_scored(tmp_path):
    gt = numbered(youtube_vis(["a", "b"]))
    write(tmp_path / "gt.json", gt)
    write(tmp_path / "pred.json", results_of(gt, 2, object_id=True))
    scores = score(tmp_path / "pred.json", tmp_path / "gt.json")
    assert scores.objects["sequence"].tolist() == ["a", "b"]
    assert scores.summary["J"] == pytest.approx(6 / 10, abs=1e-12)


def test_results_without_ids_need_a_protocol_that_matches_tracks(tmp_path):
    gt = numbered(youtube_vis(["a", "b"]))
    write(tmp_path / "gt.json", gt)
    write(tmp_path / "pred.json", results_of(gt, 2))
    with pytest.raises(InputError, match=r"which object.*trackeval-davis"):
        score(tmp_path / "pred.json", tmp_path / "gt.json")
    scores = score(tmp_path / "pred.json", tmp_path / "gt.json", "trackeval-davis")
    assert scores.summary["J"] == pytest.approx(6 / 10, abs=1e-12)


def test_results_keep_the_order_of_frames_of_the_list(tmp_path):
    """Frames that are listed backwards, as no sorted order of names has them."""
    gt = numbered(youtube_vis(["a"]))
    pred = results_of(gt, 0, object_id=True)
    gt["videos"][0]["file_names"].reverse()
    write(tmp_path / "gt.json", gt)
    write(tmp_path / "pred.json", pred)
    assert score(tmp_path / "pred.json", tmp_path / "gt.json").summary["J"] == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: r[0].update(video_id=7), "video_id 7 at entry 0"),
        (lambda r: r[0]["segmentations"].pop(), "4 entries for 5 frames at entry 0"),
        (lambda r: r[0].update(image_id=1), "COCO results"),
        (lambda r: r[0].pop("segmentations"), "list of something else"),
        (lambda r: r.clear(), "list of something else"),
        (lambda r: r[0].update(score="high"), "another form"),
    ],
)
def test_odd_lists_are_named(tmp_path, change, told):
    gt = numbered(youtube_vis(["a", "b"]))
    results = results_of(gt, 0)
    change(results)
    write(tmp_path / "gt.json", gt)
    with pytest.raises(InputError, match=told):
        score(write(tmp_path / "pred.json", results), tmp_path / "gt.json")


def test_a_list_needs_the_file_that_explains_its_ids(tmp_path):
    gt = youtube_vis(["a"])
    write(tmp_path / "pred.json", results_of(gt, 0))
    nested_truth = {"a": {f"{t:06d}": {"1": rle(3)} for t in range(5)}}
    write(tmp_path / "gt.json", nested_truth)
    with pytest.raises(InputError, match=r"Give that file as ground truth \(--gt"):
        score(tmp_path / "pred.json", tmp_path / "gt.json")
