"""Masks that are one or two frames off under equal names: a paired test of frames.

An object of 20 x 30 pixels walks 1 pixel per frame: one frame off, its J is 29 / 31.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from evaluation import score
from evaluation.results.checks.lags import _chance

T, H, W = 24, 40, 90


def walk(t, step=1, noise=0):
    """The object in frame t; an error of the method adds or takes a column."""
    mask = np.zeros((H, W), np.uint8)
    mask[10:30, 5 + step * t : 35 + step * t + noise] = 1
    return mask


TRUTH = {"a": np.stack([walk(t) for t in range(T)])}
ERRORS = [(0, 0, 1, 0, 0, -1)[t % 6] for t in range(T)]


def told(found, **options):
    notes = score({"a": np.stack(found)}, TRUTH, **options).notes
    return [n for n in notes if "are they numbered from another" in n]


@pytest.mark.parametrize("off", [-2, -1, 1, 2])
@pytest.mark.parametrize(
    "options", [{}, {"binarize": True}, {"protocol": "davis-2016"}]
)
def test_masks_off_by_one_or_two_are_told(off, options):
    """Far below a tenth of J, and with errors of the method in every third frame."""
    found = [walk(t + off, noise=ERRORS[t]) for t in range(T)]
    (note,) = told(found, **options)
    n, side = re.search(r"better (\d) frames? (later|earlier)", note).groups()
    assert (int(n), side) == (abs(off), "later" if off > 0 else "earlier")


def test_honest_errors_are_not_told():
    """Errors of any size to both sides, in 12 videos."""
    generator = np.random.default_rng(3)
    for _ in range(6):
        errors = generator.integers(-6, 7, T)
        found = [walk(t + int(generator.integers(-1, 2))) for t in range(T)]
        assert not told(found)
        assert not told([walk(t, noise=int(errors[t])) for t in range(T)])


def test_masks_that_stay_behind_are_not_told():
    """The first mask in all frames fits ever better the farther back one looks."""
    assert not told([walk(0)] * T)
    assert not told([walk(round(0.8 * t)) for t in range(T)])


def test_short_videos_and_masks_that_never_move_tell_nothing():
    truth = {"a": np.stack([walk(0)] * T)}
    shrunk = {"a": np.stack([walk(0, noise=-9)] * T)}
    assert not any("numbered" in n for n in score(shrunk, truth).notes)
    short = {"a": TRUTH["a"][:9]}
    found = {"a": TRUTH["a"][1:10]}
    assert not any("numbered" in n for n in score(found, short).notes)


@pytest.mark.parametrize("change", ["dropped", "doubled"])
def test_a_frame_left_out_or_doubled_in_the_middle_is_told(change):
    """40 frames, of which the ones from 15 on are one off."""
    truth = [walk(t) for t in range(40)]
    off = 1 if change == "dropped" else -1
    found = [walk(t if t < 15 else t + off) for t in range(40)]
    scores = score({"a": np.stack(found)}, {"a": np.stack(truth)})
    (note,) = [n for n in scores.notes if "left out or doubled" in n]
    side = "later" if off > 0 else "earlier"
    assert f"better 1 frame {side} from about 0001" in note


def test_the_sign_test_is_exact():
    """Of 10 coins, 9 or 10 heads: 11 of 1024 ways; ties are no throws."""
    assert _chance(np.array([1.0] * 9 + [-1.0])) == 11 / 1024
    assert _chance(np.array([1.0] * 9 + [-1.0] + [0.0] * 5)) == 11 / 1024
    assert _chance(np.zeros(4)) == 1.0


def test_objects_are_compared_by_their_ids():
    """Two objects that cross: as one mask nothing is off, by ids both are."""
    truth = {"a": np.stack([walk(t) + 2 * walk(T - t)[::-1] for t in range(T)])}
    found = {"a": np.roll(truth["a"], 1, axis=0)}
    notes = score(found, truth).notes
    assert any("better 1 frame earlier" in n for n in notes), notes
