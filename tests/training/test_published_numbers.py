"""The clip pass, its losses and gradients against the official program."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import weights_recipe

from s3fo.model import build_network
from s3fo.training.clip_forward import ClipBatch, ClipModel
from s3fo.training.losses import PointSampling, clip_losses
from s3fo.training.optimisation import parameter_groups

CASES = ["train_tiny_k3"]


class Case:
    def __init__(self, name: str) -> None:
        folder = Path(__file__).resolve().parents[1] / "fixtures" / "s3" / "public"
        self.expected = json.loads((folder / f"{name}.json").read_text())
        arrays = self.arrays = np.load(folder / f"{name}.npz")
        self.network = build_network(
            self.expected["config"], single_object=self.expected["single_object"]
        )
        weights_recipe.fill(self.network, self.expected["seed"])
        self.stage = self.expected["stage"]
        self.batch = ClipBatch(
            torch.from_numpy(arrays["rgb"]).permute(0, 1, 4, 2, 3) / 255.0,
            torch.from_numpy(arrays["ids"]).long()[:, :, None],
            tuple(arrays["num_objects"].tolist()),
        )
        model = ClipModel(
            self.network.train(),
            self.stage["num_ref_frames"],
            self.stage["deep_update_prob"],
        )
        np.random.seed(self.expected["np_seed"])
        torch.manual_seed(self.expected["torch_seed_forward"])
        self.output = model(self.batch)
        self.random_after = torch.rand(2)
        torch.manual_seed(self.expected["torch_seed_loss"])
        self.losses = clip_losses(
            self.output,
            self.batch.labels,
            self.batch.num_objects,
            PointSampling(
                self.stage["train_num_points"],
                self.stage["oversample_ratio"],
                self.stage["importance_sample_ratio"],
            ),
        )
        self.losses["total_loss"].backward()


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def test_predictions_of_every_frame(case: Case) -> None:
    for t in range(1, case.batch.frames.shape[1]):
        for ours, theirs, stride in (
            (case.output.logits, "logits", 4),
            (case.output.masks, "masks", 4),
            (case.output.sensory_logits, "aux_sensory_logits", 1),
            (case.output.query_logits, "aux_q_logits", 1),
        ):
            found = ours[:, t - 1, ..., ::stride, ::stride].detach().numpy()
            wanted = case.arrays[f"{theirs}_{t}"]
            # The sensory logits of padded objects are the only ones above 1e-5.
            np.testing.assert_allclose(found, wanted, atol=5e-4, err_msg=theirs)


def test_random_draws_are_the_same(case: Case) -> None:
    np.testing.assert_allclose(case.random_after, case.expected["rng_after_forward"])


def test_losses(case: Case) -> None:
    assert set(case.losses) == set(case.expected["losses"])
    for name, value in case.expected["losses"].items():
        assert case.losses[name].item() == pytest.approx(value, rel=1e-4), name


def test_gradient_norms(case: Case) -> None:
    expected = case.expected["grad_norms"]
    for name, parameter in case.network.named_parameters():
        wanted = expected.get(name)
        if wanted is None:
            assert parameter.grad is None, name
        elif wanted > 1e-6:  # smaller ones are zero but for rounding
            assert float(parameter.grad.norm()) == pytest.approx(wanted, rel=1e-3), name


def test_batch_statistics_after_the_pass(case: Case) -> None:
    state = case.network.state_dict()
    for name, wanted in case.expected["bn_running_mean_after"].items():
        found = state[name][: len(wanted)].tolist()
        assert found == pytest.approx(wanted, abs=1e-6), name


def test_parameter_groups(case: Case) -> None:
    stage = case.stage
    groups = parameter_groups(
        case.network,
        stage["learning_rate"],
        stage["weight_decay"],
        stage["backbone_lr_ratio"],
    )
    for found, wanted in zip(groups, case.expected["param_groups"], strict=True):
        assert len(found["params"]) == wanted["n_tensors"]
        assert sum(p.numel() for p in found["params"]) == wanted["n_params"]
        assert found["lr"] == pytest.approx(wanted["lr"])
        assert found["weight_decay"] == wanted["weight_decay"]
