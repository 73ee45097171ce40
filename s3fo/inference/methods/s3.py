"""S3 as a method of the predict loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.errors import InputError
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.device import choose_device, device_name
from s3fo.inference.engine.frame_size import choose_frame_size, working_size
from s3fo.inference.engine.propagator import Propagator
from s3fo.inference.engine.windowed import WindowedPropagator, WindowState
from s3fo.inference.methods.base import ObjectPrompt
from s3fo.inference.methods.baselines import replace_objects
from s3fo.inference.precision import AUTO, AUTOCAST, choose_precision
from s3fo.inference.presets import get_preset
from s3fo.inference.running.probabilities import probabilities_file, write_probabilities
from s3fo.inference.weights import DEFAULT, file_hash, find_weights, load_network
from s3fo.model.config import ModelConfig
from s3fo.model.optimised.network import optimise_for_inference


class S3Method:
    """Objects followed by an S3 network.

    Args:
        weights: a weights file, or the name of shipped weights.
        model: name of the model preset; by default the one the weights are for.
        memory: settings of the engine: a name of `presets.PRESETS`, or a benchmark
            whose settings to take.
        size: short side in pixels that larger frames are shrunk to; None takes the
            memory preset's, 0 keeps all frames as they are.
        enlarge: the largest factor by which frames smaller than `size` are enlarged to
            it; 1 keeps them. None is 1.5 for ``s3-small``, which sees more in them, and
            1 for all other networks.
        zoom: with `size`, the largest factor by which a window round a single object
            is enlarged beyond whole frames of that size, with at most 1.2 times their
            pixels; 1 shows whole frames only. None is 1.5 for ``s3-small``, 1 for all
            other networks. Frames of several objects are always seen whole.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
        precision: number format of the network: ``"float32"``, ``"bfloat16"``,
            ``"float16"``, or ``"auto"``, see `choose_precision`. Memory reads and the
            competition of objects are float32 in any case.
        compile_encoder: compile the image encoder; pays off over many frames of few
            sizes.
        scores: folder for the probabilities of every frame, for `fuse`.
        overrides: further settings of `InferenceConfig`. Where they are not named,
            `reach` is 1.25 and `appearance_gap` 4 for ``s3-small``; all other networks
            are without these limits.

    Raises:
        InputError: weights, device, precision or a setting that is not there.
    """

    name = "s3"
    correction_prompts = ("mask",)
    query_attention = "discriminative"
    """Networks whose queries read otherwise are another method's."""

    def __init__(
        self,
        *,
        weights: str | PathLike[str] = DEFAULT,
        model: str | None = None,
        memory: str = "generic",
        size: int | None = None,
        enlarge: float | None = None,
        zoom: float | None = None,
        device: str = "auto",
        precision: str = AUTO,
        compile_encoder: bool = False,
        scores: str | PathLike[str] | None = None,
        **overrides: object,
    ) -> None:
        preset = get_preset(memory)
        path = find_weights(weights)
        self._size, config = choose_frame_size(
            preset.size, size, preset.engine.with_overrides(**overrides), overrides
        )
        chosen = choose_device(device)
        network = load_network(path, model).to(chosen)
        self._check(network.config, path)
        limits = usual_limits(network.config.name)
        config = config.with_overrides(
            **{name: limits[name] for name in limits.keys() - overrides.keys()}
        )
        self._enlarge = choose_enlargement(enlarge, network.config.name)
        zoom = choose_zoom(zoom, network.config.name)
        precision = choose_precision(precision, network.config.name, chosen)
        autocast = AUTOCAST[precision]
        self._scores = None if scores is None else Path(scores)
        self._engine = Propagator(
            optimise_for_inference(network, autocast),
            config,
            autocast=autocast,
            compile_encoder=compile_encoder,
        )
        # Frames that are kept as they are have no size that windows could exceed.
        self._windowed = WindowedPropagator(self._engine, zoom if self._size else 1)
        self.device = device_name(self._engine.device)
        self.settings: Mapping[str, Any] = {
            "model": network.config.name,
            "weights": {"file": path.name, "sha256": file_hash(path)},
            "size": self._size,
            "enlarge": self._enlarge,
            "zoom": zoom,
            "precision": precision,
            "engine": asdict(config),
        }

    def _check(self, config: ModelConfig, path: Path) -> None:
        """Refuse a network of another method: its masks would bear the wrong name."""
        if config.query_attention != self.query_attention:
            other = "cutie" if self.name == "s3" else "s3"
            raise InputError(
                path,
                f"weights of the network {config.name}",
                f"weights for the method {self.name}",
                f"Use --method {other}, or give other weights.",
            )

    def start(self, sequence: VideoSequence) -> None:
        """Forget the previous video."""
        self._windowed.clear_memory()
        first = sequence.frames.index(next(iter(sequence.prompt_frames())))
        self._skipped = sequence.frames[:first]
        self._frames = iter(sequence.frames[first:])
        self._sequence = sequence.name
        self._state: WindowState | None = None
        self._keep_state = False

    def has_written(self, sequence: VideoSequence) -> bool:
        """Whether the scores of every frame are there, if they are asked for."""
        return self._scores is None or all(
            probabilities_file(self._scores, sequence.name, frame).is_file()
            for frame in sequence.frames
        )

    def step(
        self, image: np.ndarray, prompt: np.ndarray | None, *, last: bool = False
    ) -> np.ndarray:
        """Segment the next frame; new objects are taken over from the prompt."""
        self._frame = next(self._frames)
        self._prompt = prompt
        self._state = self._windowed.save_state() if self._keep_state else None
        self._keep_state = False
        ids = [] if prompt is None else [int(i) for i in np.unique(prompt) if i]
        return self._segment(image, prompt if ids else None, ids, last=last)

    def expect_correction(self) -> None:
        """Copy the memory before the next frame."""
        self._keep_state = True

    def correct(
        self,
        image: np.ndarray,
        prompts: Mapping[int, ObjectPrompt],
        *,
        last: bool = False,
    ) -> np.ndarray:
        """Go back to before the frame, and take the masks into the memory."""
        assert self._state is not None, "corrections are announced"
        self._windowed.restore_state(self._state)
        empty = np.zeros(image.shape[:2], np.uint8)
        first = empty if self._prompt is None else self._prompt
        given = replace_objects(first, prompts)
        ids = sorted({*prompts, *(int(i) for i in np.unique(first) if i)})
        return self._segment(image, given, ids, last=last)

    def _segment(
        self,
        image: np.ndarray,
        given: np.ndarray | None,
        ids: list[int],
        *,
        last: bool,
    ) -> np.ndarray:
        """Segment the frame at hand; `given` [H, W] holds masks of objects `ids`."""
        shape = image.shape[:2]
        size = working_size(shape, self._size, self._enlarge)
        pixels = torch.from_numpy(image).to(self._engine.device).permute(2, 0, 1) / 255
        if self._windowed.takes(given, size):
            p = self._windowed.step(pixels, given, ids, size, end=last)
        else:
            p = self._segment_whole(pixels, given, ids, size, last=last)
        objects = self._engine.objects
        if self._scores is not None:
            self._keep_scores(self._scores, self._frame, p)
        label_map = objects.label_map(p).cpu().numpy()
        narrow = max(objects.ids, default=0) < 256
        return label_map.astype(np.uint8 if narrow else np.uint16)

    def _segment_whole(
        self,
        pixels: Tensor,
        given: np.ndarray | None,
        ids: list[int],
        size: tuple[int, int],
        *,
        last: bool,
    ) -> Tensor:
        """Probabilities [K + 1, H, W] of a whole frame [3, H, W], seen at `size`."""
        shape = pixels.shape[1], pixels.shape[2]
        mask = None
        if given is not None:
            mask = _resize_mask(given, size).to(self._engine.device)
        p = self._engine.step(
            _resize(pixels, size), mask, ids if mask is not None else None, end=last
        )
        if size == shape:
            return p
        return F.interpolate(p[None], shape, mode="bilinear", align_corners=False)[0]

    def _keep_scores(self, folder: Path, frame: str, p: Tensor) -> None:
        """Write the probabilities [K + 1, H, W] of a frame, and all the earlier ones.

        Frames before the first object are background.
        """
        background = np.ones((1, *p.shape[1:]), np.float32)
        for skipped in self._skipped:
            write_probabilities(
                probabilities_file(folder, self._sequence, skipped), background, ()
            )
        self._skipped = ()
        path = probabilities_file(folder, self._sequence, frame)
        write_probabilities(path, p.cpu().numpy(), self._engine.objects.ids)


_ENLARGE: Mapping[str, float] = {"s3-small": 1.5}
"""Networks that see more in enlarged frames, and the factor up to which they do."""

_ZOOM: Mapping[str, float] = {"s3-small": 1.5}
"""Networks that see more in windows round an object, and how far these are enlarged."""

_LIMITS: Mapping[str, Mapping[str, float]] = {
    "s3-small": {"reach": 1.25, "appearance_gap": 4.0}
}
"""Networks that take what comes into view for the object, and what they may take."""


def usual_limits(model: str) -> Mapping[str, float]:
    """Settings of `InferenceConfig` for a network, where nobody names others."""
    return _LIMITS.get(model, {})


def choose_enlargement(enlarge: float | None, model: str) -> float:
    """The largest factor to enlarge frames by, for a network.

    Raises:
        InputError: a factor below 1.
    """
    return _factor("enlarge", enlarge, _ENLARGE.get(model, 1.0), "smaller frames")


def choose_zoom(zoom: float | None, model: str) -> float:
    """The largest factor to enlarge windows by, for a network.

    Raises:
        InputError: a factor below 1.
    """
    return _factor("zoom", zoom, _ZOOM.get(model, 1.0), "whole frames")


def _factor(name: str, given: float | None, usual: float, kept: str) -> float:
    if given is None:
        return usual
    number = isinstance(given, (int, float)) and not isinstance(given, bool)
    if not number or not 1 <= given < float("inf"):
        raise InputError(
            name,
            f"{given!r}",
            "a factor of at least 1",
            f"Pass 1 to keep {kept} as they are.",
        )
    return float(given)


def _resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize [3, H, W], with antialiasing where it shrinks."""
    if tuple(image.shape[1:]) == size:
        return image
    return F.interpolate(
        image[None], size, mode="bilinear", align_corners=False, antialias=True
    )[0]


def _resize_mask(prompt: np.ndarray, size: tuple[int, int]) -> Tensor:
    """Resize a label map [H, W] by the nearest pixel, int64."""
    ids = torch.from_numpy(prompt.astype(np.int64))
    if prompt.shape == size:
        return ids
    small = F.interpolate(ids[None, None].float(), size, mode="nearest-exact")
    return small[0, 0].long()
