"""The S3 pixel encoder: spatial-semantic blocks around a vision transformer.

A convolutional branch keeps detail at strides 4, 8 and 16. After each range of ViT
blocks its stride-8 and stride-16 positions first read global semantics (class token and
mean patch token), then gather spatial context from the patch tokens by deformable
attention. State-dict names: `pixel_encoder.*`.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from s3fo.model.config import SpatialSemanticConfig
from s3fo.model.deformable_attention import (
    DeformableAttention,
    Size,
    reference_points,
)
from s3fo.model.layers import as_maps
from s3fo.model.vit import PATCH, Block, VisionTransformer


def _conv_norm_relu(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


class DetailBranch(nn.Module):
    """The multi-scale convolutional detail branch ("spatial prior module")."""

    def __init__(self, inplanes: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *_conv_norm_relu(3, inplanes, 2),
            *_conv_norm_relu(inplanes, inplanes, 1),
            *_conv_norm_relu(inplanes, inplanes, 1),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.conv2 = nn.Sequential(*_conv_norm_relu(inplanes, 2 * inplanes, 2))
        self.conv3 = nn.Sequential(*_conv_norm_relu(2 * inplanes, 4 * inplanes, 2))
        self.fc1 = nn.Conv2d(inplanes, width, 1)
        self.fc2 = nn.Conv2d(2 * inplanes, width, 1)
        self.fc3 = nn.Conv2d(4 * inplanes, width, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return maps of a normalised image at strides 4, 8 and 16, C channels each."""
        stem, half, quarter = self.narrow_maps(image)
        return self.fc1(stem), self.fc2(half), self.fc3(quarter)

    def narrow_maps(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the maps before their projection to C channels."""
        stem = self.stem(image)
        half = self.conv2(stem)
        return stem, half, self.conv3(half)


class SemanticEmbedding(nn.Module):
    """Inject global semantics: cross-attention to class token and mean patch token."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.cross_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm = nn.LayerNorm(width)

    def forward(self, detail: Tensor, memory: Tensor) -> Tensor:
        """Map detail tokens [B, N, C], given memory [B, 2, C], to [B, N, C].

        The residual is the normalised input: so the network was trained.
        """
        detail = self.norm(detail)
        read, _ = self.cross_attn(detail, memory, memory, need_weights=False)
        return detail + read


class _DepthwiseConv(nn.Module):
    """A 3 x 3 depthwise convolution shared by the two levels of the token sequence."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, tokens: Tensor, size: Size) -> Tensor:
        parts = []
        levels = zip(split_levels(tokens, size), level_sizes(size), strict=True)
        for part, shape in levels:
            level = as_maps(part, shape)
            parts.append(self.dwconv(level).flatten(2).transpose(1, 2))
        return torch.cat(parts, dim=1)


class ConvFeedForward(nn.Module):
    """A feed-forward with a depthwise convolution between its two linear layers."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.dwconv = _DepthwiseConv(hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor, size: Size) -> Tensor:
        """Map tokens [B, 5hw, C] of strides 8 and 16 to [B, 5hw, C]; size is (h, w)."""
        return self.fc2(F.gelu(self.dwconv(self.fc1(tokens), size)))


class SpatialDependency(nn.Module):
    """Gather spatial context from the patch tokens for every detail position."""

    def __init__(self, config: SpatialSemanticConfig) -> None:
        super().__init__()
        width = config.width
        self.query_norm = nn.LayerNorm(width, eps=1e-6)
        self.feat_norm = nn.LayerNorm(width, eps=1e-6)
        self.attn = DeformableAttention(width, config.deformable_heads, config.points)
        self.ffn = ConvFeedForward(width, int(width * config.ffn_ratio))
        self.ffn_norm = nn.LayerNorm(width, eps=1e-6)

    def forward(
        self, detail: Tensor, reference: Tensor, patches: Tensor, size: Size
    ) -> Tensor:
        """Update detail tokens [B, 5hw, C] from patch tokens [B, hw, C]."""
        read = self.attn(
            self.query_norm(detail), reference, self.feat_norm(patches), size
        )
        detail = detail + read
        return detail + self.ffn(self.ffn_norm(detail), size)


class SpatialSemanticBlock(nn.Module):
    """One semantic embedding and one (or more) spatial-dependency steps."""

    def __init__(self, config: SpatialSemanticConfig, extra: int) -> None:
        super().__init__()
        self.checkpointing = config.checkpointing
        self.extractor = SpatialDependency(config)
        if extra:
            self.extra_extractors = nn.ModuleList(
                SpatialDependency(config) for _ in range(extra)
            )
        self.read_from_cls = SemanticEmbedding(config.width, config.deformable_heads)

    @property
    def extractors(self) -> list[SpatialDependency]:
        """All spatial-dependency steps, in order."""
        return [self.extractor, *getattr(self, "extra_extractors", [])]

    def forward(
        self, detail: Tensor, reference: Tensor, tokens: Tensor, size: Size
    ) -> Tensor:
        """Update detail tokens [B, 5hw, C] from ViT tokens [B, 1 + hw, C]."""
        cls, patches = tokens[:, :1], tokens[:, 1:]
        memory = torch.cat([cls, patches.mean(1, keepdim=True)], dim=1)
        detail = self.read_from_cls(detail, memory)
        for extractor in self.extractors:
            if self.checkpointing and self.training and torch.is_grad_enabled():
                detail = checkpoint(
                    extractor, detail, reference, patches, size, use_reentrant=False
                )
            else:
                detail = extractor(detail, reference, patches, size)
        return detail


class EncoderMaps(NamedTuple):
    """What the spatial-semantic blocks leave behind.

    Attributes:
        stem: narrow stride-4 map of the detail branch, [B, I, 4h, 4w].
        half: stride-8 map, [B, C, 2h, 2w].
        quarter: stride-16 map, [B, C, h, w].
        vit: the (narrowed) patch tokens after the first three ranges, [B, C, h, w].
    """

    stem: Tensor
    half: Tensor
    quarter: Tensor
    vit: list[Tensor]


class SpatialSemanticEncoder(nn.Module):
    """ViT, detail branch and spatial-semantic blocks."""

    def __init__(self, config: SpatialSemanticConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.level_embed = nn.Parameter(torch.randn(2, width))
        self.spm = DetailBranch(config.inplanes, width)
        last = len(config.ranges) - 1
        self.interactions = nn.ModuleList(
            SpatialSemanticBlock(config, config.extra_extractors * (i == last))
            for i in range(len(config.ranges))
        )
        self.up = nn.ConvTranspose2d(width, width, 2, stride=2)
        self.norm1 = nn.BatchNorm2d(width)
        self.norm2 = nn.BatchNorm2d(width)
        self.norm3 = nn.BatchNorm2d(width)
        self.vit_module = VisionTransformer(config.vit)
        if config.width != config.vit.width:
            self.narrow = nn.ModuleList(
                nn.Linear(config.vit.width, config.width) for _ in config.ranges
            )
        self._freeze()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode a normalised image [B, 3, H, W], H and W multiples of 32.

        Returns:
            Features [B, C, ., .] at strides 16, 8 and 4.
        """
        return self.merge(self.interact(image))

    def merge(self, maps: EncoderMaps) -> tuple[Tensor, Tensor, Tensor]:
        """Merge what the blocks left behind into features at strides 16, 8 and 4."""
        c1 = self.up(maps.half) + self.spm.fc1(maps.stem)
        c1 = c1 + F.interpolate(maps.vit[0], scale_factor=4, mode="bilinear")
        c2 = maps.half + F.interpolate(maps.vit[1], scale_factor=2, mode="bilinear")
        c3 = maps.quarter + maps.vit[2]
        return self.norm3(c3), self.norm2(c2), self.norm1(c1)

    def interact(self, image: Tensor) -> EncoderMaps:
        """Run ViT, detail branch and spatial-semantic blocks on a normalised image."""
        size = (image.shape[-2] // PATCH, image.shape[-1] // PATCH)
        stem, half, quarter = self.spm.narrow_maps(image)
        detail = self.detail_tokens(self.spm.fc2(half), self.spm.fc3(quarter))
        reference = reference_points(level_sizes(size), detail.device)
        tokens = self.vit_module.embed(image)
        vit_maps: list[Tensor] = []
        for index, block in enumerate(self.blocks()):
            tokens = self._run_vit(index, tokens)
            narrow = self.narrowed(index, tokens)
            detail = block(detail, reference, narrow, size)
            vit_maps.append(as_maps(narrow[:, 1:], size))
        levels = zip(split_levels(detail, size), level_sizes(size), strict=True)
        half, quarter = (as_maps(part, shape) for part, shape in levels)
        return EncoderMaps(stem, half, quarter, vit_maps[:3])

    def train(self, mode: bool = True) -> SpatialSemanticEncoder:
        """Switch the mode; a frozen ViT stays in evaluation mode."""
        super().train(mode)
        if self.config.freeze_vit:
            self.vit_module.eval()
            for block in self._finetuned_blocks():
                block.train(mode)
        return self

    def blocks(self) -> list[SpatialSemanticBlock]:
        """Return the spatial-semantic blocks, in order."""
        return cast("list[SpatialSemanticBlock]", list(self.interactions))

    def vit_blocks(self, index: int) -> list[Block]:
        """Return the ViT blocks of one range, in order."""
        first, last = self.config.ranges[index]
        return cast("list[Block]", list(self.vit_module.blocks[first : last + 1]))

    def narrowed(self, index: int, tokens: Tensor) -> Tensor:
        """Project ViT tokens [B, N, C] to the detail width, where it is another."""
        return self.narrow[index](tokens) if hasattr(self, "narrow") else tokens

    def detail_tokens(self, half: Tensor, quarter: Tensor) -> Tensor:
        """Turn maps at strides 8 and 16 into one sequence [B, 5hw, C]."""
        levels = [
            level.flatten(2).transpose(1, 2) + embedding
            for level, embedding in zip((half, quarter), self.level_embed, strict=True)
        ]
        return torch.cat(levels, dim=1)

    def _run_vit(self, index: int, tokens: Tensor) -> Tensor:
        """Run the ViT blocks of one range on tokens [B, N, C]; frozen: no gradient."""
        config = self.config
        cut = config.freeze_vit and not config.gradients_through_frozen
        frozen = cut and index not in config.finetune
        with torch.no_grad() if frozen else nullcontext():
            for vit_block in self.vit_blocks(index):
                tokens = vit_block(tokens)
        return tokens

    def _freeze(self) -> None:
        """Take the gradients off the ViT, but for the ranges that are fine-tuned."""
        if self.config.freeze_vit:
            self.vit_module.requires_grad_(False)
            for block in self._finetuned_blocks():
                block.requires_grad_(True)

    def _finetuned_blocks(self) -> list[Block]:
        return [b for i in self.config.finetune for b in self.vit_blocks(i)]


def level_sizes(size: Size) -> list[Size]:
    """Return the grids at strides 8 and 16, given the one at stride 16."""
    return [(2 * size[0], 2 * size[1]), size]


def split_levels(tokens: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Split tokens [B, 5hw, C] into stride 8 [B, 4hw, C] and stride 16 [B, hw, C]."""
    count = size[0] * size[1]
    half, quarter = tokens.split([4 * count, count], dim=1)
    return half, quarter
