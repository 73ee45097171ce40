"""One training pass of the network over a batch of clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from s3fo.model.memory_reading import full_affinity, readout, similarity
from s3fo.model.network import ImageFeatures, S3Network
from s3fo.training.losses import ClipOutput


class ClipBatch(NamedTuple):
    """A batch of clips.

    Attributes:
        frames: RGB [B, T, 3, S, S] in 0..1, not normalised.
        labels: int64 [B, T, 1, S, S], 0..K.
        num_objects: objects of each sample; K is the largest.
    """

    frames: Tensor
    labels: Tensor
    num_objects: tuple[int, ...]

    def first_masks(self) -> Tensor:
        """Masks of the objects in frame 0, float [B, K, S, S]."""
        count = max(1, *self.num_objects)
        channels = torch.arange(1, count + 1, device=self.labels.device)
        return (self.labels[:, 0] == channels.view(1, -1, 1, 1)).float()

    def selector(self) -> Tensor:
        """1 for the objects that exist, 0 for padding, float [B, K, 1, 1]."""
        count = max(1, *self.num_objects)
        channels = torch.arange(count, device=self.labels.device)
        existing = torch.tensor(self.num_objects, device=self.labels.device)
        return (channels < existing[:, None]).float()[..., None, None]

    def to(self, device: torch.device) -> ClipBatch:
        """The same batch on another device."""
        return ClipBatch(
            self.frames.to(device), self.labels.to(device), self.num_objects
        )


class ClipRandomness(NamedTuple):
    """Where the random decisions of a clip pass come from.

    Attributes:
        uniform: one number in 0..1 per call (decides on deep updates).
        generators: one generator per sample (reference frames, supervised points);
            torch's global one if None.
    """

    uniform: Callable[[], float] = np.random.rand
    generators: Sequence[torch.Generator] | None = None


class _Memory(NamedTuple):
    """What the clip has memorised so far, one entry per memory frame."""

    values: list[Tensor]
    summaries: list[Tensor]


class ClipModel(nn.Module):
    """The network together with the way it runs over training clips.

    A module of its own, so that data-parallel wrappers see one forward pass.

    Attributes:
        network: the network.
        num_ref_frames: most memory frames a frame reads from.
        deep_update_prob: chance of a deep sensory update at a memory frame.
    """

    def __init__(
        self, network: S3Network, num_ref_frames: int, deep_update_prob: float
    ) -> None:
        super().__init__()
        self.network = network
        self.num_ref_frames = num_ref_frames
        self.deep_update_prob = deep_update_prob

    def forward(
        self, batch: ClipBatch, randomness: ClipRandomness | None = None
    ) -> ClipOutput:
        """Segment frames 1..T-1 from the masks of frame 0.

        Gradients flow through predicted masks, memory and sensory states.

        Args:
            batch: clips; S must be a multiple of 32.
            randomness: source of random decisions; global generators if None.
        """
        randomness = randomness or ClipRandomness()
        network, frames = self.network, batch.frames
        length = frames.shape[1]
        features = network.encode_image(frames.flatten(0, 1))
        keys, shrinkage, selection = (
            part.unflatten(0, frames.shape[:2])
            for part in network.project_key(features.f16)
        )
        selector, masks = batch.selector(), batch.first_masks()
        current = frame_features(features, 0, length)
        sensory = current.pix_feat.new_zeros(
            len(frames),
            masks.shape[1],
            network.config.sensory_dim,
            *current.pix_feat.shape[-2:],
        )
        value, sensory, summaries = network.encode_mask(
            frames[:, 0], current.pix_feat, sensory, masks
        )
        memory = _Memory([value], [summaries])
        steps = []
        for t in range(1, length):
            current = frame_features(features, t, length)
            chosen = self._references(t, len(frames), randomness)
            visual = _read(memory, keys, shrinkage, selection, t, chosen)
            pixels, queries = network.read_objects(
                current.pix_feat,
                visual,
                sensory,
                masks,
                torch.stack(memory.summaries, dim=2),
                selector=selector,
            )
            auxiliary = network.aux_computer(
                current.pix_feat, sensory, queries, selector
            )
            sensory, logits, probabilities = network.segment(
                current, pixels, sensory, selector=selector
            )
            masks = probabilities[:, 1:]
            steps.append((logits, *auxiliary, masks))
            if t < length - 1:
                deep = randomness.uniform() < self.deep_update_prob
                value, sensory, summaries = network.encode_mask(
                    frames[:, t], current.pix_feat, sensory, masks, deep_update=deep
                )
                memory.values.append(value)
                memory.summaries.append(summaries)
        return ClipOutput(
            *(torch.stack(parts, dim=1) for parts in zip(*steps, strict=True))
        )

    def _references(
        self, t: int, batch: int, randomness: ClipRandomness
    ) -> Tensor | None:
        """Memory frames each sample reads at step t, [B, n]; None means all."""
        if t <= self.num_ref_frames:
            return None
        orders = [
            torch.randperm(t, generator=generator)
            for generator in randomness.generators or (None,) * batch
        ]
        return torch.stack(orders)[:, : self.num_ref_frames]


def frame_features(features: ImageFeatures, t: int, length: int) -> ImageFeatures:
    """Features of frame t out of those of B * T frames."""
    return ImageFeatures(*(part.unflatten(0, (-1, length))[:, t] for part in features))


def _read(
    memory: _Memory,
    keys: Tensor,
    shrinkage: Tensor,
    selection: Tensor,
    t: int,
    chosen: Tensor | None,
) -> Tensor:
    """Pixel readout [B, K, Cv, h, w] of frame t from the chosen earlier frames."""
    past = (
        keys[:, :t],
        shrinkage[:, :t],
        torch.stack(memory.values, dim=1),  # [B, t, K, Cv, h, w]
    )
    if chosen is not None:
        rows = torch.arange(len(keys))[:, None]
        past = tuple(part[rows, chosen] for part in past)  # type: ignore[assignment]
    key, shrink, value = past
    size = key.shape[-2:]
    affinity = full_affinity(
        similarity(
            key.transpose(1, 2).flatten(2),
            shrink.transpose(1, 2).flatten(2),
            keys[:, t].flatten(2),
            selection[:, t].flatten(2),
        )
    )
    tokens = value.permute(0, 2, 3, 1, 4, 5).flatten(3)  # [B, K, Cv, n * h * w]
    return readout(affinity, tokens).unflatten(-1, size)
