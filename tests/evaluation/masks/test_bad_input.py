"""The table of bad input: each case is told clearly or mended when asked to."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageFilter
from remarks import remarks

from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map, write_label_map
from evaluation.protocols import get_protocol
from evaluation.scoring import score

EVERY_PROTOCOL = (
    "davis-2016",
    "davis-2017",
    "davis-2017-unsupervised",
    "youtube-vos",
    "mose-v1",
    "mose-v2",
    "lvos",
    "sa-v",
    "vos-benchmark",
    "trackeval-davis",
)


def refusal(small, protocol="davis-2017", **options) -> InputError:
    with pytest.raises(InputError) as caught:
        score(small.pred, small.gt, protocol, **options)
    assert caught.value.remedy
    return caught.value


def test_good_input_has_nothing_to_remark(small):
    scores = score(small.pred, small.gt)
    assert remarks(scores) == ()
    assert len(scores.frames) == 2 * 10


# --- frames and sequences that are missing -----------------------------------------


@pytest.mark.parametrize("protocol", EVERY_PROTOCOL)
def test_missing_frames_are_listed(small, protocol):
    for name in ("00004", "00005", "00008"):
        (small.pred / "walk" / f"{name}.png").unlink()
    error = refusal(small, protocol)
    assert "walk: 00004-00005, 00008 (3 frames)" in error.found
    assert "score-as-empty" in error.remedy


def test_missing_sequences_and_frames_are_all_listed(small):
    for name in ("run", "jump"):
        small.write(small.gt, 0, name)
    small.write(small.pred, 0, "jump")
    (small.pred / "jump" / "00003.png").unlink()
    error = refusal(small)
    assert "sequence run (all 10 frames)" in error.found
    assert "jump: 00003 (1 frame)" in error.found


def test_missing_frames_may_be_scored_as_empty(small):
    (small.pred / "walk" / "00005.png").unlink()
    scores = score(small.pred, small.gt, missing="score-as-empty")
    frames = scores.frames.set_index(["frame", "object"])
    assert frames.loc[("00005", 1), ["J", "F", "pred_area"]].tolist() == [0, 0, 0]
    assert frames.loc[("00006", 1), "J"] > 0.5
    assert any("00005" in note for note in scores.notes)


def test_missing_sequence_may_be_scored_as_empty(small):
    small.write(small.gt, 0, "run")
    scores = score(small.pred, small.gt, missing="score-as-empty")
    by_name = scores.sequences.set_index("sequence")
    assert by_name.loc["run", "J&F"] == 0
    assert any("sequence run" in note for note in scores.notes)


def test_a_video_missing_altogether_is_zero_in_mose_v2(small):
    small.write(small.gt, 0, "run")
    small.change(small.gt, lambda m, t: np.where(t < 5, m, m * (m != 2)), "run")
    scores = score(small.pred, small.gt, "mose-v2", missing="score-as-empty")
    assert (scores.frames.query("sequence == 'run'")["J"] == 0).all()


@pytest.mark.parametrize("protocol", ["davis-2017", "vos-benchmark", "mose-v2"])
def test_frames_that_nobody_asks_for_may_be_missing(small, protocol):
    whole = score(small.pred, small.gt, protocol).summary
    for name in ("00000", "00011"):
        (small.pred / "walk" / f"{name}.png").unlink()
    assert score(small.pred, small.gt, protocol).summary == whole


def test_results_denser_than_the_ground_truth(small):
    for frame in range(1, 11, 2):
        (small.gt / "walk" / f"{frame:05d}.png").unlink()
    scores = score(small.pred, small.gt)
    assert scores.frames["frame"].unique().tolist() == [
        "00002", "00004", "00006", "00008", "00010",
    ]  # fmt: skip
    assert remarks(scores) == ()


def test_more_sequences_than_the_ground_truth(small):
    whole = score(small.pred, small.gt).summary
    small.write(small.pred, 5, "other")
    assert score(small.pred, small.gt).summary == whole


# --- folders -----------------------------------------------------------------------


@pytest.mark.parametrize("top", ["results", "work/Annotations/480p"])
def test_folders_around_the_results(small, tmp_path, top):
    whole = score(small.pred, small.gt).summary
    moved = tmp_path / "wrapped" / top
    moved.parent.mkdir(parents=True)
    shutil.move(small.pred, moved)
    (tmp_path / "wrapped" / "log.txt").write_text("done")
    assert score(tmp_path / "wrapped", small.gt).summary == whole


def test_the_root_of_a_davis_tree_is_a_ground_truth(small, tmp_path):
    whole = score(small.pred, small.gt).summary
    root = tmp_path / "DAVIS"
    (root / "JPEGImages" / "480p" / "walk").mkdir(parents=True)
    (root / "JPEGImages" / "480p" / "walk" / "00000.jpg").write_bytes(b"")
    (root / "Annotations").mkdir()
    shutil.move(small.gt, root / "Annotations" / "480p")
    assert score(small.pred, root).summary == whole


def test_one_level_too_deep(small):
    with pytest.raises(InputError, match=r"00000\.png.*folder above"):
        score(small.pred / "walk", small.gt)
    with pytest.raises(InputError, match=r"00000\.png.*folder above"):
        score(small.pred, small.gt / "walk")


def test_two_sets_of_results_under_one_folder(small, tmp_path):
    both = tmp_path / "both"
    shutil.copytree(small.pred, both / "a")
    shutil.copytree(small.pred, both / "b")
    with pytest.raises(InputError, match="more than one set of results"):
        score(both, small.gt)


def test_results_of_another_benchmark(small):
    os.rename(small.pred / "walk", small.pred / "swim")
    error = refusal(small)
    assert "swim" in error.found and "walk" in error.expected


@pytest.mark.parametrize("side", ["gt", "pred"])
def test_folder_that_does_not_exist(small, side):
    shutil.rmtree(getattr(small, side))
    assert str(getattr(small, side)) in refusal(small).where


@pytest.mark.parametrize("side", ["gt", "pred"])
def test_empty_folder(small, side):
    shutil.rmtree(getattr(small, side) / "walk")
    error = refusal(small)
    assert str(getattr(small, side)) in error.where and "empty" in error.found


@pytest.mark.parametrize("side", ["gt", "pred"])
def test_empty_sequence_folder(small, side):
    for path in (getattr(small, side) / "walk").iterdir():
        path.unlink()
    error = refusal(small)
    assert str(getattr(small, side)) in error.where


@pytest.mark.parametrize("side", ["gt", "pred"])
def test_stray_files_change_nothing(small, side):
    whole = score(small.pred, small.gt, "vos-benchmark").summary
    folder = getattr(small, side)
    for name in (".DS_Store", "readme.txt", "._00003.png", "global_results.csv"):
        (folder / "walk" / name).write_bytes(b"x")
        (folder / name).write_bytes(b"x")
    assert score(small.pred, small.gt, "vos-benchmark").summary == whole


def test_unknown_sequence_asked_for(small):
    assert "swim" in refusal(small, sequences=["walk", "swim"]).found


# --- frame names -------------------------------------------------------------------


def rename(folder, name) -> None:
    for path in sorted(folder.iterdir()):
        path.rename(path.with_name(f"new-{name(int(path.stem))}.png"))
    for path in sorted(folder.iterdir()):
        path.rename(path.with_name(path.name.removeprefix("new-")))


def test_other_padding_in_the_prediction(small):
    whole = score(small.pred, small.gt).frames
    rename(small.pred / "walk", lambda t: f"{t:08d}")
    scores = score(small.pred, small.gt)
    assert scores.frames.equals(whole)
    assert any("matched by number" in note for note in scores.notes)


def test_names_without_padding_are_in_natural_order(small):
    whole = score(small.pred, small.gt).frames
    rename(small.pred / "walk", str)
    rename(small.gt / "walk", str)
    scores = score(small.pred, small.gt)
    assert scores.frames["frame"].tolist()[:10] == [str(t) for t in range(1, 11)]
    assert scores.frames["J"].tolist() == whole["J"].tolist()
    assert any("natural order" in note for note in scores.notes)


def test_numbering_off_by_one_is_noted(small):
    rename(small.pred / "walk", lambda t: f"{t + 1:05d}")
    scores = score(small.pred, small.gt)
    assert any(
        "lacks 00000 and has 00012" in note and "off" in note for note in scores.notes
    )


# --- files -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 10, 60, -20])
@pytest.mark.parametrize("side", ["gt", "pred"])
def test_broken_files_are_named(small, side, size):
    path = getattr(small, side) / "walk" / "00005.png"
    path.write_bytes(path.read_bytes()[:size])
    error = refusal(small)
    assert error.where == str(path)


def test_rgb_masks_are_read_through_the_palette(small):
    whole = score(small.pred, small.gt).summary
    for path in (small.pred / "walk").iterdir():
        Image.open(path).convert("RGB").save(path)
    scores = score(small.pred, small.gt)
    assert scores.summary == whole
    (note,) = remarks(scores)
    assert note.startswith("walk: colour images: ids were recovered")


def test_rgb_masks_in_foreign_colours_are_refused(small):
    path = small.pred / "walk" / "00005.png"
    Image.fromarray(np.full((60, 80, 3), (77, 80, 90), np.uint8)).save(path)
    error = refusal(small)
    assert error.where == str(path) and "(77, 80, 90)" in error.found


def test_jpeg_predictions_are_refused(small):
    for path in sorted((small.pred / "walk").iterdir()):
        Image.open(path).convert("L").save(path.with_suffix(".jpg"))
        path.unlink()
    error = refusal(small)
    assert "walk" in error.where and "JPEG" in error.found


def test_jpeg_named_png_is_refused(small):
    path = small.pred / "walk" / "00005.png"
    Image.open(path).convert("L").save(path, format="JPEG")
    error = refusal(small)
    assert error.where == str(path) and "JPEG" in error.found


@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_grey_and_16_bit_predictions(small, mode):
    whole = score(small.pred, small.gt).frames
    for path in (small.pred / "walk").iterdir():
        ids = read_label_map(path)
        kind = np.uint16 if mode == "I;16" else np.uint8
        Image.fromarray(ids.astype(kind)).save(path)
    assert score(small.pred, small.gt).frames.equals(whole)


def test_ids_above_255(small):
    whole = score(small.pred, small.gt, "vos-benchmark").frames
    for folder in (small.gt, small.pred):
        small.change(folder, lambda m, t: m.astype(np.uint16) + 299 * (m > 0))
    scores = score(small.pred, small.gt, "vos-benchmark")
    assert scores.frames["object"].unique().tolist() == [300, 301]
    assert scores.frames["J"].tolist() == whole["J"].tolist()


# --- sizes -------------------------------------------------------------------------


def test_masks_of_another_size(small):
    small.change(small.pred, lambda m, t: m[::2, ::2])
    error = refusal(small)
    assert error.where == str(small.pred / "walk" / "00001.png")
    assert "40x30" in error.found and "80x60" in error.expected
    assert "--resize nearest" in error.remedy


def test_one_frame_of_another_size(small):
    path = small.pred / "walk" / "00005.png"
    write_label_map(path, read_label_map(path)[:30, :40])
    assert refusal(small).where == str(path)


def test_turned_masks(small):
    small.change(small.pred, lambda m, t: m.T)
    assert "swapped" in refusal(small).found


def test_masks_of_another_size_may_be_resized(small):
    whole = score(small.pred, small.gt).frames
    small.change(small.pred, lambda m, t: m.repeat(2, 0).repeat(2, 1))
    assert score(small.pred, small.gt, resize="nearest").frames.equals(whole)


# --- labels ------------------------------------------------------------------------


def reads_white_truth(name: str) -> bool:
    """Whether 0/255 ground truth can only mean one object under a protocol."""
    rules = get_protocol(name)
    return rules.void_label == 255 and rules.matching == "by-id"


@pytest.mark.parametrize(
    ("white", "protocol"),
    [
        (side, name)
        for name in EVERY_PROTOCOL
        for side in ("gt", "pred")
        # DAVIS-2016 publishes 0/255 itself; where 255 is void, it can only be meant.
        if side == "pred" or (name != "davis-2016" and not reads_white_truth(name))
    ],
)
def test_white_masks_against_ids(small, white, protocol):
    for side in ("gt", "pred"):
        value = 255 if side == white else 1
        small.change(getattr(small, side), lambda m, t, v=value: (m == 1) * np.uint8(v))
    error = refusal(small, protocol)
    assert str(getattr(small, white)) in error.where
    assert "walk" in error.where and "--binarize" in error.remedy
    assert "0 and 255" in error.found
    scores = score(small.pred, small.gt, protocol, binarize=True)
    assert scores.summary["J"] > 0.5


def test_davis_2016_ground_truth_is_white(small):
    small.change(small.gt, lambda m, t: (m == 1) * np.uint8(1))
    small.change(small.pred, lambda m, t: (m == 1) * np.uint8(1))
    as_ids = score(small.pred, small.gt, "davis-2016").summary
    small.change(small.gt, lambda m, t: m * np.uint8(255))
    assert score(small.pred, small.gt, "davis-2016").summary == as_ids


def test_white_masks_on_both_sides(small):
    small.change(small.gt, lambda m, t: (m == 1) * np.uint8(255))
    small.change(small.pred, lambda m, t: (m == 1) * np.uint8(1))
    against_ids = score(small.pred, small.gt, "davis-2017")
    assert against_ids.objects["object"].tolist() == [1]
    assert any("0/255" in note for note in against_ids.notes)
    small.change(small.pred, lambda m, t: m * np.uint8(255))
    assert score(small.pred, small.gt, "davis-2017").summary == against_ids.summary
    binary = score(small.pred, small.gt, "davis-2016").summary
    assert binary == score(small.pred, small.gt, "davis-2017", binarize=True).summary
    assert binary["J"] == score(small.pred, small.gt, "vos-benchmark").summary["J"]


def test_void_in_the_ground_truth_is_an_explicit_choice(small):
    def with_band(label_map, frame):
        label_map[:, :8] = 255
        label_map[12:14, :] = 255
        return label_map

    plain = score(small.pred, small.gt, "vos-benchmark").summary
    small.change(small.gt, with_band)
    as_object = score(small.pred, small.gt, "vos-benchmark")
    assert 255 in as_object.objects["object"].tolist()
    assert any("--void 255" in note for note in as_object.notes)
    left_out = score(small.pred, small.gt, "vos-benchmark", void=255)
    assert left_out.objects["object"].tolist() == [1, 2]
    assert left_out.summary["J"] not in (plain["J"], as_object.summary["J"])
    background = score(small.pred, small.gt, "davis-2017").summary
    assert background["J"] < left_out.summary["J"]


@pytest.mark.parametrize("protocol", ["davis-2017", "vos-benchmark", "lvos"])
def test_extra_predicted_ids_cost_nothing_and_are_noted(small, protocol):
    whole = score(small.pred, small.gt, protocol).summary
    small.change(small.pred, lambda m, t: np.where(np.arange(60)[:, None] < 5, 3, m))
    scores = score(small.pred, small.gt, protocol)
    assert scores.summary == whole
    assert any("ids 3 are no objects" in note for note in scores.notes)


def test_smoothed_masks_are_refused_and_to_be_cut_at_half(small):
    def soft(label_map, frame):
        image = Image.fromarray((label_map == 1).astype(np.uint8) * 255)
        return np.array(image.filter(ImageFilter.GaussianBlur(1.5)))

    small.change(small.gt, lambda m, t: (m == 1) * np.uint8(1))
    small.change(small.pred, soft)
    error = refusal(small)
    assert "grey levels" in error.found
    # What is not 0 would take the faintest rim for the object.
    assert "mask > 127" in error.remedy and "binarize" not in error.remedy
    assert score(small.pred, small.gt, binarize=True).summary["J"] > 0.5


def test_many_ids_without_object_are_refused_where_they_look_like_grey_levels(small):
    noise = np.random.default_rng(0).integers(0, 90, (60, 80), dtype=np.uint8)
    small.change(small.pred, lambda m, t: np.where(m == 1, noise, m))
    assert "grey levels" in refusal(small).found


def test_many_solid_ids_without_object_are_noted(small):
    tiles = np.kron(np.arange(40, dtype=np.uint8).reshape(5, 8) + 70, np.ones((12, 10)))
    small.change(small.pred, lambda m, t: np.where(m == 1, tiles.astype(np.uint8), m))
    notes = score(small.pred, small.gt).notes
    assert any("interpolation" in note or "are no objects" in note for note in notes)


def test_object_never_predicted_scores_zero(small):
    small.change(small.pred, lambda m, t: m * (m != 2))
    objects = score(small.pred, small.gt).objects.set_index("object")
    assert objects.loc[2, ["J_mean", "F_mean"]].tolist() == [0, 0]
    assert objects.loc[1, "J_mean"] > 0.5


def test_gaps_between_ids_make_no_phantom_objects(small):
    for folder in (small.gt, small.pred):
        small.change(folder, lambda m, t: np.where(m == 2, 5, m))
    assert score(small.pred, small.gt).objects["object"].tolist() == [1, 5]
    official = score(small.pred, small.gt, "davis-2017-official").objects
    assert official["object"].tolist() == [1, 2, 3, 4, 5]
    assert official["J_mean"].tolist()[1:4] == [1, 1, 1]


def test_late_object_is_reported_where_the_protocol_leaves_it_out(small):
    for folder in (small.gt, small.pred):
        small.change(folder, lambda m, t: m * ((m != 2) | (t >= 6)))
    scores = score(small.pred, small.gt, "davis-2017")
    assert scores.objects["object"].tolist() == [1]
    assert any("objects 2 are not scored" in note for note in scores.notes)
    late = score(small.pred, small.gt, "youtube-vos").objects.set_index("object")
    assert late["n_frames"].to_dict() == {1: 11, 2: 5}
    late = score(small.pred, small.gt, "vos-benchmark").objects.set_index("object")
    assert late["n_frames"].to_dict() == {1: 10, 2: 5}


def test_object_in_the_first_frame_only_is_scored_and_reported(small):
    small.change(small.gt, lambda m, t: m * ((m != 2) | (t == 0)))
    scores = score(small.pred, small.gt, "davis-2017")
    assert scores.objects.set_index("object").loc[2, "J_mean"] == 0
    assert any("object 2 is visible in no scored frame" in n for n in scores.notes)
    assert score(small.pred, small.gt, "vos-benchmark").objects["object"].tolist() == [
        1
    ]


@pytest.mark.parametrize("protocol", EVERY_PROTOCOL)
def test_ground_truth_without_objects(small, protocol):
    small.change(small.gt, lambda m, t: m * 0)
    assert "no object" in refusal(small, protocol).found


# --- short videos ------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 2])
def test_too_short_sequences_are_skipped_with_a_message(small, length):
    small.write(small.gt, 0, "short")
    for path in sorted((small.gt / "short").iterdir())[length:]:
        path.unlink()
    small.write(small.pred, 0, "short")
    scores = score(small.pred, small.gt)
    assert scores.sequences["sequence"].tolist() == ["walk"]
    assert any("short was skipped" in note for note in scores.notes)
    with pytest.raises(InputError, match="short was skipped"):
        score(small.pred, small.gt, sequences=["short"])


def test_three_frames_are_enough(small):
    for path in sorted((small.gt / "walk").iterdir())[3:]:
        path.unlink()
    assert score(small.pred, small.gt).frames["frame"].tolist() == ["00001", "00001"]


# --- options -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{"missing": "ignore"}, {"resize": "bilinear"}, {"protocol": "davis"}]
)
def test_unknown_options_are_refused_with_the_choice(small, options):
    with pytest.raises(InputError, match="one of"):
        score(small.pred, small.gt, **options)


def test_json_without_its_ending_is_told_how_to_be_called(small, tmp_path):
    (tmp_path / "masks.burst").write_text("{}")
    with pytest.raises(InputError, match=r"call it masks\.burst\.json"):
        score(tmp_path / "masks.burst", small.gt)


def test_a_pipe_in_the_place_of_a_mask_is_named(tmp_path):
    for folder in ("gt", "pred"):
        for frame in ("00000", "00001", "00002", "00003"):
            mask = np.eye(8, dtype=np.uint8)
            write_label_map(tmp_path / folder / "a" / f"{frame}.png", mask)
    pipe = tmp_path / "pred/a/00001.png"
    pipe.unlink()
    os.mkfifo(pipe)
    code = (
        "from evaluation import score; "
        f"score({str(tmp_path / 'pred')!r}, {str(tmp_path / 'gt')!r}, workers=1, "
        "cache=False)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"{pipe}: found a pipe" in done.stderr
