"""Learning rates and averaged weights at their corners."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from s3fo.training.optimisation import WeightEMA, rate_factor


def test_the_cosine_ends_at_a_hundredth(tiny_recipe) -> None:
    recipe = tiny_recipe(schedule="cosine", warm_up=0)
    assert rate_factor(recipe, 0, 0.5) == pytest.approx(0.5)
    # 0.05 lies between the end and any larger floor: cos(pi x) = -0.9.
    assert rate_factor(recipe, 0, 0.8564337068) == pytest.approx(0.05, abs=1e-6)
    assert rate_factor(recipe, 0, 1.0) == pytest.approx(0.01)
    assert rate_factor(recipe, 0, 1.2) == pytest.approx(0.01)


def test_early_steps_count_more_in_the_mean() -> None:
    """The decay of update n is (1 + n) / (10 + n), at most the one asked for."""
    network = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(0.0)
    mean = WeightEMA(network, decay=0.25)
    with torch.no_grad():
        network.weight.fill_(1.0)
    mean.update(network)
    assert mean.state["weight"].item() == pytest.approx(1 - 2 / 11)
    mean.update(network)
    assert mean.state["weight"].item() == pytest.approx(1 - 2 / 11 * 3 / 12)
    mean.update(network)  # 4/13 would be more than 0.25
    assert mean.state["weight"].item() == pytest.approx(1 - 2 / 11 * 3 / 12 * 0.25)
