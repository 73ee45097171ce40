"""Label maps: integer images in which pixel value k means object k.

A label map is an [H, W] array of uint8 or uint16; 0 is background. On disk it is
an indexed-colour PNG (DAVIS and everybody after), a grey PNG, or a 16-bit grey
PNG where ids exceed 255. Masks that overlap cannot share a label map: they are
kept as one boolean [H, W] mask per object.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation._utils.atomic import write_atomically
from evaluation.errors import InputError
from evaluation.masks.png import decode_png_indices

FilePath = str | os.PathLike[str]

LabelMap = NDArray[np.integer[Any]]
"""[H, W], uint8 or uint16; 0 is background, k is object k."""

Mask = NDArray[np.bool_]
"""[H, W], True where the object is."""

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xaeB`\x82"
_JPEG_SIGNATURE = b"\xff\xd8\xff"


def read_label_map(path: FilePath) -> LabelMap:
    """Read the object ids stored in a PNG.

    Palette, grey (1, 2, 4, 8 and 16 bits) and black-and-white files give their raw
    pixel values: ids survive whatever the palette looks like. A colour file is
    mapped back through the DAVIS palette, with a warning.

    Args:
        path: a PNG file.

    Returns:
        [H, W] label map; uint16 for 16-bit files, else uint8.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: the file is not a PNG, is damaged, or holds colours that are
            not in the DAVIS palette.
    """
    path = Path(path)
    return np.array(decode_label_map(path.read_bytes(), path))


def decode_label_map(
    data: bytes,
    path: FilePath,
    notice: Callable[[str], None] = warnings.warn,
) -> LabelMap:
    """Decode the bytes of a PNG as :func:`read_label_map` does.

    Args:
        data: the whole file.
        path: what to name in an error.
        notice: told if the file is a colour image that had to be mapped back.

    Returns:
        [H, W] label map, perhaps read-only and with gaps between its rows.
    """
    plain = decode_png_indices(data)
    if plain is not None:
        return plain
    _check_signature(path, data)
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            pixels = np.array(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise _damaged(path, f"a PNG of {len(data)} bytes that breaks off") from error
    if pixels.ndim == 3:
        return _ids_from_colours(path, pixels, notice)
    bits_per_sample, colour_type = data[24], data[25]
    if colour_type == 0 and bits_per_sample in (2, 4):
        # Pillow stretches 2- and 4-bit grey to 0..255; undo it to keep the ids.
        pixels = pixels // (255 // (2**bits_per_sample - 1))
    return pixels.astype(np.uint16 if bits_per_sample == 16 else np.uint8, copy=False)


def write_label_map(path: FilePath, label_map: LabelMap) -> None:
    """Write object ids as a PNG: 8-bit with the DAVIS palette, 16-bit grey above 255.

    The file appears complete or not at all.

    Args:
        path: where to write; its folder is made if missing.
        label_map: [H, W] integers (or booleans) in 0..65535.

    Raises:
        InputError: the array is not two-dimensional integers in 0..65535.
    """
    path = Path(path)
    ids = _checked_ids(path, np.asarray(label_map))
    from PIL import Image

    if ids.size and ids.max() > 255:
        image = Image.fromarray(np.ascontiguousarray(ids, dtype=np.uint16))
    else:
        image = Image.fromarray(np.ascontiguousarray(ids, dtype=np.uint8))
        image.putpalette(davis_palette().tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    write_atomically(path, buffer.getvalue())


@lru_cache(maxsize=1)
def davis_palette() -> NDArray[np.uint8]:
    """Colours of the object ids in DAVIS files, the Pascal VOC colour map.

    Id 1 is dark red, 2 dark green, 3 olive, ... The bits of an id, lowest first,
    go in turn to red, green and blue, highest colour bit first.

    Returns:
        [256, 3] uint8, read-only.
    """
    ids = np.arange(256)
    palette = np.zeros((256, 3), dtype=np.uint8)
    for bit in range(8):
        for channel in range(3):
            palette[:, channel] |= (
                ((ids >> (3 * bit + channel)) & 1) << (7 - bit)
            ).astype(np.uint8)
    palette.setflags(write=False)
    return palette


def split_objects(label_map: LabelMap, object_ids: list[int]) -> dict[int, Mask]:
    """Give every object its own mask.

    Args:
        label_map: [H, W].
        object_ids: the objects wanted; absent ones get an empty mask.

    Returns:
        object id -> [H, W] bool.
    """
    return {object_id: label_map == object_id for object_id in object_ids}


def join_objects(masks: Mapping[int, Mask]) -> LabelMap:
    """Lay per-object masks into one label map; where they overlap the last wins.

    Args:
        masks: object id -> [H, W] bool, in painting order; at least one.

    Returns:
        [H, W] label map, uint8 where the ids allow it, else uint16.
    """
    shape = next(iter(masks.values())).shape
    label_map = np.zeros(shape, dtype=np.uint8 if max(masks) <= 255 else np.uint16)
    for object_id, mask in masks.items():
        label_map[mask] = object_id
    return label_map


def _check_signature(path: FilePath, data: bytes) -> None:
    if data.startswith(PNG_SIGNATURE) and len(data) > 33:
        if _PNG_END in data:
            return
        raise _damaged(path, f"a PNG of {len(data)} bytes that breaks off")
    if data.startswith(_JPEG_SIGNATURE):
        raise InputError(
            path,
            "a JPEG image",
            "a PNG: JPEG changes pixel values, and with them object ids",
            "Write the masks as palette PNG.",
        )
    if not data:
        raise _damaged(path, "an empty file")
    raise _damaged(path, "something else than a complete PNG")


def _damaged(path: FilePath, found: str) -> InputError:
    return InputError(
        path,
        found,
        "a palette or grey PNG that can be read to the end",
        "Write this file again; the disk may have been full or the job stopped.",
    )


def _ids_from_colours(
    path: FilePath, pixels: NDArray[np.uint8], notice: Callable[[str], None]
) -> LabelMap:
    """Map [H, W, 2..4] colours (alpha ignored) back to ids by the DAVIS palette."""
    if pixels.shape[2] == 2:
        return pixels[..., 0]
    colours = pixels[..., :3].astype(np.int32)
    # Some tools write 191 where the palette says 192.
    colours[colours == 191] = 192
    codes = colours @ np.array([65536, 256, 1])
    known = davis_palette().astype(np.int64) @ np.array([65536, 256, 1])
    order = np.argsort(known)
    nearest = order[np.searchsorted(known[order], codes).clip(max=255)]
    unknown = known[nearest] != codes
    if unknown.any():
        row, column = np.argwhere(unknown)[0]
        raise InputError(
            path,
            f"a colour image with colour {tuple(pixels[row, column, :3].tolist())} at "
            f"row {row}, column {column}, which no object id has",
            "a palette or grey PNG whose pixel values are object ids",
            "Write the masks as palette PNG (mode P), not as RGB.",
        )
    notice(
        f"{path} is a colour image: ids were recovered through the DAVIS palette. "
        "Write palette PNGs (mode P) to be safe."
    )
    return nearest.astype(np.uint8)


def _checked_ids(path: FilePath, ids: NDArray[Any]) -> NDArray[Any]:
    if ids.dtype == bool:
        ids = ids.astype(np.uint8)
    whole = np.issubdtype(ids.dtype, np.integer)
    if (
        ids.ndim == 2
        and whole
        and (not ids.size or 0 <= ids.min() <= ids.max() < 2**16)
    ):
        return ids
    span = f", values {ids.min()}..{ids.max()}" if ids.size else ""
    raise InputError(
        path,
        f"an array of shape {ids.shape} and type {ids.dtype}{span}",
        "a label map: two-dimensional integers in 0..65535",
        "Write one label map of object ids per frame (argmax over objects).",
    )
