"""The inference-only formulations give the plain modules' outputs."""

from __future__ import annotations

import pytest
import torch

from s3fo.model import build_network
from s3fo.model.fast_stages import embed_semantics, optimise_for_inference
from s3fo.model.spatial_semantic import SemanticEmbedding


def _randomise(module: torch.nn.Module) -> None:
    """Give every parameter and statistic a value that shows if it is left out."""
    generator = torch.Generator().manual_seed(5)
    for name, value in module.state_dict().items():
        if value.is_floating_point() and not name.endswith("inv_freq"):
            noise = torch.rand(value.shape, generator=generator) - 0.5
            value.add_(0.3 * noise)


def test_folded_semantic_embedding() -> None:
    module = SemanticEmbedding(24, 3).double()
    _randomise(module)
    generator = torch.Generator().manual_seed(1)
    detail = torch.randn(2, 10, 24, generator=generator, dtype=torch.float64)
    memory = torch.randn(2, 2, 24, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(
        embed_semantics(module, detail, memory),
        module(detail, memory),
        rtol=1e-12,
        atol=1e-12,
    )


@pytest.mark.parametrize("preset", ["tiny", "tiny8", "tiny_fpn", "tiny_r18"])
@pytest.mark.parametrize("batch", [1, 2])
def test_every_stage_equals_the_plain_one(preset: str, batch: int) -> None:
    plain = build_network(preset).eval()
    _randomise(plain)
    fast = optimise_for_inference(plain)
    generator = torch.Generator().manual_seed(2)
    for height, width in ((64, 96), (96, 64)):
        image = torch.rand(batch, 3, height, width, generator=generator)
        with torch.no_grad():
            pairs = zip(
                plain.encode_image(image), fast.encode_image(image), strict=True
            )
            for expected, found in pairs:
                scale = float(expected.abs().max())
                assert float((found - expected).abs().max()) <= 1e-5 * max(1, scale)
