"""Parameter groups, learning-rate schedules and the running mean of the weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from s3fo.training.recipes import Recipe

# Suffixes as in the published recipe; the first two also match the two
# `summary_to_query_*` layers, and are meant to.
_NO_DECAY = (
    "query_init.weight",
    "query_emb.weight",
    "summary_pos.weight",
    "obj_pe.weight",
)


def parameter_groups(
    network: nn.Module, rate: float, weight_decay: float, encoder_rate: float
) -> list[dict[str, object]]:
    """AdamW groups: pixel encoder, object-query embeddings, everything else.

    Args:
        network: parameters without gradient are left out.
        rate: learning rate.
        weight_decay: of all but the embeddings (norms and biases too).
        encoder_rate: factor on the rate of ``pixel_encoder.*``.
    """
    encoder, embeddings, others = [], [], []
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith("pixel_encoder."):
            encoder.append(parameter)
        elif name.endswith(_NO_DECAY):
            embeddings.append(parameter)
        else:
            others.append(parameter)
    return [
        {"params": encoder, "lr": rate * encoder_rate, "weight_decay": weight_decay},
        {"params": embeddings, "lr": rate, "weight_decay": 0.0},
        {"params": others, "lr": rate, "weight_decay": weight_decay},
    ]


def rate_factor(recipe: Recipe, iteration: int, progress: float) -> float:
    """What the learning rate is multiplied with, 0..1.

    Args:
        recipe: gives schedule, milestones and warm-up.
        iteration: steps done, for the warm-up.
        progress: share of the training done, for the rest.
    """
    warm = min(1.0, (iteration + 1) / recipe.warm_up) if recipe.warm_up else 1.0
    if recipe.schedule == "poly":
        return warm * (1 - progress) ** 0.9
    if recipe.schedule == "cosine":
        return warm * max(0.01, 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))
    if recipe.schedule == "step":
        # A step's iteration count over the total is exact only to rounding.
        passed = sum(progress >= start - 1e-9 for start in recipe.milestones)
        return warm * 0.1**passed
    return warm


class WeightEMA:
    """Running exponential mean of everything that training changes.

    Batch statistics are averaged as well, since they belong to the averaged weights.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.state = {n: v.clone() for n, v in trained_state(network).items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the weights after a step; early steps count more."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, value in trained_state(network).items():
            if value.is_floating_point():
                self.state[name].lerp_(value, 1 - decay)
            else:
                self.state[name].copy_(value)


def trained_state(network: nn.Module) -> dict[str, Tensor]:
    """Entries of the state dict that training changes: all but frozen parameters."""
    frozen = {n for n, p in network.named_parameters() if not p.requires_grad}
    return {n: v.detach() for n, v in network.state_dict().items() if n not in frozen}
