"""From a preset's name and weights to an engine that runs."""

from __future__ import annotations

from os import PathLike

import torch

from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.propagator import Propagator
from s3fo.inference.weights import (
    Weights,
    as_tensors,
    find_weights,
    load_network,
)
from s3fo.model.checkpoint import load_weights
from s3fo.model.config import ModelConfig
from s3fo.model.network import build_network
from s3fo.model.optimised.network import optimise_for_inference


def build_propagator(
    preset: str | ModelConfig,
    weights: Weights | None = None,
    *,
    device: str | torch.device = "cpu",
    autocast: torch.dtype | None = None,
    **inference_config: object,
) -> Propagator:
    """Build an inference engine.

    Args:
        preset: name of a model preset such as ``"vitb"``, or a configuration.
        weights: a checkpoint file, the name of shipped weights such as ``"s3-small"``,
            or a state dict; None keeps fresh random weights.
        device: where to run.
        autocast: half-precision type for the network; None computes in float32.
        inference_config: settings of `InferenceConfig`; `long_term` as a mapping.

    Raises:
        InputError: unknown or bad setting; a file that is not there, cannot be read, or
            is for another network.
        ValueError: unknown preset, or a state dict of another network.
    """
    config = InferenceConfig().with_overrides(**inference_config)
    if isinstance(weights, str | PathLike):
        network = load_network(find_weights(weights), preset)
    else:
        network = build_network(preset)
        if weights is not None:
            load_weights(network, as_tensors(weights))
    network = optimise_for_inference(network.to(device), autocast)
    return Propagator(network, config, autocast=autocast)
