"""Inference-only formulations: the same outputs as the plain modules, for less.

`optimise_for_inference` is the one place that chooses them. They fold weights that only
meet once the network is fixed, and keep per image size what does not depend on the
image; the plain modules stay the definition, and what is trained.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s3fo.model.deformable_attention import Size, reference_points
from s3fo.model.network import ImageFeatures, S3Network
from s3fo.model.spatial_semantic import (
    SemanticEmbedding,
    SpatialSemanticEncoder,
    level_sizes,
    split_levels,
)
from s3fo.model.vit import PATCH


def embed_semantics(module: SemanticEmbedding, detail: Tensor, memory: Tensor) -> Tensor:
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
    return torch.baddbmm(detail + constant[:, None], share, rows)
