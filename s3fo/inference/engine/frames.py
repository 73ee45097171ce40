"""Frames and given masks on their way into the network: resize, pad, check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.errors import InputError
from s3fo.inference.engine.objects import distinct_ids

Size = tuple[int, int]
"""Height and width in pixels."""

STRIDE = 32
"""The network takes heights and widths that are multiples of this."""

_ROUNDING = 1e-4
"""By which resizing may take soft masks out of 0..1."""


class Padding(NamedTuple):
    """Zeros around a frame, in pixels."""

    left: int
    right: int
    top: int
    bottom: int

    @classmethod
    def to_stride(cls, size: Size, stride: int = STRIDE) -> Padding:
        """Padding up to multiples of `stride`, the larger half behind."""
        missing_h, missing_w = (-n % stride for n in size)
        left, top = missing_w // 2, missing_h // 2
        return cls(left, missing_w - left, top, missing_h - top)

    def pad(self, maps: Tensor) -> Tensor:
        """Pad [..., H, W] by zeros."""
        return F.pad(maps, self)

    def unpad(self, maps: Tensor) -> Tensor:
        """Undo `pad`."""
        height, width = maps.shape[-2:]
        return maps[
            ..., self.top : height - self.bottom, self.left : width - self.right
        ]


class GivenMasks(NamedTuple):
    """Masks that come with a frame.

    Attributes:
        object_ids: whose masks they are.
        channels: [n, H, W] in 0..1, one each.
        claimed: [H, W] bool, pixels that no other object may keep.
    """

    object_ids: tuple[int, ...]
    channels: Tensor
    claimed: Tensor

    @classmethod
    def from_ids(
        cls, mask: Tensor, object_ids: Sequence[int] | None, size: Size
    ) -> GivenMasks:
        """Take an index mask [H, W], brought to `size` by the nearest pixel."""
        mask = mask.long()
        if object_ids is None:
            object_ids = [i for i in mask.unique().tolist() if i > 0]
        ids = distinct_ids(object_ids)
        masks = [mask > 0, *(mask == object_id for object_id in ids)]
        claimed, *channels = _nearest(torch.stack(masks), size)
        empty = claimed.new_zeros(0, *size)
        stacked = torch.stack(channels) if channels else empty
        return cls(ids, stacked.float(), claimed)

    @classmethod
    def from_channels(
        cls, masks: Tensor, object_ids: Sequence[int] | None, size: Size
    ) -> GivenMasks:
        """Take soft masks [n, H, W] in 0..1, brought to `size` bilinearly."""
        ids = distinct_ids(
            range(1, len(masks) + 1) if object_ids is None else object_ids
        )
        if len(ids) != len(masks):
            raise InputError(
                "objects",
                f"{len(ids)} object ids for {len(masks)} masks",
                "one id for each mask",
                "Name the objects in the order of the masks.",
            )
        channels = resize(masks.float(), size)
        claimed = (channels > 0.5).any(dim=0)
        return cls(ids, channels, claimed)

    def padded(self, padding: Padding) -> GivenMasks:
        """The same masks with zeros around them."""
        return GivenMasks(
            self.object_ids, padding.pad(self.channels), padding.pad(self.claimed)
        )


def resize(maps: Tensor, size: Size) -> Tensor:
    """Resize [C, H, W] bilinearly without antialiasing; as is if it fits."""
    if tuple(maps.shape[-2:]) == size:
        return maps
    if not len(maps):
        return maps.new_zeros(0, *size)
    return F.interpolate(maps[None], size, mode="bilinear", align_corners=False)[0]


def _nearest(maps: Tensor, size: Size) -> Tensor:
    """Resize bool maps [n, H, W] by the nearest pixel; as is if they fit.

    Maps of ids would not do: float32 holds no large ones.
    """
    if tuple(maps.shape[-2:]) == size:
        return maps
    return F.interpolate(maps[None].float(), size, mode="nearest-exact")[0].bool()


def to_tensor(array: np.ndarray | Tensor) -> Tensor:
    """Wrap a numpy array of any layout; a tensor stays as it is."""
    if isinstance(array, Tensor):
        return array
    return torch.from_numpy(np.ascontiguousarray(array))


def check_frame(image: Tensor) -> None:
    """Raise `InputError` unless `image` is a float tensor [3, H, W]."""
    if image.ndim != 3 or image.shape[0] != 3 or not image.is_floating_point():
        raise InputError(
            "image",
            f"{image.dtype} of shape {tuple(image.shape)}",
            "floats in 0..1 of shape [3, H, W], RGB",
            "Move channels to the front and divide 8-bit values by 255.",
        )


def check_mask(mask: Tensor, size: Size, *, idx_mask: bool) -> None:
    """Raise `InputError` unless `mask` fits a frame of `size`, and has fit values."""
    if mask.ndim != (2 if idx_mask else 3) or tuple(mask.shape[-2:]) != size:
        kind = "[H, W] with object ids" if idx_mask else "[n, H, W]"
        raise InputError(
            "mask",
            f"shape {tuple(mask.shape)}",
            f"{kind} for a frame of {size[0]} x {size[1]} pixels",
            "Resize the mask to the frame, and set `idx_mask` to its kind.",
        )
    if idx_mask and mask.is_floating_point() and bool((mask != mask.round()).any()):
        raise InputError(
            "mask",
            "fractions",
            "whole numbers: the object id of every pixel",
            "Give soft masks as [n, H, W] with `idx_mask` False.",
        )
    if not idx_mask and mask.numel() and not _in_unit_range(mask):
        raise InputError(
            "mask",
            f"values from {mask.min().item():g} to {mask.max().item():g}",
            "soft masks in 0..1",
            "Divide 8-bit masks by 255.",
        )


def _in_unit_range(maps: Tensor) -> bool:
    """Whether all values are in 0..1, to within rounding."""
    lowest, highest = float(maps.min()), float(maps.max())
    return lowest >= -_ROUNDING and highest <= 1 + _ROUNDING
