"""Loading is strict and safe, and what does not fit is told by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from s3fo.model import S3Network, build_network
from s3fo.model.checkpoint import (
    CheckpointError,
    convert_objects,
    load_vit,
    load_weights,
    read_file,
    read_metadata,
    save_weights,
)
from s3fo.model.config import ViTConfig
from s3fo.model.vit import VisionTransformer

FRAME = "mask_encoder.conv1.weight"
STATE = "pixel_fuser.sensory_compress.weight"


@pytest.fixture(scope="module")
def source() -> S3Network:
    torch.manual_seed(4)
    return build_network("tiny")


@pytest.fixture
def target() -> S3Network:
    torch.manual_seed(5)
    return build_network("tiny")


def _same(one: S3Network, other: S3Network) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def _wrap(state: dict[str, Tensor], form: str) -> dict[str, Any]:
    if form == "training":
        return {"it": 3, "weights": state, "optimizer": {"lr": [0.1]}}
    if form == "parallel":
        return {f"module.{name}": value for name, value in state.items()}
    if form == "lean":
        lean = ("inv_freq", "num_batches_tracked")
        return {name: v for name, v in state.items() if not name.endswith(lean)}
    return state


@pytest.mark.seconds
@pytest.mark.parametrize("form", ["plain", "training", "parallel", "lean"])
def test_every_form_of_a_checkpoint_loads(
    source: S3Network, target: S3Network, tmp_path: Path, form: str
) -> None:
    path = tmp_path / "weights.pth"
    torch.save(_wrap(source.state_dict(), form), path)
    assert not _same(source, target)
    load_weights(target, path)
    assert _same(source, target)


def test_safetensors_round_trip_with_metadata(
    source: S3Network, target: S3Network, tmp_path: Path
) -> None:
    path = save_weights(source, tmp_path / "w.safetensors", metadata={"vit": "a"})
    assert _same(source, load_weights(target, path))
    assert read_metadata(path) == {"vit": "a"}
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def test_the_trained_part_travels_alone_in_half_precision(
    source: S3Network, target: S3Network, tmp_path: Path
) -> None:
    vit = "pixel_encoder.vit_module."
    path = tmp_path / "trained.safetensors"
    save_weights(source, path, skip=[vit], dtype=torch.float16)
    with pytest.raises(CheckpointError, match="missing"):
        load_weights(target, path)
    before = target.pixel_encoder.state_dict()["vit_module.cls_token"].clone()
    load_weights(target, path, ignore=[vit])
    after = target.state_dict()
    assert torch.equal(after[vit + "cls_token"], before)
    expected = source.state_dict()[FRAME].half().float()
    assert torch.equal(after[FRAME], expected)


def test_what_does_not_fit_is_named(source: S3Network, target: S3Network) -> None:
    state = source.state_dict()
    del state["key_proj.d_proj.bias"]
    state["surplus"] = torch.zeros(1)
    state["pix_feat_proj.bias"] = torch.zeros(3)
    before = {name: value.clone() for name, value in target.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_weights(target, state)
    assert caught.value.missing == ["key_proj.d_proj.bias"]
    assert caught.value.unexpected == ["surplus"]
    assert caught.value.misshaped == ["pix_feat_proj.bias: 3, expected 64"]
    for text in ("key_proj.d_proj.bias", "surplus", "3, expected 64", "preset"):
        assert text in str(caught.value)
    for name, value in target.state_dict().items():
        assert torch.equal(value, before[name]), "a refused load must change nothing"


class _Dangerous:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('code in a checkpoint ran')",))


def test_code_in_a_checkpoint_never_runs(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"weights": _Dangerous()}, path)
    with pytest.raises(ValueError, match="no whole, plain weights file"):
        read_file(path)


def test_files_that_are_no_state_dict_are_refused(
    target: S3Network, tmp_path: Path
) -> None:
    path = tmp_path / "weights.pth"
    with pytest.raises(FileNotFoundError, match="no such weights file"):
        load_weights(target, path)
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match="found a list"):
        load_weights(target, path)
    torch.save({"epoch": 3}, path)
    with pytest.raises(ValueError, match="dictionary of tensors"):
        load_weights(target, path)


def test_single_to_multi_object_and_back() -> None:
    single = build_network("tiny", single_object=True)
    multi = load_weights(build_network("tiny"), single.state_dict())
    state, start = multi.state_dict(), single.state_dict()
    for name in (FRAME, STATE):
        assert torch.equal(state[name][:, :-1], start[name])
        assert not state[name][:, -1].any()
    again = load_weights(build_network("tiny", single_object=True), state)
    assert _same(single, again)


def test_new_channels_can_start_orthogonal() -> None:
    single = build_network("tiny", single_object=True).state_dict()
    state = convert_objects(single, single_object=False, orthogonal=True)
    for name in (FRAME, STATE):
        channel = state[name][:, -1].flatten(1)
        rank = min(channel.shape)
        gram = channel @ channel.T if len(channel) == rank else channel.T @ channel
        torch.testing.assert_close(gram, torch.eye(rank), atol=1e-5, rtol=0)


VIT = ViTConfig(width=8, depth=1, heads=2, grid=3)


@pytest.mark.parametrize("form", ["plain", "model", "depth_anything"])
def test_pretrained_vit_loads(form: str) -> None:
    pretrained, vit = VisionTransformer(VIT), VisionTransformer(VIT)
    state: dict[str, Any] = dict(pretrained.state_dict())
    kernel = torch.randn(8, 3, 14, 14)
    state["patch_embed.proj.weight"] = kernel
    state["register_tokens"] = torch.zeros(1, 4, 8)
    if form == "depth_anything":
        state = {f"pretrained.{name}": value for name, value in state.items()}
        state["depth_head.scratch.weight"] = torch.zeros(2)
    load_vit(vit, {"model": state} if form == "model" else state)
    resized = vit.patch_embed.proj.weight
    assert resized.shape[-2:] == (16, 16)
    # Aligned corners: the corners of the kernel stay what they are.
    torch.testing.assert_close(resized[..., 0, 0], kernel[..., 0, 0])
    torch.testing.assert_close(resized[..., -1, -1], kernel[..., -1, -1])
    # Column 7 of 16 lies at 7 * 13 / 15 = 6 + 1 / 15 of the 14.
    mixed = kernel[..., 0, 6] * 14 / 15 + kernel[..., 0, 7] * 1 / 15
    torch.testing.assert_close(resized[..., 0, 7], mixed)
    assert torch.equal(vit.pos_embed, pretrained.pos_embed)


def test_incomplete_vit_is_refused() -> None:
    vit = VisionTransformer(VIT)
    state = dict(vit.state_dict())
    del state["blocks.0.attn.qkv.bias"]
    with pytest.raises(CheckpointError, match=r"blocks\.0\.attn\.qkv\.bias"):
        load_vit(vit, state)
    other = VisionTransformer(ViTConfig(width=8, depth=1, heads=2, grid=4))
    with pytest.raises(CheckpointError, match="pos_embed: 1x17x8, expected 1x10x8"):
        load_vit(vit, other.state_dict())
