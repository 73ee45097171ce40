"""What the engine remembers of a video: tokens, sensory states, object summaries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.errors import InputError
from s3fo.inference.engine.bucket import Bucket, Rows, token_rows
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.long_term import consolidate
from s3fo.inference.engine.memory_read import (
    query_operand,
    sparse_affinity,
    sparse_readout,
)
from s3fo.model.layers import as_maps


class TokenCounts(NamedTuple):
    """Tokens of a bucket."""

    object_ids: tuple[int, ...]
    long: int
    permanent: int
    temporary: int


class Memory:
    """Everything remembered of one video.

    Args:
        config: limits; `configure` changes them.
    """

    def __init__(self, config: InferenceConfig) -> None:
        self._buckets: list[Bucket] = []
        self._sensory: dict[int, Tensor] = {}
        self._summaries: dict[int, Tensor] = {}
        self._map_size: tuple[int, ...] | None = None
        self._even = True
        self.configure(config)

    def configure(self, config: InferenceConfig) -> None:
        """Use other limits from the next write on."""
        self._config = config

    @property
    def has_entries(self) -> bool:
        """Whether there is anything to read."""
        return bool(self._buckets)

    @property
    def token_counts(self) -> tuple[TokenCounts, ...]:
        """Size of every bucket, in order of creation."""
        return tuple(
            TokenCounts(tuple(b.object_ids), b.long, b.permanent, b.temporary)
            for b in self._buckets
        )

    def write(
        self,
        key: Tensor,
        shrinkage: Tensor,
        selection: Tensor,
        values: Tensor,
        object_ids: Sequence[int],
        *,
        permanent: bool = False,
    ) -> None:
        """Memorise a frame; objects not seen before share a new bucket.

        Args:
            key: [B, Ck, h, w] float32.
            shrinkage: [B, 1, h, w] float32.
            selection: [B, Ck, h, w] float32.
            values: [B, K, Cv, h, w].
            object_ids: the K objects, all that are tracked.
            permanent: never forget this frame.

        Raises:
            InputError: the frame has another size than what is remembered.
        """
        self._check_size(key)
        frame_tokens = key.shape[-2] * key.shape[-1]
        self._open_bucket(object_ids, frame_tokens)
        keys, shrinkages = _tokens(key), _tokens(shrinkage)
        kept = _tokens(selection) if self._config.use_long_term else None
        for bucket in self._buckets:
            own = {
                object_id: _tokens(values[:, object_ids.index(object_id)])
                for object_id in bucket.object_ids
            }
            rows = token_rows(keys, shrinkages, kept, own)
            if self._config.use_long_term:
                bucket.append(rows, permanent=permanent)
                consolidate(bucket, self._config.long_term, frame_tokens)
            else:
                self._queue(bucket, rows, frame_tokens, permanent)

    def read(
        self, key: Tensor, selection: Tensor
    ) -> Iterator[tuple[tuple[int, ...], Tensor]]:
        """Read the values of every object, bucket by bucket.

        Args:
            key: [B, Ck, h, w] float32.
            selection: [B, Ck, h, w] float32.

        Yields:
            the object ids of a bucket and their readouts [B, k, Cv, h, w].

        Raises:
            InputError: the frame has another size than what is remembered.
        """
        self._check_size(key)
        query = query_operand(_tokens(key), _tokens(selection))
        for bucket in self._buckets:
            affinity = sparse_affinity(bucket.operand, query, self._config.top_k)
            if self._config.use_long_term:
                bucket.count_usage(affinity)
            readouts = [
                sparse_readout(affinity, bucket.values(object_id))
                for object_id in bucket.object_ids
            ]
            yield (
                tuple(bucket.object_ids),
                as_maps(torch.stack(readouts, dim=1), (key.shape[-2], key.shape[-1])),
            )

    def sensory(self, object_ids: Sequence[int], unknown: Tensor) -> Tensor:
        """Sensory states [B, K, Cs, h, w]; `unknown` [B, Cs, h, w] for new objects."""
        states = [self._sensory.get(object_id, unknown) for object_id in object_ids]
        return torch.stack(states, dim=1)

    def update_sensory(self, object_ids: Sequence[int], states: Tensor) -> None:
        """Store sensory states [B, K, Cs, h, w]."""
        self._sensory |= dict(zip(object_ids, states.unbind(1), strict=True))

    def summaries(self, object_ids: Sequence[int]) -> Tensor:
        """Object memory [B, K, 1, Q, E + 1]: sums over all frames memorised."""
        kept = [self._summaries[object_id] for object_id in object_ids]
        return torch.stack(kept, dim=1).unsqueeze(2)

    def add_summaries(self, object_ids: Sequence[int], summaries: Tensor) -> None:
        """Add the summaries [B, K, Q, E + 1] of a frame to the object memory.

        Sums and areas add up, so that their quotient is a running weighted mean.
        """
        for object_id, new in zip(object_ids, summaries.unbind(1), strict=True):
            known = self._summaries.get(object_id)
            self._summaries[object_id] = new if known is None else known + new

    def keep_objects(self, object_ids: Collection[int]) -> None:
        """Forget every object but these."""
        for bucket in self._buckets:
            gone = [i for i in bucket.object_ids if i not in object_ids]
            bucket.forget_objects(gone)
        self._buckets = [bucket for bucket in self._buckets if bucket.object_ids]
        for kept in (self._sensory, self._summaries):
            for object_id in kept.keys() - set(object_ids):
                del kept[object_id]

    def forget_temporary(self) -> None:
        """Forget all tokens but the permanent ones."""
        for bucket in self._buckets:
            bucket.forget_temporary()

    def forget_sensory(self) -> None:
        """Forget the sensory states."""
        self._sensory.clear()

    def move_sensory(self, cells: Tensor) -> None:
        """Read sensory states elsewhere; frames have the size of `cells` from now on.

        Args:
            cells: [1, h, w, 2] in -1..1 (x, y), where each new state lies among the old
                ones. Beyond them it is unknown: zeros.
        """
        for object_id, state in self._sensory.items():
            grid = cells.expand(len(state), -1, -1, -1).to(state.device, torch.float32)
            moved = F.grid_sample(state.float(), grid, align_corners=False)
            self._sensory[object_id] = moved.to(state.dtype)
        if self._map_size is not None:
            self._map_size = (self._map_size[0], *cells.shape[1:3])
        self._even = False

    def _check_size(self, key: Tensor) -> None:
        size = (key.shape[0], *key.shape[2:])
        if self._buckets and size != self._map_size:
            raise InputError(
                "frame",
                f"(batch, height, width) {size} at stride 16",
                f"{self._map_size}, the size of the frames in memory",
                "Clear the memory before a video of another size.",
            )
        self._map_size = size

    def _open_bucket(self, object_ids: Sequence[int], frame_tokens: int) -> None:
        known = {i for bucket in self._buckets for i in bucket.object_ids}
        new = [i for i in object_ids if i not in known]
        if new:
            limits = self._config.long_term
            long_term = self._config.use_long_term
            frames = (limits if long_term else self._config).max_mem_frames
            self._buckets.append(Bucket(new, (frames + 1) * frame_tokens))

    def _queue(
        self, bucket: Bucket, rows: Rows, frame_tokens: int, permanent: bool
    ) -> None:
        """Add a frame to a working memory of limited length."""
        most = (self._config.max_mem_frames - 1) * frame_tokens
        if self._even and not permanent and bucket.temporary == most > 0:
            bucket.overwrite_oldest(rows)
        else:
            bucket.append(rows, permanent=permanent)
            bucket.forget_oldest(max(0, bucket.temporary - most))


def _tokens(maps: Tensor) -> Tensor:
    """Maps [B, C, h, w] as rows [B, h w, C]."""
    return maps.flatten(2).transpose(1, 2)
