"""Building blocks shared by the parts that work on objects.

A tensor with an object axis is [B, K, c, y, x]; `per_object` lets an ordinary 2-D layer
work on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def as_maps(rows: Tensor, size: tuple[int, int]) -> Tensor:
    """View rows [..., hw, c] as channels-last maps [..., c, h, w]."""
    return rows.unflatten(-2, size).movedim(-1, -3)


def per_object(layer: Callable[[Tensor], Tensor], maps: Tensor) -> Tensor:
    """Apply a 2-D layer to [B, K, c, y, x] by folding objects into the batch."""
    folded = maps.flatten(0, 1)
    if len(folded) == 1 and folded.is_contiguous(memory_format=torch.channels_last):
        # The stride of a single item may be anything; only this one tells PyTorch
        # that the maps are channels-last. Else most layers copy them.
        strides = (folded.numel(), *folded.stride()[1:])
        folded = folded.as_strided(folded.shape, strides)
    return layer(folded).unflatten(0, maps.shape[:2])


def upsample_objects(maps: Tensor, factor: int) -> Tensor:
    """Upsample [B, K, c, y, x] bilinearly by an integer factor."""
    return per_object(
        lambda m: F.interpolate(m, scale_factor=factor, mode="bilinear"), maps
    )


def area_resize(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Average [B, K, y, x] or [B, K, c, y, x] over the cells of a coarser grid."""
    if maps.dim() == 5:
        return per_object(lambda m: F.interpolate(m, size, mode="area"), maps)
    return F.interpolate(maps, size, mode="area")


def other_objects(masks: Tensor) -> Tensor:
    """Return, for every object, the mask of all others: [B, K, H, W], 0..1."""
    return (masks.sum(1, keepdim=True) - masks).clamp(0, 1)


def autocast_disabled(device: torch.device) -> torch.autocast:
    """Return a context in which autocast is off: what it guards needs float32."""
    return torch.autocast(device.type, enabled=False)


class ChannelAttentionBlock(nn.Module):
    """A residual block of two 3 x 3 convolutions with efficient channel attention.

    Wang et al., ECA-Net (CVPR 2020): a 1-D convolution over the channel means.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        span = int((abs(math.log2(outputs)) + 1) // 2)
        span += 1 - span % 2
        self.conv = nn.Conv1d(1, 1, span, padding=span // 2, bias=False)
        if inputs != outputs:
            self.downsample = nn.Conv2d(inputs, outputs, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Map [B, inputs, y, x] to [B, outputs, y, x]."""
        skip = self.downsample(maps) if hasattr(self, "downsample") else maps
        out = self.conv2(F.relu(self.conv1(F.relu(maps))))
        attention = self.conv(out.mean((2, 3)).unsqueeze(1)).sigmoid()
        return out * attention[:, 0, :, None, None] + skip


class ResidualBlock(nn.Module):
    """A pre-activation residual block of two 3 x 3 convolutions."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        if inputs != outputs:
            self.downsample = nn.Conv2d(inputs, outputs, 1)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        """Map [B, inputs, y, x] to [B, outputs, y, x]."""
        skip = self.downsample(maps) if hasattr(self, "downsample") else maps
        return self.conv2(F.relu(self.conv1(F.relu(maps)))) + skip


class _Distributor(nn.Module):
    """Add an image feature, shared by all objects, to a feature of each object."""

    def __init__(self, image_dim: int, object_dim: int, outputs: int) -> None:
        super().__init__()
        self.x_transform = nn.Conv2d(image_dim, outputs, 1)
        self.g_transform = nn.Conv2d(object_dim, outputs, 1)

    def forward(self, image: Tensor, objects: Tensor) -> Tensor:
        return self.x_transform(image)[:, None] + per_object(self.g_transform, objects)


class ObjectFusion(nn.Module):
    """Fuse an image feature with a feature of each object."""

    def __init__(self, image_dim: int, object_dim: int, outputs: int) -> None:
        super().__init__()
        self.distributor = _Distributor(image_dim, object_dim, outputs)
        self.block1 = ChannelAttentionBlock(outputs, outputs)
        self.block2 = ChannelAttentionBlock(outputs, outputs)

    def forward(self, image: Tensor, objects: Tensor) -> Tensor:
        """Fuse [B, image_dim, h, w] and [B, K, object_dim, h, w]."""
        fused = self.distributor(image, objects)
        return per_object(self.block2, per_object(self.block1, fused))


def gated_update(transform: nn.Conv2d, inputs: Tensor, sensory: Tensor) -> Tensor:
    """Update a sensory memory with forget and update gates, in float32.

    Args:
        transform: 3 x 3 convolution to 3 * Cs channels (forget, update, new).
        inputs: [B, K, c, h, w] what the frame says.
        sensory: [B, K, Cs, h, w] the memory so far.

    Returns:
        [B, K, Cs, h, w] the new memory.
    """
    gates = per_object(transform, torch.cat([inputs, sensory], dim=2))
    with autocast_disabled(sensory.device):
        forget, update, new = gates.float().chunk(3, dim=2)
        update = update.sigmoid()
        kept = forget.sigmoid() * sensory.float() * (1 - update)
        return kept + update * new.tanh()
