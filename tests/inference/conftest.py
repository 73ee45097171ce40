"""Networks with the published test weights, and engines of both kinds."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest
import torch
import weights_recipe

from s3fo.model import S3Network, build_network

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def recipe_state() -> Callable[[str, int], dict[str, torch.Tensor]]:
    """State dicts of the published recipe: by preset and seed."""

    @lru_cache(maxsize=1)  # the large ones take half a gigabyte
    def state(preset: str, seed: int) -> dict[str, torch.Tensor]:
        return weights_recipe.fill(build_network(preset), seed).state_dict()

    return state


@pytest.fixture(scope="session")
def tiny() -> S3Network:
    """A tiny network with random weights that cares a lot about masks."""
    torch.manual_seed(3)
    network = build_network("tiny").eval().requires_grad_(False)
    network.mask_encoder.conv1.weight[:, 3:] *= 5
    network.pixel_fuser.sensory_compress.weight[:, -2:] *= 10
    network.mask_decoder.pred.weight *= 20
    return network
