"""Which gradients reach fine-tuned ViT blocks between frozen ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from s3fo.model import get_config
from s3fo.model.spatial_semantic import (
    PATCH,
    EncoderMaps,
    SpatialSemanticEncoder,
    as_maps,
    level_sizes,
    reference_points,
    split_levels,
)

SIZE = (4, 6)


def encoder(finetune: tuple[int, ...], **options: bool) -> SpatialSemanticEncoder:
    torch.manual_seed(3)
    config = replace(get_config("tiny").encoder, finetune=finetune, **options)
    made = SpatialSemanticEncoder(config)
    for scale in (p for n, p in made.named_parameters() if n.endswith("gamma")):
        scale.data.fill_(0.5)  # At their initial 1e-5 the ViT blocks do nothing.
    return made.train()


def gradients(made: SpatialSemanticEncoder, outputs: tuple[Tensor, ...]) -> dict:
    generator = torch.Generator().manual_seed(5)
    loss = sum(
        (out * torch.randn(out.shape, generator=generator)).sum() for out in outputs
    )
    made.zero_grad(set_to_none=True)
    loss.backward()
    return {n: p.grad.norm() for n, p in made.named_parameters() if p.grad is not None}


def image() -> Tensor:
    shape = (2, 3, SIZE[0] * PATCH, SIZE[1] * PATCH)
    return torch.randn(shape, generator=torch.Generator().manual_seed(4))


def cut_by_hand(made: SpatialSemanticEncoder) -> tuple[Tensor, ...]:
    """The outputs, with the tokens detached behind each frozen range."""
    stem, half, quarter = made.spm.narrow_maps(image())
    detail = made.detail_tokens(made.spm.fc2(half), made.spm.fc3(quarter))
    reference = reference_points(level_sizes(SIZE), detail.device)
    tokens, maps = made.vit_module.embed(image()), []
    for index, block in enumerate(made.blocks()):
        for vit_block in made.vit_blocks(index):
            tokens = vit_block(tokens)
        if index not in made.config.finetune:
            tokens = tokens.detach()
        detail = block(detail, reference, tokens, SIZE)
        maps.append(as_maps(tokens[:, 1:], SIZE))
    parts = zip(split_levels(detail, SIZE), level_sizes(SIZE), strict=True)
    half, quarter = (as_maps(part, shape) for part, shape in parts)
    return made.merge(EncoderMaps(stem, half, quarter, maps[:3]))


@pytest.mark.parametrize("finetune", [(1, 3), (2,), (0, 1), (0,), (0, 1, 2, 3)])
def test_frozen_ranges_run_without_gradient(finetune: tuple[int, ...]) -> None:
    made = encoder(finetune)
    expected = gradients(made, cut_by_hand(made))
    found = gradients(made, made(image()))
    assert found.keys() == expected.keys()
    trained = {int(n.split(".")[2]) for n in found if n.startswith("vit_module.blocks")}
    assert trained == set(finetune)
    for name, norm in found.items():
        torch.testing.assert_close(norm, expected[name], rtol=1e-5, atol=1e-7)


@pytest.mark.seconds
def test_gradients_pass_frozen_ranges_only_where_asked_for() -> None:
    cut, through = encoder((1, 3)), encoder((1, 3), gradients_through_frozen=True)
    outputs = cut(image()), through(image())
    for one, other in zip(*outputs, strict=True):
        torch.testing.assert_close(one, other)
    name = "vit_module.blocks.1.mlp.fc1.weight"
    ratio = gradients(through, outputs[1])[name] / gradients(cut, outputs[0])[name]
    assert abs(ratio - 1) > 0.02
    assert not any("blocks.2" in n for n in gradients(through, through(image())))


def test_a_vit_that_trains_whole_is_never_cut() -> None:
    made = encoder((), freeze_vit=False)
    found = gradients(made, made(image()))
    assert any(n.startswith("vit_module.blocks.0") for n in found)
