"""Kinds of input that gave a wrong number without a word, each with its right value."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.errors import InputError
from evaluation.formats.mots import object_ids
from evaluation.masks.label_map import write_label_map
from evaluation.masks.numbering import name_video_frames, number_objects
from evaluation.masks.run_lengths import encode_rle
from evaluation.masks.sequence import ArraySequence, ObjectFolderSequence
from evaluation.results.checks.masks import describe_filling
from evaluation.scoring import score
from s3fo.benchmarks import open_folders

T, H, W = 8, 30, 60


def square(place, t, width=10):
    mask = np.zeros((H, W), bool)
    left = 2 + round(3 * t)
    mask[3 + place * 8 : 9 + place * 8, left : left + width] = True
    return mask


def by_object(ids, offset=0, shift=0):
    """Frame -> object id + `offset` -> mask; object k is a bar in row k."""
    return {
        f"{t:05d}": {k + offset: np.roll(square(k - 1, t), shift, 1) for k in ids}
        for t in range(T)
    }


def j_of(scores):
    table = scores.objects
    keys = zip(table["sequence"], table["object"], strict=True)
    return dict(zip(keys, table["J_mean"], strict=True))


# --- objects that no video of the results has --------------------------------------


def test_results_from_0_that_lack_object_0_in_every_video():
    """Bars of 10 columns shifted by 2: 8 of 12 columns are shared."""
    truth = {name: by_object((1, 2, 3)) for name in "ab"}
    found = {name: by_object((2, 3), -1, shift=2) for name in "ab"}
    scores = score(found, truth, missing="score-as-empty")
    right = {1: 0.0, 2: 8 / 12, 3: 8 / 12}
    assert j_of(scores) == pytest.approx(
        {(name, k): j for name in "ab" for k, j in right.items()}
    )
    assert any("object 1 was taken for 2" in note for note in scores.notes)


def test_results_from_1_that_lack_the_last_object_in_every_video():
    truth = {name: by_object((1, 2, 3)) for name in "ab"}
    found = {name: by_object((1, 2), shift=2) for name in "ab"}
    scores = score(found, truth, missing="score-as-empty")
    assert j_of(scores)["a", 1] == j_of(scores)["b", 2] == pytest.approx(8 / 12)
    assert j_of(scores)["a", 3] == 0
    assert not any("taken for" in note for note in scores.notes)


def test_one_object_on_another_is_confused_not_counted_otherwise():
    truth = {"a": by_object((1, 2))}
    found = {"a": {f: {1: masks[2]} for f, masks in by_object((2,)).items()}}
    scores = score(found, truth, missing="score-as-empty")
    assert j_of(scores) == {("a", 1): 0.0, ("a", 2): 0.0}
    assert any("other ids" in note for note in scores.notes)


# --- masks of MOTS and COCO ---------------------------------------------------------


def mots_line(kind, t, shift):
    counts = encode_rle(np.roll(square(kind, t), shift, 1))["counts"]
    return f"{t} {kind * 1000 + 1} {kind} {H} {W} {counts}"


def test_mots_keeps_objects_of_two_classes_apart(tmp_path):
    """Object 1 of class 1 and object 1 of class 2 were one, the last of them."""
    for side, shift in (("gt", 0), ("pred", 2)):
        lines = [mots_line(kind, t, shift) for t in range(T) for kind in (1, 2)]
        (tmp_path / side).mkdir()
        (tmp_path / side / "0002.txt").write_text("\n".join(lines))
    scores = score(tmp_path / "pred", tmp_path / "gt")
    assert j_of(scores) == pytest.approx({("0002", 1001): 2 / 3, ("0002", 2001): 2 / 3})


def test_ids_of_mots_are_short_only_where_they_stay_apart():
    assert object_ids([(1003, 1), (2004, 2)]) == {(1003, 1): 3, (2004, 2): 4}
    assert object_ids([(2000, 2), (2001, 2)]) == {(2000, 2): 2000, (2001, 2): 2001}
    assert object_ids([(5, 2), (7, 2)]) == {(5, 2): 5, (7, 2): 7}


def test_ignored_regions_of_mots_are_told(tmp_path):
    for t in range(T):
        stored = np.where(square(0, t), 1001, np.where(square(2, t), 10000, 0))
        write_label_map(tmp_path / f"gt/a/{t:06d}.png", stored)
    scores = score(tmp_path / "gt", tmp_path / "gt")
    assert any("regions that MOTS ignores" in note for note in scores.notes)
    assert list(j_of(scores)) == [("a", 1001)]
    scores = score(tmp_path / "gt", tmp_path / "gt", void=10000)
    assert list(j_of(scores)) == [("a", 1001)]


def coco(**changes):
    images = [
        {"id": t, "file_name": f"a/{t:05d}.jpg", "height": H, "width": W}
        for t in range(T)
    ]
    items = [
        {"id": 2 * t + k, "image_id": t, "track_id": k + 1, "category_id": 1,
         "segmentation": encode_rle(np.roll(square(k, t), 2, 1))} | changes
        for t in range(T)
        for k in (0, 1)
    ]  # fmt: skip
    return {"images": images, "annotations": items, "categories": []}


def test_coco_that_names_tracks_is_scored(tmp_path):
    (tmp_path / "coco.json").write_text(json.dumps(coco()))
    scores = score(tmp_path / "coco.json", {"a": by_object((1, 2))})
    assert j_of(scores) == pytest.approx({("a", 1): 2 / 3, ("a", 2): 2 / 3})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"track_id": None}, "which object of the video"),
        ({"segmentation": [[1, 1, 9, 1, 9, 9]]}, "polygons at annotations"),
        ({"track_id": 4}, "object 4 of a twice in frame 00000"),
    ],
)
def test_coco_that_leaves_open_what_its_masks_are_is_refused(tmp_path, changes, told):
    (tmp_path / "coco.json").write_text(json.dumps(coco(**changes)))
    with pytest.raises(InputError, match=told):
        score(tmp_path / "coco.json", {"a": by_object((1, 2))})


def test_sa_v_from_convert_keeps_the_names_of_its_frames(tmp_path):
    document = {
        "video_id": "a",
        "masklet_id": [1],
        "masklet_frame_names": [f"{t:05d}" for t in range(T)],
        "masklet": [[encode_rle(np.roll(square(0, t), 2, 1))] for t in range(T)],
    }
    (tmp_path / "sav").mkdir()
    for ending in ("manual", "auto"):
        path = tmp_path / "sav" / f"a_{ending}.json"
        path.write_text(json.dumps(document))
        document["masklet"] = document["masklet"][::-1]
    truth = {"a": by_object((1,))}
    for results in (tmp_path / "sav", tmp_path / "sav" / "a_manual.json"):
        scores = score(results, truth)
        assert j_of(scores) == pytest.approx({("a", 1): 2 / 3})
    scores = score(tmp_path / "sav", truth)
    assert any("a_auto.json was left out" in note for note in scores.notes)


# --- inverted masks ------------------------------------------------------------------


def write_masks(root, draw):
    """Label maps of one video, drawn frame by frame."""
    for t in range(T):
        write_label_map(root / "a" / f"{t:05d}.png", draw(t))
    return root


def test_inverted_white_masks_are_told_and_the_remedy_repairs_them(tmp_path):
    ids = write_masks(tmp_path / "ids", lambda t: square(1, t).astype(np.uint8))
    white = write_masks(tmp_path / "white", lambda t: np.where(square(1, t), 0, 255))
    with pytest.raises(InputError, match="look inverted") as told:
        score(white, ids)
    assert "np.where(mask == 0, 1, 0)" in told.value.remedy
    assert "binarize" not in told.value.remedy, "which keeps them inverted"
    mended = write_masks(tmp_path / "mended", lambda t: np.where(square(1, t), 1, 0))
    assert score(mended, ids).summary["J"] == 1.0
    plain = write_masks(tmp_path / "plain", lambda t: np.where(square(1, t), 255, 0))
    with pytest.raises(InputError, match=r"masks of 0 and 255;.*--binarize"):
        score(plain, ids)


def test_inverted_white_masks_beside_white_ground_truth_are_told(tmp_path):
    gt = write_masks(tmp_path / "gt", lambda t: np.where(square(1, t), 255, 0))
    pred = write_masks(tmp_path / "pred", lambda t: np.where(square(1, t), 0, 255))
    scores = score(pred, gt)
    assert scores.summary["J"] == 0
    assert any("are the masks inverted" in note for note in scores.notes)
    scores = score(gt, pred)
    assert any("are its masks inverted" in note for note in scores.notes)


# --- numbers of frames where the ground truth is sparse ------------------------------


def sparse(root, numbers, shift=0):
    for k, number in enumerate(numbers):
        mask = np.roll(square(1, k), shift, 1)
        write_label_map(root / "a" / f"{number:05d}.png", mask.astype(np.uint8))
    return root


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("numbers", [range(0, 40, 5), [0, 3, 4, 9, 11, 20, 30, 41]])
def test_results_numbered_without_the_gaps_are_matched_in_order(
    tmp_path, numbers, first
):
    gt = sparse(tmp_path / "gt", numbers)
    mine = sparse(tmp_path / "mine", range(first, first + T), shift=2)
    for options in ({}, {"missing": "score-as-empty"}):
        scores = score(mine, gt, **options)
        assert scores.summary["J"] == pytest.approx(2 / 3)
        assert any("one after the other" in note for note in scores.notes)


def test_more_results_than_annotated_frames_are_matched_in_order_if_they_fit(tmp_path):
    gt = sparse(tmp_path / "gt", range(0, 35, 5))
    mine = sparse(tmp_path / "mine", range(T), shift=2)
    assert score(mine, gt).summary["J"] == pytest.approx(2 / 3)


def test_frames_of_an_unfinished_video_keep_their_numbers(tmp_path):
    """The first 8 of 40 frames, as the ground truth has them: frame 5 fits by name."""
    gt = tmp_path / "gt"
    for t in range(0, 40, 5):
        write_label_map(gt / "a" / f"{t:05d}.png", square(1, t / 5).astype(np.uint8))
    for t in range(8):
        mask = np.roll(square(1, 0), int(3 * t / 5), 1)
        write_label_map(tmp_path / f"mine/a/{t:05d}.png", mask.astype(np.uint8))
    with pytest.raises(InputError, match="00010, 00015"):
        score(tmp_path / "mine", gt)


def test_results_without_the_first_frame_and_the_gaps(tmp_path):
    gt = sparse(tmp_path / "gt", range(0, 40, 5))
    late = tmp_path / "late"
    for t in range(1, T):
        mask = np.roll(square(1, t), 2, 1)
        write_label_map(late / f"a/{t:05d}.png", mask.astype(np.uint8))
    assert score(late, gt).summary["J"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("numbers", [range(12, 40, 4), range(4, 32, 4), range(9, 16)])
def test_all_frames_from_the_first_annotated_one_on_are_matched_by_number(
    tmp_path, numbers, start
):
    """Frames 12 to 36 as 0 to 24; the mask moves by 1 per frame, and is 2 off.

    The annotated frames alone are 7 of 25 masks: no frame of these fits in order.
    """
    first, last = numbers[0], numbers[-1]
    for t in range(first, last + 1):
        mask = np.roll(square(1, 0), t - first, 1).astype(np.uint8)
        own = np.roll(mask, 2, 1)
        write_label_map(tmp_path / f"mine/a/{t - first + start:05d}.png", own)
        write_label_map(tmp_path / f"mine/b/{t - first + start:05d}.png", own)
        if t in numbers:
            write_label_map(tmp_path / f"gt/a/{t:05d}.png", mask)
            # A video that starts with the first frame has the numbers it should have.
            write_label_map(tmp_path / f"gt/b/{t - first + start:05d}.png", mask)
    scores = score(tmp_path / "mine", tmp_path / "gt")
    assert j_of(scores) == pytest.approx({("a", 1): 2 / 3, ("b", 1): 2 / 3})
    (note,) = (n for n in scores.notes if "count from another number" in n)
    assert f"({first:05d} with {start:05d})" in note


def test_results_of_as_many_frames_as_nothing_has_are_refused(tmp_path):
    """Nine masks for 7 annotated frames of 25: neither in order nor by number."""
    gt = sparse(tmp_path / "gt", range(12, 40, 4))
    mine = sparse(tmp_path / "mine", range(9))
    with pytest.raises(InputError, match="00012"):
        score(mine, gt)


@pytest.mark.parametrize(("lag", "told"), [(1, "earlier"), (-1, "later"), (0, "")])
def test_frames_between_annotated_ones_may_fit_better(tmp_path, lag, told):
    """Every fifth frame is annotated; the mask moves by 2, and lags by a frame."""
    for t in range(16):
        mask = np.roll(square(1, 0), 2 * t, 1).astype(np.uint8)
        own = np.roll(mask, -2 * lag, 1)
        write_label_map(tmp_path / f"mine/a/{t:05d}.png", own)
        if t % 5 == 0:
            write_label_map(tmp_path / f"gt/a/{t:05d}.png", mask)
    scores = score(tmp_path / "mine", tmp_path / "gt")
    assert scores.summary["J"] == pytest.approx(2 / 3 if lag else 1.0)
    notes = [n for n in scores.notes if "numbered from another frame" in n]
    assert len(notes) == bool(lag)
    assert all(f"one frame {told}" in note for note in notes)


def stills(numbers):
    """A mask in every frame, which tells nothing about numbers."""
    mask = square(0, 0).astype(np.uint8)
    return ArraySequence("v", {f"{number:05d}": mask for number in numbers})


def named(truth, results, n_frames=T):
    frames = {name: [f"{t:05d}" for t in range(n_frames)] for name in truth}
    found = name_video_frames(truth, results, frames, "mine")
    return {name: {int(f): int(n) for f, n in own.names.items()}
            for name, own in found.items()}  # fmt: skip


def test_frames_of_import_and_submit_are_numbered_over_the_whole_folder():
    """The masks of b alone would fit by their names."""
    truth = {name: stills([0]) for name in "ab"}
    results = {"a": stills(range(1, T + 1)), "b": stills(range(2, T + 1))}
    found = named(truth, results)
    assert found["a"] == {t: t + 1 for t in range(T)}
    assert found["b"] == {t: t + 1 for t in range(1, T)}
    results["b"] = stills(range(T))
    with pytest.raises(InputError, match="counted from another number"):
        named(truth, results)


def test_frames_of_import_without_the_gaps_are_those_that_are_annotated():
    moving = {f"{5 * k:05d}": square(1, k).astype(np.uint8) for k in range(T)}
    own = {f"{k:05d}": mask for k, mask in enumerate(moving.values())}
    truth = {"a": ArraySequence("a", moving)}
    found = named(truth, {"a": ArraySequence("a", own)}, n_frames=40)
    assert found["a"] == {5 * k: k for k in range(T)}


# --- the same files on both sides ----------------------------------------------------


def test_results_that_are_the_ground_truth_itself_are_told(tmp_path):
    gt = write_masks(tmp_path / "gt", lambda t: square(1, t).astype(np.uint8))
    (tmp_path / "link").symlink_to(gt)
    shutil.copytree(gt, tmp_path / "copy")
    for results in (gt, tmp_path / "link", tmp_path / "copy"):
        scores = score(results, gt)
        assert any("byte for byte" in note for note in scores.notes)
    write_label_map(tmp_path / "copy/a/00003.png", square(1, 2).astype(np.uint8))
    scores = score(tmp_path / "copy", gt)
    assert not any("byte for byte" in note for note in scores.notes)


def test_masks_that_are_given_for_images_are_told(tmp_path):
    masks = write_masks(tmp_path / "masks", lambda t: square(1, t).astype(np.uint8))
    benchmark = open_folders(masks, masks)
    assert any("the folder of masks" in note for note in benchmark.notes)
    for path in (masks / "a").iterdir():
        image = tmp_path / "images/a" / path.name
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).convert("RGB").save(image)
    assert not open_folders(tmp_path / "images", masks).notes


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({2: True}, "object 2 fills all corners and whole frames"),
        ({3: False}, "object 3 fills all corners and most of the frame"),
        ({1: False, 4: True}, "objects 1, 4 fill all corners and whole frames"),
    ],
)
def test_how_much_of_a_frame_is_filled_is_told(found, told):
    assert f"predicted {told};" in describe_filling(found)


# --- masks that fit when read in another way -----------------------------------------


def dot(t):
    """A square of 8 x 8 that moves by its own width: neighbours share nothing."""
    mask = np.zeros((H, W), np.uint8)
    mask[4:12, 2 + 7 * t : 10 + 7 * t] = 1
    return mask


MISREAD = {
    "left and right exchanged": lambda t: dot(t)[:, ::-1],
    "top and bottom exchanged": lambda t: dot(t)[::-1],
    "turned by 180 degrees": lambda t: dot(t)[::-1, ::-1],
    "00002 that of 00003": lambda t: dot(min(t + 1, T - 1)),
    "00002 that of 00005": lambda t: dot(T - 1 - t),
}


@pytest.mark.parametrize("told", MISREAD)
@pytest.mark.parametrize("options", [{}, {"binarize": True}])
def test_masks_that_fit_flipped_or_elsewhere_are_told(tmp_path, told, options):
    gt = write_masks(tmp_path / "gt", dot)
    pred = write_masks(tmp_path / "pred", lambda t: MISREAD[told](t).copy())
    scores = score(pred, gt, **options)
    assert any(told in note for note in scores.notes), scores.notes
    lost = write_masks(tmp_path / "lost", lambda t: np.roll(dot(0), 15, 0))
    notes = score(lost, gt, **options).notes
    assert not any("exchanged" in n or "other frames" in n for n in notes)


def test_an_odd_label_that_nothing_predicts_is_told(tmp_path):
    gt = write_masks(tmp_path / "gt", lambda t: dot(t) + np.roll(dot(t), 12, 0) * 254)
    pred = write_masks(tmp_path / "pred", dot)
    scores = score(pred, gt)
    assert any("--void 254" in note for note in scores.notes)
    assert score(pred, gt, void=254).summary["J"] == 1.0


def test_sizes_of_another_aspect_are_told_and_not_blindly_resized(tmp_path):
    gt = write_masks(tmp_path / "gt", dot)
    cut = write_masks(tmp_path / "cut", lambda t: dot(t)[:, 5:-5])
    with pytest.raises(InputError, match="not cropped or padded"):
        score(cut, gt)
    (note,) = (n for n in score(cut, gt, resize="nearest").notes if "resized" in n)
    assert "wrong if they were cropped" in note
    half = write_masks(tmp_path / "half", lambda t: dot(t)[::2, ::2])
    with pytest.raises(InputError) as told:
        score(half, gt)
    assert "cropped" not in told.value.remedy


def test_results_named_by_milliseconds_are_matched_in_order(tmp_path):
    gt = write_masks(tmp_path / "gt", dot)
    for t in range(T):
        write_label_map(tmp_path / f"ms/a/{40 * t}.png", dot(t))
    scores = score(tmp_path / "ms", gt)
    assert scores.summary["J"] == 1.0
    assert any("one after the other" in note for note in scores.notes)


# --- remedies for masks under other names --------------------------------------------


def test_one_file_per_object_and_frame_is_named_as_such(tmp_path):
    gt = write_masks(tmp_path / "gt", dot)
    for t in range(T):
        for k in (1, 2):
            write_label_map(tmp_path / f"files/a/{t:05d}_{k}.png", dot(t))
            write_label_map(tmp_path / f"folders/{k}/a/{t:05d}.png", dot(t))
    with pytest.raises(InputError, match=r"a folder of its own, such as a/1/00000"):
        score(tmp_path / "files", gt)
    with pytest.raises(InputError, match=r"<sequence>/<object>/<frame>\.png"):
        score(tmp_path / "folders", gt)


def test_one_file_per_object_and_frame_of_other_names_is_named_as_such(tmp_path):
    """As Label Studio exports masks; names tell frame and object by two numbers."""
    gt = write_masks(tmp_path / "gt", dot)
    for t in range(T):
        for k in (1, 2):
            name = f"task-{t + 1}-annotation-{t + 1}-by-1-tag-obj{k}-0.png"
            write_label_map(tmp_path / "files/a" / name, dot(t))
            write_label_map(tmp_path / f"twice/a/x{100 + 2 * t + k}.png", dot(t))
    with pytest.raises(InputError, match=r"a folder of its own, such as a/1/00000"):
        score(tmp_path / "files", gt)
    with pytest.raises(InputError) as told:  # of one number only, they are frames
        score(tmp_path / "twice", gt)
    assert "a folder of its own" not in told.value.remedy


def test_ground_truth_of_polygons_is_told_how_to_become_masks(tmp_path):
    for name in ("ant", "bee"):
        for t in range(2):
            path = tmp_path / "labelme" / name / f"{t:05d}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text('{"shapes": [{"points": [[1, 1], [5, 1], [5, 5]]}]}')
    with pytest.raises(InputError) as told:
        score({"ant": {"00000": dot(0)}}, tmp_path / "labelme")
    assert told.value.found == "4 JSON files such as ant/00000.json, and no PNG masks"
    assert 'cv2.fillPoly(mask, [np.int32(shape["points"])]' in told.value.remedy
    assert 'write_label_map("ant/00000.png", mask)' in told.value.remedy
    (tmp_path / "labelme/ant/readme.txt").write_text("")
    with pytest.raises(InputError, match="found only ant, bee"):
        score({"ant": {"00000": dot(0)}}, tmp_path / "labelme")


@pytest.mark.parametrize("first", [0, 1])
def test_object_folders_that_count_unlike_the_benchmark_are_told(tmp_path, first):
    """Folders of SA-V count from 0, and its objects, as in label maps, from 1."""
    files: dict[int, dict[int, dict[str, str]]] = {0: {}, first: {}}
    for start in files:
        for k in (0, 1):
            files[start][k + start] = {}
            for t in range(3):
                mask = np.zeros((12, 20), np.uint8)
                mask[2:9, 2 + 9 * k + t : 8 + 9 * k + t] = 1
                path = tmp_path / f"{start}/{k + start:03d}/{t:05d}.png"
                write_label_map(path, mask)
                files[start][k + start][f"{t:05d}"] = str(path)
    true = ObjectFolderSequence("v", {k + 1: own for k, own in files[0].items()})
    true.folder_offset = 1
    found = number_objects(
        {"v": true}, {"v": ObjectFolderSequence("v", files[first])}, "results"
    )["v"]
    assert found.annotated_ids() == {1, 2}
    told = "folder 001 was taken for the benchmark's 000"
    assert [told in remark for remark in found.remarks()] == [True] * first
    (alone,) = number_objects(
        {"v": true},
        {"v": ObjectFolderSequence("v", {first: files[first][first]})},
        "results",
    ).values()  # one folder may be of either object, so that the benchmark's way holds
    assert alone.annotated_ids() == {first + 1}


def test_all_videos_in_upper_case_are_matched(tmp_path):
    gt = write_masks(tmp_path / "gt", dot)
    write_masks(tmp_path / "pred", dot)
    (tmp_path / "pred/a").rename(tmp_path / "pred/A")
    scores = score(tmp_path / "pred", gt)
    assert scores.summary["J"] == 1.0
    assert any("upper and lower case" in note for note in scores.notes)


def test_a_folder_nearly_called_so_shall_be_renamed_first(tmp_path):
    gt = write_masks(tmp_path / "gt", dot)
    shutil.copytree(gt / "a", gt / "bear")
    shutil.copytree(gt, tmp_path / "pred")
    (tmp_path / "pred/bear").rename(tmp_path / "pred/bear (1)")
    with pytest.raises(InputError, match=r"Rename bear \(1\) after the sequence"):
        score(tmp_path / "pred", gt)


@pytest.mark.parametrize(
    ("value", "told"), [(1001, "--to davis"), (65535, "binarize"), (128, "binarize")]
)
def test_only_ids_of_mots_are_sent_to_convert(tmp_path, value, told):
    gt = write_masks(tmp_path / "gt", dot)
    pred = write_masks(tmp_path / "p", lambda t: dot(t).astype(np.uint16) * value)
    with pytest.raises(InputError) as refused:
        score(pred, gt)
    assert told in refused.value.remedy


# --- levels and names in JSON, and object folders with gaps --------------------------


def test_json_whose_levels_are_exchanged_is_refused_without_a_way_to_0(tmp_path):
    frames = {f: {1: encode_rle(mask[1])} for f, mask in by_object((1,)).items()}
    by_frame = {f: {"a": masks} for f, masks in frames.items()}
    by_id = {"a": {"1": {f: masks[1] for f, masks in frames.items()}}}
    truth = {"a": by_object((1,))}
    for content, told in ((by_id, "Exchange the two levels"), (by_frame, "Name the")):
        (tmp_path / "m.json").write_text(json.dumps(content))
        with pytest.raises(InputError, match=told) as refused:
            score(tmp_path / "m.json", truth)
        assert "empty" not in refused.value.remedy
    (tmp_path / "m.json").write_text(json.dumps({"a": frames}))
    assert score(tmp_path / "m.json", truth).summary["J"] == 1.0


def test_folders_of_objects_that_lack_frames_are_told(tmp_path):
    gt = write_masks(tmp_path / "gt", lambda t: square(0, t) + 2 * square(2, t))
    for t in range(T):
        for k, place in ((1, 0), (2, 2)):
            if k == 1 or t < 5:
                path = tmp_path / f"pred/a/{k}/{t:05d}.png"
                write_label_map(path, square(place, t).astype(np.uint8))
    scores = score(tmp_path / "pred", gt)
    assert j_of(scores) == pytest.approx({("a", 1): 1.0, ("a", 2): 4 / 6})
    (note,) = scores.notes if len(scores.notes) == 1 else (str(scores.notes),)
    assert "object 2 has no mask for 00005-00006 (2 frames)" in note


def test_a_list_is_no_source():
    truth = {"a": by_object((1,))}
    with pytest.raises(InputError, match="the results: found an object of type list"):
        score([Path("results")], truth)
    with pytest.raises(InputError, match="the ground truth: found an object of type"):
        score(truth, [truth])


def test_object_folders_of_any_number_are_objects_and_others_are_told(tmp_path):
    """Objects 1 and 2500; `vis` is no object, nor are label maps beside the folders."""
    for side, shift in (("gt", 0), ("pred", 2)):
        for k, place in ((1, 0), (2500, 2)):
            for t in range(T):
                mask = np.roll(square(place, t), shift, 1).astype(np.uint8)
                write_label_map(tmp_path / f"{side}/a/{k}/{t:05d}.png", mask)
    write_label_map(tmp_path / "pred/a/vis/00000.png", mask)
    write_label_map(tmp_path / "pred/a/00000.png", mask)
    scores = score(tmp_path / "pred", tmp_path / "gt")
    assert j_of(scores) == pytest.approx({("a", 1): 2 / 3, ("a", 2500): 2 / 3})
    assert any("folder vis was left out" in note for note in scores.notes)
    assert any("1 PNG files such as 00000.png" in note for note in scores.notes)


def test_videos_of_long_numbers_are_no_objects(tmp_path):
    for video in ("00012", "00013"):
        for t in range(T):
            mask = square(0, t).astype(np.uint8)
            write_label_map(tmp_path / f"gt/valid/{video}/{t:05d}.png", mask)
    scores = score(tmp_path / "gt/valid", tmp_path / "gt")
    assert [*j_of(scores)] == [("00012", 1), ("00013", 1)]


def test_ground_truth_whose_objects_may_be_videos_names_the_way_out(tmp_path):
    for video in "ab":
        for k in (1001, 2005):
            for t in range(T):
                mask = square(k % 2, t).astype(np.uint8)
                write_label_map(tmp_path / f"gt/{video}/{k}/{t:05d}.png", mask)
    with pytest.raises(InputError, match="call them obj_1001"):
        score(tmp_path / "gt", tmp_path / "gt")
    for folder in [*(tmp_path / "gt").glob("*/*")]:
        folder.rename(folder.parent / f"obj_{folder.name}")
    scores = score(tmp_path / "gt", tmp_path / "gt")
    assert {k for _, k in j_of(scores)} == {1001, 2005}


def test_objects_in_folders_of_their_names_get_numbers(tmp_path):
    for video in "ab":
        for t in range(T):
            frame = square(0, t).astype(np.uint8)
            write_label_map(tmp_path / f"gt/{video}/{t:05d}.png", frame)
            for name in ("cat", "dog"):
                seen = frame * (name == "dog")
                write_label_map(tmp_path / f"mine/{video}/{name}/{t:05d}.png", seen)
    with pytest.raises(InputError, match="call them by the ids") as caught:
        score(tmp_path / "mine", tmp_path / "gt")
    assert "2 folders of PNG masks such as cat, without a number" in str(caught.value)
    with pytest.raises(InputError, match=r"masks \(cat, dog\). If folders such as"):
        score(tmp_path / "gt", tmp_path / "mine")  # as ground truth, of any names
    for folder in [*(tmp_path / "mine").glob("*/*")]:  # as the remedy says
        number = 1 + (folder.name == "cat")
        folder.rename(folder.parent / f"obj_{number}")
    scores = score(tmp_path / "mine", tmp_path / "gt")
    assert j_of(scores) == {("a", 1): 1.0, ("b", 1): 1.0}


# --- remedies that do not lead to a wrong number --------------------------------------


def test_jpeg_masks_shall_be_written_again_and_not_converted(tmp_path):
    """Bars of ids 1, 2 and 3; JPEG makes ids 4 and up at their edges."""
    ids = write_masks(
        tmp_path / "gt", lambda t: sum((k + 1) * square(k, t) for k in range(3))
    )
    for path in (ids / "a").iterdir():
        image = tmp_path / f"jpeg/a/{path.stem}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.array(Image.open(path))).save(image, quality=75)
        write_label_map(tmp_path / f"png/a/{path.name}", np.array(Image.open(image)))
    with pytest.raises(InputError, match="does not bring them back") as refused:
        score(tmp_path / "jpeg", ids)
    assert "onvert them" not in refused.value.remedy
    notes = score(tmp_path / "png", ids).notes
    assert any("saved as JPEG" in note for note in notes), notes
    extra = write_masks(
        tmp_path / "extra", lambda t: square(0, t) + 2 * square(1, t) + 9 * square(2, t)
    )
    notes = score(extra, ids).notes
    assert not any("JPEG" in note for note in notes), "an object too many"


def test_masks_of_all_sequences_in_one_folder_shall_be_put_apart(tmp_path):
    gt = write_masks(tmp_path / "gt", dot)
    for path in (gt / "a").iterdir():
        (tmp_path / "flat").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / f"flat/a_{path.name}")
    with pytest.raises(
        InputError, match=r"a_00000\.png as .*flat/a/00000\.png"
    ) as told:
        score(tmp_path / "flat", gt)
    assert "above" not in told.value.remedy
    with pytest.raises(InputError, match="but those of the ground truth"):
        score(tmp_path, gt)  # nothing else in it has a folder per sequence
    with pytest.raises(InputError, match="Give the folder above it"):
        score(write_masks(tmp_path / "pred", dot) / "a", gt)


@pytest.mark.parametrize("inside", ["", "masks"])
def test_an_empty_folder_is_a_missing_sequence(tmp_path, inside):
    gt = write_masks(tmp_path / "gt", dot)
    shutil.copytree(gt / "a", gt / "b")
    pred = write_masks(tmp_path / "pred", dot)
    (pred / "b" / inside).mkdir(parents=True)
    with pytest.raises(InputError, match=r"b .*holds no masks.*score-as-empty"):
        score(pred, gt)
    scores = score(pred, gt, missing="score-as-empty")
    assert j_of(scores) == {("a", 1): 1.0, ("b", 1): 0.0}


def test_masks_that_are_flipped_and_still_share_much_are_told(tmp_path):
    """Columns 2 to 35 of 60: flipped they are 24 to 57, and share 12 of 56."""

    def long(t):
        mask = np.zeros((H, W), np.uint8)
        mask[4:12, 2:36] = 1
        return mask

    gt = write_masks(tmp_path / "gt", long)
    pred = write_masks(tmp_path / "pred", lambda t: long(t)[:, ::-1].copy())
    scores = score(pred, gt)
    assert scores.summary["J"] == pytest.approx(12 / 56)
    assert any("left and right exchanged" in note for note in scores.notes)


def test_folders_of_frames_are_not_taken_for_objects(tmp_path):
    """Masks `<sequence>/<frame>/<object>.png`, and objects of long numbers alone."""
    gt = write_masks(tmp_path / "gt", dot)
    for t in range(T):
        write_label_map(tmp_path / f"frames/a/{t:05d}/1.png", dot(t))
        write_label_map(tmp_path / f"long/a/1001/{t:05d}.png", dot(t))
        write_label_map(tmp_path / f"long/a/2005/{t:05d}.png", dot(t))
    for results, first in (("frames", "00000"), ("long", "1001")):
        with pytest.raises(InputError, match=f"objects, call them obj_{first}"):
            score(tmp_path / results, gt)


def write_folders(root, names, shift=0, videos=("bear", "cows")):
    """One folder per object of each video; the k-th is the bar in row k."""
    for video in videos:
        for place, name in enumerate(names):
            for t in range(T):
                mask = np.roll(square(place, t), shift, 1) * np.uint8(255)
                write_label_map(root / video / str(name) / f"{t:05d}.png", mask)


@pytest.mark.parametrize(("numbers", "absent"), [((1, 2), 3), ((1, 3), 2)])
def test_an_object_folder_that_is_missing_is_told(tmp_path, numbers, absent):
    """Against label maps, whose objects nobody lists."""
    for t in range(T):
        drawn = sum(k * square(k - 1, t).astype(np.uint8) for k in (1, 2, 3))
        write_label_map(tmp_path / f"gt/bear/{t:05d}.png", drawn)
    write_folders(tmp_path / "pred", (1, 2, 3), shift=2, videos=["bear"])
    shutil.rmtree(tmp_path / "pred/bear" / str(absent))
    scores = score(tmp_path / "pred", tmp_path / "gt")
    right = {("bear", k): 8 / 12 for k in numbers} | {("bear", absent): 0.0}
    assert j_of(scores) == pytest.approx(right)
    assert any(f"no folder of object {absent} in" in note for note in scores.notes)
    assert not any("one mask of all objects" in note for note in scores.notes)


@pytest.mark.parametrize("background", [255, 0])
def test_255_around_objects_from_0_on_is_told(tmp_path, background):
    for side, shift in (("gt", 0), ("pred", 2)):
        for t in range(T):
            drawn = np.full((H, W), background, np.uint8)
            for k in (0, 1):
                drawn[np.roll(square(k + 1, t), shift, 1)] = k if background else k + 1
            if not background:
                drawn[:2, :4] = 255  # a few unclear pixels
            write_label_map(tmp_path / side / f"bear/{t:05d}.png", drawn)
    scores = score(tmp_path / "pred", tmp_path / "gt")
    told = any("object 0 is not scored" in note for note in scores.notes)
    assert told == (background == 255)


@pytest.mark.parametrize("name", ["-2", "x2"])
def test_folders_of_odd_numbers_beside_objects_are_refused(tmp_path, name):
    """Both sides had one object less, and a score over the rest."""
    write_folders(tmp_path / "gt", (1, name))
    with pytest.raises(InputError, match=rf"called {name} beside folders of objects"):
        score(tmp_path / "gt", tmp_path / "gt")


@pytest.mark.parametrize("ids", [(1001, 2005), (1, 2)])
def test_long_numbers_are_objects_where_frames_and_ids_of_the_truth_say_so(
    tmp_path, ids
):
    """Folders `1001` and `2005`, or `00001` and `00002`, that hold all frames."""
    for t in range(T):
        drawn = sum(k * square(i, t).astype(np.uint16) for i, k in enumerate(ids))
        write_label_map(tmp_path / f"gt/bear/{t:05d}.png", drawn)
    write_folders(tmp_path / "pred", [f"{k:05d}" for k in ids], 2, videos=["bear"])
    scores = score(tmp_path / "pred", tmp_path / "gt")
    assert j_of(scores) == pytest.approx({("bear", k): 8 / 12 for k in ids})
    assert any("were read as objects" in note for note in scores.notes)


def test_long_numbers_that_may_be_frames_as_well_stay_refused(tmp_path):
    """Folders 00001 to 00003 with files of the same names: either may be frames."""
    for t in (1, 2, 3):
        drawn = sum(k * square(k - 1, t).astype(np.uint8) for k in (1, 2, 3))
        write_label_map(tmp_path / f"gt/bear/{t:05d}.png", drawn)
        for k in (1, 2, 3):
            mask = square(k - 1, t).astype(np.uint8)
            write_label_map(tmp_path / f"pred/bear/{t:05d}/{k:05d}.png", mask)
    with pytest.raises(InputError, match="if they are frames"):
        score(tmp_path / "pred", tmp_path / "gt")


def test_a_named_folder_beside_objects_is_refused_where_an_object_lacks(tmp_path):
    """`person` may be object 3; once it is away, object 3 is told as missing."""
    for t in range(T):
        drawn = sum(k * square(k - 1, t).astype(np.uint8) for k in (1, 2, 3))
        write_label_map(tmp_path / f"gt/bear/{t:05d}.png", drawn)
    write_folders(tmp_path / "pred", (1, 2, "person"), shift=2, videos=["bear"])
    with pytest.raises(InputError, match=r"Rename person to the id of its object"):
        score(tmp_path / "pred", tmp_path / "gt")
    (tmp_path / "pred/bear/person").rename(tmp_path / "pred/bear/3")
    scores = score(tmp_path / "pred", tmp_path / "gt")
    assert j_of(scores) == pytest.approx({("bear", k): 8 / 12 for k in (1, 2, 3)})


def test_results_beside_the_ground_truth_are_named_and_not_the_truth(tmp_path):
    """One root with images, ground truth and results: which of them is said."""
    write_masks(tmp_path / "Annotations", dot)
    write_masks(tmp_path / "runs", dot)
    (tmp_path / "JPEGImages/a").mkdir(parents=True)
    with pytest.raises(InputError) as error:
        score(tmp_path, tmp_path)
    assert error.value.remedy.endswith(f"sequences, such as {tmp_path / 'runs'}.")
    shutil.rmtree(tmp_path / "runs")
    with pytest.raises(InputError, match="none of these does"):
        score(tmp_path, tmp_path)


def test_results_without_the_given_first_frame_raise_no_alarm(tmp_path):
    """Every second frame is annotated; results have all frames but the first."""
    truth = {"a": {f"{t:05d}": dot(t) for t in range(0, T, 2)}}
    found = {f"{t:05d}": dot(t) for t in range(1, T)}
    scores = score({"a": found}, truth)
    assert scores.summary["J"] == 1.0
    assert not any("numbering" in note for note in scores.notes), scores.notes
    late = {f"{t + 1:05d}": dot(t) for t in range(T)}
    late.pop("00001")
    notes = score({"a": late}, truth, missing="score-as-empty").notes
    assert any("number" in note for note in notes), notes


@pytest.mark.parametrize("factor", [256, 257])
def test_ids_that_are_stretched_to_16_bits_are_repaired_as_written(tmp_path, factor):
    """Three bars shifted by 2 of 10 columns: J is 8 / 12, once ids are divided."""
    for side, shift, times in (("gt", 0, 1), ("pred it", 2, factor)):
        for t in range(T):
            drawn = sum(k * square(k - 1, t).astype(np.uint16) for k in (1, 2, 3))
            path = tmp_path / side / f"bear/{t:05d}.png"
            write_label_map(path, np.roll(drawn * np.uint16(times), shift, 1))
    with pytest.raises(InputError) as error:
        score(tmp_path / "pred it", tmp_path / "gt")
    command = error.value.remedy.split("`")[1]
    words = shlex.split(command)
    assert words[:2] == ["python", "-c"] and words[4] == str(factor)
    before = sys.argv
    try:
        sys.argv = words[2:]
        exec(words[2], {})
    finally:
        sys.argv = before
    scores = score(tmp_path / "pred it", tmp_path / "gt")
    assert j_of(scores) == pytest.approx({("bear", k): 8 / 12 for k in (1, 2, 3)})


@pytest.mark.parametrize("form", ["folder", "arrays"])
def test_videos_that_the_ground_truth_lacks_are_told(tmp_path, form):
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 5:15] = 1
    video = np.stack([mask] * 4)
    names = ("one", "two", "old_one", "zebra")
    results: object = dict.fromkeys(names, video)
    if form == "folder":
        results = tmp_path
        for name in names:
            for t in range(4):
                write_label_map(tmp_path / name / f"{t:05d}.png", mask)
        (tmp_path / "logs").mkdir()
    truth = {"one": video, "two": video}
    told = "2 videos of the results not scored"
    (note,) = (n for n in score(results, truth).notes if told in n)
    assert note.endswith("none of this name: old_one, zebra")
    (note,) = (n for n in score(results, truth, sequences=["one"]).notes if told in n)
    assert note.endswith("none of this name: old_one, zebra")
