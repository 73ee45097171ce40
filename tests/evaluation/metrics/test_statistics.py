"""Mean, recall, decay, V, and the stretches without an object."""

import math

import numpy as np
import pytest

from evaluation.metrics.segments import (
    disappearances,
    mean_over_segments,
    reappearances,
)
from evaluation.metrics.statistics import decay, mean, recall, variance


def test_recall_counts_what_is_above_one_half_not_at_it():
    assert recall(np.array([0.5, 0.5001, 0.4, 1.0])) == 0.5


def test_decay_is_first_minus_last_quarter():
    assert decay(np.linspace(1, 0, 9)) == pytest.approx(0.75)
    assert decay(np.ones(7)) == 0
    quarters = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    # Borders at 0, 2, 4, 5, 7: the first quarter has 3 frames, the last one too.
    assert decay(quarters) == pytest.approx(0.8 - 0.3)


def test_decay_of_few_frames():
    assert decay(np.array([0.7])) == 0
    assert math.isnan(decay(np.array([])))


def test_eight_bit_frame_indices_change_nothing_up_to_256_frames():
    generator = np.random.default_rng(0)
    for length in (1, 2, 5, 100, 255, 256):
        series = generator.uniform(size=length)
        assert decay(series, wrap_indices=True) == decay(series)
    longer = generator.uniform(size=300)
    assert math.isnan(decay(longer, wrap_indices=True))
    assert not math.isnan(decay(longer))


def test_without_frames_there_is_no_mean():
    assert math.isnan(mean(np.array([]))) and math.isnan(recall(np.array([])))


def test_variance_is_rounded_before_the_root():
    region = np.array([1.0, 0.0])
    assert variance(region, region) == 0.5
    assert variance(np.array([0.5, 0.51]), np.array([0.5, 0.51])) == 0


@pytest.mark.parametrize(
    ("visible", "gone", "back"),
    [
        ("11111", [], []),
        ("00000", [], []),
        ("11000", [(2, 5)], []),
        ("00111", [], [(2, 5)]),
        ("10110", [(1, 2), (4, 5)], [(2, 4)]),
        ("01011", [(2, 3)], [(1, 2), (3, 5)]),
    ],
)
def test_segments(visible, gone, back):
    flags = np.array([character == "1" for character in visible])
    assert disappearances(flags) == gone
    assert reappearances(flags) == back


def test_segments_count_the_same_whatever_their_length():
    series = np.array([1.0, 0.0, 0.0, 0.0, 1.0, 0.5])
    assert mean_over_segments(series, [(0, 1), (1, 4)]) == 0.5
    assert math.isnan(mean_over_segments(series, []))
