"""Inference-only formulations: the same outputs as the plain modules, for less.

`optimise_for_inference` is the one place that chooses them. They fold weights that only
meet once the network is fixed, and keep per image size what does not depend on the
image; the plain modules stay the definition, and what is trained.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from s3fo.model.decoder import MaskDecoder
from s3fo.model.deformable_attention import Size, reference_points, sample
from s3fo.model.layers import as_maps
from s3fo.model.spatial_semantic import (
    EncoderMaps,
    SemanticEmbedding,
    SpatialDependency,
    SpatialSemanticEncoder,
    level_sizes,
    split_levels,
)
from s3fo.model.vit import PATCH, Block

PLAIN_ON: dict[str, frozenset[str]] = {}
"""Type of device -> stages that are run in their plain form there, because
`benchmarks/gpu.py` measured the fast form as slower: "ViT", "spatial dependency",
"semantic embedding", "detail of strides 8 and 4"."""

_KEPT_SIZES = 4  # of images, whose positions are kept
_PIECE = 1024 * 384  # numbers that go through a wide stage at once, on a CPU


def run_blocks(blocks: Iterable[Block], tokens: Tensor) -> Tensor:
    """Run ViT blocks on tokens [B, N, C], their wide hidden layers in pieces."""
    for block in blocks:
        tokens = tokens + block.ls1(block.attn(block.norm1(tokens)))
        for part in tokens.chunk(_pieces(tokens), dim=1):
            part += block.ls2(block.mlp(block.norm2(part)))
    return tokens


def _run_vit(blocks: list[Block], tokens: Tensor, plain: bool) -> Tensor:
    if not plain:
        return run_blocks(blocks, tokens)
    for block in blocks:
        tokens = block(tokens)
    return tokens


def embed_semantics(
    module: SemanticEmbedding, detail: Tensor, memory: Tensor
) -> Tensor:
    """Do what a `SemanticEmbedding` does, without a C x C product per detail token.

    With two memory tokens a head's softmax is a sigmoid of the difference of their
    scores. So per head one direction of C channels (the difference of the keys, taken
    back through the query projection) gives the share of the first token, and one row
    of C channels (the difference of the values, taken through the output projection)
    is what that share adds.

    Args:
        module: the plain module.
        detail: [B, N, C].
        memory: [B, 2, C].

    Returns:
        [B, N, C].
    """
    attention = module.cross_attn
    heads = attention.num_heads
    to_query, to_key, to_value = attention.in_proj_weight.chunk(3)
    query_bias, key_bias, value_bias = attention.in_proj_bias.chunk(3)
    key = F.linear(memory, to_key, key_bias)
    value = F.linear(memory, to_value, value_bias)
    key_step = (key[:, 0] - key[:, 1]).unflatten(-1, (heads, -1))
    key_step = key_step * key_step.shape[-1] ** -0.5
    value_step = (value[:, 0] - value[:, 1]).unflatten(-1, (heads, -1))
    directions = torch.einsum(
        "bmd,mdc->bcm", key_step, to_query.unflatten(0, (heads, -1))
    )
    offsets = (key_step * query_bias.unflatten(0, (heads, -1))).sum(-1)
    to_output = attention.out_proj.weight
    rows = torch.einsum("bmd,cmd->bmc", value_step, to_output.unflatten(1, (heads, -1)))
    constant = F.linear(value[:, 1], to_output, attention.out_proj.bias)
    detail = module.norm(detail)
    share = torch.baddbmm(offsets[:, None], detail, directions).sigmoid()
    return detail.add_(constant[:, None]).add_(share @ rows)


def gather_context(
    module: SpatialDependency,
    detail: Tensor,
    reference: Tensor,
    patches: Tensor,
    size: Size,
) -> None:
    """Do what a `SpatialDependency` does, in place and a few queries at a time.

    So a handful of small buffers stays in the cache, where the plain module makes
    tensors of the size of all detail tokens, and several times that of their sampling
    points. Arguments as there; `detail` is changed.
    """
    attention = module.attn
    value = attention.value_proj(module.feat_norm(patches))
    value = value.unflatten(-1, (attention.heads, -1))
    parts = detail.chunk(_pieces(detail), dim=1)
    for part, points in zip(parts, reference.chunk(len(parts)), strict=True):
        locations, weights = attention.sampling_plan(
            module.query_norm(part), points, size
        )
        part += attention.output_proj(sample(value, size, locations, weights))
    ffn = module.ffn
    hidden = torch.cat([ffn.fc1(module.ffn_norm(part)) for part in parts], dim=1)
    hidden = F.gelu(ffn.dwconv(hidden, size))
    for part, hidden_part in zip(parts, hidden.chunk(len(parts), dim=1), strict=True):
        part += ffn.fc2(hidden_part)


class FoldedDetail(nn.Module):
    """Everything behind the last interaction, folded into the decoder's projections.

    In evaluation mode the sum of up-sampled maps, its BatchNorm and the decoder's 1 x 1
    convolution are linear, and up-sampling works channel by channel. So all maps are
    projected first and up-sampled then: no C-channel map at stride 4 ever exists. Maps
    are channels-last, which tokens are anyway, and what the decoder is faster on.
    """

    to_8: Tensor
    bias_8: Tensor
    to_corners: Tensor
    bias_corners: Tensor
    from_stem: Tensor
    to_4: Tensor

    def __init__(self, decoder: MaskDecoder, encoder: SpatialSemanticEncoder) -> None:
        super().__init__()
        stride_8, stride_4 = decoder.decoder_feat_proc.transforms
        to_8, bias_8 = _fold_norm(stride_8, encoder.norm2)
        to_4, bias_4 = _fold_norm(stride_4, encoder.norm1)
        up, to_stem = encoder.up, encoder.spm.fc1
        assert up.bias is not None and to_stem.bias is not None
        bias_4 = bias_4 + to_4 @ (up.bias + to_stem.bias)
        corners = torch.einsum("oc,icyx->yxoi", to_4, up.weight).flatten(0, 2)
        self._keep("to_corners", corners)
        self._keep("bias_corners", bias_4.repeat(4))
        self._keep("bias_8", bias_8)
        self._keep("from_stem", to_4 @ to_stem.weight[:, :, 0, 0])
        self._keep("to_8", to_8)
        self._keep("to_4", to_4)

    def forward(
        self, stem: Tensor, half: Tensor, vit: list[Tensor], size: Size
    ) -> tuple[Tensor, Tensor]:
        """Return detail8 [B, up0, 2h, 2w] and detail4 [B, up1, 4h, 4w].

        Args:
            stem: [B, I, 4h, 4w] narrow map of the detail branch.
            half: [B, 4hw, C] tokens at stride 8.
            vit: the first two ViT outputs, [B, hw, C].
            size: (h, w).
        """
        size_8 = level_sizes(size)[0]
        detail8 = as_maps(F.linear(half, self.to_8, self.bias_8), size_8)
        detail8 += _project_and_upsample(vit[1], self.to_8, size, 2)
        detail4 = self._double(half, size_8)
        detail4 += F.conv2d(stem, self.from_stem[:, :, None, None])
        detail4 += _project_and_upsample(vit[0], self.to_4, size, 4)
        return detail8, detail4

    def _double(self, half: Tensor, size: Size) -> Tensor:
        """Apply the 2 x 2 transposed convolution: four outputs per position."""
        height, width = size
        corners = F.linear(half, self.to_corners, self.bias_corners)
        corners = corners.view(len(half), height, width, 2, 2, -1).transpose(2, 3)
        rows = corners.reshape(len(half), 4 * height * width, -1)
        return as_maps(rows, (2 * height, 2 * width))

    def _keep(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value.detach().clone(), persistent=False)


def _project_and_upsample(
    rows: Tensor, weight: Tensor, size: Size, factor: int
) -> Tensor:
    maps = as_maps(F.linear(rows, weight), size)
    return F.interpolate(maps, scale_factor=factor, mode="bilinear")


def _fold_norm(projection: nn.Module, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Fold a BatchNorm in evaluation mode into the 1 x 1 convolution behind it."""
    assert isinstance(projection, nn.Conv2d) and projection.bias is not None
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    shift = norm.bias - norm.running_mean * scale
    weight = projection.weight[:, :, 0, 0]
    return weight * scale, projection.bias + weight @ shift


_Part = TypeVar("_Part", bound=nn.Module)


def _pieces(tokens: Tensor) -> int:
    """Say in how many (even) pieces to process tokens [B, N, C]."""
    if tokens.device.type != "cpu":
        return 1
    return -(-tokens[0].numel() // _PIECE)


def fold_batch_norms(part: _Part) -> _Part:
    """Return a copy with every BatchNorm folded into the convolution before it.

    Convolutions are laid out channels-last, which on a CPU makes ResNets faster.
    """
    part = copy.deepcopy(part)
    part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for module in list(part.modules()):
        children = dict(module.named_children())
        for (name, conv), (behind, norm) in pairwise(children.items()):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(conv, norm))
                setattr(module, behind, nn.Identity())
    return part


class FastEncoder(nn.Module):
    """The spatial-semantic encoder, up to what the rest of the network needs."""

    def __init__(self, decoder: MaskDecoder, encoder: SpatialSemanticEncoder) -> None:
        super().__init__()
        self.fold = FoldedDetail(decoder, encoder)
        self.project_detail = decoder.decoder_feat_proc
        self.detail_branch = fold_batch_norms(encoder.spm)
        self._placed: dict[tuple[Size, torch.device], tuple[Tensor, Tensor]] = {}

    def forward(
        self, encoder: SpatialSemanticEncoder, image: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return f16, detail8 and detail4 of a normalised image [B, 3, H, W]."""
        size = (image.shape[-2] // PATCH, image.shape[-1] // PATCH)
        plain = PLAIN_ON.get(image.device.type, frozenset())
        positions, reference = self._place(encoder, size, image.device)
        stem, half, quarter = self.detail_branch.narrow_maps(image)
        detail = encoder.detail_tokens(
            self.detail_branch.fc2(half), self.detail_branch.fc3(quarter)
        )
        tokens = encoder.vit_module.embed(image, positions)
        vit = []
        for index, block in enumerate(encoder.blocks()):
            tokens = _run_vit(encoder.vit_blocks(index), tokens, "ViT" in plain)
            narrow = encoder.narrowed(index, tokens)
            patches = narrow[:, 1:]
            memory = torch.stack([narrow[:, 0], patches.mean(1)], dim=1)
            if "semantic embedding" in plain:
                detail = block.read_from_cls(detail, memory)
            else:
                detail = embed_semantics(block.read_from_cls, detail, memory)
            for extractor in block.extractors:
                if "spatial dependency" in plain:
                    detail = extractor(detail, reference, patches, size)
                else:
                    gather_context(extractor, detail, reference, patches, size)
            vit.append(patches)
        half, quarter = split_levels(detail, size)
        if "detail of strides 8 and 4" in plain:
            maps = [as_maps(patches, size) for patches in vit[:3]]
            levels = as_maps(half, level_sizes(size)[0]), as_maps(quarter, size)
            f16, *details = encoder.merge(EncoderMaps(stem, *levels, maps))
            return f16, *self.project_detail(*details)
        f16 = encoder.norm3(as_maps(quarter + vit[2], size))
        return f16, *self.fold(stem, half, vit, size)

    def _place(
        self, encoder: SpatialSemanticEncoder, size: Size, device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """Return what depends on the size alone, kept for the sizes seen last."""
        if (size, device) not in self._placed:
            while len(self._placed) >= _KEPT_SIZES:
                self._placed.pop(next(iter(self._placed)))
            self._placed[size, device] = (
                encoder.vit_module.position_embedding(*size),
                reference_points(level_sizes(size), device),
            )
        return self._placed[size, device]
