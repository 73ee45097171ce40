"""`Bucket`: the tokens of objects that were first memorised in the same frame."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import torch
from torch import Tensor

from s3fo.inference.engine.memory_read import (
    SparseAffinity,
    memory_operand,
    token_usage,
)
from s3fo.inference.engine.token_table import TokenTable, gather_rows

_NEVER_READ = 1e-7
"""Life of a token that no read has seen: its usage is use / life = 0."""

OPERAND, KEY, SELECTION, USE, LIFE = "operand", "key", "selection", "use", "life"

Rows = dict[Hashable, Tensor]


class Bucket:
    """Objects that share keys, and their tokens.

    Tokens are kept in the order [long-term | permanent | temporary]. Permanent tokens
    are never forgotten; of the temporary ones the oldest go first. Long-term tokens are
    prototypes that stand for consolidated temporary ones. No result depends on the
    order within a part.

    Args:
        object_ids: the objects, in channel order; each has a column of values.
        capacity: tokens to make room for at first.
    """

    def __init__(self, object_ids: Sequence[int], capacity: int) -> None:
        self.object_ids = list(object_ids)
        self.long = 0
        self.permanent = 0
        self._table = TokenTable(capacity)
        self._oldest = 0

    def __len__(self) -> int:
        return len(self._table)

    @property
    def temporary(self) -> int:
        """Number of temporary tokens."""
        return len(self) - self.long - self.permanent

    @property
    def operand(self) -> Tensor:
        """Memory side of the similarity, [B, N, 2 Ck + 1]."""
        return self._table[OPERAND]

    def values(self, object_id: int) -> Tensor:
        """Values of an object, [B, N, Cv]."""
        return self._table[object_id]

    def append(self, rows: Rows, *, permanent: bool) -> None:
        """Add the tokens of a frame.

        The first frame of a bucket is permanent in any case. Later permanent frames go
        before the older permanent ones.
        """
        self._straighten()
        permanent = permanent or self.permanent == 0
        place = self.long if permanent else len(self)
        before = len(self)
        self._table.splice(place, place, rows)
        if permanent:
            self.permanent += len(self) - before

    def overwrite_oldest(self, rows: Rows) -> None:
        """Put the tokens of a frame in place of the oldest temporary ones.

        The temporary tokens are a ring from now on: nothing else is moved.
        """
        start = self.long + self.permanent + self._oldest
        count = rows[OPERAND].shape[1]
        self._table.splice(start, start + count, rows)
        self._oldest = (self._oldest + count) % self.temporary

    def forget_oldest(self, count: int) -> None:
        """Drop the `count` oldest temporary tokens."""
        self._straighten()
        start = self.long + self.permanent
        self._table.splice(start, start + count)

    def forget_temporary(self) -> None:
        """Drop everything but the permanent tokens."""
        self.forget_oldest(self.temporary)
        self._table.splice(0, self.long)
        self.long = 0

    def forget_objects(self, object_ids: Sequence[int]) -> None:
        """Drop the values of objects."""
        gone = [i for i in self.object_ids if i in object_ids]
        self._table.drop_columns(gone)
        self.object_ids = [i for i in self.object_ids if i not in gone]

    def count_usage(self, affinity: SparseAffinity) -> None:
        """Note which tokens a read used."""
        self._table[USE].add_(token_usage(affinity, len(self)))
        self._table[LIFE].add_(1)

    def keep_long_term(self, indices: Tensor) -> None:
        """Keep only the long-term tokens at `indices` [B, n], in that order."""
        rows = {
            column: gather_rows(self._table[column][:, : self.long], indices)
            for column in self._columns()
        }
        self._table.splice(0, self.long, rows)
        self.long = indices.shape[1]

    def normalised_usage(self, start: int, stop: int) -> Tensor:
        """Use per read of the tokens start..stop, [B, stop - start]."""
        use, life = self._table[USE], self._table[LIFE]
        return (use[:, start:stop] / life[:, start:stop]).squeeze(-1)

    def replace_by_prototypes(self, count: int, prototypes: Rows) -> None:
        """Replace the `count` oldest temporary tokens by long-term `prototypes`."""
        self.forget_oldest(count)
        before = len(self)
        self._table.splice(self.long, self.long, prototypes)
        self.long += len(self) - before

    def column(self, name: Hashable, start: int, stop: int) -> Tensor:
        """Rows start..stop of a column, [B, stop - start, width]."""
        return self._table[name][:, start:stop]

    def _straighten(self) -> None:
        """Bring the ring of temporary tokens in order of age."""
        if self._oldest:
            self._table.roll(self.long + self.permanent, -self._oldest)
            self._oldest = 0

    def _columns(self) -> list[Hashable]:
        return [OPERAND, KEY, SELECTION, USE, LIFE, *self.object_ids]


def token_rows(
    key: Tensor,
    shrinkage: Tensor,
    selection: Tensor | None,
    values: Mapping[int, Tensor],
) -> Rows:
    """Columns of new tokens.

    Args:
        key: [B, N, Ck].
        shrinkage: [B, N, 1].
        selection: [B, N, Ck], only where tokens will be consolidated.
        values: [B, N, Cv] of each object.
    """
    rows: Rows = {OPERAND: memory_operand(key, shrinkage)}
    for object_id, value in values.items():
        rows[object_id] = value
    if selection is not None:
        rows[KEY], rows[SELECTION] = key, selection
        rows[USE] = torch.zeros_like(shrinkage)
        rows[LIFE] = torch.full_like(shrinkage, _NEVER_READ)
    return rows
