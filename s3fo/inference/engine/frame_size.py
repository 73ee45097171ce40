"""The size at which the network sees a frame.

A frame is resized once: either with antialiasing before the engine (`size`, as the
published programs do for benchmarks) or inside the engine (`max_internal_size`,
as they do for interactive use and long videos), and never by both. Masks come back at
the size of the frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from evaluation.errors import InputError
from s3fo.inference.engine.config import InferenceConfig

Size = tuple[int, int]
"""Height and width in pixels."""


def choose_frame_size(
    preset_size: int | None,
    size: int | None,
    config: InferenceConfig,
    overrides: Mapping[str, object],
) -> tuple[int | None, InferenceConfig]:
    """Decide where frames are shrunk: what the caller names comes before the preset.

    Args:
        preset_size: short side that applies where the caller names nothing.
        size: short side in pixels that the caller asks for; 0 keeps frames as they are.
        config: settings of the engine, `overrides` included.
        overrides: settings of the engine that the caller names.

    Returns:
        The short side to shrink frames to before the engine (None or 0 keeps them), and
        the settings of the engine.

    Raises:
        InputError: a negative size, or both ways of shrinking asked for.
    """
    if size is not None and size < 0:
        raise InputError(
            "size",
            f"{size}",
            "pixels; 0 keeps all frames",
            "Pass 0, or the short side in pixels.",
        )
    if "max_internal_size" not in overrides:
        if size is None and preset_size is None:
            return None, config
        chosen = preset_size if size is None else size
        return chosen, replace(config, max_internal_size=-1)
    if size:
        raise InputError(
            "size",
            f"{size}, and max_internal_size {config.max_internal_size}",
            "one of the two: a frame is shrunk once",
            "Pass either size or max_internal_size, not both.",
        )
    return 0, config


def shrunk_size(shape: tuple[int, ...], size: int | None) -> tuple[int, int]:
    """Size of a frame whose short side shall be at most `size` pixels."""
    height, width = shape
    short, long = min(shape), max(shape)
    if not size or short <= size:
        return height, width
    other = int(size * long / short)
    return (size, other) if height <= width else (other, size)


def working_size(
    shape: tuple[int, ...], size: int | None, enlarge: float = 1.0
) -> tuple[int, int]:
    """Size of a frame that is shrunk to a short side, or enlarged towards it.

    >>> working_size((288, 512), 384, 1.5), working_size((480, 854), 384, 1.5)
    ((384, 682), (384, 683))
    >>> working_size((100, 200), 384, 1.5), working_size((288, 512), None, 1.5)
    ((150, 300), (288, 512))

    Args:
        shape: height and width of the frame.
        size: the short side in pixels; None or 0 keeps the frame.
        enlarge: the largest factor by which a smaller frame is enlarged; 1 keeps it.
    """
    if not size or min(shape) >= size or enlarge <= 1:
        return shrunk_size(shape, size)
    height, width = shape
    short, long = min(shape), max(shape)
    side = min(size, int(short * enlarge))
    other = side * long // short
    return (side, other) if height <= width else (other, side)


def internal_size(size: Size, max_side: int) -> Size:
    """Size at which the network sees a frame whose shorter side is limited."""
    shorter = min(size)
    if max_side < 1 or shorter <= max_side:
        return size
    height, width = size
    return int(height / shorter * max_side), int(width / shorter * max_side)
