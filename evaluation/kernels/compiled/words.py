"""What compiled code needs beyond Python: pointers, and words of 64 pixels."""

from __future__ import annotations

from typing import Any

import numba
import numba.extending
import numpy as np
from llvmlite import ir
from numba import types

jit: Any = numba.njit(error_model="numpy")
intrinsic: Any = numba.extending.intrinsic

ONE = np.uint64(1)
TOP, BOTTOM, FIRST, LAST = 0, 1, 2, 3
"""The four integers of a box."""


@intrinsic
def offset(_typing: Any, pointer: Any, count: Any) -> Any:
    """`pointer` moved on by `count` elements."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])

    return pointer(pointer, types.int64), generate


@intrinsic
def equal_pixels(_typing: Any, pixels: Any, label: Any) -> Any:
    """Which of the 64 pixels from `pixels` on are `label`, as one word."""
    vector = ir.VectorType(ir.IntType(pixels.dtype.bitwidth), 64)
    lanes = ir.VectorType(ir.IntType(32), 64)

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        loaded = builder.load(builder.bitcast(args[0], vector.as_pointer()), align=1)
        nothing = ir.Constant(vector, ir.Undefined)
        first = builder.insert_element(nothing, args[1], ir.IntType(32)(0))
        wanted = builder.shuffle_vector(first, nothing, ir.Constant(lanes, None))
        same = builder.icmp_unsigned("==", loaded, wanted)
        return builder.bitcast(same, ir.IntType(64))

    return types.uint64(pixels, pixels.dtype), generate


@intrinsic
def count_ones(_typing: Any, _word: Any) -> Any:
    """How many bits of a word are set."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), generate


@intrinsic
def lowest_one(_typing: Any, _word: Any) -> Any:
    """Where the lowest set bit is, in a word that is not zero."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.IntType(1)(1))

    return types.int64(types.uint64), generate


@intrinsic
def highest_one(_typing: Any, _word: Any) -> Any:
    """Where the highest set bit is, in a word that is not zero."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        above = builder.ctlz(args[0], ir.IntType(1)(1))
        return builder.sub(ir.IntType(64)(63), above)

    return types.int64(types.uint64), generate
