"""Results that fit nowhere, or too well in some frames: asked about, from numbers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from evaluation import InputError, Meter, object_attributes, score
from evaluation.masks.label_map import write_label_map

T, H, W = 12, 100, 160
FRAMES = [f"{t:05d}" for t in range(T)]


def drawn(t: int, seed: int = 0, off: int = 0) -> np.ndarray:
    """Two objects of one video; `off` is what a method gets wrong at their edges."""
    rng = np.random.default_rng(seed)
    frame = np.zeros((H, W), np.uint8)
    for key in (1, 2):
        x, y = rng.integers(35, W - 60), rng.integers(30, H - 30)
        size = (int(rng.integers(14, 24)) + off, int(rng.integers(10, 18)) + off)
        cv2.ellipse(frame, (int(x) + 2 * t, int(y)), size, 20, 0, 360, key, -1)
    return frame


VIDEOS = ("ant", "bee", "cat")
TRUTH = {
    v: {f: drawn(t, k) for t, f in enumerate(FRAMES)} for k, v in enumerate(VIDEOS)
}
OWN = {
    v: {f: drawn(t, k, off=(0 if t == 0 else -3)) for t, f in enumerate(FRAMES)}
    for k, v in enumerate(VIDEOS)
}


def notes_of(change, protocol: str = "davis-2017") -> list[str]:
    """Notes on predictions that are changed, by video, frame and mask."""
    masks = {
        v: {f: change(v, f, mask) for f, mask in frames.items()}
        for v, frames in OWN.items()
    }
    return list(score(masks, TRUTH, protocol).notes)


def mixed(mask: np.ndarray) -> np.ndarray:
    """Pixels in an order that no look knows, in large pieces."""
    blocks = mask.reshape(4, H // 4, 4, W // 4)
    order = [2, 0, 3, 1]
    return np.ascontiguousarray(blocks[order][:, :, order]).reshape(H, W)


def test_masks_that_do_not_fit_the_given_frame_are_asked_about() -> None:
    assert notes_of(lambda v, f, m: m) == []
    told = notes_of(lambda v, f, m: mixed(m) if v == "bee" else m)
    assert [n.partition(":")[0] for n in told] == ["bee"]
    assert "even in its first frame, 00000" in told[0]


def test_one_object_of_another_shape_is_named() -> None:
    def exchanged(v, f, mask):
        if v != "cat":
            return mask
        far = np.roll(mask == 2, (40, -60), (0, 1))
        return np.where(far & (mask != 1), 2, np.where(mask == 1, 1, 0)).astype(
            np.uint8
        )

    (note,) = notes_of(exchanged)
    assert note.startswith("cat: masks of object 2 hardly fit")


def test_objects_lost_after_the_given_frame_are_a_method_s_own() -> None:
    lost = notes_of(lambda v, f, m: m if f == FRAMES[0] else mixed(m))
    assert not any("first frame" in note for note in lost)


def test_a_first_frame_that_is_left_empty_is_no_sign() -> None:
    told = notes_of(lambda v, f, m: np.zeros_like(m) if f == FRAMES[0] else m)
    assert told == []


def test_masks_far_from_all_objects_are_asked_about() -> None:
    """Without given masks one video may be so: a method takes other objects."""

    def near_none(v, f, mask):
        return np.where(TRUTH[v][f] > 0, 0, mixed(mask)).astype(np.uint8)

    told = [n for n in notes_of(near_none, "mevis") if "J is below" in n]
    assert [note.partition(":")[0] for note in told] == list(VIDEOS)
    one = notes_of(lambda v, f, m: near_none(v, f, m) if v == "ant" else m, "mevis")
    assert not any("J is below" in note for note in one)


@pytest.mark.parametrize("protocol", ["davis-2017-unsupervised", "trackeval-davis"])
def test_mirrored_proposals_are_told(protocol: str) -> None:
    told = notes_of(lambda v, f, m: m[:, ::-1] if v == "bee" else m, protocol)
    assert any(n.startswith("bee: ") and "left and right exchanged" in n for n in told)
    assert not any(n.startswith(("ant: ", "cat: ")) for n in told)


@pytest.mark.parametrize("step", [2, 3])
def test_ground_truth_in_every_few_frames_is_told(step: int) -> None:
    def leaked(v, f, mask):
        return TRUTH[v][f] if v == "ant" and int(f) % step == 0 else mask

    (note,) = notes_of(leaked)
    n = len([t for t in range(1, T - 1) if t % step == 0])
    assert note.startswith(f"ant: {n} of {T - 2} scored frames equal the ground truth")


def test_a_video_of_ground_truth_among_others_is_told() -> None:
    (note,) = notes_of(lambda v, f, m: TRUTH[v][f] if v == "bee" else m)
    assert note.startswith("bee: all scored masks equal the ground truth")


def test_frames_in_which_objects_have_not_moved_yet_are_not_told() -> None:
    """A copy of the first mask equals the truth until the object sets off."""
    truth = {f: drawn(max(0, t - 5) * 4) for t, f in enumerate(FRAMES)}
    copies = dict.fromkeys(FRAMES, truth[FRAMES[0]])
    told = score({"v": copies}, {"v": truth}).notes
    assert not any("copied" in note for note in told)


def test_probabilities_cut_to_whole_numbers_are_told_by_score_and_meter() -> None:
    """Of sigmoids only 1.0 stays: a few pixels in the middle, or nothing at all."""
    middle = np.ones((15, 15), np.uint8)
    cut = {f: cv2.erode(m, middle) for f, m in TRUTH["ant"].items()}
    for masks, words in ((cut, "cut to whole numbers"), ({}, "empty throughout")):
        meter = Meter()
        for f, true in TRUTH["ant"].items():
            meter.update(masks.get(f, np.zeros_like(true)), true, sequence="v", frame=f)
        assert any(words in note for note in meter.compute().notes)
    told = score({"v": cut}, {"v": TRUTH["ant"]}).notes
    assert any("cut to whole numbers" in note for note in told)


def test_mirrored_masks_of_black_and_white_truth_are_told() -> None:
    white = {
        f: np.where(m == 1, 255, 0).astype(np.uint8) for f, m in TRUTH["ant"].items()
    }
    own = {f: (m[:, ::-1] > 0).astype(np.uint8) for f, m in white.items()}
    assert any(
        "left and right exchanged" in n for n in score({"v": own}, {"v": white}).notes
    )


def test_masks_of_frames_without_annotation_written_empty_are_told() -> None:
    """Only every third frame has objects, as after an export of sparse masks."""
    sparse = {
        f: m if t % 3 == 0 else 0 * m for t, (f, m) in enumerate(TRUTH["ant"].items())
    }
    words = "empty, and no two in a row have objects"
    told = score({"v": OWN["ant"]}, {"v": sparse}).notes
    assert any(f"v: 7 of 10 frames of the ground truth are {words}" in n for n in told)
    assert any(words in note for note in object_attributes({"v": sparse}).notes)
    hides = {
        f: 0 * m if t in (3, 4, 8) else m
        for t, (f, m) in enumerate(TRUTH["ant"].items())
    }
    assert not any(words in n for n in score({"v": OWN["ant"]}, {"v": hides}).notes)


@pytest.mark.parametrize(
    ("drawn", "told"),
    [
        ("1000000000100000000010000000", "9 after each"),
        ("1000000100000010000001", "6 after each"),
        ("11000110001100", "3 after every 2"),
        ("01101101101101", "1 after every 2"),
        ("11111111000001111", ""),  # hidden once
        ("1110000011111000011100", ""),  # hidden twice, as long as it takes
        ("11111011110111", ""),
    ],
)
def test_blank_masks_at_regular_intervals_are_told_on_either_side(drawn, told) -> None:
    """Blank, as nobody drew them; objects that hide do not keep time."""
    mask = np.zeros((20, 20), np.uint8)
    mask[5:12, 5:12] = 1
    whole = np.stack([mask] * len(drawn))
    blank = np.stack([mask * int(one) for one in drawn])
    protocols = ["vos-benchmark"] + ["davis-2017"] * (drawn[0] == "1")
    for protocol in protocols:  # the latter leaves the first and the last frame out
        notes = score({"v": whole}, {"v": blank}, protocol).notes
        found = [n for n in notes if "regular intervals" in n or "no two in a" in n]
        assert len(found) == bool(told), notes
        assert all("of the ground truth are empty" in n for n in found)
    notes = score({"v": blank}, {"v": whole}, "vos-benchmark").notes
    found = [n for n in notes if "predicted masks are empty in" in n]
    assert len(found) == bool(told) and all(told in n for n in found), notes


def test_videos_that_are_blank_in_the_same_frames_are_told() -> None:
    """An annotator or a method that stopped half-way, in all videos at once."""
    mask = np.zeros((20, 20), np.uint8)
    mask[5:12, 5:12] = 1
    lengths = {"a": 14, "b": 14, "c": 9}
    whole = {name: np.stack([mask] * n) for name, n in lengths.items()}
    half = {name: np.r_[own[:5], 0 * own[5:]] for name, own in whole.items()}
    other = half | {"c": np.r_[whole["c"][:4], 0 * whole["c"][4:]]}
    for own, true, side in ((whole, half, "ground truth"), (half, whole, "prediction")):
        told = [n for n in score(own, true).notes if "in the same frames" in n]
        assert len(told) == 1 and f"a, b, c: the {side} is empty in" in told[0]
        assert "(8 of 12, from frame 5 of those" in told[0]
    for own, true in ((whole, other), (other, whole), (whole, whole)):
        assert not any("same frames" in n for n in score(own, true).notes)
    told = [n for n in score(half, half).notes if "in the same frames" in n]
    assert len(told) == 1 and "the ground truth is empty" in told[0]


def shrunk(mask: np.ndarray, by: int) -> np.ndarray:
    """A mask whose objects lost a margin."""
    return cv2.erode(mask, np.ones((2 * by + 1, 2 * by + 1), np.uint8))


ENDINGS = {
    "from frame 00004 to the end (7 of 10 scored frames)": lambda t, m: m * (t < 4),
    "from frame 00007 to the end (4 of 10 scored frames)": lambda t, m: m * (t < 7),
}


@pytest.mark.parametrize("told", ENDINGS)
@pytest.mark.parametrize("protocol", ["davis-2017", "lvos"])
def test_masks_that_end_at_once_are_told(told: str, protocol: str) -> None:
    end = ENDINGS[told]
    notes = notes_of(lambda v, f, m: end(int(f), m) if v == "bee" else m, protocol)
    (note,) = (n for n in notes if "to the end" in n)
    assert note.startswith("bee: predicted masks are empty ")
    assert told in note or protocol != "davis-2017"


@pytest.mark.parametrize(
    "own",
    [
        lambda t, m: m * (t < 9),  # less than a third
        lambda t, m: shrunk(m, 2 * t) * (t < 7),  # lost bit by bit
        lambda t, m: m * (m == 1) * (t < 11) if t >= 4 else m,  # one of two objects
        lambda t, m: m * ((t < 4) | (t == 10)),  # found again
        lambda t, m: m * (t < 1),  # not found once
        lambda t, m: np.roll(m, 60 * (t > 2), 1) * (t < 6),  # on something else first
    ],
)
def test_objects_that_a_method_loses_are_not_told_as_an_end(own) -> None:
    masks = {"v": {f: own(int(f), m) for f, m in OWN["bee"].items()}}
    told = score(masks, {"v": TRUTH["bee"]}).notes
    assert not any("to the end" in note for note in told)


@pytest.mark.parametrize(
    "true",
    [
        lambda t, m: m * (t < 5),  # leaves, too
        lambda t, m: shrunk(m, 7) if t >= 5 else m,  # hides but for a rest
        lambda t, m: m * ((t < 5) | (t > 7)),  # hides just then
    ],
)
def test_masks_that_end_as_objects_do_are_not_told(true) -> None:
    truth = {f: true(int(f), m) for f, m in TRUTH["bee"].items()}
    masks = {f: m * (int(f) < 5) for f, m in OWN["bee"].items()}
    told = score({"v": masks}, {"v": truth}).notes
    assert not any("to the end" in note for note in told)


def test_a_background_with_an_id_on_both_sides_is_told() -> None:
    one_higher = [{"v": {f: m + 1 for f, m in s["ant"].items()}} for s in (OWN, TRUTH)]
    words = "object 1 fills all corners and most of the frame: is it the background"
    for protocol in ("davis-2017", "davis-2017-unsupervised"):
        assert any(words in note for note in score(*one_higher, protocol).notes)
    assert any(words in note for note in object_attributes(one_higher[1]).notes)


def test_a_folder_of_other_results_beside_the_sequences_is_told(tmp_path) -> None:
    for folder, source in (("gt", TRUTH), ("own", OWN), ("own/old", OWN)):
        for f, mask in source["ant"].items():
            write_label_map(tmp_path / folder / "ant" / f"{f}.png", mask)
    (note,) = score(tmp_path / "own", tmp_path / "gt").notes
    assert note.startswith("ant: masks in the folder old beside it were not read")
    with pytest.raises(InputError, match="frame 1 twice"):
        first = TRUTH["ant"][FRAMES[0]]
        score({"ant": {1: first, "1": first}}, TRUTH, sequences=["ant"])


@pytest.mark.parametrize("off", [0, 40])
def test_small_objects_lost_at_once_are_not_called_misread(off: int) -> None:
    true = np.zeros((8, 60, 90), np.uint8)
    for t in range(8):
        true[t, 20:22, 5 + 4 * t : 7 + 4 * t] = 1
    copied = np.roll(np.repeat(true[:1], 8, axis=0), off, axis=1)
    (note,) = score({"a": copied}, {"a": true}).notes
    assert ("masks fit in the given frame" in note) == (off == 0)
    assert ("read wrongly" in note) == (off == 40)
