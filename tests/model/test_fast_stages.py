"""The inference-only formulations give the plain modules' outputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from module_fixture import S3_FIXTURES
from torch import Tensor
from torch.nn import functional as F

from s3fo.inference.engine.frames import Padding
from s3fo.model import S3Network, build_network
from s3fo.model.optimised import stages
from s3fo.model.optimised.network import optimise_for_inference
from s3fo.model.optimised.stages import embed_semantics
from s3fo.model.spatial_semantic import SemanticEmbedding
from s3fo.model.vit import attend


def _randomise(module: torch.nn.Module) -> None:
    """Move what starts as zero or one, so that leaving it out would show."""
    generator = torch.Generator().manual_seed(5)
    for name, value in module.state_dict().items():
        if value.is_floating_point() and not name.endswith("inv_freq"):
            noise = torch.rand(value.shape, generator=generator) - 0.5
            if value.dim() == 1 or not value.any():
                value.add_(0.4 * noise)


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


@pytest.mark.seconds
@pytest.mark.parametrize("preset", ["tiny", "tiny8", "tiny_fpn", "tiny_r18"])
@pytest.mark.parametrize("batch", [1, 2])
def test_every_stage_equals_the_plain_one(preset: str, batch: int) -> None:
    plain = build_network(preset).eval()
    _randomise(plain)
    fast = optimise_for_inference(plain)
    generator = torch.Generator().manual_seed(2)
    for height, width in ((64, 96), (96, 64)):
        image = torch.rand(batch, 3, height, width, generator=generator)
        masks = torch.rand(batch, 2, height, width, generator=generator)
        with torch.no_grad():
            for expected, found in zip(
                _all_stages(plain, plain, image, masks),
                _all_stages(fast, plain, image, masks),
                strict=True,
            ):
                scale = float(expected.abs().max())
                assert float((found - expected).abs().max()) <= 1e-5 * max(1, scale)


@pytest.mark.parametrize("preset", ["tiny", "tiny8", "tiny_fpn", "tiny_r18"])
def test_stages_on_frames_alone_and_in_a_batch(
    recipe_network: Callable[[str, int], S3Network], preset: str
) -> None:
    with np.load(S3_FIXTURES / "public" / "modules_tiny8_bs2.npz") as file:
        frames, ids = (torch.from_numpy(file[key]) for key in ("frames_b", "mask_ids"))
    padding = Padding.to_stride((ids.shape[1], ids.shape[2]))
    images = padding.pad(frames.permute(0, 3, 1, 2) / 255)
    objects = torch.arange(1, int(ids.max()) + 1)[:, None, None]
    masks = padding.pad((ids[:, None] == objects).float())
    plain = recipe_network(preset, 12)
    fast = optimise_for_inference(plain)
    with torch.no_grad():
        together = _all_stages(fast, plain, images, masks)
        for item in range(len(images)):
            one = slice(item, item + 1)
            alone = _all_stages(plain, plain, images[one], masks[one])
            for found, expected in zip(together, alone, strict=True):
                scale = max(1, float(expected.abs().max()))
                assert float((found[one] - expected).abs().max()) <= 1e-5 * scale


def _all_stages(
    network: S3Network, source: S3Network, image: Tensor, masks: Tensor
) -> list[Tensor]:
    """Return the outputs of every stage, given the inputs that `source` makes."""
    features = source.encode_image(image)
    size = features.f16.shape[-2:]
    sensory = torch.full((*masks.shape[:2], source.config.sensory_dim, *size), 0.3)
    value, deep, summaries = source.encode_mask(
        image, features.pix_feat, sensory, masks
    )
    memory = summaries[:, :, None]
    pixels, _ = source.read_objects(features.pix_feat, value, deep, masks, memory)
    return [
        *network.encode_image(image),
        *network.project_key(features.f16),
        *network.encode_mask(image, features.pix_feat, sensory, masks),
        *network.read_objects(features.pix_feat, value, deep, masks, memory),
        *network.segment(features, pixels, deep),
    ]


def test_optimising_keeps_the_plain_network_as_it_is() -> None:
    plain = build_network("tiny").eval()
    before = {name: value.clone() for name, value in plain.state_dict().items()}
    optimise_for_inference(plain)
    after = plain.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("preset", ["tiny", "s3-small"])
def test_half_precision_stays_near(preset: str) -> None:
    plain = build_network(preset).eval()
    _randomise(plain)
    fast = optimise_for_inference(plain, torch.bfloat16)
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(2))
    masks = torch.rand(1, 2, 64, 96, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        expected = plain.encode_image(image)
        with torch.autocast("cpu", torch.bfloat16):
            found = fast.encode_image(image)
            _all_stages(fast, fast, image, masks)
    for half, single in zip(found, expected, strict=True):
        apart = float((half.float() - single).abs().mean() / single.abs().mean())
        assert apart <= 0.03


def test_half_precision_spares_what_needs_float32() -> None:
    """What autocast leaves alone keeps all digits; the plain network keeps its own."""
    plain = build_network("tiny").eval()
    half = optimise_for_inference(plain, torch.bfloat16)
    assert all(value.dtype == torch.float32 for value in plain.parameters())
    kinds = {name: value.dtype for name, value in half.named_parameters()}
    assert kinds["key_proj.key_proj.weight"] == torch.float32
    assert kinds["mask_decoder.pred.weight"] == torch.float32
    assert kinds["pixel_encoder.vit_module.pos_embed"] == torch.float32
    assert kinds["pixel_encoder.vit_module.blocks.0.mlp.fc1.weight"] == torch.bfloat16
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(2))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        f16 = half.encode_image(image).f16
        once, again = half.project_key(f16), plain.project_key(f16)
    assert all(torch.equal(one, other) for one, other in zip(once, again, strict=True))


def test_attention_without_gradients_is_the_same() -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 33, 16).to(torch.bfloat16).unbind(0)
    tracked = attend(query, key, value)
    with torch.no_grad():
        untracked = attend(query, key, value)
    assert torch.equal(untracked, tracked)
    exact = F.scaled_dot_product_attention(query.float(), key.float(), value.float())
    assert (untracked.float() - exact).abs().max() < 0.02


_STAGES = {
    "ViT": "run_blocks",
    "spatial dependency": "gather_context",
    "semantic embedding": "embed_semantics",
    "detail of strides 8 and 4": "FoldedDetail.forward",
}
"""Stage -> its fast form."""


@pytest.mark.parametrize("stage", _STAGES)
def test_a_stage_can_be_run_plain_on_a_device(
    stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = build_network("tiny").eval()
    _randomise(plain)
    fast = optimise_for_inference(plain)
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = fast.encode_image(image)
        monkeypatch.setitem(stages.PLAIN_ON, "cpu", frozenset({stage}))
        monkeypatch.setattr(f"{stages.__name__}.{_STAGES[stage]}", None)
        found = fast.encode_image(image)
    apart = [float((a - b).abs().max()) for a, b in zip(found, expected, strict=True)]
    assert max(apart) < 1e-4
