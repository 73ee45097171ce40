"""Kinds of input that gave a wrong number without a word, each with its right value."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.scoring import score

T, H, W = 8, 30, 60


def square(place, t, width=10):
    mask = np.zeros((H, W), bool)
    mask[3 + place * 8 : 9 + place * 8, 2 + 3 * t : 2 + 3 * t + width] = True
    return mask


def by_object(ids, offset=0, shift=0):
    """Frame -> object id + `offset` -> mask; object k is a bar in row k."""
    return {
        f"{t:05d}": {k + offset: np.roll(square(k - 1, t), shift, 1) for k in ids}
        for t in range(T)
    }


def j_of(scores):
    table = scores.objects
    keys = zip(table["sequence"], table["object"], strict=True)
    return dict(zip(keys, table["J_mean"], strict=True))


# --- objects that no video of the results has --------------------------------------


def test_results_from_0_that_lack_object_0_in_every_video():
    """Bars of 10 columns shifted by 2: 8 of 12 columns are shared."""
    truth = {name: by_object((1, 2, 3)) for name in "ab"}
    found = {name: by_object((2, 3), -1, shift=2) for name in "ab"}
    scores = score(found, truth, missing="score-as-empty")
    right = {1: 0.0, 2: 8 / 12, 3: 8 / 12}
    assert j_of(scores) == pytest.approx(
        {(name, k): j for name in "ab" for k, j in right.items()}
    )
    assert any("object 1 was taken for 2" in note for note in scores.notes)


def test_results_from_1_that_lack_the_last_object_in_every_video():
    truth = {name: by_object((1, 2, 3)) for name in "ab"}
    found = {name: by_object((1, 2), shift=2) for name in "ab"}
    scores = score(found, truth, missing="score-as-empty")
    assert j_of(scores)["a", 1] == j_of(scores)["b", 2] == pytest.approx(8 / 12)
    assert j_of(scores)["a", 3] == 0
    assert not any("taken for" in note for note in scores.notes)


def test_one_object_on_another_is_confused_not_counted_otherwise():
    truth = {"a": by_object((1, 2))}
    found = {"a": {f: {1: masks[2]} for f, masks in by_object((2,)).items()}}
    scores = score(found, truth, missing="score-as-empty")
    assert j_of(scores) == {("a", 1): 0.0, ("a", 2): 0.0}
    assert any("other ids" in note for note in scores.notes)
