"""The training loop: clips in, checkpoints and curves out."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.model.network import S3Network
from s3fo.training.curves import Curves
from s3fo.training.data.clips import ClipMaker
from s3fo.training.data.loading import ClipSampler, clip_loader
from s3fo.training.learner import Learner
from s3fo.training.optimisation import trained_state
from s3fo.training.parallel import Processes, broadcast_from_main
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
    """

    folder: Path
    minutes: float | None = None
    accumulate: int = 1
    workers: int = 1
    save_every: float = 180.0
    validate_every: float = 1200.0
    log_every: int = 20
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))


class Trainer:
    """Trains one network with one recipe.

    Attributes:
        learner: network, optimiser and averaged weights.
        seconds: wall time spent training, over all resumed parts.
        best: highest validation J&F so far.
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
        self._require_whole_batches()
        self.learner = Learner(
            network, recipe, device=options.device, processes=self.processes
        )
        self.seconds, self.best = 0.0, -math.inf
        self._stop = False
        self.stopped_by: int | None = None

    @property
    def progress(self) -> float:
        """Share of the training that is done, 0..1."""
        return self.progress_at(self.learner.iteration)

    def progress_at(self, step: int) -> float:
        """Share of the training that is done at a step, 0..1."""
        if self.options.minutes is not None:
            return min(1.0, self.seconds / (60 * self.options.minutes))
        return min(1.0, step / self.recipe.iterations)

    def stop(self) -> None:
        """End the run after the current step, with its state saved."""
        self._stop = True

    def run(self, progress: ProgressCallback | None = None) -> None:
        """Train to the end or until stopped, saving on the way.

        Args:
            progress: told about every step.
        """
        options, is_main = self.options, self.processes.is_main_process
        self._stop_on_signals()
        curves = Curves(options.folder, options.log_every) if is_main else None
        batches = iter(clip_loader(self.maker, self.sampler(), options.workers))
        started = time.monotonic() - self.seconds
        saved = validated = time.monotonic()
        while not self.finished:
            step_batches = [next(batches) for _ in range(options.accumulate)]
            values = self.learner.step(step_batches, self.progress)
            now = time.monotonic()
            self.seconds, stop = broadcast_from_main(
                (now - started, self._stop), self.processes
            )
            if curves is not None:
                self._report(curves, values, progress)
            if stop:
                break
            if is_main and now - saved > options.save_every:
                self.save()
                saved = now
            if self.validate and now - validated > options.validate_every:
                self._validate(curves)
                validated = time.monotonic()
                started += validated - now  # validating is not training time
        if self.finished and self.validate:
            self._validate(curves)
        if is_main:
            self.save()

    def sampler(self) -> ClipSampler:
        """The clips of this process, from the next step on."""
        return ClipSampler(
            self.recipe,
            self.progress_at,
            rank=self.processes.rank,
            world=self.processes.world,
            first=self.learner.iteration,
            accumulate=self.options.accumulate,
        )

    def save(self) -> None:
        """Write the exact state, and the weights for use."""
        state = {
            "recipe": self.recipe.name,
            "backbone": self.backbone,
            "seconds": self.seconds,
            "best": self.best,
            **self.learner.state(),
        }
        save_state(self.options.folder, state)
        self._export("last.safetensors", {})

    def resume(self) -> None:
        """Go on exactly where :meth:`save` stopped.

        Raises:
            InputError: no state, or of another recipe or backbone.
        """
        state = load_state(self.options.folder)
        for key, mine in (("recipe", self.recipe.name), ("backbone", self.backbone)):
            if state[key] != mine:
                raise InputError(
                    self.options.folder,
                    f"the state of a run with {key} {state[key]}",
                    f"{key} {mine}",
                    "Resume with the same settings, or start from its weights.",
                )
        self.learner.restore(state)
        self.seconds, self.best = state["seconds"], state["best"]

    def _require_whole_batches(self) -> None:
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
    def finished(self) -> bool:
        """Whether all steps are done, or the time is up."""
        if self.options.minutes is not None:
            return self.seconds >= 60 * self.options.minutes
        return self.learner.iteration >= self.recipe.iterations

    def _stop_on_signals(self) -> None:
        """Let SIGTERM and the first Ctrl-C end the run cleanly."""
        if threading.current_thread() is not threading.main_thread():
            return

        def stop(number: int, _: object) -> None:
            self.stop()
            self.stopped_by = number
            signal.signal(number, signal.SIG_DFL)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)

    def _report(
        self,
        curves: Curves,
        values: dict[str, float],
        progress: ProgressCallback | None,
    ) -> None:
        step = self.learner.iteration
        means = curves.add(step, values | {"minutes": self.seconds / 60})
        if progress is None:
            return
        label = f"step {step}, {_time_left(self.seconds, self.progress)} left"
        if means is not None:
            label += f", loss {means['total_loss']:.3f}"
        progress(round(1000 * self.progress), 1000, label)

    def _validate(self, curves: Curves | None) -> None:
        """Score the weights for use; keep them if they are the best so far."""
        network = self.learner.network
        if self.processes.is_main_process and self.validate is not None:
            own = {n: v.clone() for n, v in trained_state(network).items()}
            network.load_state_dict(self.learner.ema_state_dict(), strict=False)
            scores = dict(self.validate(network.eval()))
            network.load_state_dict(own, strict=False)
            network.train()
            if curves is not None:
                curves.write(self.learner.iteration, scores)
            if scores["J&F"] > self.best:
                self.best = scores["J&F"]
                self._export("best.safetensors", scores)
        broadcast_from_main(None, self.processes)  # the others wait

    def _export(self, name: str, scores: Mapping[str, float]) -> None:
        network = self.learner.network
        export_weights(
            self.options.folder / name,
            {**network.state_dict(), **self.learner.ema_state_dict()},
            network.config,
            backbone=self.backbone[0] if self.backbone else None,
            details={
                "recipe": asdict(self.recipe),
                "iteration": self.learner.iteration,
                "minutes": round(self.seconds / 60, 1),
                "validation": dict(scores),
            },
        )


def _time_left(seconds: float, progress: float) -> str:
    if progress <= 0:
        return "unknown time"
    minutes = seconds / progress * (1 - progress) / 60
    return f"{int(minutes) // 60}:{int(minutes) % 60:02d} h"
