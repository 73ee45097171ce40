"""Masks that fit in another reading: the note names the one that fits best."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation import score

T, H, W = 6, 40, 70


def disc(t, down=0, right=0):
    """A disc of radius 6, alike from all sides, which moves by 5 columns per frame."""
    y, x = np.mgrid[:H, :W]
    inside = (y - 16 - down) ** 2 + (x - 15 - 5 * t - right) ** 2 <= 36
    return inside.astype(np.uint8)


def test_masks_that_are_moved_alike_are_not_called_turned():
    """Moved by 10 columns, and turned by 180 degrees in no frame."""
    truth = {"a": np.stack([disc(t) for t in range(T)])}
    found = {"a": np.stack([disc(t, 3, 10) for t in range(T)])}
    notes = score(found, truth).notes
    assert any("moved by 10 pixels to the left and 3 up" in n for n in notes), notes
    assert not any("turned" in n or "exchanged" in n for n in notes)


def test_masks_cut_at_the_edge_are_moved_as_well():
    """Of a bar over the whole height, moved by 4 rows, the lower edge alone tells."""
    truth, found = np.zeros((2, T, H, W), np.uint8)
    for t in range(T):
        truth[t, 2:22, 4 * t : 4 * t + 10] = 1
        found[t, :12, 4 * t : 4 * t + 10] = 1
    notes = score({"a": found}, {"a": truth}).notes
    assert not any("moved by" in n for n in notes)  # J is half, and half is cut
    found = np.roll(truth, 12, axis=1)
    notes = score({"a": found}, {"a": truth}).notes
    assert any("moved by 12 pixels up" in n for n in notes), notes


@pytest.mark.parametrize("wander", [4, 9])
def test_masks_that_drift_are_not_moved_alike(wander):
    """Each frame is off by more: no one move fits."""
    truth = {"a": np.stack([disc(t) for t in range(T)])}
    found = {"a": np.stack([disc(t, right=-wander * t) for t in range(T)])}
    notes = score(found, truth).notes
    assert not any("moved by" in n for n in notes), notes


def test_masks_that_fit_in_no_way_are_not_called_flipped():
    """Masks too large in many ways, beside the object: flipped, they cover it."""
    generator = np.random.default_rng(0)
    truth, found = np.zeros((2, 12, H, W), np.uint8)
    for t in range(12):
        truth[t, 10:20, 33 + t : 43 + t] = 1
        top, more, left, wide = generator.integers(0, 8, 4)
        found[t, top : 24 + more, 12 + left : 33 + wide] = 1
    notes = score({"a": found}, {"a": truth}).notes
    assert not any("flipped" in n for n in notes), notes


def test_readings_that_fit_alike_are_all_told():
    """A mask that never moves: flipped is moved."""
    mask = np.zeros((T, H, W), np.uint8)
    mask[:, 10:20, 5:25] = 1
    notes = score({"a": mask[:, :, ::-1].copy()}, {"a": mask}).notes
    assert any("left and right exchanged" in n for n in notes)
    assert any("moved by 40 pixels to the left" in n for n in notes)


def test_one_mask_in_all_frames_is_in_no_other_order():
    """As the baseline `copy` writes it: it fits frame 0 best throughout."""
    truth = {"a": np.stack([disc(2 * t) for t in range(T)])}
    notes = score({"a": np.stack([disc(0)] * T)}, truth).notes
    assert not any("other frames" in n for n in notes), notes
    found = {"a": truth["a"][::-1].copy()}
    notes = score(found, truth).notes
    assert any("other frames" in n for n in notes), notes


def boots(n=9):
    """An L in the middle of the frame, which walks 8 columns to the right."""
    frames = np.zeros((n, 60, 81), np.uint8)
    for t in range(n):
        frames[t, 15:45, 30 + t : 38 + t] = 1
        frames[t, 35:45, 30 + t : 50 + t] = 1
    return frames


@pytest.mark.parametrize(
    ("sides", "flip"),
    [
        ("left and right", np.s_[:, ::-1]),
        ("top and bottom", np.s_[::-1]),
        ("all sides (turned by 180 degrees)", np.s_[::-1, ::-1]),
    ],
)
@pytest.mark.parametrize("protocol", ["davis-2017", "davis-2016"])
def test_masks_flipped_after_the_given_frame_are_told(sides, flip, protocol):
    """Though they overlap with the object, which is near the middle."""
    truth = boots()
    found = np.stack([m if t == 0 else m[flip] for t, m in enumerate(truth)])
    scores = score({"a": found}, {"a": truth}, protocol)
    assert 0.2 < scores.summary["J"] < 0.75
    [told] = [note for note in scores.notes if "were images flipped" in note]
    assert f"with {sides} exchanged (mean IoU 1.00" in told


def test_methods_that_err_now_here_now_there_are_not_flipped():
    truth = boots()
    late = truth[[0, 0, 0, 1, 2, 3, 4, 5, 6]]
    copied = np.repeat(truth[:1], len(truth), axis=0)
    once = np.stack([m[:, ::-1] if t == 5 else m for t, m in enumerate(truth)])
    for found in (truth, late, copied, once, np.roll(truth, 3, axis=2)):
        notes = score({"a": found}, {"a": truth}).notes
        assert not any("flipped" in note for note in notes), notes
