"""From a preset's name and weights to an engine that runs."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor

from s3fo.inference.config import InferenceConfig
from s3fo.inference.propagator import Propagator
from s3fo.model.config import ModelConfig
from s3fo.model.network import S3Network, build_network

Weights = str | PathLike[str] | Mapping[str, Tensor | np.ndarray]


def build_propagator(
    preset: str | ModelConfig,
    weights: Weights | None = None,
    *,
    device: str | torch.device = "cpu",
    autocast: torch.dtype | None = None,
    **inference_config: Any,
) -> Propagator:
    """Build an inference engine.

    Args:
        preset: name of a model preset such as ``"vitb"``, or a configuration.
        weights: a checkpoint file or a state dict; None keeps fresh random weights.
        device: where to run.
        autocast: half-precision type for the network; None computes in float32.
        inference_config: settings of `InferenceConfig`; `long_term` as a mapping.

    Raises:
        InputError: unknown or bad setting.
        ValueError: unknown preset, or weights of another network.
    """
    config = InferenceConfig().with_overrides(**inference_config)
    network = build_network(preset)
    if weights is not None:
        _load(network, weights)
    network.requires_grad_(False)
    return Propagator(network.to(device), config, autocast=autocast)


def _load(network: S3Network, weights: Weights) -> None:
    if not isinstance(weights, Mapping):
        raise NotImplementedError("weights from files")
    state = {name: torch.as_tensor(value) for name, value in weights.items()}
    network.load_state_dict(state)
