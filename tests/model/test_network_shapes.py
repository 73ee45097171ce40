"""Names and shapes of every configuration equal the published program's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from s3fo.model import PRESETS, build_network, get_config
from s3fo.model.config import SpatialSemanticConfig

PUBLISHED = [name for name in PRESETS if name != "s3-small"]


def _on_meta(preset: str, single_object: bool = False) -> torch.nn.Module:
    with torch.device("meta"):
        return build_network(preset, single_object=single_object)


@pytest.mark.parametrize("name", [*PUBLISHED, "tiny_single_object"])
def test_state_dict_is_the_published_one(shared: Path, name: str) -> None:
    spec = json.loads((shared / f"fixtures/s3/spec/state_dict_{name}.json").read_text())
    single = name.endswith("_single_object")
    network = _on_meta(name.removesuffix("_single_object"), single)
    shapes = {key: list(value.shape) for key, value in network.state_dict().items()}
    assert list(shapes.items()) == list(spec["state_dict"].items())
    if "n_trainable" in spec:
        trainable = sum(p.numel() for p in network.parameters() if p.requires_grad)
        assert trainable == spec["n_trainable"]


def test_small_model_keeps_its_promise() -> None:
    network = _on_meta("s3-small")
    trainable = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert trainable <= 16_000_000


def test_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="vitb_vit"):
        get_config("resnet")


def test_impossible_configurations_are_refused() -> None:
    tiny = PRESETS["tiny"]
    with pytest.raises(ValueError, match="must be equal"):
        replace(tiny, pixel_dim=32)
    assert isinstance(tiny.encoder, SpatialSemanticConfig)
    with pytest.raises(ValueError, match="follow one another"):
        replace(tiny.encoder, ranges=((0, 0), (1, 1), (3, 3), (3, 3)))
    with pytest.raises(ValueError, match="exceed depth"):
        replace(tiny.encoder, ranges=((0, 0), (1, 1), (2, 2), (3, 4)))
