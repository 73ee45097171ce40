"""The vision transformer inside the pixel encoder (DINOv2 layout, no register tokens).

Names and shapes of the parameters are those of `pixel_encoder.vit_module`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s3fo.model.config import ViTConfig

PATCH = 16


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return softmax(query key^T / sqrt(d)) value; all are [B, heads, N, d].

    PyTorch's fused attention, but for bfloat16 on a CPU: there it is no faster than in
    float32, and plain matrix products, head by head to stay in the cache, are.
    """
    if query.device.type != "cpu" or query.dtype != torch.bfloat16:
        return F.scaled_dot_product_attention(query, key, value)
    query = query * query.shape[-1] ** -0.5
    if not torch.is_grad_enabled():
        return _attend_in_place(query, key, value)
    heads = zip(query.unbind(1), key.unbind(1), value.unbind(1), strict=True)
    return torch.stack([(q @ k.mT).softmax(-1) @ v for q, k, v in heads], dim=1)


def _attend_in_place(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend with scaled queries in one buffer of scores, which stays in the cache."""
    attended = torch.empty_like(query)
    scores = query.new_empty(len(query), query.shape[2], key.shape[2])
    for head in range(query.shape[1]):
        torch.bmm(query[:, head], key[:, head].mT, out=scores)
        torch.softmax(scores, -1, out=scores)
        torch.bmm(scores, value[:, head], out=attended[:, head])
    return attended


class SelfAttention(nn.Module):
    """Multi-head self-attention with one joint query-key-value projection."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens [B, N, C] to tokens [B, N, C]."""
        batch, count, width = tokens.shape
        qkv = self.qkv(tokens).view(batch, count, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        attended = attend(query, key, value)
        return self.proj(attended.transpose(1, 2).reshape(batch, count, width))


class Mlp(nn.Module):
    """The feed-forward half of a block, with the exact (erf) GELU."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens [B, N, C] to tokens [B, N, C]."""
        return self.fc2(F.gelu(self.fc1(tokens)))


class LayerScale(nn.Module):
    """A learned factor per channel in front of a residual sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), 1e-5))

    def forward(self, tokens: Tensor) -> Tensor:
        """Scale tokens [B, N, C] channel by channel."""
        return tokens * self.gamma


class Block(nn.Module):
    """One pre-norm transformer block."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        width = config.width
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = SelfAttention(width, config.heads)
        self.ls1 = LayerScale(width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width, config.mlp_ratio * width)
        self.ls2 = LayerScale(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens [B, N, C] to tokens [B, N, C]."""
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens)))
        return tokens + self.ls2(self.mlp(self.norm2(tokens)))


class PatchEmbedding(nn.Module):
    """A linear embedding of 16 x 16 patches."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, stride=PATCH)

    def forward(self, image: Tensor) -> Tensor:
        """Map an image [B, 3, H, W] to patch tokens [B, H/16 * W/16, C]."""
        return self.proj(image).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """Patch tokens, position embedding and blocks; the blocks are run by the encoder.

    `mask_token` and `norm` belong to the published state dict and are not used.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.grid = config.grid
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + config.grid**2, config.width))
        self.mask_token = nn.Parameter(torch.zeros(1, config.width))
        self.patch_embed = PatchEmbedding(config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width, eps=1e-6)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.normal_(self.cls_token, std=1e-6)

    def embed(self, image: Tensor, positions: Tensor | None = None) -> Tensor:
        """Map a normalised image to tokens, class first.

        Args:
            image: [B, 3, H, W].
            positions: the `position_embedding` of the image's grid, if it is at hand.

        Returns:
            [B, 1 + hw, C].
        """
        if positions is None:
            height, width = image.shape[-2] // PATCH, image.shape[-1] // PATCH
            positions = self.position_embedding(height, width)
        patches = self.patch_embed(image)
        cls = self.cls_token.expand(len(patches), -1, -1)
        return torch.cat([cls, patches], dim=1) + positions

    def position_embedding(self, height: int, width: int) -> Tensor:
        """Return the position embedding of a patch grid, [1, 1 + height * width, C].

        Bicubic, with the sampling coordinates of the scale factors (size + 0.1) / grid
        (not of the plain size ratio), as the published networks were trained.
        """
        grid = self.grid
        if height == width == grid:
            return self.pos_embed
        cls, patches = self.pos_embed.float().split([1, grid**2], dim=1)
        patches = patches.view(1, grid, grid, -1).permute(0, 3, 1, 2)
        factors = [(height + 0.1) / grid, (width + 0.1) / grid]
        patches = F.interpolate(patches, scale_factor=factors, mode="bicubic")
        resampled = torch.cat([cls, patches.flatten(2).transpose(1, 2)], dim=1)
        return resampled.to(self.pos_embed.dtype)
