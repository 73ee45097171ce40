"""Arrays that know their address."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from evaluation.masks.label_map import Marks


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


_as_byte: Callable[[Marks], ctypes.c_char] = ctypes.c_char.from_buffer  # type: ignore[assignment]


def address_of(array: Marks) -> int:
    """Where the first element of an array is.

    Through the buffer protocol, which takes a tenth of the time of `ndarray.ctypes`;
    it takes arrays in one piece that may be written to, and that have elements.
    """
    try:
        return ctypes.addressof(_as_byte(array))
    except (TypeError, ValueError):
        return int(array.ctypes.data)


def void_arguments(void: Marks | None) -> tuple[int | None, int, int]:
    """What kernels take of the pixels to leave out: `void_pixels` of csrc/words.h."""
    if void is None:
        return None, 1, 0
    bits = 8 * void.itemsize
    keep = (1 << bits - 1) - 1 if void.dtype.kind == "f" else -1  # -0.0 is 0
    return address_of(void), void.itemsize, keep
