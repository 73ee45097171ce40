"""Point-sampled cross-entropy and dice of a clip, with the auxiliary terms.

The losses of the published training recipe (after PointRend and Mask2Former):
supervision on the points where the network is least certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

AUX_WEIGHT = 0.01


@dataclass(frozen=True)
class PointSampling:
    """How the supervised points of a frame are drawn.

    Attributes:
        num_points: supervised points of a frame.
        oversample_ratio: candidates per supervised point.
        importance_ratio: share of the points that are the least certain candidates;
            the rest is uniform.
    """

    num_points: int = 8192
    oversample_ratio: float = 3.0
    importance_ratio: float = 0.75


class ClipOutput(NamedTuple):
    """What a network predicts for frames 1..T-1 of a batch of clips.

    Attributes:
        logits: odds-logits [B, T-1, K+1, S, S], background first.
        sensory_logits: the same from the sensory memory, [B, T-1, K+1, h, w], or None.
        query_logits: one map per level of the object transformer,
            [B, T-1, K+1, L, h, w], or None.
        masks: probabilities of the objects [B, T-1, K, S, S].
    """

    logits: Tensor
    sensory_logits: Tensor | None
    query_logits: Tensor | None
    masks: Tensor


def clip_losses(
    output: ClipOutput,
    labels: Tensor,
    num_objects: Sequence[int],
    sampling: PointSampling,
    generators: Sequence[torch.Generator] | None = None,
) -> dict[str, Tensor]:
    """All losses of a batch of clips; ``total_loss`` is their sum.

    Args:
        output: predictions for frames 1..T-1.
        labels: label maps [B, T, 1, S, S], 0..K.
        num_objects: objects of each sample; channels beyond are not supervised.
        sampling: how points are drawn.
        generators: one random generator per sample; torch's global one if None.

    Returns:
        Scalars by name: ``loss_ce``, ``loss_dice``, ``aux_sensory_*``,
        ``aux_query_*_l<level>`` (weights included) and ``total_loss``.
    """
    losses: dict[str, Tensor] = {}
    batch = len(num_objects)
    for b, count in enumerate(num_objects):
        generator = generators[b] if generators is not None else None
        channels = torch.arange(count + 1, device=labels.device)
        target = (labels[b, 1:] == channels.view(1, -1, 1, 1)).float()
        for name, weight, logits in _terms(output, b, count):
            ce, dice = point_losses(logits, target, sampling, generator)
            for kind, value in (("ce", ce), ("dice", dice)):
                key = name.format(kind)
                losses[key] = losses.get(key, 0) + weight / batch * value
    losses["total_loss"] = torch.stack(list(losses.values())).sum()
    return losses


def point_losses(
    logits: Tensor,
    target: Tensor,
    sampling: PointSampling,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Cross-entropy and dice of one clip at sampled points.

    Args:
        logits: [T, C, h, w], any resolution; channel 0 is the background.
        target: one-hot [T, C, S, S] float.
        sampling: how points are drawn.
        generator: random generator; torch's global one if None.

    Returns:
        Cross-entropy (summed over frames, averaged over points) and dice (summed over
        frames, averaged over objects).
    """
    logits = logits.float()
    with torch.no_grad():
        points = uncertain_points(logits, sampling, generator)
        wanted = sample_points(target, points)
    sampled = sample_points(logits, points)
    cross_entropy = F.cross_entropy(sampled, wanted, reduction="none")
    masks, wanted = sampled.softmax(dim=1)[:, 1:], wanted[:, 1:]
    overlap = 2 * (masks * wanted).sum(-1)
    dice = 1 - (overlap + 1) / (masks.sum(-1) + wanted.sum(-1) + 1)
    return cross_entropy.mean(-1).sum(), dice.mean(-1).sum()


def uncertain_points(
    logits: Tensor, sampling: PointSampling, generator: torch.Generator | None
) -> Tensor:
    """Points [T, P, 2] in 0..1 (x, y): mostly where `logits` [T, C, h, w] waver."""
    frames, device = logits.shape[0], logits.device
    kept = int(sampling.importance_ratio * sampling.num_points)
    drawn = int(sampling.num_points * sampling.oversample_ratio)
    points = _uniform(frames, drawn, generator, device)
    values = sample_points(logits, points)
    if values.shape[1] == 2:
        uncertainty = -values[:, 1].abs()
    else:
        best = values.topk(2, dim=1).values
        uncertainty = best[:, 1] - best[:, 0]
    index = uncertainty.topk(kept, dim=1).indices
    chosen = points.gather(1, index.unsqueeze(-1).expand(-1, -1, 2))
    fresh = _uniform(frames, sampling.num_points - kept, generator, device)
    return torch.cat([chosen, fresh], dim=1)


def sample_points(values: Tensor, points: Tensor) -> Tensor:
    """Bilinear samples [T, C, P] of `values` [T, C, h, w] at `points` [T, P, 2]."""
    grid = 2 * points.unsqueeze(2) - 1
    return F.grid_sample(values, grid, align_corners=False).squeeze(-1)


def _terms(output: ClipOutput, b: int, count: int) -> list[tuple[str, float, Tensor]]:
    """(loss name, weight, logits [T-1, count+1, h, w]) of sample `b`."""
    terms = [("loss_{}", 1.0, output.logits[b, :, : count + 1])]
    if output.sensory_logits is not None:
        logits = output.sensory_logits[b, :, : count + 1]
        terms.append(("aux_sensory_{}", AUX_WEIGHT, logits))
    if output.query_logits is not None:
        levels = output.query_logits[b, :, : count + 1].unbind(dim=2)
        for level, logits in enumerate(levels):
            terms.append((f"aux_query_{{}}_l{level}", AUX_WEIGHT, logits))
    return terms


def _uniform(
    frames: int, count: int, generator: torch.Generator | None, device: torch.device
) -> Tensor:
    # Drawn on the CPU so that every device sees the same points.
    return torch.rand(frames, count, 2, generator=generator).to(device)
