"""Totals add up in the order of the official tools, down to the last digit."""

import numpy as np
import pytest

from evaluation.metrics.aggregate import summarise
from evaluation.protocols import get_protocol
from evaluation.scoring import score


def objects(J: list[float], F: list[float], **columns: list) -> dict[str, list]:
    return {"J_mean": J, "F_mean": F, **columns}


def test_trackeval_adds_sequences_up_one_by_one():
    values = np.random.default_rng(4).random(40).tolist()
    names = [f"s{i:02d}" for i in range(40)]
    table = objects(values, values, sequence=names, object=[1] * 40)
    total = 0.0
    for value in values:
        total += value
    assert total != float(np.sum(values)), "the example tells no order from another"
    assert summarise(table, get_protocol("trackeval-davis"))["J"] == total / 40


def test_trackeval_weighs_the_halved_sum_of_each_sequence():
    generator = np.random.default_rng(0)
    J, F = generator.random((2, 8)).tolist()
    names = list("aaabbccc")
    parts = [slice(0, 3), slice(3, 5), slice(5, 8)]
    halves = [(np.mean(J[p]) + np.mean(F[p])) / 2 for p in parts]
    expected = (halves[0] * 3 + halves[1] * 2 + halves[2] * 3) / 8
    table = objects(J, F, sequence=names, object=[1, 2, 3, 1, 2, 1, 2, 3])
    summary = summarise(table, get_protocol("trackeval-davis"))
    assert summary["J&F"] == expected
    assert summary["J&F"] == pytest.approx((summary["J"] + summary["F"]) / 2)


def test_lvos_adds_region_and_boundary_of_each_group_first():
    generator = np.random.default_rng(1)
    rows = generator.random((200, 4)).tolist()
    other_order = 0
    for seen_J, seen_F, unseen_J, unseen_F in rows:
        table = objects(
            [seen_J, unseen_J],
            [seen_F, unseen_F],
            sequence=["a", "b"],
            object=[1, 1],
            group=["seen", "unseen"],
        )
        total = summarise(table, get_protocol("lvos"))["J&F"]
        assert total == ((seen_J + seen_F) + (unseen_J + unseen_F)) / 4
        other_order += total != (((seen_J + seen_F) + unseen_J) + unseen_F) / 4
    assert other_order, "the examples tell no order from another"


def half_visible(shift: int) -> np.ndarray:
    """[4, 20, 30] one square, there in frames 0 and 1 only."""
    masks = np.zeros((4, 20, 30), np.uint8)
    masks[:2, 5:15, 5 + shift : 15 + shift] = 1
    return masks


def test_an_object_without_a_track_is_compared_with_empty_masks():
    truth, nothing = half_visible(0), np.zeros((4, 20, 30), np.uint8)
    scores = score({"v": nothing}, {"v": truth}, "trackeval-davis")
    # Wrong in the two frames that show it, right in the two that do not.
    assert scores.summary["J"] == 0.5
    assert scores.summary["F"] == 0.5
    assert scores.object_columns["proposal"] == [0]


def test_a_track_goes_to_the_object_that_gains_most_beside_empty_masks():
    truth = half_visible(0)
    truth[:, 0:3, 0:30] = 2
    scores = score({"v": half_visible(0) * 7}, {"v": truth}, "trackeval-davis")
    table = scores.object_columns
    by_object = dict(zip(table["object"], table["J_mean"], strict=True))
    assert by_object == {1: 1.0, 2: 0.0}
    assert scores.object_columns["proposal"] == [7, 0]


def test_one_sequence_alone_keeps_the_numbers_of_its_own_row():
    J, F = [0.1, 0.3, 0.9], [0.7, 0.2, 0.7]
    table = objects(J, F, sequence=["a"] * 3, object=[1, 2, 3])
    summary = summarise(table, get_protocol("trackeval-davis"))
    assert summary["J"] == np.mean(J)
    assert summary["J&F"] == (np.mean(J) + np.mean(F)) / 2
