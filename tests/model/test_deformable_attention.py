"""Deformable sampling: all formulations agree, forward and backward."""

from __future__ import annotations

import pytest
import torch

from s3fo.model.deformable_attention import (
    DeformableAttention,
    reference_points,
    sample_by_grid,
    sample_by_matrix,
    sample_by_rows,
)


@pytest.mark.parametrize(("batch", "size"), [(1, (3, 5)), (2, (1, 4))])
def test_all_formulations_agree(batch: int, size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(3)
    heads, dim, count, points = 3, 4, 7, 4
    shape = (batch, size[0] * size[1], heads, dim)
    value = torch.randn(shape, generator=generator, dtype=torch.float64)
    # Many points lie (far) outside of the map, where the value is zero.
    locations = torch.rand(
        (batch, count, heads, points, 2), generator=generator, dtype=torch.float64
    )
    locations = locations * 4 - 1.5
    weights = torch.rand(
        (batch, count, heads, points), generator=generator, dtype=torch.float64
    )
    results = []
    for sample in (sample_by_grid, sample_by_rows, sample_by_matrix):
        inputs = [t.clone().requires_grad_() for t in (value, locations, weights)]
        out = sample(inputs[0], size, inputs[1], inputs[2])
        grads = torch.autograd.grad((out * out).sum(), inputs)
        results.append((out, *grads))
    for expected, *others in zip(*results, strict=True):
        for other in others:
            torch.testing.assert_close(other, expected, rtol=1e-9, atol=1e-9)


def test_a_point_on_a_cell_centre_reads_that_cell() -> None:
    value = torch.arange(6.0).view(1, 6, 1, 1)
    centres = reference_points([(2, 3)], value.device)
    locations = centres.view(1, 6, 1, 1, 2)
    weights = torch.ones(1, 6, 1, 1)
    for sample in (sample_by_grid, sample_by_rows):
        read = sample(value, (2, 3), locations, weights)
        torch.testing.assert_close(read.flatten(), torch.arange(6.0))


def test_offsets_start_along_the_directions_of_the_heads() -> None:
    attention = DeformableAttention(16, heads=4, points=2)
    offsets = attention.sampling_offsets.bias.detach().view(4, 2, 2)
    expected = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    torch.testing.assert_close(offsets[:, 0], expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(offsets[:, 1], 2 * expected, atol=1e-6, rtol=0)
