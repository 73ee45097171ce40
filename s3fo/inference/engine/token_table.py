"""`TokenTable`: rows of memory tokens in columns that grow without being rebuilt."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import torch
from torch import Tensor

_GROWTH = 1.5


class TokenTable:
    """Named columns of equally many rows, kept in buffers larger than their content.

    A column is a tensor [B, rows, width]: row-major, so that one token of one column
    is contiguous. Writing copies the new rows only; a full buffer grows by half.

    Args:
        capacity: rows to make room for at first.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._buffers: dict[Hashable, Tensor] = {}
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, column: Hashable) -> Tensor:
        """The rows of a column, [B, rows, width]; a view that later writes change."""
        return self._buffers[column][:, : self._rows]

    def splice(
        self, start: int, stop: int, rows: Mapping[Hashable, Tensor] | None = None
    ) -> None:
        """Replace the rows start..stop of every column by `rows`, possibly none.

        Args:
            start: first row to replace.
            stop: row after the last one to replace.
            rows: [B, new rows, width] for every column; the first call names the
                columns.
        """
        added = next(iter(rows.values())).shape[1] if rows else 0
        size = self._rows - (stop - start) + added
        self._reserve(size, rows or {})
        for column, buffer in self._buffers.items():
            if start + added != stop and stop < self._rows:
                tail = buffer[:, stop : self._rows].clone()
                buffer[:, start + added : size] = tail
            if rows:
                buffer[:, start : start + added] = rows[column]
        self._rows = size

    def roll(self, start: int, shift: int) -> None:
        """Shift the rows from `start` on in a circle."""
        for buffer in self._buffers.values():
            rows = buffer[:, start : self._rows]
            rows.copy_(rows.roll(shift, dims=1))

    def drop_columns(self, columns: Iterable[Hashable]) -> None:
        """Forget columns."""
        for column in columns:
            del self._buffers[column]

    def _reserve(self, size: int, rows: Mapping[Hashable, Tensor]) -> None:
        for column, new in rows.items():
            if column not in self._buffers:
                shape = (len(new), max(self._capacity, size), new.shape[2])
                self._buffers[column] = new.new_empty(shape)
        for column, buffer in self._buffers.items():
            if buffer.shape[1] < size:
                capacity = max(size, int(buffer.shape[1] * _GROWTH))
                grown = buffer.new_empty(len(buffer), capacity, buffer.shape[2])
                grown[:, : self._rows] = buffer[:, : self._rows]
                self._buffers[column] = grown


def gather_rows(column: Tensor, indices: Tensor) -> Tensor:
    """Rows [B, n, width] of a column [B, N, width] at `indices` [B, n]."""
    return torch.take_along_dim(column, indices.unsqueeze(-1), dim=1)
