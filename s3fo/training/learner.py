"""One optimiser step after another: network, losses, optimiser, averaged weights."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parallel import DistributedDataParallel

from s3fo.model.network import S3Network
from s3fo.training.clip_forward import ClipBatch, ClipModel, ClipRandomness
from s3fo.training.losses import clip_losses
from s3fo.training.optimisation import (
    WeightEMA,
    parameter_groups,
    rate_factor,
    trained_state,
)
from s3fo.training.parallel import (
    Processes,
    mean_over_processes,
    share_batch_statistics,
)
from s3fo.training.recipes import Recipe

_MOST_SKIPPED = 20


class Learner:
    """Everything that changes while a network learns.

    Attributes:
        network: the network.
        clip_model: the pass over clips that is differentiated.
        optimizer: AdamW over the trained parameters.
        mean: running mean of the weights, or None.
        iteration: steps done.
    """

    def __init__(
        self,
        network: S3Network,
        recipe: Recipe,
        *,
        device: torch.device | None = None,
        processes: Processes | None = None,
    ) -> None:
        self.recipe = recipe
        self.device = device or torch.device("cpu")
        self.processes = processes or Processes()
        self.network = network.to(self.device)
        if self.device.type == "cpu":
            _use_channels_last(network)
        if recipe.sync_batch_norm and self.processes.world > 1:
            share_batch_statistics(network)
        self.clip_model = ClipModel(
            network, recipe.phases[0].num_ref_frames, recipe.deep_update_prob
        )
        self._model: nn.Module = self.clip_model
        if self.processes.world > 1:
            self._model = DistributedDataParallel(
                self.clip_model, find_unused_parameters=True, broadcast_buffers=False
            )
        groups = parameter_groups(
            network, recipe.learning_rate, recipe.weight_decay, recipe.encoder_rate
        )
        self._rates = [float(group["lr"]) for group in groups]  # type: ignore[arg-type]
        eps = 1e-6 if recipe.autocast else 1e-8
        self.optimizer = torch.optim.AdamW(groups, eps=eps, fused=True)
        self._scaler = torch.amp.GradScaler(
            self.device.type,
            init_scale=8192,
            enabled=recipe.autocast and self.device.type == "cuda",
        )
        self.mean = WeightEMA(network, recipe.ema) if recipe.ema else None
        self.iteration = 0
        self._skipped = 0

    def step(self, batches: list[ClipBatch], progress: float) -> dict[str, float]:
        """One optimiser step on this process's batches.

        Args:
            batches: their gradients are accumulated.
            progress: share of the training that is done, 0..1.

        Returns:
            Losses (means over batches and processes), gradient norm, learning rate.

        Raises:
            FloatingPointError: gradients were not finite 20 times in a row.
        """
        recipe = self.recipe
        factor = rate_factor(recipe, self.iteration, progress)
        for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        self.clip_model.num_ref_frames = recipe.phase_at(progress).num_ref_frames
        self.optimizer.zero_grad(set_to_none=True)
        sums: dict[str, float] = {}
        for index, batch in enumerate(batches):
            for name, value in self._backward(batch, index, len(batches)).items():
                sums[name] = sums.get(name, 0.0) + value / len(batches)
        norm = self._update_weights()
        self.iteration += 1
        if self.mean is not None:
            self.mean.update(self.network)
        return sums | {"gradient_norm": norm, "rate": recipe.learning_rate * factor}

    def ema_state_dict(self) -> dict[str, Tensor]:
        """The trained weights to use: averaged, if the recipe averages."""
        return self.mean.state if self.mean else trained_state(self.network)

    def state(self) -> dict[str, object]:
        """The exact state, as tensors and plain values."""
        return {
            "iteration": self.iteration,
            "network": trained_state(self.network),
            "mean": self.mean.state if self.mean else None,
            "mean_updates": self.mean.updates if self.mean else 0,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state` gave."""
        self.network.load_state_dict(state["network"], strict=False)
        self.optimizer.load_state_dict(state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])
        if self.mean is not None and state["mean"] is not None:
            for name, value in state["mean"].items():
                self.mean.state[name].copy_(value)
            self.mean.updates = state["mean_updates"]
        self.iteration = state["iteration"]

    def _backward(self, batch: ClipBatch, index: int, count: int) -> dict[str, float]:
        """Add the gradients of batch `index` of `count`."""
        device, recipe = self.device, self.recipe
        batch = batch.to(device)
        randomness = self._randomness(len(batch.num_objects), index)
        dtype = torch.float16 if device.type == "cuda" else torch.bfloat16
        gather: AbstractContextManager[None] = nullcontext()
        if isinstance(self._model, DistributedDataParallel) and index < count - 1:
            gather = self._model.no_sync()
        with gather:
            with (
                torch.autocast(device.type, dtype=dtype, enabled=recipe.autocast),
                _attention_kernel(device),
            ):
                output = self._model(batch, randomness)
            losses = clip_losses(
                output,
                batch.labels,
                batch.num_objects,
                recipe.points,
                randomness.generators,
            )
            self._scaler.scale(losses["total_loss"] / count).backward()
        values = torch.stack([value.detach().float() for value in losses.values()])
        values = mean_over_processes(values, self.processes)
        return dict(zip(losses, values.tolist(), strict=True))

    def _update_weights(self) -> float:
        """Clip and apply the gradients; their norm before clipping."""
        trained = [p for p in self.network.parameters() if p.requires_grad]
        self._scaler.unscale_(self.optimizer)
        norm = float(nn.utils.clip_grad_norm_(trained, self.recipe.clip_norm))
        if math.isfinite(norm) or self._scaler.is_enabled():
            # With gradients that are not finite, an enabled scaler leaves the step out
            # by itself, and lowers its scale.
            self._scaler.step(self.optimizer)
            self._scaler.update()
        if math.isfinite(norm):
            self._skipped = 0
            return norm
        self._skipped += 1
        if self._skipped >= _MOST_SKIPPED:
            raise FloatingPointError(
                f"Gradients were not finite in {_MOST_SKIPPED} steps up to step "
                f"{self.iteration}: lower the learning rate or look for damaged "
                "training data."
            )
        return norm

    def _randomness(self, size: int, index: int) -> ClipRandomness:
        """Random decisions that do not depend on how samples are spread."""
        seed, step = self.recipe.seed, self.iteration
        uniform = np.random.default_rng((seed, step, 2)).random
        generators = []
        for i in range(size):
            sample = (index * size + i) * self.processes.world + self.processes.rank
            words = np.random.SeedSequence((seed, step, sample))
            value = int(words.generate_state(1, np.uint64)[0] >> np.uint64(1))
            generators.append(torch.Generator().manual_seed(value))
        return ClipRandomness(uniform, generators)


def _use_channels_last(network: nn.Module) -> None:
    """Lay convolution kernels out the way CPUs train them fastest."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            layout = torch.channels_last
            parameter.data = parameter.data.contiguous(memory_format=layout)


def _attention_kernel(device: torch.device) -> AbstractContextManager[None]:
    """The plain form on CPUs: with few keys or queries it is faster to train."""
    if device.type == "cpu":
        return sdpa_kernel([SDPBackend.MATH])
    return nullcontext()
