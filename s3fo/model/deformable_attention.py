"""Deformable attention over one feature map, in plain PyTorch.

Zhu et al., Deformable DETR (ICLR 2021), with a single level.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Size = tuple[int, int]

_LARGEST_MATRIX = 256  # cells of the map; beyond, `sample_by_rows` is faster


def reference_points(sizes: list[Size], device: torch.device) -> Tensor:
    """Return the cell centres of several grids, row by row, one grid after the other.

    Args:
        sizes: (height, width) of each grid.
        device: where to put the points.

    Returns:
        [N, 2] points (x, y) in 0..1, float32: half precision could not place them.
    """
    points = []
    for height, width in sizes:
        y = (torch.arange(height, device=device) + 0.5) / height
        x = (torch.arange(width, device=device) + 0.5) / width
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


def sample_by_rows(
    value: Tensor, size: Size, locations: Tensor, weights: Tensor
) -> Tensor:
    """Do what `sample_by_grid` does as one weighted sum of rows per query and head.

    Each of the P points touches 4 cells, so every query and head sums 4 P rows of
    `value`; no [heads, d, queries, points] tensor arises, which on a CPU makes this
    several times faster, forward and backward. Arguments and result are the same.
    """
    batch, _, heads, dim = value.shape
    height, width = size[0] + 3, size[1] + 3
    # A frame of zeros, as wide as points are clamped: no corner needs a check.
    frame = (0, 0, 1, 2, 1, 2)
    table = F.pad(value.flatten(2).unflatten(1, size), frame).reshape(-1, dim)
    cells, shares = _framed_corners(size, locations, weights)
    head = torch.arange(heads, dtype=torch.int32, device=value.device)
    first = torch.arange(batch, dtype=torch.int32, device=value.device)
    rows = cells * heads + head.view(-1, 1, 1, 1)
    rows = rows + (first * (height * width * heads)).view(-1, 1, 1, 1, 1)
    rows, shares = _by_query(rows), _by_query(shares).to(value.dtype)
    summed = F.embedding_bag(rows, table, per_sample_weights=shares, mode="sum")
    return summed.view(batch, -1, heads * dim)


def _framed_corners(
    size: Size, locations: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Return cells in a map with a frame, and their shares, [B, M, 4, P, N].

    The frame is one cell wide in front and two behind. Queries come last, so that the
    many small steps run along them. Arguments as of `sample_by_grid`.
    """
    x, y = locations.permute(4, 0, 2, 3, 1).contiguous().unbind()
    weights = weights.permute(0, 2, 3, 1).contiguous()
    x = (x * size[1] - 0.5).clamp(-1, size[1])
    y = (y * size[0] - 0.5).clamp(-1, size[0])
    left, top = x.floor(), y.floor()
    bottom_share = weights * (y - top)
    top_share = weights - bottom_share
    to_right = x - left
    bottom_right, top_right = bottom_share * to_right, top_share * to_right
    corners = (
        top_share - top_right,
        top_right,
        bottom_share - bottom_right,
        bottom_right,
    )
    width = size[1] + 3
    first = ((top + 1) * width + (left + 1)).to(torch.int32)
    cells = torch.stack([first, first + 1, first + width, first + width + 1], dim=2)
    return cells, torch.stack(corners, dim=2)


def _by_query(corners: Tensor) -> Tensor:
    """Turn [B, M, 4, P, N] into a row of 4 P per query and head."""
    batch, heads, _, _, count = corners.shape
    return corners.flatten(1, 3).mT.reshape(batch * count * heads, -1)


def sample_by_matrix(
    value: Tensor, size: Size, locations: Tensor, weights: Tensor
) -> Tensor:
    """Do what `sample_by_grid` does as a product with an explicit sampling matrix.

    For training in low precision on a CPU: the gradient of a matrix product is the one
    that is fast there. The [B, M, N, h * w] matrix restricts it to small maps.
    Arguments and result are the same.
    """
    cells, shares = _framed_corners(size, locations, weights)
    width = size[1] + 3
    row, column = cells // width - 1, cells % width - 1
    inside = (row >= 0) & (row < size[0]) & (column >= 0) & (column < size[1])
    cells = (row * size[1] + column).where(inside, 0).long().flatten(2, 3).mT
    shares = (shares * inside).to(value.dtype).flatten(2, 3).mT
    matrix = shares.new_zeros(*shares.shape[:-1], value.shape[1])
    matrix.scatter_add_(-1, cells, shares)
    return (matrix @ value.transpose(1, 2)).transpose(1, 2).flatten(2)


def sample(value: Tensor, size: Size, locations: Tensor, weights: Tensor) -> Tensor:
    """Do what `sample_by_grid` does, in the form that is fastest where it runs."""
    if value.device.type != "cpu":
        return sample_by_grid(value, size, locations, weights)
    small = size[0] * size[1] <= _LARGEST_MATRIX
    if small and value.requires_grad and value.dtype == torch.bfloat16:
        return sample_by_matrix(value, size, locations, weights)
    return sample_by_rows(value, size, locations, weights)


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
        return self.output_proj(sample(value, size, locations, weights))

    def sampling_plan(
        self, query: Tensor, reference: Tensor, size: Size
    ) -> tuple[Tensor, Tensor]:
        """Say where each query looks [B, N, M, P, 2] and how much [B, N, M, P]."""
        heads, points = self.heads, self.points
        offsets = self.sampling_offsets(query).unflatten(-1, (heads, points, 2))
        logits = self.attention_weights(query).unflatten(-1, (heads, points))
        # Small steps over many queries: they run along the queries.
        offsets = offsets.permute(4, 0, 2, 3, 1).contiguous()
        logits = logits.permute(0, 2, 3, 1).contiguous()
        scale = reference.new_tensor([size[1], size[0]]).view(2, 1, 1, 1, 1)
        locations = reference.T[:, None, None, None] + offsets / scale
        return locations.permute(1, 4, 2, 3, 0), logits.softmax(2).permute(0, 3, 1, 2)

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
