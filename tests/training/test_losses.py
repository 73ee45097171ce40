from __future__ import annotations

import torch

from s3fo.training.losses import (
    ClipOutput,
    PointSampling,
    clip_losses,
    point_losses,
    sample_points,
    uncertain_points,
)

SAMPLING = PointSampling(200)


def one_hot(label_maps: torch.Tensor, count: int) -> torch.Tensor:
    return (label_maps[:, None] == torch.arange(count).view(1, -1, 1, 1)).float()


def label_maps() -> torch.Tensor:
    maps = torch.zeros(2, 32, 32, dtype=torch.long)
    maps[:, 4:20, 6:24] = 1
    maps[:, 22:30, 10:30] = 2
    return maps


def test_a_confident_right_answer_costs_nothing_and_a_wrong_one_much() -> None:
    target = one_hot(label_maps(), 3)
    uniform = PointSampling(2000, importance_ratio=0.0)
    right = point_losses(40 * target - 20, target, uniform)
    wrong = point_losses(20 - 40 * target, target, uniform)
    # Two frames each; points between two pixels cost a little in any case.
    assert right[0] < 1 and right[1] < 0.1
    assert wrong[0] > 30 and wrong[1] > 1.5


def test_points_gather_where_the_network_wavers() -> None:
    logits = torch.zeros(1, 2, 32, 32)
    logits[:, 1] = 20.0
    logits[:, 1, 10:14, 10:14] = 0.0
    logits[:, 0] = -logits[:, 1]
    points = uncertain_points(logits, SAMPLING, torch.Generator().manual_seed(0))
    values = sample_points(logits[:, 1:], points)
    assert points.shape == (1, 200, 2)
    # About 600 candidates hold some 10 inside the patch: all of them are kept.
    assert (values[:, :, :150] < 20).sum() > 3 * (values[:, :, 150:] < 20).sum()


def test_samples_are_supervised_apart_and_padding_not_at_all() -> None:
    """A sample's padded channel may hold anything."""
    maps = label_maps()[None, :, None].repeat(2, 2, 1, 1, 1)[:, :3]
    maps[1][maps[1] == 2] = 0
    logits = torch.randn(2, 2, 3, 32, 32)
    spoilt = logits.clone()
    spoilt[1, :, 2] = 1e4

    def total(values: torch.Tensor) -> float:
        output = ClipOutput(values, None, None, values[:, :, 1:])
        generators = [torch.Generator().manual_seed(i) for i in range(2)]
        losses = clip_losses(output, maps, (2, 1), SAMPLING, generators)
        return losses["total_loss"].item()

    assert total(logits) == total(spoilt)


def test_total_is_the_sum_with_small_auxiliary_terms() -> None:
    maps = label_maps()[None, :, None].repeat(1, 2, 1, 1, 1)[:, :3]
    logits = torch.randn(1, 2, 3, 32, 32)
    queries = torch.randn(1, 2, 3, 4, 2, 2)
    output = ClipOutput(logits, torch.randn(1, 2, 3, 2, 2), queries, logits[:, :, 1:])
    losses = clip_losses(output, maps, (2,), SAMPLING)
    total = losses.pop("total_loss")
    assert torch.isclose(total, torch.stack(list(losses.values())).sum())
    assert {f"aux_query_ce_l{i}" for i in range(4)} < set(losses)
    assert losses["aux_query_ce_l0"] < 0.1 * losses["loss_ce"]
