"""The training loop."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parallel import DistributedDataParallel

from evaluation.errors import InputError
from evaluation.progress import ProgressCallback
from s3fo.model.network import S3Network
from s3fo.training.clip_forward import ClipBatch, ClipModel, ClipRandomness
from s3fo.training.clips import ClipMaker
from s3fo.training.curves import Curves
from s3fo.training.loading import ClipSampler, clip_loader
from s3fo.training.losses import clip_losses
from s3fo.training.optimisation import (
    MeanWeights,
    parameter_groups,
    rate_factor,
    trained_state,
)
from s3fo.training.parallel import (
    Processes,
    from_leader,
    mean_over_processes,
    share_batch_statistics,
)
from s3fo.training.recipes import Recipe
from s3fo.training.run_files import export_weights, load_state, save_state

Validate = Callable[[S3Network], Mapping[str, float]]
"""Scores of a network by name; ``"J&F"`` decides which weights are the best."""


@dataclass(frozen=True)
class RunOptions:
    """How a run is carried out, as opposed to what is trained.

    Attributes:
        folder: where states, weights and curves go.
        minutes: plan the schedule by wall time instead of by iterations; the time of
            earlier, resumed parts counts.
        accumulate: batches per step and process; saves memory.
        workers: processes that make clips ahead of time, per training process.
        save_every: seconds between saved states.
        validate_every: seconds between validations.
        log_every: steps between lines of the curves.
        device: torch device.
        channels_last: memory layout of the convolutions, faster on CPUs.
    """

    folder: Path
    minutes: float | None = None
    accumulate: int = 1
    workers: int = 1
    save_every: float = 180.0
    validate_every: float = 1200.0
    log_every: int = 20
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    channels_last: bool = True


class Trainer:
    """Trains one network with one recipe.

    Attributes:
        network: the network; its weights change.
        iteration: steps done.
        seconds: wall time spent training, over all resumed parts.
    """

    def __init__(
        self,
        network: S3Network,
        recipe: Recipe,
        maker: ClipMaker,
        options: RunOptions,
        *,
        processes: Processes | None = None,
        backbone: tuple[str, str] | None = None,
        validate: Validate | None = None,
    ) -> None:
        self.processes = processes or Processes()
        self.recipe, self.options = recipe, options
        self.maker, self.backbone, self.validate = maker, backbone, validate
        self._check_batches()
        self.network = network.to(options.device)
        if options.channels_last:
            for parameter in self.network.parameters():
                if parameter.ndim == 4:
                    layout = torch.channels_last
                    parameter.data = parameter.data.contiguous(memory_format=layout)
        if recipe.sync_batch_norm and self.processes.world > 1:
            share_batch_statistics(self.network)
        phase = recipe.phases[0]
        self.clip_model = ClipModel(
            self.network, phase.num_ref_frames, recipe.deep_update_prob
        )
        self.model: nn.Module = self.clip_model
        if self.processes.world > 1:
            self.model = DistributedDataParallel(
                self.clip_model, find_unused_parameters=True, broadcast_buffers=False
            )
        groups = parameter_groups(
            network, recipe.learning_rate, recipe.weight_decay, recipe.encoder_rate
        )
        self._rates = [float(group["lr"]) for group in groups]  # type: ignore[arg-type]
        eps = 1e-6 if recipe.autocast else 1e-8
        self.optimizer = torch.optim.AdamW(groups, eps=eps, fused=True)
        self._scaler = torch.amp.GradScaler(
            options.device.type,
            init_scale=8192,
            enabled=recipe.autocast and options.device.type == "cuda",
        )
        self.mean = MeanWeights(network, recipe.ema) if recipe.ema else None
        self.iteration, self.seconds, self.best = 0, 0.0, -math.inf
        self._skipped = 0
        self._stop = False

    def _check_batches(self) -> None:
        """Every process needs whole batches in every phase."""
        share = self.processes.world * self.options.accumulate
        for phase in self.recipe.phases:
            if phase.batch_size % share:
                raise InputError(
                    f"recipe {self.recipe.name}",
                    f"{phase.batch_size} clips a step for {self.processes.world} "
                    f"processes x {self.options.accumulate} batches",
                    "a whole number of clips per batch",
                    "Change the number of processes or the accumulation.",
                )

    @property
    def progress(self) -> float:
        """Share of the training that is done, 0..1."""
        return self._progress_at(self.iteration)

    def run(self, progress: ProgressCallback | None = None) -> None:
        """Train to the end, saving on the way and when interrupted.

        Args:
            progress: told about every step.
        """
        options, leads = self.options, self.processes.leads
        self._stop_on_signal()
        curves = Curves(options.folder, options.log_every) if leads else None
        batches = iter(clip_loader(self.maker, self._sampler(), options.workers))
        started, before = time.monotonic(), self.seconds
        saved = validated = started
        try:
            while not self._finished():
                step_batches = [next(batches) for _ in range(options.accumulate)]
                values = self.step(step_batches)
                now = time.monotonic()
                self.seconds, stop = from_leader(
                    (before + now - started, self._stop), self.processes
                )
                if stop:
                    break
                if curves is not None:
                    self._report(curves, values, progress)
                if leads and now - saved > options.save_every:
                    self.save()
                    saved = now
                if self.validate and now - validated > options.validate_every:
                    self._validate(curves)
                    validated = time.monotonic()
                    started += validated - now
        finally:
            if leads:
                self.save()
        if self._finished() and self.validate:
            self._validate(curves)

    def step(self, batches: list[ClipBatch]) -> dict[str, float]:
        """One optimiser step on this process's batches.

        Returns:
            Losses (means over batches), gradient norm and learning rate.
        """
        recipe = self.recipe
        factor = rate_factor(recipe, self.iteration, self.progress)
        for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        phase = recipe.phase_at(self.progress)
        self.clip_model.num_ref_frames = phase.num_ref_frames
        self.optimizer.zero_grad(set_to_none=True)
        sums: dict[str, float] = {}
        for index, batch in enumerate(batches):
            last = index == len(batches) - 1
            for name, value in self._backward(batch, index, len(batches), last).items():
                sums[name] = sums.get(name, 0.0) + value / len(batches)
        self._scaler.unscale_(self.optimizer)
        norm = float(nn.utils.clip_grad_norm_(self._trained(), recipe.clip_norm))
        if math.isfinite(norm) or self._scaler.is_enabled():
            self._scaler.step(self.optimizer)
            self._scaler.update()
            self._skipped = 0
        else:
            self._count_skip()
        self.iteration += 1
        if self.mean is not None:
            self.mean.update(self.network)
        return sums | {"gradient_norm": norm, "rate": recipe.learning_rate * factor}

    def save(self) -> None:
        """Write the exact state, and the weights for use."""
        state = {
            "recipe": self.recipe.name,
            "iteration": self.iteration,
            "seconds": self.seconds,
            "best": self.best,
            "network": trained_state(self.network),
            "mean": self.mean.state if self.mean else None,
            "mean_updates": self.mean.updates if self.mean else 0,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
            "backbone": self.backbone,
        }
        save_state(self.options.folder, state)
        self._export("last.safetensors", {})

    def resume(self, folder: Path | None = None) -> None:
        """Go on exactly where :meth:`save` stopped.

        Args:
            folder: of the run; this run's own by default.

        Raises:
            InputError: no state, or of another recipe or backbone.
        """
        state = load_state(folder or self.options.folder)
        for key, mine in (("recipe", self.recipe.name), ("backbone", self.backbone)):
            if state[key] != mine:
                raise InputError(
                    self.options.folder,
                    f"the state of a run with {key} {state[key]}",
                    f"{key} {mine}",
                    "Resume with the same settings, or start from its weights.",
                )
        self.network.load_state_dict(state["network"], strict=False)
        self.optimizer.load_state_dict(state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])
        if self.mean is not None and state["mean"] is not None:
            for name, value in state["mean"].items():
                self.mean.state[name].copy_(value)
            self.mean.updates = state["mean_updates"]
        self.iteration, self.seconds = state["iteration"], state["seconds"]
        self.best = state["best"]

    def _stop_on_signal(self) -> None:
        """Let SIGTERM end the run at the next step, with its state saved."""

        def stop(*_: object) -> None:
            self._stop = True

        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, stop)

    def _backward(
        self, batch: ClipBatch, index: int, count: int, last: bool
    ) -> dict[str, float]:
        options, recipe = self.options, self.recipe
        batch = batch.to(options.device)
        randomness = self._randomness(len(batch.num_objects), index, count)
        dtype = torch.float16 if options.device.type == "cuda" else torch.bfloat16
        gather: AbstractContextManager[None] = nullcontext()
        if isinstance(self.model, DistributedDataParallel) and not last:
            gather = self.model.no_sync()
        with gather:
            with (
                torch.autocast(
                    options.device.type, dtype=dtype, enabled=recipe.autocast
                ),
                _attention_kernel(options.device),
            ):
                output = self.model(batch, randomness)
            losses = clip_losses(
                output,
                batch.labels,
                batch.num_objects,
                recipe.points,
                randomness.generators,
            )
            self._scaler.scale(losses["total_loss"] / count).backward()
        return self._averaged(losses)

    def _averaged(self, losses: dict[str, Tensor]) -> dict[str, float]:
        """Losses as numbers, averaged over processes."""
        values = torch.stack([value.detach().float() for value in losses.values()])
        values = mean_over_processes(values, self.processes)
        return dict(zip(losses, values.tolist(), strict=True))

    def _randomness(self, size: int, index: int, count: int) -> ClipRandomness:
        """Random decisions that do not depend on how samples are spread."""
        seed, world = self.recipe.seed, self.processes.world
        uniform = np.random.default_rng((seed, self.iteration, 2)).random
        generators = []
        for i in range(size):
            sample = (index * size + i) * world + self.processes.rank
            words = np.random.SeedSequence((seed, self.iteration, sample))
            value = int(words.generate_state(1, np.uint64)[0] >> np.uint64(1))
            generators.append(torch.Generator().manual_seed(value))
        return ClipRandomness(uniform, generators)

    def _sampler(self) -> ClipSampler:
        return ClipSampler(
            self.recipe,
            self._progress_at,
            rank=self.processes.rank,
            world=self.processes.world,
            first=self.iteration,
            accumulate=self.options.accumulate,
        )

    def _progress_at(self, step: int) -> float:
        if self.options.minutes is not None:
            return min(1.0, self.seconds / (60 * self.options.minutes))
        return min(1.0, step / self.recipe.iterations)

    def _finished(self) -> bool:
        if self.options.minutes is not None:
            return self.seconds >= 60 * self.options.minutes
        return self.iteration >= self.recipe.iterations

    def _trained(self) -> list[nn.Parameter]:
        return [p for p in self.network.parameters() if p.requires_grad]

    def _count_skip(self) -> None:
        self._skipped += 1
        if self._skipped >= 20:
            raise FloatingPointError(
                f"Gradients were not finite in 20 steps up to step {self.iteration}: "
                "lower the learning rate or look for damaged training data."
            )

    def _report(
        self,
        curves: Curves,
        values: dict[str, float],
        progress: ProgressCallback | None,
    ) -> None:
        means = curves.add(self.iteration, values | {"minutes": self.seconds / 60})
        if progress is None:
            return
        label = f"step {self.iteration}, {_left(self.seconds, self.progress)} left"
        if means is not None:
            label += f", loss {means['total_loss']:.3f}"
        progress(round(1000 * self.progress), 1000, label)

    def _validate(self, curves: Curves | None) -> None:
        """Score the averaged weights; keep them if they are the best so far."""
        if self.processes.leads and self.validate is not None:
            own = {n: v.clone() for n, v in trained_state(self.network).items()}
            self.network.load_state_dict(self._usable(), strict=False)
            scores = dict(self.validate(self.network.eval()))
            self.network.load_state_dict(own, strict=False)
            self.network.train()
            if curves is not None:
                curves.write(self.iteration, scores)
            if scores["J&F"] > self.best:
                self.best = scores["J&F"]
                self._export("best.safetensors", scores)
        from_leader(None, self.processes)

    def _usable(self) -> dict[str, Tensor]:
        return self.mean.state if self.mean else trained_state(self.network)

    def _export(self, name: str, scores: Mapping[str, float]) -> None:
        backbone, fingerprint = self.backbone or (None, None)
        details: dict[str, Any] = {
            "recipe": asdict(self.recipe),
            "iteration": self.iteration,
            "minutes": round(self.seconds / 60, 1),
            "validation": dict(scores),
        }
        export_weights(
            self.options.folder / name,
            self._usable(),
            self.network.config,
            backbone=backbone,
            backbone_fingerprint=fingerprint,
            details=details,
        )


def _attention_kernel(device: torch.device) -> AbstractContextManager[None]:
    """The plain form on CPUs: with few keys or queries it is faster to train."""
    if device.type == "cpu":
        return sdpa_kernel([SDPBackend.MATH])
    return nullcontext()


def _left(seconds: float, progress: float) -> str:
    if progress <= 0:
        return "unknown time"
    minutes = seconds / progress * (1 - progress) / 60
    return f"{int(minutes) // 60}:{int(minutes) % 60:02d} h"
