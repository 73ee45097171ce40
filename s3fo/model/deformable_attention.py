"""Deformable attention over one feature map, in plain PyTorch.

Zhu et al., Deformable DETR (ICLR 2021), with a single level.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Size = tuple[int, int]


def reference_points(sizes: list[Size], like: Tensor) -> Tensor:
    """Return the cell centres of several grids, row by row, one grid after the other.

    Args:
        sizes: (height, width) of each grid.
        like: a tensor whose device and dtype the points take.

    Returns:
        [N, 2] points (x, y) in 0..1.
    """
    points = []
    for height, width in sizes:
        y = (torch.arange(height, device=like.device, dtype=like.dtype) + 0.5) / height
        x = (torch.arange(width, device=like.device, dtype=like.dtype) + 0.5) / width
        grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)
        points.append(grid.view(-1, 2))
    return torch.cat(points)


def sample_by_grid(
    value: Tensor, size: Size, locations: Tensor, weights: Tensor
) -> Tensor:
    """Sample bilinearly (zero outside) and sum the sampling points.

    Args:
        value: [B, h * w, M, d], one slice per head.
        size: (h, w) of the map that `value` flattens.
        locations: [B, N, M, P, 2] sampling points (x, y), 0..1 over the map.
        weights: [B, N, M, P] attention weights.

    Returns:
        [B, N, M * d].
    """
    batch, _, heads, dim = value.shape
    count, points = locations.shape[1], locations.shape[3]
    maps = value.permute(0, 2, 3, 1).reshape(batch * heads, dim, *size)
    grid = (2 * locations - 1).transpose(1, 2).reshape(batch * heads, count, points, 2)
    sampled = F.grid_sample(maps, grid.to(maps.dtype), align_corners=False)
    weights = weights.transpose(1, 2).reshape(batch * heads, 1, count, points)
    summed = (sampled * weights).sum(-1)
    return summed.view(batch, heads * dim, count).transpose(1, 2)


class DeformableAttention(nn.Module):
    """Each query looks at a few points of a feature map around its reference point."""

    def __init__(self, width: int, heads: int, points: int) -> None:
        super().__init__()
        self.heads = heads
        self.points = points
        self.sampling_offsets = nn.Linear(width, heads * points * 2)
        self.attention_weights = nn.Linear(width, heads * points)
        self.value_proj = nn.Linear(width, width)
        self.output_proj = nn.Linear(width, width)
        self._reset_parameters()

    def forward(
        self, query: Tensor, reference: Tensor, features: Tensor, size: Size
    ) -> Tensor:
        """Attend from every query to the feature map.

        Args:
            query: [B, N, C].
            reference: [N, 2] reference points (x, y) in 0..1.
            features: [B, h * w, C].
            size: (h, w).

        Returns:
            [B, N, C].
        """
        value = self.value_proj(features).unflatten(-1, (self.heads, -1))
        locations, weights = self.sampling_plan(query, reference, size)
        return self.output_proj(sample_by_grid(value, size, locations, weights))

    def sampling_plan(
        self, query: Tensor, reference: Tensor, size: Size
    ) -> tuple[Tensor, Tensor]:
        """Say where each query looks [B, N, M, P, 2] and how much [B, N, M, P]."""
        heads, points = self.heads, self.points
        offsets = self.sampling_offsets(query).unflatten(-1, (heads, points, 2))
        scale = offsets.new_tensor([size[1], size[0]])
        locations = reference[:, None, None] + offsets / scale
        logits = self.attention_weights(query).unflatten(-1, (heads, points))
        return locations, logits.softmax(-1)

    def _reset_parameters(self) -> None:
        """Point p of head m starts p + 1 cells away in the direction of the head."""
        angle = torch.arange(self.heads) * (2 * math.pi / self.heads)
        direction = torch.stack([angle.cos(), angle.sin()], dim=-1)
        direction = direction / direction.abs().amax(-1, keepdim=True)
        steps = torch.arange(1, self.points + 1)[:, None]
        with torch.no_grad():
            self.sampling_offsets.bias.copy_((direction[:, None] * steps).flatten())
        nn.init.zeros_(self.sampling_offsets.weight)
        nn.init.zeros_(self.attention_weights.weight)
        nn.init.zeros_(self.attention_weights.bias)
        for projection in (self.value_proj, self.output_proj):
            nn.init.xavier_uniform_(projection.weight)
            nn.init.zeros_(projection.bias)
