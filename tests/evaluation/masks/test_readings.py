"""What the masks of a video mean is decided once, and told; never guessed in silence.

Every object is a square of 10 x 10 pixels, predicted 2 rows further down: 8 of 12 rows
are shared, so J is 2/3 wherever the masks are understood.
"""

import json
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from remarks import remarks

from evaluation import Meter, db_eval_iou, object_attributes
from evaluation.errors import InputError
from evaluation.masks.encoding import is_blended
from evaluation.masks.label_map import write_label_map
from evaluation.masks.run_lengths import encode_rle
from evaluation.options import InputOptions
from evaluation.scoring import score

RIGHT = pytest.approx(2 / 3, abs=1e-12)
FRAMES = 5
BINARIZE = InputOptions(binarize=True)


def label_map(t: int, shift: int = 0) -> np.ndarray:
    """[40, 60] with objects 1 and 2; they move by 3 pixels per frame."""
    drawn = np.zeros((40, 60), np.uint8)
    drawn[4 + shift : 14 + shift, 5 + 3 * t : 15 + 3 * t] = 1
    drawn[20 + shift : 30 + shift, 30 - 3 * t : 40 - 3 * t] = 2
    return drawn


def write(root, shift=0, video="cat", name="{:05d}", first=0):
    for t in range(FRAMES):
        path = root / video / f"{name.format(t + first)}.png"
        write_label_map(path, label_map(t, shift))


def write_objects(root, picture, shift=0, folder=str, video="cat"):
    """One folder per object, each mask as `picture` makes it of a bool mask."""
    for t in range(FRAMES):
        for k in (1, 2):
            path = root / video / folder(k) / f"{t:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(label_map(t, shift) == k)).save(path)


def white(mask):
    return mask.astype(np.uint8) * 255


@pytest.fixture
def gt(tmp_path):
    write(tmp_path / "gt")
    return tmp_path / "gt"


# --- masks of one object each ------------------------------------------------------


def blurred(mask):
    small = Image.fromarray(white(mask)).resize((30, 20), Image.Resampling.BILINEAR)
    return np.array(small.resize((60, 40), Image.Resampling.BILINEAR))


UNCLEAR = {
    "blurred": (blurred, "soft edges"),
    "probability": (lambda m: np.where(m, 230, 12).astype(np.uint8), "12 and 230"),
    "three levels": (
        lambda m: np.maximum(white(m), white(np.roll(m, 1, 0)) // 2),
        "2 values besides 0",
    ),
    "background 1": (lambda m: np.where(m, 2, 1).astype(np.uint8), "1 and 2"),
    "smooth colours": (
        lambda m: np.stack([blurred(m), blurred(m) // 3, blurred(m) // 9], axis=2),
        "soft edges",
    ),
}


@pytest.mark.parametrize("side", ["gt", "pred"])
@pytest.mark.parametrize("kind", UNCLEAR)
def test_object_folders_of_unclear_masks_are_refused(tmp_path, kind, side):
    picture, found = UNCLEAR[kind]
    for other in ("gt", "pred"):
        write_objects(tmp_path / other, picture if other == side else white)
    with pytest.raises(InputError, match=found) as error:
        score(tmp_path / "pred", tmp_path / "gt", "sa-v")
    assert f"{side}/cat/1/0000" in str(error.value)


@pytest.mark.parametrize("value", [1, 7, 128, 255])
def test_object_folders_may_have_any_one_value(tmp_path, gt, value):
    write_objects(tmp_path / "pred", lambda m: m.astype(np.uint8) * value, 2)
    assert score(tmp_path / "pred", gt).summary["J"] == RIGHT


def test_object_folders_may_have_empty_masks(tmp_path):
    for side, shift in (("gt", 0), ("pred", 2)):
        write_objects(tmp_path / side, white, shift)
        for t in (2, 3):
            Image.new("L", (60, 40)).save(tmp_path / side / f"cat/2/{t:05d}.png")
    frames = score(tmp_path / "pred", tmp_path / "gt", "sa-v").frames
    assert frames["J"].tolist() == [RIGHT, RIGHT, RIGHT, RIGHT, 1, 1]


def test_one_soft_frame_of_many_is_found(tmp_path, gt):
    write_objects(tmp_path / "pred", white, 2)
    path = tmp_path / "pred/cat/2/00003.png"
    Image.fromarray(blurred(label_map(3, 2) == 2)).save(path)
    with pytest.raises(InputError, match="00003"):
        score(tmp_path / "pred", gt)


def test_inverted_object_folders_are_told(tmp_path, gt):
    write_objects(tmp_path / "pred", lambda m: white(~m), 2)
    notes = score(tmp_path / "pred", gt).notes
    assert any("objects 1, 2 fill" in n and "inverted" in n for n in notes)


def test_soft_object_folders_may_be_binarized_which_is_told(tmp_path, gt):
    """Grey halves around the object count: 12 rows instead of 10 of one object."""

    def with_halo(mask):
        grown = mask | np.roll(mask, 1, 0) | np.roll(mask, -1, 0)
        return np.where(mask, 255, np.where(grown, 3, 0)).astype(np.uint8)

    write_objects(tmp_path / "pred", with_halo)
    scores = score(tmp_path / "pred", gt, binarize=True)
    assert scores.summary["J"] == pytest.approx(10 / 12, abs=1e-12)
    assert any("however faint" in note for note in scores.notes)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("kept", ["folders", "maps"])
def test_binarize_thresholds_soft_objects_and_merges_none(tmp_path, kept, first):
    """Of three objects the second is drawn 2 pixels off; the third is missed."""
    masks = np.zeros((3, 40, 60), bool)
    for k in range(3):
        masks[k, 4 + 12 * k : 14 + 12 * k, 10:30] = True
    pictures = [
        white(masks[0]),
        white(np.roll(masks[1], 2, 1)),
        white(masks[0] & False),
    ]
    for t in range(4):
        for k, picture in enumerate(pictures):
            for side, drawn in (
                ("gt", white(masks[k])),
                ("pred", blurred(picture > 0)),
            ):
                path = tmp_path / side / f"cat/{k + first}/{t:05d}.png"
                if side == "pred" or kept == "folders":
                    write_label_map(path, drawn)
        if kept == "maps":
            ids = (masks * np.arange(1, 4)[:, None, None]).sum(0).astype(np.uint8)
            write_label_map(tmp_path / f"gt/cat/{t:05d}.png", ids)
    halves = [blurred(p > 0) > 127 for p in pictures]
    wanted = [(a & b).sum() / (a | b).sum() for a, b in zip(masks, halves, strict=True)]
    assert wanted[2] == 0 < wanted[1] < 0.9 < wanted[0]
    scores = score(tmp_path / "pred", tmp_path / "gt", "mevis", binarize=True)
    assert scores.objects["J_mean"].tolist() == pytest.approx(wanted, abs=1e-12)
    told = " ".join(scores.notes)
    assert "merged no objects" in told and "mask > 127" in told
    meter = Meter("mevis", binarize=True)
    for _ in range(4):
        meter.update(
            {k: blurred(p > 0) for k, p in enumerate(pictures)},
            {k: white(m) for k, m in enumerate(masks)},
            sequence="cat",
        )
    assert meter.compute().objects["J_mean"].tolist() == pytest.approx(
        wanted, abs=1e-12
    )
    if kept == "folders":
        measured = object_attributes(tmp_path / "gt", images=False, options=BINARIZE)
        assert measured.objects["object"].tolist() == [first + k for k in range(3)]


def test_binarize_never_takes_a_grey_background_for_the_object(tmp_path, gt):
    write_objects(tmp_path / "pred", lambda m: np.where(m, 220, 20).astype(np.uint8))
    with pytest.raises(InputError, match="without background"):
        score(tmp_path / "pred", gt, binarize=True)


# --- label maps that become one object ---------------------------------------------


@pytest.mark.parametrize("options", [{"protocol": "davis-2016"}, {"binarize": True}])
@pytest.mark.parametrize("side", ["gt", "pred"])
def test_merged_label_maps_need_a_background(tmp_path, options, side):
    for t in range(FRAMES):
        for other in ("gt", "pred"):
            drawn = label_map(t)
            drawn = np.where(drawn > 0, 220, 20) if other == side else drawn
            write_label_map(tmp_path / other / f"cat/{t:05d}.png", drawn)
    with pytest.raises(InputError, match="labels 20, 220, and no pixel is 0"):
        score(tmp_path / "pred", tmp_path / "gt", **options)


def test_two_objects_that_fill_one_frame_are_no_missing_background(tmp_path):
    for t in range(FRAMES):
        drawn = label_map(t)
        if t == 2:
            drawn[:, :30], drawn[:, 30:] = 1, 2
        for side in ("gt", "pred"):
            write_label_map(tmp_path / f"{side}/cat/{t:05d}.png", drawn)
    assert score(tmp_path / "pred", tmp_path / "gt", "davis-2016").summary["J"] == 1


@pytest.mark.parametrize(("binarize", "value"), [(True, 255), (False, 1)])
def test_a_mask_that_is_full_throughout_is_told(tmp_path, gt, binarize, value):
    for t in range(FRAMES):
        full = np.full((40, 60), value, np.uint8)
        write_label_map(tmp_path / f"pred/cat/{t:05d}.png", full)
    scores = score(tmp_path / "pred", gt, "davis-2016", binarize=binarize)
    assert scores.summary["J"] == pytest.approx(200 / 2400, abs=1e-12)
    assert any("prediction fills every frame" in note for note in scores.notes)


def test_grey_levels_that_are_binarized_are_told(tmp_path, gt):
    for t in range(FRAMES):
        values = blurred(label_map(t) > 0)
        write_label_map(tmp_path / f"pred/cat/{t:05d}.png", values)
    with pytest.raises(InputError, match="soft edges"):
        score(tmp_path / "pred", gt, "davis-2016")
    scores = score(tmp_path / "pred", gt, binarize=True)
    assert any("however faint" in note for note in scores.notes)
    true = [label_map(t) > 0 for t in range(1, FRAMES - 1)]
    own = [blurred(mask) > 0 for mask in true]
    wanted = [(a & b).sum() / (a | b).sum() for a, b in zip(true, own, strict=True)]
    assert scores.summary["J"] == pytest.approx(np.mean(wanted), abs=1e-12)


def test_soft_frames_after_clean_first_ones_are_refused(tmp_path, gt):
    write(tmp_path / "pred", 2)
    last = tmp_path / "pred/cat/00003.png"
    Image.fromarray(blurred(label_map(3) > 0)).save(last)
    with pytest.raises(InputError, match=r"00003.*soft edges"):
        score(tmp_path / "pred", gt)


def test_levels_merged_under_davis_2016_are_told(tmp_path, gt):
    for t in range(FRAMES):
        drawn = np.array([0, 127, 255], np.uint8)[label_map(t, 2)]
        write_label_map(tmp_path / f"pred/cat/{t:05d}.png", drawn)
    scores = score(tmp_path / "pred", gt, "davis-2016")
    assert any("labels 127, 255 were merged" in note for note in scores.notes)


# --- arrays, and the meter ---------------------------------------------------------

REAL = {
    "probabilities": lambda m: np.where(m, 0.9, 0.05),
    "probabilities from 0": lambda m: np.where(m, 0.9, 0.0),
    "logits": lambda m: np.where(m, 4.0, -4.0),
    "one grey": lambda m: np.where(m, 0.3, 0.0),
    "grey integers": lambda m: np.where(m, 200, np.roll(m, 1, 0) * 9),
}


def forms_of(picture, t, shift=0):
    masks = [picture(label_map(t, shift) == k) for k in (1, 2)]
    return {"by id": {1: masks[0], 2: masks[1]}, "stacked": np.stack(masks)}


@pytest.mark.parametrize("form", ["by id", "stacked"])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("kind", REAL)
def test_the_meter_refuses_what_is_no_mask(kind, side, form):
    masks = [forms_of(white, 0)[form], forms_of(white, 0)[form]]
    masks[side] = forms_of(REAL[kind], 0)[form]
    with pytest.raises(InputError, match="object 1"):
        Meter("sa-v").update(*masks)


@pytest.mark.parametrize("picture", [white, lambda m: m.astype(np.float32), np.array])
def test_the_meter_takes_masks_of_two_values(picture):
    meter = Meter("vos-benchmark")
    for t in range(FRAMES):
        meter.update(forms_of(picture, t, 2)["stacked"], forms_of(white, t)["by id"])
    assert meter.compute().summary["J"] == RIGHT


def test_the_meter_binarizes_real_numbers_above_0_and_tells():
    meter = Meter("vos-benchmark", binarize=True)

    def halo(mask):
        return np.where(mask, 0.9, np.roll(mask, 1, 0) * 0.01)

    for t in range(FRAMES):
        meter.update(forms_of(halo, t)["stacked"], label_map(t))
    scores = meter.compute()
    assert scores.summary["J"] == pytest.approx(10 / 11, abs=1e-12)
    assert any("however faint" in note for note in scores.notes)


def test_the_meter_refuses_grey_levels_as_ids():
    soft = blurred(label_map(0) > 0)
    with pytest.raises(InputError, match="soft edges"):
        Meter().update(soft, label_map(0))


def test_the_meter_refuses_an_object_0_that_nobody_annotated():
    meter = Meter("vos-benchmark")
    for t in range(FRAMES):
        own = label_map(t, 2)
        meter.update({k - 1: own == k for k in (1, 2)}, label_map(t))
    with pytest.raises(InputError, match="object 0"):
        meter.compute()


@pytest.mark.parametrize("key", ["cat", 1.5, -1])
def test_keys_that_are_no_ids_are_named(key):
    with pytest.raises(InputError, match="masks by object id"):
        Meter().update({key: label_map(0) == 1}, label_map(0))


# --- objects counted from another number -------------------------------------------


def by_object(shift, offset, video_ids=(1, 2)):
    return {
        f"{t:05d}": {k + offset: label_map(t, shift) == k for k in video_ids}
        for t in range(FRAMES)
    }


def in_form(masks, form, folder):
    """The same masks as arrays, JSON, or object folders."""
    if form == "arrays":
        return masks
    folder.mkdir()
    if form == "json":
        path = folder / "masks.json"
        encoded = {
            video: {
                frame: {str(k): encode_rle(mask) for k, mask in objects.items()}
                for frame, objects in frames.items()
            }
            for video, frames in masks.items()
        }
        path.write_text(json.dumps(encoded))
        return path
    for video, frames in masks.items():
        for frame, objects in frames.items():
            for k, mask in objects.items():
                path = folder / video / f"{k:03d}" / f"{frame}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(white(mask)).save(path)
    return folder


@pytest.mark.parametrize("truth", ["label maps", "arrays", "json", "folders"])
@pytest.mark.parametrize("form", ["arrays", "json", "folders"])
@pytest.mark.parametrize("first", [0, 1])
def test_objects_counted_from_another_number(tmp_path, gt, form, truth, first):
    """The prediction counts from `first`, the ground truth from the other number."""
    if truth == "label maps":
        first, true = 0, gt  # the ids of label maps begin with 1
    else:
        true = in_form({"cat": by_object(0, -first)}, truth, tmp_path / "truth")
    pred = in_form({"cat": by_object(2, first - 1)}, form, tmp_path / "pred")
    scores = score(pred, true, "sa-v" if truth == "folders" else "davis-2017")
    assert scores.objects["J_mean"].tolist() == [RIGHT, RIGHT]
    assert any("was taken for" in note for note in scores.notes)


def test_one_way_of_counting_objects_holds_for_all_videos(gt):
    """`dog` was predicted without object 0: its ids alone would seem to fit."""
    write(gt, video="dog")
    pred = {"cat": by_object(2, -1), "dog": by_object(2, -1, (2,))}
    scores = score(pred, gt)
    found = dict(
        zip(
            zip(scores.objects["sequence"], scores.objects["object"], strict=True),
            scores.objects["J_mean"],
            strict=True,
        )
    )
    assert found["dog", 1] == 0
    assert found["dog", 2] == found["cat", 1] == found["cat", 2] == RIGHT


def test_two_ways_of_counting_objects_are_refused(gt):
    write(gt, video="dog")
    pred = {"cat": by_object(2, -1), "dog": by_object(2, 0)}
    pred["dog"]["00000"][9] = label_map(0) == 1  # its ids cannot be off by one
    with pytest.raises(InputError, match="objects counted from another number"):
        score(pred, gt)


def test_a_background_among_the_channels_is_left_out_and_told(gt):
    pred = {"cat": by_object(2, 0)}
    for t, masks in enumerate(pred["cat"].values()):
        masks[0] = label_map(t, 2) == 0
    scores = score(pred, gt)
    assert scores.summary["J"] == RIGHT
    assert any("object 0" in n and "background" in n for n in scores.notes)


# --- frames counted from another number --------------------------------------------


def test_frames_from_1_are_decided_for_the_whole_folder(tmp_path, gt):
    """`dog` is predicted 2 columns ahead: it fits better by the names, off by one."""
    for video in ("cat", "dog"):
        for t in range(FRAMES):
            drawn = np.zeros((40, 60), np.uint8)
            drawn[4:14, 5 + 3 * t : 15 + 3 * t] = 1
            write_label_map(tmp_path / f"truth/{video}/{t:05d}.png", drawn)
            own = np.roll(drawn, 2, axis=1) if video == "dog" else drawn
            write_label_map(tmp_path / f"pred/{video}/{t + 1:05d}.png", own)
    scores = score(tmp_path / "pred", tmp_path / "truth", "vos-benchmark")
    assert scores.objects["J_mean"].tolist() == [1, RIGHT]
    notes = [note for note in scores.notes if "one after the other" in note]
    assert {note.partition(":")[0] for note in notes} == {"cat", "dog"}


def test_frames_counted_in_two_ways_are_refused(tmp_path, gt):
    write(gt, video="dog")
    write(tmp_path / "pred", 2, first=1)
    write(tmp_path / "pred", 2, video="dog")
    with pytest.raises(InputError, match="frames counted from another number"):
        score(tmp_path / "pred", gt)


def test_frames_from_1_with_a_prefix(tmp_path, gt):
    write(tmp_path / "pred", 2, name="frame_{}", first=1)
    scores = score(tmp_path / "pred", gt, "vos-benchmark")
    assert scores.summary["J"] == RIGHT
    assert any("one after the other" in note for note in scores.notes)


def test_sparse_truth_tells_from_which_number_dense_results_count(tmp_path):
    for t in range(0, 10, 2):
        drawn = np.zeros((40, 80), np.uint8)
        drawn[5:15, 5 + 3 * t : 15 + 3 * t] = 1
        write_label_map(tmp_path / f"gt/cat/{t:05d}.png", drawn)
    for t in range(10):
        drawn = np.zeros((40, 80), np.uint8)
        drawn[7:17, 5 + 3 * t : 15 + 3 * t] = 1
        write_label_map(tmp_path / f"pred/cat/{t + 1:05d}.png", drawn)
    scores = score(tmp_path / "pred", tmp_path / "gt")
    assert scores.summary["J"] == RIGHT
    assert any("one after the other" in note for note in scores.notes)


# --- names -------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["folder", "arrays", "json"])
def test_names_in_another_unicode_form_are_matched_and_told(tmp_path, gt, form):
    """Of two videos one is spelt as macOS does."""
    name, spelt = (unicodedata.normalize(kind, "Caf\u00e9") for kind in ("NFC", "NFD"))
    write(gt, video=name)
    if form == "folder":
        write(tmp_path / "pred", 2)
        write(tmp_path / "pred", 2, video=spelt)
        pred = tmp_path / "pred"
    else:
        masks = {"cat": by_object(2, 0), spelt: by_object(2, 0)}
        pred = in_form(masks, form, tmp_path / "pred")
    scores = score(pred, gt)
    assert scores.objects["J_mean"].tolist() == [RIGHT] * 4
    assert any(n.startswith(f"{name}: sequences were matched") for n in scores.notes)


def test_how_files_were_found_is_told_for_counts_from_the_cache_too(tmp_path, gt):
    """The same masks once as they should lie, then one folder deeper."""
    write(tmp_path / "pred", 2)
    score(tmp_path / "pred", gt, cache=tmp_path / "cache", workers=1)
    write(tmp_path / "deep", 2, video="cat/masks")
    scores = score(tmp_path / "deep", gt, cache=tmp_path / "cache", workers=1)
    assert any("from its folder masks" in note for note in scores.notes)


# --- resizing ----------------------------------------------------------------------


def test_resized_frames_are_told_with_count_and_sizes(tmp_path, gt):
    write(tmp_path / "pred", 2)
    for t in (1, 3):
        half = label_map(t, 2)[::2, ::2]
        write_label_map(tmp_path / f"pred/cat/{t:05d}.png", half)
    cached = {"cache": tmp_path / "cache", "workers": 1}
    for _ in range(2):  # the second time from the cache
        notes = score(tmp_path / "pred", gt, resize="nearest", **cached).notes
        assert any("resized" in n and "2 from 30x20 to 60x40" in n for n in notes)
    meter = Meter(resize="nearest")
    for t in range(FRAMES):
        meter.update(label_map(t)[::2, ::2], label_map(t), frame=t)
    assert any("3 from 30x20 to 60x40" in note for note in meter.compute().notes)


# --- attributes read as scores do --------------------------------------------------


@pytest.mark.parametrize("picture", [blurred, lambda m: white(m) // 2 + 20])
def test_attributes_refuse_unclear_object_folders(tmp_path, picture):
    write_objects(tmp_path / "gt", picture)
    with pytest.raises(InputError, match="00000"):
        object_attributes(tmp_path / "gt")


def test_attributes_binarize_soft_object_folders(tmp_path):
    write_objects(
        tmp_path / "gt", lambda m: white(m) // 2 + white(np.roll(m, 1, 0)) // 3
    )
    objects = object_attributes(tmp_path / "gt", options=BINARIZE).objects
    assert objects["object"].tolist() == [1, 2]


def test_attributes_binarize_needs_a_background(tmp_path):
    for t in range(FRAMES):
        drawn = np.where(label_map(t) > 0, 220, 20)
        write_label_map(tmp_path / f"gt/cat/{t:05d}.png", drawn)
    with pytest.raises(InputError, match="20 and 220"):
        object_attributes(tmp_path / "gt", options=BINARIZE)


def test_a_background_with_an_id_is_told(tmp_path, gt):
    """Ids 1 to 3 with 1 as background; object 2 is where object 1 should be."""
    for t in range(FRAMES):
        write_label_map(tmp_path / f"pred/cat/{t:05d}.png", label_map(t, 2) + 1)
    notes = score(tmp_path / "pred", gt).notes
    assert any("no pixel of the prediction is 0" in note for note in notes)


# --- folders that nobody may read --------------------------------------------------


def test_neighbours_that_cannot_be_read_are_skipped_and_told(tmp_path, gt, monkeypatch):
    write(tmp_path / "pred", 2)
    for side in ("gt", "pred"):
        (tmp_path / side / "lost+found").mkdir()
    listdir, scandir = os.listdir, os.scandir

    def refusing(call):
        def wrapped(path="."):
            if str(path).endswith("lost+found"):
                raise PermissionError(13, "Permission denied", str(path))
            return call(path)

        return wrapped

    monkeypatch.setattr(os, "listdir", refusing(listdir))
    monkeypatch.setattr(os, "scandir", refusing(scandir))
    scores = score(tmp_path / "pred", gt, workers=1)
    assert scores.summary["J"] == RIGHT
    assert any("lost+found" in n and "cannot be read" in n for n in scores.notes)


# --- masks that can be read, but not be meant --------------------------------------


def notes_of(tmp_path, gt, make, protocol="davis-2017"):
    """Notes on predictions `make(label map of frame t, t)`."""
    for t in range(FRAMES):
        write_label_map(tmp_path / f"pred/cat/{t:05d}.png", make(label_map(t), t))
    return score(tmp_path / "pred", gt, protocol).notes


def test_an_object_that_fills_whole_frames_is_told(tmp_path, gt):
    """Object folders whose masks are grey all over where the object is absent."""
    write_objects(tmp_path / "pred", white, 2)
    Image.new("L", (60, 40), 128).save(tmp_path / "pred/cat/1/00003.png")
    notes = score(tmp_path / "pred", gt).notes
    assert any("predicted object 1 fills all corners and whole" in n for n in notes)


def test_a_background_of_255_is_told(tmp_path, gt):
    def make(drawn, t):
        return np.where(drawn == 0, 255, drawn - 1).astype(np.uint8)

    notes = notes_of(tmp_path, gt, make)
    assert any("object 255 fills" in note and "background" in note for note in notes)


def test_ids_that_are_all_one_higher_are_refused(tmp_path, gt):
    with pytest.raises(InputError, match="ids 2 to 3, each one higher"):
        notes_of(tmp_path, gt, lambda drawn, t: drawn + (drawn > 0))


def test_exchanged_ids_are_told(tmp_path, gt):
    notes = notes_of(tmp_path, gt, lambda drawn, t: (3 - drawn) * (drawn > 0))
    assert any("under other ids" in note for note in notes)


def test_masks_that_miss_their_objects_are_no_exchanged_ids(tmp_path, gt):
    notes = notes_of(tmp_path, gt, lambda drawn, t: np.roll(drawn, (16, 30), (0, 1)))
    assert not any("under other ids" in note for note in notes)


@pytest.mark.parametrize("form", ["png", "bool"])
def test_one_mask_of_all_objects_is_told(tmp_path, gt, form):
    if form == "bool":
        stack = np.stack([label_map(t) > 0 for t in range(FRAMES)])
        notes = score({"cat": stack}, gt).notes
    else:
        notes = notes_of(tmp_path, gt, lambda drawn, t: (drawn > 0).astype(np.uint8))
    assert any("one mask of all objects" in note for note in notes)


def test_ids_that_were_interpolated_are_told(tmp_path, gt):
    def make(drawn, t):
        small = Image.fromarray(drawn).resize((30, 20), Image.Resampling.BILINEAR)
        return np.array(small.resize((60, 40), Image.Resampling.BILINEAR))

    notes = notes_of(tmp_path, gt, make)
    assert any("resized with interpolation" in note for note in notes)


@pytest.mark.parametrize("inner", [2, 5])
def test_an_object_within_another_is_no_interpolation(inner):
    drawn = np.zeros((60, 80), np.uint8)
    drawn[10:50, 10:70] = 1
    drawn[20:40, 30:50] = inner
    assert not is_blended(drawn)


@pytest.mark.parametrize("side", [0, 1])
def test_the_meter_refuses_a_background_among_stacked_masks(side):
    both = [label_map(0, 2), label_map(0)]
    both[side] = np.stack([both[side] == k for k in (0, 1, 2)])
    with pytest.raises(InputError, match=r"without the background.*masks\[1:\]"):
        Meter().update(*both)


def test_json_that_counts_from_two(tmp_path, gt):
    pred = in_form({"cat": by_object(2, 1)}, "json", tmp_path / "pred")
    scores = score(pred, gt)
    assert scores.summary["J"] == RIGHT
    assert any("object 2 was taken for 1" in note for note in scores.notes)


def test_a_video_from_0_beside_one_from_1_is_refused_whatever_its_masks(tmp_path, gt):
    """`dog`, named from 1, fits better by its names: it runs one frame ahead."""
    write(gt, video="dog")
    write(tmp_path / "pred", 2)
    for t in range(FRAMES):
        path = tmp_path / f"pred/dog/{t + 1:05d}.png"
        write_label_map(path, label_map(t + 1))
    with pytest.raises(InputError, match="cat: as they are; dog: off by 1"):
        score(tmp_path / "pred", gt)


@pytest.mark.parametrize("spelt", ["Dog", "dog ", "DOG"])
def test_names_that_differ_by_case_or_spaces_are_matched_and_told(tmp_path, gt, spelt):
    write(gt, video="dog")
    write(tmp_path / "pred", 2)
    write(tmp_path / "pred", 2, video=spelt)
    scores = score(tmp_path / "pred", gt)
    assert scores.objects["J_mean"].tolist() == [RIGHT] * 4
    assert any("dog: sequences were matched but for" in n for n in scores.notes)


def test_the_folder_that_is_nearly_called_so_is_named(tmp_path, gt):
    write(gt, video="dog")
    write(tmp_path / "pred", 2)
    write(tmp_path / "pred", 2, video="dog_masks")
    with pytest.raises(InputError, match=r"sequence dog .*but there is dog_masks"):
        score(tmp_path / "pred", gt)


def test_empty_predictions_are_told(tmp_path, gt):
    notes = notes_of(tmp_path, gt, lambda drawn, t: drawn * 0)
    assert "cat: predicted masks are empty throughout" in notes


def test_run_lengths_along_the_rows_are_told(tmp_path, gt):
    """Masks encoded as they lie in memory, in the size of the frame."""
    masks = {
        "cat": {
            f"{t:05d}": {
                str(k): encode_rle((label_map(t, 2) == k).reshape(60, 40).T)
                for k in (1, 2)
            }
            for t in range(FRAMES)
        }
    }
    path = tmp_path / "pred.json"
    path.write_text(json.dumps(masks))
    notes = score(path, gt).notes
    assert any("along the rows" in note for note in notes)
    right = in_form({"cat": by_object(2, 0)}, "json", tmp_path / "right")
    assert not any("along the rows" in note for note in score(right, gt).notes)


def test_two_files_of_one_frame_are_refused(tmp_path, gt):
    write(tmp_path / "pred", 2)
    write_label_map(tmp_path / "pred/cat/00002.PNG", label_map(2))
    with pytest.raises(InputError, match=r"two masks of one frame.*00002"):
        score(tmp_path / "pred", gt)


def test_unseen_kinds_that_nothing_is_called_are_told(tmp_path, gt):
    write(tmp_path / "pred", 2)
    scores = score(tmp_path / "pred", gt, "youtube-vos", unseen=["kat", "cat/7"])
    assert any("1 of the names" in n and n.endswith(": kat") for n in scores.notes)
    assert any(n.startswith("cat: object 7, listed as unseen") for n in scores.notes)
    notes = score(tmp_path / "pred", gt, "vos-benchmark", unseen=["cat"]).notes
    assert any("does not tell unseen kinds apart" in note for note in notes)
    good = score(tmp_path / "pred", gt, "youtube-vos", unseen=["cat/2"])
    assert remarks(good) == ()


def images_named(root, name, first):
    root.mkdir(parents=True)
    for t in range(FRAMES):
        picture = np.full((40, 60, 3), 40 * t, np.uint8)
        Image.fromarray(picture).save(root / f"{name.format(t + first)}.png")


def test_images_with_a_prefix_belong_to_their_masks(tmp_path, gt):
    images_named(tmp_path / "plain/cat", "{:05d}", 0)
    images_named(tmp_path / "named/cat", "img_{:05d}", 0)
    plain, named = (
        object_attributes(gt, images=tmp_path / folder) for folder in ("plain", "named")
    )
    assert named.objects.equals(plain.objects) and named.notes == plain.notes


@pytest.mark.parametrize("name", ["{:05d}", "img_{}"])
def test_images_that_count_from_another_number_are_refused(tmp_path, gt, name):
    images_named(tmp_path / "images/cat", name, 1)
    with pytest.raises(InputError, match="from the same number"):
        object_attributes(gt, images=tmp_path / "images")


def test_masked_arrays_are_refused_where_pixels_have_no_value():
    truth = np.zeros((3, 20, 30), np.uint8)
    truth[:, 5:15, 5:15] = 1
    hidden = np.ma.masked_array(truth, mask=np.zeros_like(truth, bool))
    assert score({"a": hidden}, {"a": truth}, "davis-2017").summary["J"] == 1
    hidden[1, :, :10] = np.ma.masked
    with pytest.raises(InputError, match=r"200 masked pixels.*filled\(0\)"):
        score({"a": hidden}, {"a": truth}, "davis-2017")
    one = {
        f"{t:05d}": {1: np.ma.masked_array(m == 1, m == 1)} for t, m in enumerate(truth)
    }
    with pytest.raises(InputError, match="masked"):
        score({"a": one}, {"a": truth}, "davis-2017")
    with pytest.raises(InputError, match="masked"):
        Meter("davis-2017").update(hidden[1], truth[1], sequence="a", frame="0")
    with pytest.raises(InputError, match="masked"):
        db_eval_iou(hidden, truth)


@pytest.mark.parametrize("wrap", [list, tuple])
def test_masked_arrays_in_a_list_are_refused(wrap):
    truth = [label_map(t) for t in range(FRAMES)]
    hidden = wrap(np.ma.masked_array(m, mask=True) for m in truth)
    with pytest.raises(InputError, match=r"sequence v.*2400 masked pixels"):
        score({"v": hidden}, {"v": np.stack(truth)})
    with pytest.raises(InputError, match="masked pixels"):
        score({"v": truth}, {"v": hidden})
    with pytest.raises(InputError, match="masked pixels"):
        Meter().update(hidden[:2], {1: truth[0] == 1})
    whole = wrap(np.ma.masked_array(m, mask=False) for m in truth)
    assert score({"v": whole}, {"v": truth}).summary["J"] == 1


def test_masks_of_several_sizes_in_a_list_are_refused_by_name():
    truth = [label_map(t) for t in range(FRAMES)]
    for ragged in (
        [truth[0], truth[1][:39], *truth[2:]],
        [truth[0], truth[1].tolist()[:39]],
    ):
        with pytest.raises(InputError, match=r"sequence v.*\[40, 60\], \[39, 60\]"):
            score({"v": ragged}, {"v": truth})


def test_whole_numbers_name_sequences():
    truth = np.stack([label_map(t) for t in range(FRAMES)])
    pred = np.stack([label_map(t, 2) for t in range(FRAMES)])
    for key in (1, np.int64(1), "1"):
        scores = score({key: pred, 2: truth}, {"1": truth, "2": truth})
        assert scores.objects["J_mean"].tolist() == [RIGHT, RIGHT, 1, 1]
        assert remarks(scores) == ()
    assert score({"1": pred}, {1: truth}).summary["J"] == RIGHT


@pytest.mark.parametrize("key", [Path("cat"), 1.5, True, None, ("cat",)])
def test_keys_that_name_no_sequence_are_refused(key):
    truth = np.stack([label_map(t) for t in range(FRAMES)])
    for pred, true in (({key: truth}, {"cat": truth}), ({"cat": truth}, {key: truth})):
        with pytest.raises(InputError, match="a sequence called"):
            score(pred, true)
    with pytest.raises(InputError, match="there already"):
        score({1: truth, "1": truth}, {"1": truth})


def test_tensors_are_read_however_they_keep_their_values():
    torch = pytest.importorskip("torch")
    truth = np.stack([label_map(t) for t in range(FRAMES)])
    pred = torch.from_numpy(np.stack([label_map(t, 2) for t in range(FRAMES)]))
    as_list = [frame.to_sparse() for frame in pred]
    for form in (pred, pred.to_sparse(), as_list):
        assert score({"v": form}, {"v": truth}).summary["J"] == RIGHT
    frames = {
        f"{t:05d}": {k: (pred[t] == k).to(torch.bfloat16) for k in (1, 2)}
        for t in range(FRAMES)
    }
    assert score({"v": frames}, {"v": truth}).summary["J"] == RIGHT
    with pytest.raises(InputError, match="float32"):
        score({"v": pred.to(torch.bfloat16)}, {"v": truth})
    meter = Meter("vos-benchmark")
    for t in range(FRAMES):
        meter.update(pred[t].to_sparse(), label_map(t))
    assert meter.compute().summary["J"] == RIGHT


# --- several objects that become one -----------------------------------------------

MERGED = "v: labels 1, 2 of the ground truth were merged into one object"


@pytest.mark.parametrize(
    ("options", "why"),
    [({"binarize": True}, "binarize"), ({"protocol": "davis-2016"}, "davis-2016")],
)
def test_objects_that_become_one_are_told_for_each_video(options, why):
    truth = np.stack([label_map(t) for t in range(FRAMES)])
    exchanged = (3 - truth) * (truth > 0)
    one = (truth == 1).astype(np.uint8)
    scores = score({"v": exchanged, "w": one}, {"v": truth, "w": one}, **options)
    assert scores.summary["J"] == 1
    assert remarks(scores) == (f"{MERGED} ({why})",)
    meter = Meter(**options)
    for t in range(FRAMES):
        meter.update(exchanged[t], truth[t], sequence="v")
    assert f"{MERGED} ({why})" in meter.compute().notes


def test_a_void_label_is_no_second_object_to_merge():
    truth = np.stack([label_map(t) for t in range(FRAMES)])
    truth[truth == 2] = 255
    scores = score({"v": truth}, {"v": truth}, binarize=True, void=255)
    assert not any("merged" in note for note in scores.notes)
    scores = score({"v": truth}, {"v": truth}, binarize=True)
    assert any("labels 1, 255 of the ground truth" in note for note in scores.notes)


@pytest.mark.parametrize("label", [7, 255])
def test_binarize_is_advised_only_where_no_video_has_several_objects(label):
    """`a` has one object and another id; only what else there is makes a difference."""
    both = np.stack([label_map(t) for t in range(FRAMES)])
    one = (both == 1).astype(np.uint8)
    for other, advised in ((one, True), (both, False)):
        truth, pred = {"a": one, "b": other}, {"a": one * label, "b": other}
        with pytest.raises(InputError) as error:
            score(pred, truth)
        assert ("binarize" in error.value.remedy) is advised
        assert error.value.remedy.startswith("Write ") and "a" in error.value.where
        meter = Meter()
        for name, masks in truth.items():
            for t in range(FRAMES):
                meter.update(pred[name][t], masks[t], sequence=name)
        with pytest.raises(InputError) as error:
            meter.compute()
        assert ("binarize" in error.value.remedy) is advised


def test_label_maps_in_folders_of_objects_are_told_as_such(tmp_path: Path) -> None:
    maps = np.zeros((20, 30), np.uint8)
    maps[3:9, 4:12], maps[12:17, 15:25] = 1, 2
    for frame in ("00000.png", "00001.png", "00002.png"):
        write_label_map(tmp_path / "gt" / "a" / frame, maps)
        for folder in ("1", "2"):
            write_label_map(tmp_path / "own" / "a" / folder / frame, maps)
    with pytest.raises(InputError) as error:
        score(tmp_path / "own", tmp_path / "gt", "vos-benchmark")
    assert "ids of several objects" in error.value.remedy
    assert "<sequence>/<frame>.png" in error.value.remedy
