"""Folders and names as people have them: read rightly and told, or refused by name."""

from __future__ import annotations

import os
import unicodedata

import numpy as np
import pytest
from PIL import Image
from remarks import remarks

from evaluation import score
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.masks.names import match_names

FRAMES = [f"{t:05d}" for t in range(8)]


def masks(t: int, late: int = 0) -> np.ndarray:
    """[40, 64] label map: a square (1) and a bar (2), moving 3 pixels per frame."""
    drawn = np.zeros((40, 64), np.uint8)
    left = 4 + 3 * (t - late)
    drawn[5:20, left : left + 12] = 1
    drawn[25:34, left + 6 : left + 24] = 2
    return drawn


@pytest.fixture
def tree(tmp_path):
    for t, frame in enumerate(FRAMES):
        write_label_map(tmp_path / f"gt/clip/{frame}.png", masks(t))
    return tmp_path


def write(tree, name, folder="clip", *, shift=1):
    """Predictions one pixel off, as `name` calls them; J of both objects is known."""
    for t, frame in enumerate(FRAMES):
        moved = np.roll(masks(t), shift, axis=1)
        write_label_map(tree / "pred" / folder / name(t, frame), moved)


def expected_j() -> float:
    """Mean over the two objects: 12 and 18 pixels wide, moved by one."""
    return (11 / 13 + 17 / 19) / 2


@pytest.mark.parametrize(
    "name",
    [
        lambda t, f: f"frame_{f}.png",
        lambda t, f: f"{f}_mask.png",
        lambda t, f: f"clip-{t}.png",
        lambda t, f: f"{t}.png",
        lambda t, f: f"{f}.PNG",
        lambda t, f: f"masks/{f}.png",
        lambda t, f: f"mask_{t:03d}_pred.png",
    ],
    ids=["prefix", "suffix", "unpadded-prefix", "unpadded", "PNG", "deeper", "both"],
)
@pytest.mark.parametrize("missing", ["error", "score-as-empty"])
def test_names_that_differ_are_matched(tree, name, missing):
    write(tree, name)
    scores = score(tree / "pred", tree / "gt", missing=missing)
    assert scores.summary["J"] == pytest.approx(expected_j(), abs=1e-12)
    exact = name(0, FRAMES[0]).lower() == f"{FRAMES[0]}.png"
    assert bool(remarks(scores)) is not exact


@pytest.mark.parametrize("folder", ["clip_masks", "pred-clip", "out/clip"])
def test_sequence_folders_that_differ_are_matched(tree, folder):
    write(tree, lambda t, f: f"{f}.png", folder)
    scores = score(tree / "pred", tree / "gt")
    assert scores.summary["J"] == pytest.approx(expected_j(), abs=1e-12)


def test_unicode_forms_of_a_name_are_one_name(tree):
    composed = unicodedata.normalize("NFC", "fußgänger")
    os.rename(tree / "gt/clip", tree / "gt" / unicodedata.normalize("NFD", composed))
    write(tree, lambda t, f: f"{f}.png", composed)
    scores = score(tree / "pred", tree / "gt")
    assert scores.summary["J"] == pytest.approx(expected_j(), abs=1e-12)
    assert any("Unicode" in note for note in scores.notes)


@pytest.mark.parametrize("missing", ["error", "score-as-empty"])
def test_what_cannot_be_read_is_named_and_never_scores_zero(tree, missing):
    for frame in FRAMES:
        path = tree / f"pred/clip/{frame}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(masks(0)).save(path)
    with pytest.raises(InputError, match=r"8 \.tif files such as 00000\.tif"):
        score(tree / "pred", tree / "gt", missing=missing)


def test_names_that_fit_nothing_are_named(tree):
    write(tree, lambda t, f: f"{'abcdefgh'[t]}.png")
    with pytest.raises(InputError, match=r"masks called a, b, c.*00000, 00001"):
        score(tree / "pred", tree / "gt", missing="score-as-empty")


def test_numbering_from_one_is_undone_where_the_masks_say_so(tree):
    write(tree, lambda t, f: f"{t + 1:05d}.png")
    scores = score(tree / "pred", tree / "gt")
    assert scores.summary["J"] == pytest.approx(expected_j(), abs=1e-12)
    assert any("one after the other" in note for note in scores.notes)


def test_a_first_frame_that_is_not_predicted_is_no_shift(tree):
    """Frames 1 to 8 of a video whose frames 0 to 7 are annotated."""
    for t in range(1, 9):
        moved = np.roll(masks(t), 1, axis=1)
        write_label_map(tree / f"pred/clip/{t:05d}.png", moved)
    scores = score(tree / "pred", tree / "gt")
    assert scores.summary["J"] == pytest.approx(expected_j(), abs=1e-12)


def test_predicted_frames_beyond_the_ground_truth_are_told(tree):
    write(tree, lambda t, f: f"{f}.png")
    for t in (8, 9):
        write_label_map(tree / f"pred/clip/{t:05d}.png", masks(7))
    notes = score(tree / "pred", tree / "gt").notes
    assert any("2 predicted frames" in n and "00008-00009" in n for n in notes)


@pytest.mark.parametrize("around", ["masks", "Annotations", "stuff"])
def test_videos_called_like_numbers_are_no_objects(tmp_path, around):
    """Ids exchanged in both videos: J is 0 by any right reading."""
    for video in ("01", "02"):
        for t, frame in enumerate(FRAMES):
            drawn = masks(t)
            exchanged = np.select([drawn == 1, drawn == 2], [2, 1]).astype(np.uint8)
            write_label_map(tmp_path / f"gt/{around}/{video}/{frame}.png", drawn)
            write_label_map(tmp_path / f"pred/{around}/{video}/{frame}.png", exchanged)
    scores = score(tmp_path / "pred", tmp_path / "gt")
    assert scores.objects["sequence"].tolist() == ["01", "01", "02", "02"]
    assert scores.summary["J"] == 0


@pytest.mark.parametrize("folder", ["1", "001", "obj_1", "object1", "Instance-1"])
def test_object_folders_by_many_names(tree, folder):
    for t, frame in enumerate(FRAMES):
        for number in (1, 2):
            mask = (np.roll(masks(t), 1, axis=1) == number).astype(np.uint8) * 255
            own = folder.replace("1", str(number))
            write_label_map(tree / f"pred/clip/{own}/{frame}.png", mask)
    scores = score(tree / "pred", tree / "gt")
    assert scores.summary["J"] == pytest.approx(expected_j(), abs=1e-12)


def test_object_folders_of_one_video_are_told_as_a_reading(tmp_path):
    for t, frame in enumerate(FRAMES):
        for number in (1, 2):
            mask = (masks(t) == number).astype(np.uint8) * 255
            write_label_map(tmp_path / f"gt/bear/{number}/{frame}.png", mask)
    scores = score(tmp_path / "gt", tmp_path / "gt")
    assert scores.objects["object"].tolist() == [1, 2]
    assert any("read as objects of one video" in note for note in scores.notes)


def test_a_zip_from_windows_is_recognised(tree):
    (tree / "pred").mkdir()
    for t, frame in enumerate(FRAMES):
        write_label_map(tree / "pred" / f"clip\\{frame}.png", masks(t))
    with pytest.raises(InputError, match="Windows"):
        score(tree / "pred", tree / "gt")


@pytest.mark.parametrize("kind", ["dangling", "circle", "folder"])
def test_files_that_are_none_are_named(tree, kind):
    write(tree, lambda t, f: f"{f}.png")
    path = tree / "pred/clip/00003.png"
    path.unlink()
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path if kind == "circle" else tree / "nowhere")
    with pytest.raises(InputError, match=r"00003\.png"):
        score(tree / "pred", tree / "gt")


def test_objects_that_come_later_are_explained(tmp_path):
    for t, frame in enumerate(FRAMES):
        drawn = masks(t) * np.uint8(t > 2)
        write_label_map(tmp_path / f"gt/clip/{frame}.png", drawn)
    with pytest.raises(InputError, match="after the first frame") as error:
        score(tmp_path / "gt", tmp_path / "gt")
    assert "--protocol vos-benchmark" in error.value.remedy
    assert score(tmp_path / "gt", tmp_path / "gt", "vos-benchmark").summary["J"] == 1


@pytest.mark.parametrize(
    ("wanted", "there", "expected"),
    [
        (["a", "b"], ["a", "b", "c"], {"a": "a", "b": "b"}),
        (["a", "b"], ["b"], {"b": "b"}),
        (["00", "01"], ["x_00.t", "x_01.t", "y"], {"00": "x_00.t", "01": "x_01.t"}),
        (["1", "2"], ["001", "0002"], {"1": "001", "2": "0002"}),
        (["1"], ["01", "001"], {}),
        (["bear"], ["dog"], {}),
        ([], ["dog"], {}),
        (["bear"], [], {}),
        (
            ["bear", "bear2"],
            ["p_bear", "p_bear2"],
            {"bear": "p_bear", "bear2": "p_bear2"},
        ),
    ],
)
def test_rules_of_names(wanted, there, expected):
    assert dict(match_names(wanted, there).names) == expected


def test_ground_truth_that_leads_nowhere_is_refused(tree):
    write(tree, lambda t, f: f"{f}.png")
    (tree / "gt" / "swim").symlink_to(tree / "nowhere")
    with pytest.raises(InputError, match=r"swim.*nowhere"):
        score(tree / "pred", tree / "gt", workers=1)


def test_object_folder_that_leads_nowhere_is_refused(tmp_path):
    for side in ("gt", "pred"):
        for frame in range(4):
            write_label_map(
                tmp_path / side / "walk" / "1" / f"{frame:05d}.png",
                np.eye(8, dtype=np.uint8),
            )
    (tmp_path / "gt" / "walk" / "2").mkdir()
    notes = score(tmp_path / "pred", tmp_path / "gt", "sa-v", workers=1).notes
    assert any("walk/2 holds no PNG masks" in note for note in notes), notes
    (tmp_path / "gt" / "walk" / "2").rmdir()
    (tmp_path / "gt" / "walk" / "2").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"walk/2.*nowhere"):
        score(tmp_path / "pred", tmp_path / "gt", "sa-v", workers=1)


@pytest.mark.parametrize("name", ["swim", ".swim"])
def test_ground_truth_folders_without_a_score_are_named(tree, name):
    write(tree, lambda t, f: f"{f}.png")
    (tree / "gt" / name).mkdir()
    if name.startswith("."):
        write_label_map(tree / "gt" / name / "00000.png", np.eye(8, dtype=np.uint8))
    notes = score(tree / "pred", tree / "gt", workers=1).notes
    assert any(note.startswith(f"{name} of the ground truth") for note in notes), notes


def test_frames_named_with_superscript_digits_are_read(tmp_path):
    for name in ("a", "a²", "a³", "²"):
        for side in ("gt", "pred"):
            write_label_map(tmp_path / side / "clip" / f"{name}.png", masks(0))
    scores = score(tmp_path / "pred", tmp_path / "gt", "vos-benchmark", workers=1)
    assert scores.summary["J"] == 1


def test_masks_with_rows_and_columns_exchanged_are_not_resized(tree):
    for t, frame in enumerate(FRAMES):
        write_label_map(tree / "pred" / "clip" / f"{frame}.png", masks(t).T)
    with pytest.raises(InputError, match="swapped"):
        score(tree / "pred", tree / "gt", resize="nearest", workers=1)
