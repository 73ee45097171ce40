"""Deterministic weights and the official program's intermediate results."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
import weights_recipe
from module_fixture import S3_FIXTURES, ModuleFixture

from s3fo.model import S3Network, build_network

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def recipe_network() -> Callable[[str, int], S3Network]:
    """Build a network with the recipe's weights, in evaluation mode."""

    def build(preset: str, seed: int) -> S3Network:
        network = build_network(preset)
        weights_recipe.fill(network, seed)
        return network.eval()

    return build


@pytest.fixture(scope="session")
def specifications() -> dict[str, dict]:
    """Configuration -> names and shapes of the official program's state dict."""
    with gzip.open(S3_FIXTURES / "spec" / "state_dicts.json.gz") as file:
        return json.load(file)


@pytest.fixture(scope="session", params=["modules_tiny", "modules_tiny8_bs2"])
def stored(request: pytest.FixtureRequest) -> ModuleFixture:
    """Intermediate results of the official program, one image and a batch of two."""
    folder = S3_FIXTURES / "public"
    meta = json.loads((folder / f"{request.param}.json").read_text())
    with np.load(folder / f"{request.param}.npz") as arrays:
        return ModuleFixture(meta, dict(arrays))


@pytest.fixture(scope="session")
def tiny(
    recipe_network: Callable[[str, int], S3Network], stored: ModuleFixture
) -> S3Network:
    """The network of `stored`."""
    return recipe_network(stored.meta["config"], stored.meta["seed"])
