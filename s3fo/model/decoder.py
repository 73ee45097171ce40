"""Mask decoder, mutual exclusion of objects, and the auxiliary heads of training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s3fo.model.config import ModelConfig
from s3fo.model.layers import (
    ResidualBlock,
    area_resize,
    autocast_disabled,
    gated_update,
    per_object,
    upsample_objects,
)


def aggregate(probabilities: Tensor, dim: int = 1) -> Tensor:
    """Turn independent object probabilities into odds-logits with a background.

    Background is the product of all (1 - p); a softmax of the result makes objects
    compete (Oh et al., STM, ICCV 2019).

    Args:
        probabilities: K objects along `dim`, in 0..1.
        dim: the object axis.

    Returns:
        float32 odds-logits of background and objects, K + 1 along `dim`.
    """
    with autocast_disabled(probabilities.device):
        p = probabilities.float()
        background = (1 - p).prod(dim, keepdim=True)
        p = torch.cat([background, p], dim).clamp(1e-7, 1 - 1e-7)
        return (p / (1 - p)).log()


class DetailProjection(nn.Module):
    """Project the stride-8 and stride-4 image features for the decoder."""

    def __init__(self, f8_dim: int, f4_dim: int, up_dims: tuple[int, int, int]) -> None:
        super().__init__()
        self.transforms = nn.ModuleList(
            [nn.Conv2d(f8_dim, up_dims[0], 1), nn.Conv2d(f4_dim, up_dims[1], 1)]
        )

    def forward(self, f8: Tensor, f4: Tensor) -> tuple[Tensor, Tensor]:
        """Return detail8 [B, up0, 2h, 2w] and detail4 [B, up1, 4h, 4w]."""
        return self.transforms[0](f8), self.transforms[1](f4)


class _UpBlock(nn.Module):
    """Upsample object maps twice and add detail of the image."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.out_conv = ResidualBlock(inputs, outputs)

    def forward(self, maps: Tensor, detail: Tensor) -> Tensor:
        return per_object(self.out_conv, upsample_objects(maps, 2) + detail[:, None])


class SensoryUpdate(nn.Module):
    """Update the sensory memory from the decoder's maps at all strides."""

    def __init__(self, up_dims: tuple[int, int, int], sensory_dim: int) -> None:
        super().__init__()
        self.g16_conv = nn.Conv2d(up_dims[0], sensory_dim, 1)
        self.g8_conv = nn.Conv2d(up_dims[1], sensory_dim, 1)
        self.g4_conv = nn.Conv2d(up_dims[2] + 1, sensory_dim, 1)
        self.transform = nn.Conv2d(2 * sensory_dim, 3 * sensory_dim, 3, padding=1)

    def forward(
        self, p16: Tensor, p8: Tensor, p4: Tensor, logits: Tensor, sensory: Tensor
    ) -> Tensor:
        """Return the new sensory memory [B, K, Cs, h, w]."""
        size = (p16.shape[-2], p16.shape[-1])
        finest = [area_resize(maps, size) for maps in (p4, logits.to(p4.dtype))]
        inputs = (
            per_object(self.g16_conv, p16)
            + per_object(self.g8_conv, area_resize(p8, size))
            + per_object(self.g4_conv, torch.cat(finest, dim=2))
        )
        return gated_update(self.transform, inputs, sensory)


class MaskDecoder(nn.Module):
    """Object pixels at stride 16 to mask logits at stride 4."""

    def __init__(self, config: ModelConfig, feature_dims: tuple[int, int, int]) -> None:
        super().__init__()
        up_dims = config.up_dims
        self.sensory_update = SensoryUpdate(up_dims, config.sensory_dim)
        self.decoder_feat_proc = DetailProjection(*feature_dims[1:], up_dims)
        self.up_16_8 = _UpBlock(up_dims[0], up_dims[1])
        self.up_8_4 = _UpBlock(up_dims[1], up_dims[2])
        self.pred = nn.Conv2d(up_dims[2], 1, 3, padding=1)

    def forward(
        self,
        detail8: Tensor,
        detail4: Tensor,
        p16: Tensor,
        sensory: Tensor,
        *,
        update_sensory: bool = True,
    ) -> tuple[Tensor, Tensor]:
        """Decode all objects.

        Args:
            detail8: [B, up0, 2h, 2w].
            detail4: [B, up1, 4h, 4w].
            p16: [B, K, E, h, w].
            sensory: [B, K, Cs, h, w].
            update_sensory: also update the sensory memory.

        Returns:
            sensory [B, K, Cs, h, w] and float32 logits [B, K, 4h, 4w].
        """
        p8 = self.up_16_8(p16, detail8)
        p4 = self.up_8_4(p8, detail4)
        with autocast_disabled(p4.device):
            logits = per_object(self.pred, F.relu(p4.float()))
        if update_sensory:
            sensory = self.sensory_update(p16, p8, p4, logits, sensory)
        return sensory, logits.squeeze(2)


class _SensoryHead(nn.Module):
    """Predict a mask from the sensory memory alone, by one linear classifier."""

    def __init__(self, sensory_dim: int, embed_dim: int) -> None:
        super().__init__()
        self.projection = nn.Conv2d(sensory_dim, embed_dim + 1, 1)

    def forward(self, pix_feat: Tensor, sensory: Tensor) -> Tensor:
        projected = per_object(self.projection, sensory)
        weights, bias = projected[:, :, :-1], projected[:, :, -1]
        return (pix_feat[:, None] * weights).sum(2) + bias


class AuxiliaryHeads(nn.Module):
    """Odds-logits that are supervised beside the masks, all at stride 16."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.sensory_aux = _SensoryHead(config.sensory_dim, config.embed_dim)

    def forward(
        self,
        pix_feat: Tensor,
        sensory: Tensor,
        query_logits: Tensor,
        selector: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Compute the auxiliary odds-logits.

        Args:
            pix_feat: [B, Cp, h, w].
            sensory: [B, K, Cs, h, w] as it entered the frame.
            query_logits: [B, K, n + 1, h, w] of the object transformer.
            selector: [B, K, 1, 1], 1 for real objects, 0 for padding.

        Returns:
            sensory odds-logits [B, K + 1, h, w] and query odds-logits
            [B, K + 1, n + 1, h, w].
        """
        sensory_p = self.sensory_aux(pix_feat, sensory).sigmoid()
        query_p = query_logits.sigmoid()
        if selector is not None:
            sensory_p = sensory_p * selector
            query_p = query_p * selector[:, :, None]
        return aggregate(sensory_p), aggregate(query_p)
