"""Masks of other frames than their names say: another order, or another frame rate.

An object of 20 x 30 pixels walks 2 pixels per frame and breathes by a row: k frames
off, its IoU is about (30 - 2k) / (30 + 2k), less than 0.9 from the second frame on.
"""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from evaluation import score
from evaluation.results.checks.orders import _best_course

T, H, W = 24, 48, 110
ORDERS = {
    "as text": sorted(range(T), key=str),
    "even, then odd": [*range(0, T, 2), *range(1, T, 2)],
    "four workers": sorted(range(T), key=lambda t: t % 4),
    "chunks": [*range(8), *range(16, 24), *range(8, 16)],
    "chunks backwards": [0, *(t ^ 7 for t in range(1, T))],
}
RATES = {
    "twice": [min(2 * t, T - 1) for t in range(T)],
    "half": [t // 2 for t in range(T)],
}


def walk(t, step=2.0, grow=0):
    """Object 1 in frame t, all sides larger by `grow`; object 2 stands still."""
    mask = np.zeros((H, W), np.uint8)
    x, low = 8 + round(step * t), 30 + t % 2
    mask[10 - grow : low + grow, x - grow : x + 30 + grow] = 1
    mask[40:46, 5:25] = 2
    return mask


TRUTH = np.stack([walk(t) for t in range(T)])


def told(found, truth=TRUTH, **options):
    notes = score({"a": np.stack(found)}, {"a": np.stack(truth)}, **options).notes
    return [n for n in notes if "in another order" in n or "frame rate" in n]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("options", [{}, {"protocol": "davis-2016"}])
def test_masks_in_another_order_are_told(order, options):
    """The mask of frame 3 has the name of the place at which it stands."""
    (note,) = told(TRUTH[ORDERS[order]], **options)
    assert "fit other frames of the ground truth" in note


def test_the_frames_that_masks_fit_are_named():
    """Of 0, 1, 10, 11, 2, ... the third is the mask of 10; no two frames look alike."""
    truth = np.stack([walk(t, step=1) for t in range(T)])
    (note,) = told(truth[ORDERS["as text"]], truth)
    assert "00002 that of 00010" in note and "sorted by name as text" in note


@pytest.mark.parametrize("rate", RATES)
def test_masks_of_another_frame_rate_are_told(rate):
    (note,) = told(TRUTH[RATES[rate]])
    assert f"of a video {rate} as fast" in note


HONEST = {
    "held": [0] * T,
    "held from the middle": [min(t, 12) for t in range(T)],
    "held for six frames": [t // 6 * 6 for t in range(T)],
    "behind by three": [max(0, t - 3) for t in range(T)],
    "ever farther behind": [int(0.8 * t) for t in range(T)],
    "back now and then": [max(0, t - (0, 3, 1, 4, 0)[t % 5]) for t in range(T)],
    "one flash": [*range(10), 20, *range(11, T)],
}


@pytest.mark.parametrize("kind", HONEST)
def test_masks_that_are_held_or_behind_are_not_told(kind):
    assert not told(TRUTH[HONEST[kind]])


def test_masks_that_drift_or_wander_are_not_told():
    assert not told([walk(t, step=1.6) for t in range(T)])
    assert not told([walk(t, step=2.5) for t in range(T)])
    shaken = [np.roll(walk(t), 5 * (-1) ** t, axis=1) for t in range(T)]
    assert not told(shaken)
    by = np.random.default_rng(4).integers(-6, 7, T)
    assert not told([np.roll(walk(t), by[t], axis=1) for t in range(T)])


def test_objects_that_swing_followed_late_are_not_told():
    """Twelve frames there and twelve back: behind by three, masks fit the way back."""
    swing = [walk(min(t, 23 - t)) for t in range(T)]
    assert not told([swing[max(0, t - 3)] for t in range(T)], swing)


def test_masks_too_large_of_an_object_that_changes_its_size_are_not_told():
    """They fit frames in which the object is as large as they are."""
    truth = [walk(0, grow=abs(t % 12 - 6)) for t in range(T)]
    found = [walk(0, grow=abs(t % 12 - 6) + 2) for t in range(T)]
    assert not told(found, truth)


def test_objects_that_stand_still_have_no_order():
    truth = [walk(t % 2) for t in range(T)]
    assert not told([truth[t] for t in ORDERS["as text"]], truth)


def test_nothing_is_read_for_it_where_masks_fit():
    """A third of the frames must fit badly; here every third loses a rim."""
    found = np.stack([walk(t, grow=-(t % 3 == 0)) for t in range(T)])
    with mock.patch("evaluation.results.checks.orders._Look") as look:
        assert not told(found)
    assert not look.called


def test_the_best_course_never_goes_back():
    """1 and 0.9 lie on a way back; frame 1 twice has 0.6 + 0.9, frame 2 twice 1.3."""
    assert _best_course(np.array([[0.6, 1.0], [0.9, 0.3]])) == pytest.approx(0.75)
