"""Several training processes: set-up through torchrun, shared batch statistics."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


class Processes(NamedTuple):
    """This process among all that train together.

    Attributes:
        rank: its number.
        world: how many there are.
        local_rank: its number on this machine.
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0

    @property
    def is_main_process(self) -> bool:
        """Whether this is the one that writes files."""
        return self.rank == 0


def join_processes(device: torch.device) -> Processes:
    """Join the group that ``torchrun`` started; a single process without it."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Processes()
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    return Processes(dist.get_rank(), dist.get_world_size(), local_rank)


def broadcast_from_main(value: Any, processes: Processes) -> Any:
    """The value that the leading process holds."""
    if processes.world == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def mean_over_processes(values: Tensor, processes: Processes) -> Tensor:
    """Mean of a tensor over all processes."""
    if processes.world > 1:
        dist.all_reduce(values)
        values /= processes.world
    return values


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation with statistics over all processes, on any device.

    PyTorch's own ``SyncBatchNorm`` runs on GPUs only. Same names and shapes.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise [B, C, y, x]."""
        if not self.training or not dist.is_initialized():
            return super().forward(maps)
        values = maps.float()
        count = values.new_tensor([values.numel() / values.shape[1]])
        sums = torch.cat([values.sum((0, 2, 3)), values.square().sum((0, 2, 3)), count])
        sums = all_reduce(sums)
        total = sums[-1]
        mean, square = (sums[:-1] / total).chunk(2)
        variance = (square - mean.square()).clamp_min(0)
        self._track(mean.detach(), variance.detach(), total.detach())
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - mean * scale
        out = values * scale[:, None, None] + shift[:, None, None]
        return out.to(maps.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        unbiased = variance * count / (count - 1)
        momentum = self.momentum or 0.1
        for buffer, value in ((self.running_mean, mean), (self.running_var, unbiased)):
            if buffer is not None:
                buffer.lerp_(value.to(buffer.dtype), momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


def share_batch_statistics(module: nn.Module) -> None:
    """Let all batch norms below `module` use the statistics of all processes."""
    for child in module.modules():
        if type(child) is nn.BatchNorm2d:
            child.__class__ = SharedBatchNorm2d
