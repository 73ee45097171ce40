from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from s3fo.training.parallel import SharedBatchNorm2d, share_batch_statistics

SCRIPT = Path(__file__).with_name("parallel_run.py")


def run(command: list[str], videos: Path, out: Path) -> dict:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    subprocess.run(
        [sys.executable, *command, str(SCRIPT), str(videos), str(out)],
        check=True,
        env=environment,
        capture_output=True,
        timeout=300,
    )
    return json.loads(out.read_text())


@pytest.mark.slow
def test_two_processes_train_like_one(video_folder: Path, tmp_path: Path) -> None:
    """Same total batch: same losses and gradients, step after step."""
    alone = run([], video_folder, tmp_path / "one.json")
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    shared = run(torchrun, video_folder, tmp_path / "two.json")
    assert (alone["world"], shared["world"]) == (1, 2)
    for one, two in zip(alone["steps"], shared["steps"], strict=True):
        for name in ("total_loss", "loss_ce", "loss_dice"):
            assert two[name] == pytest.approx(one[name], rel=1e-3), name
        assert two["gradient_norm"] == pytest.approx(one["gradient_norm"], rel=1e-2)
    # Before any rounding is carried on, the agreement is that of float32.
    first = [run["steps"][0]["total_loss"] for run in (alone, shared)]
    assert first[0] == pytest.approx(first[1], rel=2e-5)


def test_shared_statistics_are_plain_ones_in_a_single_process() -> None:
    torch.manual_seed(0)
    maps = torch.randn(4, 3, 5, 6)
    plain, shared = nn.BatchNorm2d(3), nn.Sequential(nn.BatchNorm2d(3))
    share_batch_statistics(shared)
    assert type(shared[0]) is SharedBatchNorm2d
    torch.testing.assert_close(plain(maps), shared(maps))
    assert list(shared.state_dict()) == [f"0.{n}" for n in plain.state_dict()]
