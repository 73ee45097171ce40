"""Reading the memory in blocks of queries: the dense affinity never exists.

The plain formulation (`s3fo.model.memory_reading`) computes every similarity of N
memory tokens and P query pixels, [N, P], several times over. Here the similarity is
one matrix product per block, the largest of it are kept at once, and the readout
gathers the kept tokens only.

The product multiplies a square out, so that large terms cancel: its error is that of
the plain formulation or up to ten times as much, by processor. So it only proposes: of
a few more than `top_k` tokens per pixel the similarity is computed once more from the
differences of the keys, which makes it more accurate than the plain one, and `top_k`
of these are read. Results are those of the plain formulation up to its rounding error.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from s3fo.model.layers import autocast_disabled

BLOCK_ELEMENTS = {"cpu": 8 << 20}
"""Similarities alive at once, per device type: 32 MB of float32 on CPU."""
DEFAULT_BLOCK_ELEMENTS = 64 << 20

_SPARE = 8
"""Tokens proposed beyond the `top_k`: as many may the product's error confuse."""

_REFINED = 64
"""Pixels whose proposed keys are looked at together: they fit the processor's cache."""

_STRIPES = 16
_STRIPED_FROM = 64
"""Split a row in stripes when it has at least this many tokens per kept token."""


class SparseAffinity(NamedTuple):
    """The kept memory tokens of every query pixel.

    Attributes:
        indices: [B, P, k] int64 positions among the N memory tokens.
        weights: [B, P, k] softmax over the k kept tokens, in 0..1.
    """

    indices: Tensor
    weights: Tensor


def memory_operand(key: Tensor, shrinkage: Tensor) -> Tensor:
    """Memory side of the similarity, so that a product is all that is left to do.

    Args:
        key: [B, N, Ck] memory keys k.
        shrinkage: [B, N, 1] shrinkage s, at least 1.

    Returns:
        [B, N, 2 Ck + 1]: s / sqrt(Ck) * (k^2, k, 1).
    """
    scale = shrinkage / math.sqrt(key.shape[-1])
    return torch.cat([key.square() * scale, key * scale, scale], dim=-1)


def query_operand(key: Tensor, selection: Tensor) -> Tensor:
    """Query side of the similarity.

    Args:
        key: [B, P, Ck] query keys q.
        selection: [B, P, Ck] selection e, in 0..1.

    Returns:
        [B, P, 3 Ck + 1]: (-e, 2 q e, -sum e q^2, q). The product takes all but the
        last Ck, which are for the differences of the keys.
    """
    weighted = key * selection
    constant = (weighted * key).sum(-1, keepdim=True)
    return torch.cat([-selection, 2 * weighted, -constant, key], dim=-1)


def sparse_affinity(memory: Tensor, query: Tensor, top_k: int) -> SparseAffinity:
    """Softmax over the `top_k` most similar memory tokens of every query pixel.

    Args:
        memory: [B, N, 2 Ck + 1] from `memory_operand`.
        query: [B, P, 3 Ck + 1] from `query_operand`.
        top_k: tokens to keep; all of them if there are fewer.
    """
    block = max(1, _block_elements(memory) // memory.shape[1])
    k = min(top_k, memory.shape[1])
    samples = []
    with autocast_disabled(memory.device):
        for tokens, pixels in zip(memory, query, strict=True):
            keys = _keys(tokens)
            kept = [
                _most_similar(tokens, keys, part, k) for part in pixels.split(block)
            ]
            samples.append([torch.cat(part) for part in zip(*kept, strict=True)])
    values, indices = (torch.stack(part) for part in zip(*samples, strict=True))
    return SparseAffinity(indices, values.softmax(dim=-1))


def sparse_readout(affinity: SparseAffinity, values: Tensor) -> Tensor:
    """Weighted sum of the kept tokens' values.

    Args:
        affinity: of P query pixels.
        values: [B, N, C], token-major so that a token is one contiguous row.

    Returns:
        [B, P, C] in the type of `values`.
    """
    weights = affinity.weights.to(values.dtype)
    return torch.stack(
        [
            F.embedding_bag(i, v, per_sample_weights=w, mode="sum")
            for i, w, v in zip(affinity.indices, weights, values, strict=True)
        ]
    )


def token_usage(affinity: SparseAffinity, tokens: int) -> Tensor:
    """How much every token is read: the sum of its affinity over query pixels.

    Returns:
        [B, tokens, 1].
    """
    weights = affinity.weights.flatten(1)
    usage = weights.new_zeros(len(weights), tokens)
    return usage.scatter_add_(1, affinity.indices.flatten(1), weights).unsqueeze(-1)


def _keys(tokens: Tensor) -> Tensor:
    """Keys [N, Ck] of the rows of a memory operand."""
    key_dim = tokens.shape[1] // 2
    return tokens[:, key_dim : 2 * key_dim] / tokens[:, -1:]


def _most_similar(
    tokens: Tensor, keys: Tensor, pixels: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    """Similarities and indices [P, k] of the k most similar tokens of every pixel."""
    # Contiguous: a product of rows with gaps takes a third longer.
    product = pixels[:, : tokens.shape[1]].contiguous() @ tokens.T
    _, proposed = _largest(product, min(k + _SPARE, len(tokens)))
    parts = zip(pixels.split(_REFINED), proposed.split(_REFINED), strict=True)
    distances = torch.cat([_distances(keys, part, rows) for part, rows in parts])
    refined = distances * tokens[:, -1][proposed]
    values, chosen = refined.topk(k, dim=1, sorted=False)
    return values, proposed.gather(1, chosen)


def _distances(keys: Tensor, pixels: Tensor, indices: Tensor) -> Tensor:
    """-sum e (k - q)^2 of every pixel and the keys at `indices` [P, n], [P, n].

    Computed from the differences of the keys: nothing cancels.
    """
    key_dim = keys.shape[1]
    rows = keys.index_select(0, indices.flatten()).view(*indices.shape, key_dim)
    rows.sub_(pixels[:, None, -key_dim:]).square_()
    # The first columns of the pixels are the selection, negated. Unlike a product, a
    # sum adds in pairs, which rounds less.
    return rows.mul_(pixels[:, None, :key_dim]).sum(-1)


def _block_elements(like: Tensor) -> int:
    return BLOCK_ELEMENTS.get(like.device.type, DEFAULT_BLOCK_ELEMENTS)


def _largest(similarity: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest entries of every row [P, N], unsorted: values and indices [P, k].

    Long rows are folded into stripes first. The k largest entries lie in the k stripes
    with the largest maxima: a stripe outside them has k entries above all of its own.
    """
    width = similarity.shape[1] // _STRIPES
    if width < _STRIPED_FROM * k // _STRIPES:
        values, indices = similarity.topk(k, dim=1, sorted=False)
        return values, indices
    folded = similarity[:, : width * _STRIPES].unflatten(1, (_STRIPES, width))
    best = folded.amax(dim=1).topk(k, dim=1, sorted=False).indices
    steps = torch.arange(_STRIPES, device=best.device) * width
    candidates = (best.unsqueeze(-1) + steps).flatten(1)
    rest = torch.arange(
        width * _STRIPES, similarity.shape[1], device=best.device
    ).expand(len(best), -1)
    candidates = torch.cat([candidates, rest], dim=1)
    values, chosen = similarity.gather(1, candidates).topk(k, dim=1, sorted=False)
    return values, candidates.gather(1, chosen)
