"""Scores of a network on held-out videos, as a user would measure them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch

from evaluation.scoring import score
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.propagator import Propagator
from s3fo.model.network import S3Network
from s3fo.training.data.sources import TrainingVideo, read_image


@dataclass(frozen=True)
class PropagationScore:
    """J&F of carrying the first masks of videos through all their frames.

    Attributes:
        videos: never any that are trained on.
        size: short side that larger frames are shrunk to, in pixels; None keeps.
        protocol: name of the evaluation protocol.
        autocast: half-precision type of the network; None computes in float32.
        engine: settings of the inference engine.
    """

    videos: Sequence[TrainingVideo]
    size: int | None = None
    protocol: str = "davis-2017"
    autocast: torch.dtype | None = None
    engine: InferenceConfig = field(default_factory=InferenceConfig)

    def __call__(self, network: S3Network) -> dict[str, float]:
        """``"J&F"``, ``"J"`` and ``"F"`` of a network, fractions."""
        truth, predicted = {}, {}
        for video in self.videos:
            name = video.sequence.name
            truth[name] = np.stack(
                [video.read_labels(i) for i in range(len(video.frames))]
            )
            predicted[name] = self.segment(network, video)
        scores = score(predicted, truth, self.protocol, workers=1)
        return {name: float(scores.summary[name]) for name in ("J&F", "J", "F")}

    def segment(self, network: S3Network, video: TrainingVideo) -> np.ndarray:
        """Label maps [T, H, W] of the annotated frames of a video."""
        engine = Propagator(network, self.engine, autocast=self.autocast)
        label_maps = []
        for index, frame in enumerate(video.frames):
            image = read_image(video.sequence.images[frame])
            shape = image.shape[:2]
            mask = video.read_labels(0) if index == 0 else None
            probabilities = engine.step(*self._inputs(image, mask)).numpy()
            if probabilities.shape[1:] != shape:
                planes = [cv2.resize(p, shape[::-1]) for p in probabilities]
                probabilities = np.stack(planes)
            ids = np.array([0, *engine.objects.ids], np.uint8)
            label_maps.append(ids[probabilities.argmax(0)])
        return np.stack(label_maps)

    def _inputs(
        self, image: np.ndarray, mask: np.ndarray | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        height, width = image.shape[:2]
        if self.size and min(height, width) > self.size:
            factor = self.size / min(height, width)
            size = int(width * factor), int(height * factor)
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            if mask is not None:
                mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
        frame = torch.from_numpy(image).permute(2, 0, 1).float() / 255
        return frame, None if mask is None else torch.from_numpy(mask)
