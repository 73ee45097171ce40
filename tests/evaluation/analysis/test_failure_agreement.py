"""Scores that are given to find_failures must be those of its masks."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation import find_failures, score
from evaluation.protocols import PROTOCOLS

T = 6


def squares(*shifts: int) -> np.ndarray:
    """[T, 24, 32] of objects 1 and 2, each moved right by its shift from frame 1 on."""
    masks = np.zeros((T, 24, 32), np.uint8)
    for k, shift in enumerate(shifts, 1):
        for t in range(T):
            left = 2 + 14 * (k - 1) + (shift if t else 0)
            masks[t, 6:16, left : left + 10] = k
    return masks


TRUTH = {"cat": squares(0, 0)}
FOUND = {"cat": squares(2, 1)}
OTHER = {"cat": squares(1, 2)}  # of the same areas


def notes(results, scores, truth=TRUTH, **options) -> tuple[str, ...]:
    return find_failures(
        results, truth, scores, attributes=False, workers=1, **options
    ).notes


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_scores_of_the_masks_are_silent_under_every_protocol(protocol, tmp_path):
    truth, found = {"cat": TRUTH["cat"].copy()}, {"cat": FOUND["cat"].copy()}
    truth["cat"][4:] = 0  # gone, and predicted all the same
    found["cat"][3] = 0
    truth["cat"][2, 20:, :4] = 255
    scores = score(found, truth, protocol, workers=1)
    saved = scores.save(tmp_path, format="csv")
    assert not notes(found, saved, truth)


def test_scores_of_other_results_are_told():
    (note,) = notes(OTHER, score(FOUND, TRUTH))
    # Object 1: 8 of 12 columns by the scores, 9 of 11 by the masks.
    assert "J differs in 8 of 8 object frames (first cat/1 in 00001: 0.667" in note
    assert "in the scores, 0.818 of the masks)" in note
    assert notes(OTHER, score(OTHER, TRUTH)) == notes(FOUND, score(FOUND, TRUTH)) == ()
    exact = score(TRUTH, TRUTH)
    assert "(first cat/1 in 00001: 1.000" in notes(FOUND, exact)[0]


def test_masks_that_changed_since_are_told():
    results = {"cat": FOUND["cat"].copy()}
    scores = score(results, TRUTH)
    results["cat"][3] = np.roll(results["cat"][3], 1, axis=0)
    (note,) = notes(results, scores)
    assert "J differs in 2 of 8 object frames (first cat/1 in 00003" in note


def test_true_masks_that_changed_are_told_once():
    truth = {"cat": np.roll(TRUTH["cat"], 1, axis=1)}
    (note,) = notes(FOUND, score(FOUND, TRUTH), truth)
    assert note.startswith("the ground truth of the scores and that of the failures")


@pytest.mark.parametrize("options", [{"void": 2}, {"binarize": True}])
def test_options_of_the_scores_alone_are_told(options):
    truth = {"cat": TRUTH["cat"].copy()}
    truth["cat"][:, 6:16, 11:14] = 2  # an object that touches the other
    scores = score(FOUND, truth, **options)
    assert not notes(FOUND, scores, truth, **options)
    (note,) = notes(FOUND, scores, truth)
    assert "pass the options that they were scored with" in note
