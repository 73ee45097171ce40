"""Consolidation: many old frames become a few prototypes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from s3fo.inference.engine.bucket import KEY, OPERAND, SELECTION, Bucket, token_rows
from s3fo.inference.engine.config import LongTermConfig
from s3fo.inference.engine.token_table import gather_rows
from s3fo.model.layers import autocast_disabled
from s3fo.model.memory_reading import full_affinity, similarity


def consolidate(bucket: Bucket, limits: LongTermConfig, frame_tokens: int) -> None:
    """Move old temporary tokens to long-term memory once there are too many.

    Args:
        bucket: changed in place.
        limits: when to consolidate, and how much to keep.
        frame_tokens: tokens of one frame.
    """
    if bucket.temporary < (limits.max_mem_frames - 1) * frame_tokens:
        return
    if bucket.long >= limits.max_num_tokens - limits.num_prototypes:
        _prune(bucket, limits)
    candidates = bucket.temporary - (limits.min_mem_frames - 1) * frame_tokens
    with autocast_disabled(bucket.operand.device):
        _make_prototypes(bucket, candidates, limits.num_prototypes)


def _prune(bucket: Bucket, limits: LongTermConfig) -> None:
    """Keep the most used long-term tokens; the newest ones if use is not counted."""
    kept = min(bucket.long, limits.tokens_after_pruning)
    usage = bucket.normalised_usage(0, bucket.long)
    if limits.count_usage:
        indices = usage.topk(kept, dim=1).indices
    else:
        newest = torch.arange(bucket.long - kept, bucket.long, device=usage.device)
        indices = newest.expand(len(usage), -1)
    bucket.keep_long_term(indices)


def _make_prototypes(bucket: Bucket, candidates: int, count: int) -> None:
    """Replace the `candidates` oldest temporary tokens by `count` prototypes.

    The most used candidates give the keys; their values are what reading all candidates
    with those keys returns.
    """
    start = bucket.long + bucket.permanent
    stop = start + candidates
    usage = bucket.normalised_usage(start, stop)
    chosen = usage.topk(min(count, candidates), dim=1).indices
    key = gather_rows(bucket.column(KEY, start, stop), chosen)
    selection = gather_rows(bucket.column(SELECTION, start, stop), chosen)
    shrinkages = _shrinkage(bucket.column(OPERAND, start, stop))
    affinity = full_affinity(
        similarity(
            bucket.column(KEY, start, stop).mT, shrinkages.mT, key.mT, selection.mT
        )
    ).mT
    values = {
        i: affinity.to(v.dtype) @ v
        for i in bucket.object_ids
        for v in [bucket.column(i, start, stop)]
    }
    shrinkage = affinity @ shrinkages
    bucket.replace_by_prototypes(
        candidates, token_rows(key, shrinkage, selection, values)
    )


def _shrinkage(operand: Tensor) -> Tensor:
    """Shrinkage [B, N, 1], which the operand holds divided by sqrt(Ck)."""
    key_dim = (operand.shape[-1] - 1) // 2
    return operand[..., -1:] * math.sqrt(key_dim)
