"""Every stage reproduces the official program's intermediate results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from module_fixture import ModuleFixture
from torch import Tensor, nn

from s3fo.model import S3Network
from s3fo.model.decoder import aggregate
from s3fo.model.deformable_attention import reference_points
from s3fo.model.memory_reading import (
    full_affinity,
    readout,
    similarity,
    top_k_affinity,
)
from s3fo.model.object_queries import (
    DiscriminativeQueryAttention,
    ObjectTransformer,
    PixelAttention,
)
from s3fo.model.spatial_semantic import SpatialSemanticEncoder, level_sizes


@pytest.fixture(autouse=True)
def _no_grad() -> Any:
    with torch.no_grad():
        yield


class Recorder:
    """Remember what modules returned in the last forward pass."""

    def __init__(self, **modules: nn.Module) -> None:
        self.outputs: dict[str, Any] = {}
        self.inputs: dict[str, Any] = {}
        for name, module in modules.items():
            module.register_forward_hook(self._hook(name.replace("__", ".")))

    def _hook(self, name: str) -> Any:
        def remember(_: nn.Module, inputs: Any, output: Any) -> None:
            self.inputs[name], self.outputs[name] = inputs, output

        return remember


def _encoder(network: S3Network) -> SpatialSemanticEncoder:
    assert isinstance(network.pixel_encoder, SpatialSemanticEncoder)
    return network.pixel_encoder


def test_vision_transformer(tiny: S3Network, stored: ModuleFixture) -> None:
    vit = _encoder(tiny).vit_module
    record = Recorder(vit__block0=vit.blocks[0], vit__block0__attn=vit.blocks[0].attn)
    tokens = vit.embed(tiny.normalise(stored.image("frames_a")))
    stored.check("vit.tokens", tokens)
    vit.blocks[0](tokens)
    for name, output in record.outputs.items():
        stored.check(name, output)
    for height, width in ((64, 96), (160, 64), (112, 112)):
        embedding = vit.position_embedding(height // 16, width // 16)
        stored.check(f"vit.pos_embed_{height}x{width}", embedding)


def test_detail_branch(tiny: S3Network, stored: ModuleFixture) -> None:
    c1, c2, c3 = _encoder(tiny).spm(tiny.normalise(stored.image("frames_a")))
    stored.check("spm.0", c1)
    stored.check("spm.1", c2.flatten(2).transpose(1, 2))
    stored.check("spm.2", c3.flatten(2).transpose(1, 2))


def test_spatial_semantic_blocks(tiny: S3Network, stored: ModuleFixture) -> None:
    blocks = _encoder(tiny).interactions
    modules: dict[str, nn.Module] = {
        "inter0__deform": blocks[0].extractor.attn,
        "inter0__convffn": blocks[0].extractor.ffn,
    }
    for i, block in enumerate(blocks):
        modules[f"inter{i}__semantic__0"] = block.read_from_cls
        modules[f"inter{i}__extractor"] = block.extractor
        modules[f"inter{i}__1"] = block
    record = Recorder(**modules)
    tiny.encode_image(stored.image("frames_a"))
    for name, output in record.outputs.items():
        stored.check(name, output)
    for i in range(4):
        tokens = record.inputs[f"inter{i}.1"][2]
        stored.check(f"inter{i}.0", tokens[:, 1:])
        stored.check(f"inter{i}.2", tokens[:, :1])
    # The stored inputs of the deformable attention are those of image b.
    tiny.encode_image(stored.image("frames_b"))
    query, reference, features, size = record.inputs["inter0.deform"]
    stored.check("inter0.deform.query", query)
    stored.check("inter0.deform.ref", reference[None, :, None])
    stored.check("inter0.deform.feat", features)
    torch.testing.assert_close(
        reference, reference_points(level_sizes(size), query.device), rtol=0, atol=0
    )


@pytest.mark.parametrize(("frames", "prefix"), [("frames_a", ""), ("frames_b", "b.")])
def test_image_features(
    tiny: S3Network, stored: ModuleFixture, frames: str, prefix: str
) -> None:
    image = stored.image(frames)
    levels = _encoder(tiny)(tiny.normalise(image))
    for name, level in zip(("f16", "f8", "f4"), levels, strict=True):
        stored.check(prefix + name, level)
    features = tiny.encode_image(image)
    stored.check(prefix + "pix_feat", features.pix_feat)
    key, shrinkage, selection = tiny.project_key(features.f16)
    stored.check(prefix + "key", key)
    stored.check(prefix + "selection", selection)
    if not prefix:
        stored.check("shrinkage", shrinkage)


def test_mask_encoder(tiny: S3Network, stored: ModuleFixture) -> None:
    encoder = tiny.mask_encoder
    record = Recorder(
        maskenc__conv1=encoder.conv1,
        maskenc__layer3=encoder.layer3,
        maskenc__fuser__block1=encoder.fuser.block1,
    )
    arguments = (
        stored.image("frames_a"),
        stored.tensor("pix_feat"),
        stored.tensor("in.sensory"),
        stored.masks(),
    )
    value, sensory, summaries = tiny.encode_mask(*arguments)
    stored.check("mask_value", value)
    stored.check("sensory_deep", sensory)
    stored.check("obj_summaries", summaries)
    for name, output in record.outputs.items():
        every = 1 if name.endswith("block1") else 8
        stored.check(name, output[:, ::every])
    _, unchanged, _ = tiny.encode_mask(*arguments, deep_update=False)
    assert torch.equal(unchanged, arguments[2])


def test_object_summarizer_logits(tiny: S3Network, stored: ModuleFixture) -> None:
    record = Recorder(obj_logits=tiny.object_summarizer.weights_pred)
    tiny.object_summarizer(stored.masks(), stored.tensor("mask_value"))
    stored.check("obj_logits", record.outputs["obj_logits"])


def test_positional_encoding(tiny: S3Network, stored: ModuleFixture) -> None:
    for name, encode in (
        ("object_transformer", tiny.object_transformer.spatial_pe),
        ("object_summarizer", tiny.object_summarizer.pos_enc),
    ):
        shape = stored.meta["arrays"][f"pe.{name}"][0]
        stored.check(f"pe.{name}", encode(*shape[-3:-1]).expand(shape))


def _flat(stored: ModuleFixture, *names: str) -> list[Tensor]:
    return [stored.tensor(name).flatten(2) for name in names]


def test_memory_reading(tiny: S3Network, stored: ModuleFixture) -> None:
    score = similarity(*_flat(stored, "key", "shrinkage", "b.key", "b.selection"))
    stored.check("similarity", score)
    affinity = top_k_affinity(score, 30)
    stored.check("affinity_top30", affinity)
    stored.check("usage_top30", affinity.sum(2))
    stored.check("affinity_full", full_affinity(score))
    value = stored.tensor("mask_value")
    read = readout(affinity, value.flatten(3)).unflatten(-1, value.shape[-2:])
    stored.check("visual_readout", read)
    fused = tiny.pixel_fuser(
        stored.tensor("b.pix_feat"), read, stored.tensor("sensory_deep"), stored.masks()
    )
    stored.check("pixel_fused", fused)


class _Decisions:
    """Record the hard decisions of the object transformer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.blocked: list[Tensor] = []
        self.picked: list[Tensor] = []
        block = ObjectTransformer.blocked_pixels
        pick = DiscriminativeQueryAttention.most_similar

        def blocked_pixels(*args: Any) -> Tensor:
            self.blocked.append(block(*args))
            return self.blocked[-1]

        def most_similar(*args: Any) -> Tensor:
            self.picked.append(pick(*args))
            return self.picked[-1]

        monkeypatch.setattr(ObjectTransformer, "blocked_pixels", blocked_pixels)
        monkeypatch.setattr(DiscriminativeQueryAttention, "most_similar", most_similar)


def test_object_transformer(
    tiny: S3Network, stored: ModuleFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    decisions = _Decisions(monkeypatch)
    modules: dict[str, nn.Module] = {}
    for i, block in enumerate(tiny.object_transformer.blocks):
        modules[f"ot__block{i}__dqca__0"] = block.read_from_pixel
        modules[f"ot__block{i}__self_attn"] = block.self_attn
        modules[f"ot__block{i}__ffn"] = block.ffn
        modules[f"ot__block{i}__read_from_query__0"] = block.read_from_query
        modules[f"ot__block{i}"] = block
    record = Recorder(**modules)
    pixels, summaries = stored.tensor("pixel_fused"), stored.tensor("obj_summaries")
    out, logits = tiny.object_transformer(pixels, summaries[:, :, None])

    stored.check("ot.out", out)
    for i in range(logits.shape[2]):
        stored.check(f"ot.logits{i}", logits[:, :, i])
    for i in range(len(tiny.object_transformer.blocks)):
        query, pixel = record.outputs.pop(f"ot.block{i}")
        stored.check(f"ot.block{i}.0", query)
        maps = pixel.transpose(1, 2).reshape(pixels.shape)
        stored.check(f"ot.block{i}.1", maps)
    for name, output in record.outputs.items():
        stored.check(name, output)

    last = tiny.object_transformer.blocked_pixels(logits[:, :, -1], None)
    for i, blocked in enumerate([*decisions.blocked[:-1], last]):
        shape = stored.arrays[f"ot.attn_mask{i}.shape"]
        packed = stored.arrays[f"ot.attn_mask{i}"]
        expected = np.unpackbits(packed, count=int(shape.prod())).reshape(shape)
        per_head = blocked.repeat_interleave(shape[0] // len(blocked), dim=0)
        assert np.array_equal(per_head.numpy(), expected.astype(bool))
    for i, picked in enumerate(decisions.picked):
        assert np.array_equal(picked.numpy(), stored.arrays[f"ot.dqca_argmax{i}"])


def test_object_memory_of_several_frames(
    tiny: S3Network, stored: ModuleFixture
) -> None:
    summaries = stored.tensor("obj_summaries")
    memory = torch.stack([summaries, summaries.flip(1) / 2], dim=2)
    out, _ = tiny.object_transformer(stored.tensor("pixel_fused"), memory)
    stored.check("ot.out_T2", out)


def test_decoder_and_segment(tiny: S3Network, stored: ModuleFixture) -> None:
    features = tiny.encode_image(stored.image("frames_b"))
    pixels, sensory = stored.tensor("ot.out"), stored.tensor("sensory_deep")
    _, logits = tiny.mask_decoder(features.detail8, features.detail4, pixels, sensory)
    stored.check("decoder_logits", logits)
    after, odds, p = tiny.segment(features, pixels, sensory)
    stored.check("sensory_after", after)
    stored.check("segment_logits", odds[..., ::2, ::2])
    stored.check("segment_prob", p[..., ::2, ::2])
    selector = torch.tensor([1.0, 0, 1]).view(1, 3, 1, 1)
    unchanged, _, p = tiny.segment(
        features, pixels, sensory, selector=selector, update_sensory=False
    )
    stored.check("segment_prob_selector", p[..., ::4, ::4])
    assert torch.equal(unchanged, sensory)


def test_auxiliary_heads(tiny: S3Network, stored: ModuleFixture) -> None:
    logits = torch.stack([stored.tensor(f"ot.logits{i}") for i in range(3)], dim=2)
    sensory_odds, query_odds = tiny.aux_computer(
        stored.tensor("b.pix_feat"), stored.tensor("sensory_deep"), logits
    )
    stored.check("aux.sensory_logits", sensory_odds)
    stored.check("aux.q_logits", query_odds)


def test_aggregate(stored: ModuleFixture) -> None:
    stored.check("aggregate.out", aggregate(stored.tensor("aggregate.in")))


def test_pixels_read_the_queries_as_multi_head_attention_does() -> None:
    generator = torch.Generator().manual_seed(3)

    def rows(count: int) -> Tensor:
        return torch.randn(3, count, 24, generator=generator, dtype=torch.float64)

    module = PixelAttention(24, 4).double()
    nn.init.normal_(module.cross_attn.in_proj_bias)
    pixel, pixel_pe, query, query_pe = rows(10), rows(10), rows(6), rows(6)
    read, _ = module.cross_attn(pixel + pixel_pe, query + query_pe, query)
    out = module(pixel, query, pixel_pe, query_pe)
    torch.testing.assert_close(out, pixel + read)
