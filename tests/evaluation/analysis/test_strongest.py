"""What a headline about attributes may say, of made-up scores."""

from __future__ import annotations

import numpy as np
import pytest
from test_breakdown import attributes, scores

from evaluation.breakdown import breakdown, strongest
from evaluation.breakdown.strongest import _benjamini_hochberg

VIDEOS = [f"v{i}" for i in range(40)]
NAMES = ("speed", "size", "occlusion", "deformation")


def shown(change: float) -> str:
    return f"{change:+.3f}"


def noise(seed: int, n: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).random(n)


def test_a_strong_trend_is_named_before_a_weak_split() -> None:
    speed = noise(0)
    tagged = np.arange(40) % 2 == 0
    values = 0.9 - 0.5 * speed - 0.05 * tagged + 0.05 * noise(1)
    made = breakdown(scores(values, VIDEOS), attributes(
        VIDEOS, speed=speed, size=noise(2), auto_FM=tagged
    ))  # fmt: skip
    found = strongest(made, "")
    assert found.found is not None and found.found.attribute == "speed"
    assert found.headline().endswith("the higher, the lower J&F")
    # Two trends, and one group with the tag.
    assert found.n_tested == 3
    quartiles = np.subtract(*np.percentile(speed, [75, 25]))
    assert found.found.effect == pytest.approx(-0.5 * quartiles, abs=0.03)


def test_a_strong_split_is_named() -> None:
    tagged = np.arange(40) % 4 == 0
    values = 0.8 - 0.3 * tagged + 0.1 * noise(3)
    made = breakdown(
        scores(values, VIDEOS), attributes(VIDEOS, size=noise(4), auto_FM=tagged)
    )
    found = strongest(made, "")
    assert found.found is not None and found.found.group == "yes"
    assert found.found.effect == pytest.approx(-0.3, abs=0.05)
    assert found.headline().startswith("Hardest: ")
    assert "10 objects in 10 videos" in found.text("m", shown)


def test_groups_that_are_easier_are_no_headline() -> None:
    tagged = np.arange(40) % 4 == 0
    made = breakdown(
        scores(0.5 + 0.3 * tagged + 0.1 * noise(3), VIDEOS),
        attributes(VIDEOS, auto_FM=tagged),
    )
    found = strongest(made, "")
    assert found.found is None and found.n_beyond == 1


def test_a_trend_without_a_change_between_the_quartiles_is_no_headline() -> None:
    # Nine in ten have none of it; the others are better, the more the better.
    some = np.maximum(0, np.arange(40) - 35) / 5
    values = 0.6 + 0.3 * (some > 0) + 0.05 * some + 0.01 * noise(5)
    made = breakdown(scores(values, VIDEOS), attributes(VIDEOS, occlusion=some))
    found = strongest(made, "")
    assert found.n_beyond == 1, "the trend is beyond chance"
    assert found.found is None and found.closest is None
    assert "closest" not in found.text("m", shown)
    assert "leave 0 out by chance" in found.text("m", shown)


@pytest.mark.seconds
def test_of_noise_alone_hardly_ever_anything_is_named() -> None:
    named = 0
    for seed in range(40):
        columns = {name: noise(1000 + 10 * seed + k) for k, name in enumerate(NAMES)}
        made = breakdown(
            scores(noise(seed), VIDEOS), attributes(VIDEOS, **columns), resamples=400
        )
        found = strongest(made, "")
        named += found.found is not None
        if found.found is None:
            assert found.headline() == "No attribute is beyond chance"
            assert "comes closest (the " in found.text("m", shown)
    # 5 % of 40 are 2; without a correction it would be 7.
    assert named <= 5


def test_two_videos_are_no_evidence() -> None:
    videos = ["a"] * 5 + ["b"] * 5
    made = breakdown(
        scores(np.linspace(0.9, 0.1, 10), videos),
        attributes(videos, speed=np.linspace(0, 1, 10)),
    )
    found = strongest(made, "")
    assert found.found is None and found.n_tested == 0
    assert "could be tested" in found.text("m", shown)


def test_the_correction_is_that_of_benjamini_and_hochberg() -> None:
    # 0.039 is over its own limit 0.0375, but 0.04 is under 0.05: both count.
    p = np.array([0.04, 0.039, 0.001, 0.02])
    assert _benjamini_hochberg(p).tolist() == [True, True, True, True]
    assert _benjamini_hochberg(np.array([0.03, 0.9, 0.2])).tolist() == [False] * 3
