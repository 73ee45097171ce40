"""Names and shapes of every configuration equal the published program's."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import weights_recipe

from s3fo.model import PRESETS, build_network, get_config
from s3fo.model.config import SpatialSemanticConfig

OTHERS = ("s3-small", "cutie-base", "cutie-small")  # Cutie: tests/inference/test_cutie
PUBLISHED = [name for name in PRESETS if name not in OTHERS]


def _on_meta(preset: str, single_object: bool = False) -> torch.nn.Module:
    with torch.device("meta"):
        return build_network(preset, single_object=single_object)


@pytest.mark.parametrize("name", [*PUBLISHED, "tiny_single_object"])
def test_state_dict_is_the_published_one(
    specifications: dict[str, dict], name: str
) -> None:
    spec = specifications[name]
    single = name.endswith("_single_object")
    network = _on_meta(name.removesuffix("_single_object"), single)
    shapes = {key: list(value.shape) for key, value in network.state_dict().items()}
    assert list(shapes.items()) == list(spec["state_dict"].items())
    trainable = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert trainable == spec["n_trainable"]


@pytest.mark.parametrize("name", ["tiny", "tiny8", "tiny_fpn", "tiny_r18"])
def test_test_weights_are_those_of_the_record(
    specifications: dict[str, dict], name: str
) -> None:
    spec = specifications[name]
    assert weights_recipe.digest(spec["state_dict"]) == spec["recipe_digest_seed0"]


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
