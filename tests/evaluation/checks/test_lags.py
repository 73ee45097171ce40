"""Masks that are one or two frames off under equal names: a paired test of frames.

An object of 20 x 30 pixels walks 1 pixel per frame: one frame off, its J is 29 / 31.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from evaluation import score
from evaluation.results.checks.lags import _chance
from evaluation.results.checks.nearby import of_true_size

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


def test_a_method_that_falls_back_now_and_then_is_not_told():
    """Behind by 0, 1 and 2 frames in the three parts of the video."""
    assert not told([walk(t - t // 8) for t in range(T)])


def grown(t, by=0):
    """An object of 10 + t rows and columns, drawn larger on all sides."""
    mask = np.zeros((H, W), np.uint8)
    side = 10 + t + 2 * by
    mask[2 - by : 2 - by + side, 30 - t // 2 - by : 30 - t // 2 - by + side] = 1
    return mask


@pytest.mark.parametrize("back", [False, True])
def test_masks_too_large_of_an_object_that_grows_are_not_told(back):
    """They fit the next frame better, or that before where the object shrinks."""
    frames = range(T)[:: -1 if back else 1]
    truth = np.stack([grown(t) for t in frames])
    found = np.stack([grown(t, by=1) for t in frames])
    as_named, off = (
        np.mean([(a & b).sum() / (a | b).sum() for a, b in zip(one, two, strict=True)])
        for one, two in [(truth, found), (truth[1:], found[:-1])]
    )
    assert back or off > as_named + 0.02
    assert not any("numbered" in n for n in score({"a": found}, {"a": truth}).notes)


def test_objects_are_brought_to_their_true_size():
    """5 x 5 to 3 x 3 about its middle; an object 7 that is none stays as it is."""
    own = np.zeros((9, 20), np.uint8)
    own[2:7, 2:7], own[0:2, 12:15] = 4, 7
    true = np.zeros_like(own)
    true[0:3, 17:20] = 4
    wanted = np.where(own == 7, own, 0)
    wanted[3:6, 3:6] = 4
    np.testing.assert_array_equal(of_true_size(true, own), wanted)


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


def late(found, truth):
    notes = score({"a": np.stack(found)}, {"a": np.stack(truth)}).notes
    return [n for n in notes if "named a frame late" in n]


def test_the_given_mask_a_frame_late_is_told_in_short_videos():
    """Six frames are too few for the paired test: J is 29 / 31 in each."""
    truth = [walk(t) for t in range(6)]
    (note,) = late([truth[0], *truth[:-1]], truth)
    assert note.startswith("a: the mask of 00001 is to the pixel that of")


def test_masks_that_are_held_are_not_called_late():
    truth = [walk(t) for t in range(6)]
    assert not late([truth[0]] * 6, truth)
    assert not late([truth[t - t % 2] for t in range(6)], truth)
    still = [walk(0)] * 3 + [walk(t) for t in range(3)]
    assert not late([*still[:3], *(walk(t + 1) for t in range(3))], still)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shown", [{0, 12}, {0, 6, 12}, {0, 4, 12}])
def test_frames_without_any_object_are_no_reason_to_divide_by_nothing(shown):
    """Nothing can be compared in frames that are empty in truth and prediction."""
    blank = [walk(t) * (t in shown) for t in range(T)]
    found = [walk(t + 1) * (t in shown) for t in range(T)]
    notes = score({"a": np.stack(found)}, {"a": np.stack(blank)}).notes
    assert not [n for n in notes if "are they numbered from another" in n]
