"""Cutie as the package rf-cutie has it, with random weights."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any
from unittest import mock

import torch
from torch import nn


def reference_config(size: str, **settings: Any) -> Any:
    """The package's settings of evaluation, for ``"base"`` or ``"small"``."""
    from omegaconf import OmegaConf

    folder = files("cutie.config")
    read = {
        name: OmegaConf.create((folder / name).read_text())
        for name in ("eval_config.yaml", "model/base.yaml", f"model/{size}.yaml")
    }
    config, model = read["eval_config.yaml"], read["model/base.yaml"]
    model = OmegaConf.merge(model, read[f"model/{size}.yaml"])
    for part in (config, model):
        part.pop("defaults", None)
    config.pop("hydra", None)
    config.model = model
    return OmegaConf.merge(config, {"use_long_term": False, "mem_every": 5}, settings)


def reference_network(size: str, seed: int = 0) -> Any:
    """CUTIE with random weights, without the download that it begins with."""
    from cutie.model.cutie import CUTIE
    from cutie.model.utils import resnet

    torch.manual_seed(seed)
    with (
        mock.patch.object(resnet.model_zoo, "load_url", lambda *_, **__: {}),
        mock.patch.object(resnet, "load_weights_add_extra_dim", lambda *_: None),
    ):
        network = CUTIE(reference_config(size)).eval().requires_grad_(False)
    _fill(network, bias=-1 if size == "base" else -2)
    return network


def _fill(network: nn.Module, bias: float) -> None:
    """Make masks depend on prompts and memory, and norms do something.

    Logits stay small: where float32 has no room left below 1, a rounding of the last
    digit moves what objects get of a pixel by more than any bar.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.7, 1.1)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.7, 1.3)
    parameters = dict(network.named_parameters())
    parameters["mask_encoder.conv1.weight"][:, 3:] *= 5
    parameters["pixel_fuser.sensory_compress.weight"][:, -2:] *= 10
    parameters["mask_decoder.pred.weight"] *= 3
    parameters["mask_decoder.pred.bias"] += bias


def shapes(state: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a state dict."""
    return {name: tuple(value.shape) for name, value in state.items()}
