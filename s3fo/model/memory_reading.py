"""Reading the pixel memory: anisotropic L2 similarity, affinity, readout and fusion.

Shapes: N memory tokens, P query pixels (flattened), B batch, K objects.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from s3fo.model.config import ModelConfig
from s3fo.model.layers import (
    ObjectFusion,
    area_resize,
    autocast_disabled,
    other_objects,
    per_object,
)


class KeyProjection(nn.Module):
    """Image feature to memory key, shrinkage (of memory) and selection (of query)."""

    def __init__(self, feature_dim: int, pixel_dim: int, key_dim: int) -> None:
        super().__init__()
        self.pix_feat_proj = nn.Conv2d(feature_dim, pixel_dim, 1)
        self.key_proj = nn.Conv2d(pixel_dim, key_dim, 3, padding=1)
        self.d_proj = nn.Conv2d(pixel_dim, 1, 3, padding=1)
        self.e_proj = nn.Conv2d(pixel_dim, key_dim, 3, padding=1)

    def forward(self, f16: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Project the stride-16 feature [B, C, h, w], in float32.

        Returns:
            key [B, Ck, h, w], shrinkage [B, 1, h, w] >= 1 and selection
            [B, Ck, h, w] in 0..1.
        """
        with autocast_disabled(f16.device):
            maps = self.pix_feat_proj(f16.float())
            shrinkage = self.d_proj(maps) ** 2 + 1
            return self.key_proj(maps), shrinkage, self.e_proj(maps).sigmoid()


def similarity(
    key: Tensor, shrinkage: Tensor, query: Tensor, selection: Tensor
) -> Tensor:
    """Return the anisotropic L2 similarity of memory tokens and query pixels.

    S_nj = s_n / sqrt(Ck) * -sum_c e_cj (k_cn - q_cj)^2 (Cheng & Schwing, XMem,
    ECCV 2022), multiplied out so that no [Ck, N, P] tensor arises.

    Args:
        key: [B, Ck, N].
        shrinkage: [B, 1, N].
        query: [B, Ck, P].
        selection: [B, Ck, P].

    Returns:
        [B, N, P], float32.
    """
    with autocast_disabled(key.device):
        key, query, selection = key.float(), query.float(), selection.float()
        squares = key.square().transpose(1, 2) @ selection
        products = key.transpose(1, 2) @ (query * selection)
        offset = (selection * query.square()).sum(1, keepdim=True)
        distance = 2 * products - squares - offset
        return distance * shrinkage.float().transpose(1, 2) / math.sqrt(key.shape[1])


def full_affinity(similarity: Tensor) -> Tensor:
    """Return the softmax over all memory tokens, [B, N, P]."""
    return similarity.softmax(dim=1)


def top_k_affinity(similarity: Tensor, k: int) -> Tensor:
    """Return the softmax over the k most similar memory tokens, zero elsewhere.

    Args:
        similarity: [B, N, P].
        k: how many tokens a pixel reads; all of them if there are fewer.

    Returns:
        [B, N, P]; every column sums to 1.
    """
    values, indices = similarity.topk(min(k, similarity.shape[1]), dim=1)
    return torch.zeros_like(similarity).scatter(1, indices, values.softmax(dim=1))


def readout(affinity: Tensor, values: Tensor) -> Tensor:
    """Read values [B, K, Cv, N] with an affinity [B, N, P] to [B, K, Cv, P]."""
    return values @ affinity[:, None].to(values.dtype)


class PixelFusion(nn.Module):
    """Fuse the visual readout with image feature, sensory memory and last mask."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.single_object = config.single_object
        self.fuser = ObjectFusion(config.pixel_dim, config.value_dim, config.embed_dim)
        planes = 1 if config.single_object else 2
        self.sensory_compress = nn.Conv2d(
            config.sensory_dim + planes, config.value_dim, 1
        )

    def forward(
        self, pix_feat: Tensor, readout: Tensor, sensory: Tensor, last_mask: Tensor
    ) -> Tensor:
        """Fuse what is known about every pixel of every object.

        Args:
            pix_feat: [B, Cp, h, w].
            readout: [B, K, Cv, h, w].
            sensory: [B, K, Cs, h, w].
            last_mask: [B, K, H, W] in 0..1.

        Returns:
            [B, K, E, h, w].
        """
        masks = area_resize(last_mask, (readout.shape[-2], readout.shape[-1]))
        planes = [masks] if self.single_object else [masks, other_objects(masks)]
        state = torch.cat([sensory, torch.stack(planes, dim=2)], dim=2)
        return self.fuser(pix_feat, readout + per_object(self.sensory_compress, state))
