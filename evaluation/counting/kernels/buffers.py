"""Arrays that know their address."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike


class Buffer:
    """A one-dimensional array of zeros that knows its address.

    Asking numpy for an address takes as long as a kernel's smaller jobs.
    """

    def __init__(self, size: int, dtype: DTypeLike = np.int64) -> None:
        self._allocate(size, np.dtype(dtype))

    def reserve(self, size: int) -> None:
        """Make room for `size` elements; when that takes a new array, it is zeros."""
        if self.array.size < size:
            self._allocate(size, self.array.dtype)

    def _allocate(self, size: int, dtype: np.dtype[np.generic]) -> None:
        self.array = np.zeros(size, dtype)
        self.address: int = self.array.ctypes.data


def filled(values: object) -> Buffer:
    """A buffer of int64 that holds `values`, flattened."""
    flat = np.asarray(values, np.int64).ravel()
    buffer = Buffer(flat.size)
    buffer.array[:] = flat
    return buffer
