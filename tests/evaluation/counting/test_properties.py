"""What must hold for any masks: the definitions of J and F, as properties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evaluation import PROTOCOLS, score
from evaluation.counting import reference
from evaluation.counting.boundaries import (
    adaptive_radii,
    boundary_map,
    dilate,
    disk,
    tolerance_radius,
)
from evaluation.metrics.boundary import boundary_f
from evaluation.metrics.region import jaccard, smoothed_jaccard

SHAPES = st.tuples(st.integers(1, 24), st.integers(1, 24))
MASKS = SHAPES.flatmap(lambda shape: arrays(bool, shape))
PAIRS = SHAPES.flatmap(lambda s: st.tuples(arrays(bool, s), arrays(bool, s)))


def counts_of(gt, pred, radius=2):
    return reference.count_frame(gt.view(np.uint8), pred.view(np.uint8), [1], radius)[0]


@pytest.mark.seconds
@settings(max_examples=60, deadline=None)
@given(MASKS)
def test_a_perfect_prediction_scores_one(mask):
    counts = counts_of(mask, mask)
    assert jaccard(counts) == boundary_f(counts) == smoothed_jaccard(counts) == 1


def test_empty_against_empty_scores_one_and_against_something_zero():
    empty, full = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    full[2:5, 3:7] = True
    assert jaccard(counts_of(empty, empty)) == boundary_f(counts_of(empty, empty)) == 1
    for pair in ((empty, full), (full, empty)):
        assert jaccard(counts_of(*pair)) == boundary_f(counts_of(*pair)) == 0


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_scores_are_fractions_and_symmetric(pair):
    one, other = counts_of(*pair), counts_of(*pair[::-1])
    for measure in (jaccard, boundary_f):
        assert 0 <= measure(one) <= 1
        assert measure(one) == pytest.approx(measure(other), abs=1e-15)


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_jaccard_is_what_sets_say(pair):
    one, other = (set(map(tuple, np.argwhere(mask))) for mask in pair)
    expected = len(one & other) / len(one | other) if one | other else 1.0
    assert jaccard(counts_of(*pair)) == expected


@settings(max_examples=60, deadline=None)
@given(MASKS)
def test_boundary_is_what_the_definition_says(mask):
    height, width = mask.shape
    expected = np.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            below, right = min(y + 1, height - 1), min(x + 1, width - 1)
            neighbours = mask[y, right], mask[below, x], mask[below, right]
            expected[y, x] = any(value != mask[y, x] for value in neighbours)
    assert np.array_equal(boundary_map(mask), expected)
    assert not boundary_map(mask)[-1, -1]


@settings(max_examples=40, deadline=None)
@given(MASKS, st.integers(0, 6))
def test_dilation_is_a_threshold_of_the_distance(mask, radius):
    points = np.argwhere(mask)
    expected = np.zeros_like(mask)
    for y, x in np.ndindex(mask.shape):
        squares = ((points - (y, x)) ** 2).sum(axis=1)
        expected[y, x] = bool((squares <= radius**2).any())
    assert np.array_equal(dilate(mask, disk(radius)), expected)


@settings(max_examples=40, deadline=None)
@given(PAIRS, st.integers(0, 5))
def test_boundary_f_is_what_distances_say(pair, radius):
    """F from nearest distances between outline pixels, without any dilation."""
    gt, pred = (np.argwhere(boundary_map(mask)) for mask in pair)
    f = boundary_f(counts_of(*pair, radius))
    if not len(gt) or not len(pred):
        assert f == (len(gt) == len(pred))
        return
    squares = ((gt[:, None] - pred[None]) ** 2).sum(axis=2)
    precision = np.mean(squares.min(axis=0) <= radius**2)
    recall = np.mean(squares.min(axis=1) <= radius**2)
    total = precision + recall
    assert f == pytest.approx(2 * precision * recall / total if total else 0, abs=1e-15)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 12))
def test_a_shifted_square_scores_as_geometry_says(shift):
    """A square of side 10 moved sideways shares 10 (10 - shift) pixels."""
    gt, pred = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    gt[10:20, 20:30] = True
    pred[10:20, 20 + shift : 30 + shift] = True
    shared = 10 * max(0, 10 - shift)
    counts = counts_of(gt, pred, radius=3)
    assert jaccard(counts) == shared / (200 - shared)
    assert (boundary_f(counts) == 1) == (shift <= 3)


def test_tolerance_follows_the_diagonal():
    assert tolerance_radius((480, 854)) == 8
    assert tolerance_radius((2160, 3840)) == 36
    assert tolerance_radius((1, 1)) == 1


def test_tolerance_of_mose_follows_the_object():
    usual = 0.008 * math.hypot(480, 854)
    assert adaptive_radii(100, (480, 854)) == (8, 1)
    assert adaptive_radii(3000, (480, 854)) == (8, 6)
    assert adaptive_radii(100_000, (480, 854)) == pytest.approx((usual, usual))
    assert adaptive_radii(0, (480, 854)) == pytest.approx((usual, usual))


def test_a_tolerance_between_pixels_makes_a_lopsided_element():
    element = disk(0.008 * math.hypot(480, 854))
    assert element.shape == (17, 17)
    assert not np.array_equal(element, element[::-1, ::-1])
    assert disk(0.008 * math.hypot(2160, 3840)).shape == (72, 72)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_gives_a_perfect_prediction_one(small, protocol):
    scores = score(small.gt, small.gt, protocol)
    for key in ("J&F", "J", "F", "J_recall", "F_recall"):
        assert scores.summary[key] == 1
    assert scores.summary["J_decay"] == 0


@pytest.mark.parametrize("protocol", ["davis-2017", "mose-v2", "vos-benchmark"])
@pytest.mark.parametrize("renamed", [{1: 2, 2: 1}, {1: 7, 2: 3}])
def test_renaming_objects_on_both_sides_renames_their_scores(small, protocol, renamed):
    def rename(label_map, frame):
        out = np.zeros_like(label_map)
        for old, new in renamed.items():
            out[label_map == old] = new
        return out

    before = score(small.pred, small.gt, protocol).objects.set_index("object")
    for folder in (small.gt, small.pred):
        small.change(folder, rename)
    after = score(small.pred, small.gt, protocol).objects.set_index("object")
    for old, new in renamed.items():
        assert after.loc[new, "J&F"] == before.loc[old, "J&F"]


def test_swapped_ids_score_nothing_by_id_and_everything_by_matching(small):
    small.change(small.pred, lambda m, t: m * 0)
    for path in (small.gt / "walk").iterdir():
        (small.pred / "walk" / path.name).write_bytes(path.read_bytes())
    small.change(small.pred, lambda m, t: np.array([0, 2, 1], np.uint8)[m])
    assert score(small.pred, small.gt, "davis-2017").summary["J"] == 0
    matched = score(small.pred, small.gt, "davis-2017-unsupervised")
    assert matched.summary["J&F"] == 1
    table = matched.objects.set_index("object")["proposal"]
    assert table.to_dict() == {1: 2, 2: 1}
