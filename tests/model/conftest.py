"""Deterministic weights and the official program's intermediate results."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from module_fixture import ModuleFixture

from s3fo.model import S3Network, build_network

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def recipe(shared: Path) -> ModuleType:
    """The published recipe of test weights."""
    path = shared / "fixtures/s3/weights_recipe.py"
    spec = importlib.util.spec_from_file_location("weights_recipe", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def recipe_network(recipe: ModuleType) -> Callable[[str, int], S3Network]:
    """Build a network with the recipe's weights, in evaluation mode."""

    def build(preset: str, seed: int) -> S3Network:
        network = build_network(preset)
        recipe.fill(network, seed)
        return network.eval()

    return build


@pytest.fixture(scope="session")
def stored(shared: Path) -> ModuleFixture:
    """Intermediate results of the official program, configuration `tiny`."""
    folder = shared / "fixtures/s3/public"
    meta = json.loads((folder / "modules_tiny.json").read_text())
    with np.load(folder / "modules_tiny.npz") as arrays:
        return ModuleFixture(meta, dict(arrays))


@pytest.fixture(scope="session")
def tiny(
    recipe_network: Callable[[str, int], S3Network], stored: ModuleFixture
) -> S3Network:
    """The network of `stored`."""
    return recipe_network("tiny", stored.meta["seed"])
