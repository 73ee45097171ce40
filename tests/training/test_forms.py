"""Single-object networks, fine-tuned ViTs, and the step from stage 1 to stage 2."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from evaluation.errors import InputError
from s3fo.model import build_network
from s3fo.training.api import build_for, load_backbone, load_initial
from s3fo.training.clip_forward import ClipBatch, ClipModel, ClipRandomness
from s3fo.training.losses import PointSampling, clip_losses
from s3fo.training.optimisation import parameter_groups, trained_state


def batch(objects: int = 1) -> ClipBatch:
    torch.manual_seed(0)
    labels = torch.zeros(2, 3, 1, 64, 64, dtype=torch.long)
    for label in range(1, objects + 1):
        labels[:, :, :, 10:40, 20 * label - 10 : 20 * label + 8] = label
    return ClipBatch(torch.rand(2, 3, 3, 64, 64), labels, (objects, objects))


def gradients(network, clips: ClipBatch) -> dict[str, torch.Tensor | None]:
    output = ClipModel(network, 2, 0.5)(clips, ClipRandomness(lambda: 0.0))
    losses = clip_losses(output, clips.labels, clips.num_objects, PointSampling(128))
    losses["total_loss"].backward()
    assert losses["total_loss"].isfinite()
    return {name: p.grad for name, p in network.named_parameters()}


def test_the_single_object_form_trains(tiny_recipe) -> None:
    network = build_for(tiny_recipe(model="tiny", single_object=True))
    assert network.mask_encoder.conv1.weight.shape[1] == 4
    found = gradients(network, batch())
    assert all(
        found[name] is not None and found[name].abs().sum() > 0
        for name in ("mask_encoder.conv1.weight", "pixel_fuser.sensory_compress.weight")
    )


@pytest.mark.parametrize("finetune", [(), (2,), (0, 3)])
def test_only_the_chosen_vit_blocks_train(tiny_recipe, finetune) -> None:
    network = build_for(tiny_recipe(model="tiny", finetune=finetune))
    found = gradients(network, batch(2))
    vit = {n: g for n, g in found.items() if ".vit_module." in n}
    trained = {n.split(".")[3] for n, g in vit.items() if g is not None}
    assert trained == {str(i) for i in finetune}  # one ViT block per range in `tiny`
    assert all(".blocks." in n for n, g in vit.items() if g is not None)
    encoder = parameter_groups(network, 1e-4, 1e-3, 0.1)[0]
    ids = {id(p) for p in encoder["params"]}
    assert all(
        (id(p) in ids) == p.requires_grad
        for n, p in network.named_parameters()
        if ".vit_module." in n
    )
    kept = trained_state(network)
    assert any(".vit_module.blocks." in n for n in kept) == bool(finetune)


def test_a_model_without_vit_has_nothing_to_fine_tune(tiny_recipe) -> None:
    with pytest.raises(InputError, match="spatial-semantic"):
        build_for(tiny_recipe(finetune=(0,)))


def test_stage_2_starts_from_stage_1(tmp_path: Path) -> None:
    """The channel for other objects starts random, everything else as trained."""
    torch.manual_seed(3)
    one, three = build_network("tiny", single_object=True), build_network("tiny")
    path = tmp_path / "stage1.safetensors"
    frozen = "pixel_encoder.vit_module."
    save_file(
        {n: v for n, v in one.state_dict().items() if not n.startswith(frozen)}, path
    )
    vit = three.pixel_encoder.vit_module.state_dict()
    load_initial(three, path)
    name = "mask_encoder.conv1.weight"
    found, wanted = three.state_dict()[name], one.state_dict()[name]
    torch.testing.assert_close(found[:, :4], wanted)
    assert found[:, 4].abs().sum() > 0
    for entry, value in three.pixel_encoder.vit_module.state_dict().items():
        torch.testing.assert_close(value, vit[entry])


def test_a_large_model_asks_for_its_vit() -> None:
    with torch.device("meta"):
        network = build_network("vitb")
    with pytest.raises(InputError, match="backbone_file"):
        load_backbone(network, None, None)
