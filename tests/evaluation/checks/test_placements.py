"""Masks that are moved, scaled, outlined, untracked or lack an object: each is told."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from evaluation import score

T, H, W = 9, 90, 160
FRAMES = [f"{t:05d}" for t in range(T)]


def drawn(t: int, wobble: int = 0) -> np.ndarray:
    """Three objects of two shapes; `wobble` makes a method's mask of the truth."""
    frame = np.zeros((H, W), np.uint8)
    sway = (0, 1, -1)[t % 3] * wobble
    cv2.ellipse(frame, (30 + 2 * t + sway, 30), (14, 11), 0, 0, 360, 1, -1)
    cv2.rectangle(frame, (70, 52), (95 + sway, 76), 2, -1)
    cv2.ellipse(frame, (125 - t, 36 + sway), (12, 18), 0, 0, 360, 3, -1)
    return frame


TRUTH = {f: drawn(t) for t, f in enumerate(FRAMES)}
OWN = {f: drawn(t, int(t > 0)) for t, f in enumerate(FRAMES)}


def notes_of(change=None, truth=None, own=None) -> list[str]:
    own = own or OWN
    masks = {f: change(m) if change else m for f, m in own.items()}
    return list(score({"v": masks}, {"v": truth or TRUTH}).notes)


def test_a_method_that_is_a_little_off_is_left_alone() -> None:
    assert notes_of() == []


@pytest.mark.parametrize(
    ("down", "right", "back"),
    [
        (0, 6, "6 pixels to the left"),
        (-5, 0, "5 pixels down"),
        (4, -4, "4 pixels to the right and 4 up"),
    ],
)
def test_masks_a_few_pixels_beside_are_told_by_how_much(down, right, back) -> None:
    (note,) = notes_of(lambda m: np.roll(m, (down, right), (0, 1)))
    assert f"moved by {back} (mean IoU" in note


def test_a_method_that_stays_behind_is_not_called_moved() -> None:
    """The second object stands, so that no one move fits all."""
    behind = {f: drawn(max(t - 3, 0)) for t, f in enumerate(FRAMES)}
    assert not any("moved" in note for note in notes_of(own=behind))
    stays = dict.fromkeys(FRAMES, TRUTH[FRAMES[0]])
    assert not any("order" in note or "moved" in note for note in notes_of(own=stays))


def squashed(mask: np.ndarray) -> np.ndarray:
    """As a letterbox that was not undone: padded to a square, resized to the frame."""
    rows = (W - H) // 2
    square = np.pad(mask, ((rows, rows), (0, 0)))
    return cv2.resize(square, (W, H), interpolation=cv2.INTER_NEAREST)


def in_a_corner(mask: np.ndarray) -> np.ndarray:
    found = np.zeros_like(mask)
    found[: H // 2, : W // 2] = mask[::2, ::2]
    return found


@pytest.mark.parametrize(
    ("change", "across", "tall"), [(squashed, 1.0, 16 / 9), (in_a_corner, 2.0, 2.0)]
)
def test_masks_of_another_scale_are_told_by_how_much(change, across, tall) -> None:
    (note,) = (n for n in notes_of(change) if "scaled" in n)
    words = note.split()
    at = words.index("scaled")
    assert float(words[at + 2]) == pytest.approx(across, abs=0.06)
    assert float(words[at + 5]) == pytest.approx(tall, abs=0.06)


def test_outlines_are_told() -> None:
    def outlined(mask: np.ndarray) -> np.ndarray:
        inner = cv2.erode(mask, np.ones((3, 3), np.uint8))
        return np.where(inner == mask, 0, mask).astype(np.uint8)

    (note,) = notes_of(outlined)
    assert "if they are filled" in note and "outlines" in note


def test_ids_that_change_from_frame_to_frame_are_told() -> None:
    orders = ([1, 2, 3], [3, 1, 2], [2, 1, 3], [1, 3, 2], [3, 2, 1])
    own = {
        f: np.array([0, *orders[t % 5]], np.uint8)[m]
        for t, (f, m) in enumerate(OWN.items())
    }
    assert any("change from frame to frame" in note for note in notes_of(own=own))
    once = {f: np.array([0, 2, 1, 3])[m] if f > "00004" else m for f, m in OWN.items()}
    assert not any("frame to frame" in note for note in notes_of(own=once))


@pytest.mark.parametrize("exchanged", [(2, 1, 3), (3, 1, 2)])
def test_ids_of_the_ground_truth_that_change_from_frame_to_frame_are_told(
    exchanged,
) -> None:
    """Two objects, or all in turn, are numbered anew in every second frame."""
    anew = np.array([0, *exchanged], np.uint8)
    odd = {f: anew[m] if int(f) % 2 else m for f, m in TRUTH.items()}
    notes = score({"v": OWN}, {"v": odd}).notes
    told = [n for n in notes if "ground truth exchange ids from frame to frame" in n]
    assert len(told) == 1 and "8 times between 8 pairs" in told[0]
    assert "one id through the video" in told[0]
    once = {f: anew[m] if f > "00004" else m for f, m in TRUTH.items()}
    assert not any("exchange ids" in n for n in score({"v": OWN}, {"v": once}).notes)


def test_an_object_that_is_never_predicted_is_told() -> None:
    merged = {f: np.where(m == 3, 1, m) for f, m in OWN.items()}
    assert "v: object 3 of 3 is never predicted" in notes_of(own=merged)
    lost = {f: m if f == FRAMES[0] else merged[f] for f, m in OWN.items()}
    assert not any("never" in note for note in notes_of(own=lost))
    gone = {f: np.where(m == 2, 2, 0) for f, m in OWN.items()}
    assert not any("never" in note for note in notes_of(own=gone))  # told as one id


def test_objects_that_were_lost_are_not_called_exchanged() -> None:
    gone = {f: m if f < "00002" else np.zeros_like(m) for f, m in OWN.items()}
    gone["00001"] = np.where(np.arange(W) < 26, gone["00001"], 0).astype(np.uint8)
    assert not any("other ids" in note for note in notes_of(own=gone))


@pytest.mark.parametrize("how", [cv2.INTER_LINEAR, cv2.INTER_AREA])
@pytest.mark.parametrize("factor", [0.6, 1.5])
def test_interpolated_ids_are_told_on_either_side(how, factor) -> None:
    def blurred(mask: np.ndarray) -> np.ndarray:
        other = cv2.resize(mask, None, fx=factor, fy=factor, interpolation=how)
        return cv2.resize(other, (W, H), interpolation=how)

    truth = {f: blurred(m) for f, m in TRUTH.items()}
    notes = notes_of(truth=truth)
    assert any("v: in the ground truth, lower ids lie like a rim" in n for n in notes)
    notes = notes_of(blurred)
    assert any("v: in the prediction, lower ids lie like a rim" in n for n in notes)
