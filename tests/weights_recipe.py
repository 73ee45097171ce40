"""Deterministic test weights of S3: numbers from names, no weight files.

Every entry of a state dict is made from its own name, independent of the others and
of their order:

    bits  = numpy.random.PCG64(crc32("seed/name")).random_raw(n)    C order
    u     = (bits >> 11) * 2**-53                                   float64, [0, 1)
    z     = (2 u - 1) * sqrt(3)                                     mean 0, variance 1
    value = the first rule below that fits, as float32

numpy guarantees that the raw stream of PCG64 and its seeding stay as they are, so
the numbers depend neither on numpy's version nor on the platform. The first rule of
each list that fits wins:

- ``num_batches_tracked`` 0; ``inv_freq`` None (keep the module's own formula)
- ``running_mean`` 0.1 z; ``running_var`` 1 + 0.25 z
- ``gamma`` 0.35 + 0.1 z; ``alpha`` 1 + 0.2 z; embeddings and tokens 0.5 z;
  ``pos_embed`` 0.3 z
- biases 0.05 z (``sampling_offsets`` 1.5 z, mask predictions constant)
- scales of norms (one axis) 1 + 0.1 z
- weights gain * z / sqrt(fan-in), with the columns that read masks made larger, so
  that objects differ clearly
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterable, Mapping

import numpy as np
import torch

_SQRT3 = math.sqrt(3.0)

_SIMPLE = (
    ("running_mean", 0.0, 0.1),
    ("running_var", 1.0, 0.25),
    (".gamma", 0.35, 0.1),
    (".alpha", 1.0, 0.2),
    ("level_embed", 0.0, 0.5),
    ("cls_token", 0.0, 0.5),
    ("mask_token", 0.0, 0.5),
    ("query_init.weight", 0.0, 0.5),
    ("query_emb.weight", 0.0, 0.5),
    ("pos_embed", 0.0, 0.3),
    ("sampling_offsets.bias", 0.0, 1.5),
)
"""(end of the name, offset, scale): value = offset + scale * z."""

_CONSTANT_BIASES = (
    (r"^mask_decoder\.pred\.bias$", -1.0),
    (r"mask_pred\.\d+\.1\.bias$", -0.2),
)

_GAINS = (
    (r"^mask_decoder\.pred\.weight$", 1.0),
    (r"^object_transformer\.mask_pred\.\d+\.1\.weight$", 1.0),
    (r"^key_proj\.key_proj\.weight$", 0.45),
    (r"^key_proj\.d_proj\.weight$", 0.4),
    (r"^mask_encoder\.conv1\.weight$", 1.4),
    (r"^pixel_encoder\.spm\.", 1.4),
    (r"^mask_encoder\.layer", 0.6),
    (r"^mask_encoder\.fuser\.distributor\.g_transform\.weight$", 2.5),
    (r"^mask_encoder\.fuser\.distributor\.x_transform\.weight$", 0.4),
    (r"^pixel_fuser\.fuser\.distributor\.x_transform\.weight$", 0.5),
    (r"^mask_decoder\.decoder_feat_proc\.", 0.4),
    (r"sensory_update\.transform\.weight$", 0.6),
)


def value(name: str, shape: Iterable[int], seed: int = 0) -> np.ndarray | None:
    """The entry `name` of a state dict; None where the module's own value stays."""
    shape = tuple(int(size) for size in shape)
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if name.endswith("inv_freq"):
        return None
    z = _unit(name, shape, seed)
    for ending, offset, scale in _SIMPLE:
        if name.endswith(ending):
            return (offset + scale * z).astype(np.float32)
    if name.endswith("bias"):
        constant = _first(_CONSTANT_BIASES, name)
        return (0.05 * z if constant is None else np.full(shape, constant)).astype(
            np.float32
        )
    if len(shape) == 1:
        return (1 + 0.1 * z).astype(np.float32)
    return _weight(name, shape, z).astype(np.float32)


def _unit(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    stream = np.random.PCG64(zlib.crc32(f"{seed}/{name}".encode()))
    bits = stream.random_raw(int(np.prod(shape, dtype=np.int64)))
    u = (bits >> np.uint64(11)).astype(np.float64) * (2.0**-53)
    return ((2.0 * u - 1.0) * _SQRT3).reshape(shape)


def _first(table: Iterable[tuple[str, float]], name: str) -> float | None:
    return next((number for pattern, number in table if re.search(pattern, name)), None)


def _weight(name: str, shape: tuple[int, ...], z: np.ndarray) -> np.ndarray:
    transposed = name == "pixel_encoder.up.weight"
    fan_in = shape[0] if transposed else int(np.prod(shape[1:]))
    gain = _first(_GAINS, name)
    weight = (1.0 if gain is None else gain) * z / math.sqrt(fan_in)
    if name == "mask_encoder.conv1.weight":
        weight[:, 3:] *= 3.0
    elif name == "pixel_fuser.sensory_compress.weight":
        weight[:, -2:] *= 2.0
    return weight


def fill(module: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Overwrite the state dict of a module in place, and return the module."""
    state = module.state_dict()
    for name, old in state.items():
        new = value(name, old.shape, seed)
        if new is not None:
            state[name] = torch.from_numpy(np.ascontiguousarray(new)).reshape(old.shape)
    module.load_state_dict(state, strict=True)
    return module


def digest(shapes: Mapping[str, Iterable[int]], seed: int = 0) -> int:
    """crc32 over all values in the order of their names."""
    crc = 0
    for name in sorted(shapes):
        entry = value(name, shapes[name], seed)
        if entry is not None:
            content = np.ascontiguousarray(entry).tobytes()
            crc = zlib.crc32(content, zlib.crc32(name.encode(), crc))
    return crc
