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
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation._utils.atomic import write_atomically
from evaluation._utils.input_files import refuse_special
from evaluation.errors import InputError, InputWarning
from evaluation.masks.colours import davis_palette
from evaluation.masks.decoder import MaskDecoder, label_iou
from evaluation.masks.png import PNG_SIGNATURE

__all__ = [
    "NO_OBJECT",
    "PNG_SIGNATURE",
    "FilePath",
    "LabelMap",
    "Marks",
    "Mask",
    "as_label_map",
    "davis_palette",
    "decode_label_map",
    "encode_label_map",
    "has_channels_last",
    "join_objects",
    "label_iou",
    "object_digest",
    "plain_array",
    "read_label_map",
    "split_objects",
    "write_label_map",
    "write_object_masks",
]

FilePath = str | os.PathLike[str]

LabelMap = NDArray[np.integer[Any]]
"""[H, W], uint8 or uint16; 0 is background, k is object k."""

Mask = NDArray[np.bool_]
"""[H, W], True where the object is."""

NO_OBJECT = 1
"""Id of empty masks that keep a video without objects where objects are kept."""

Marks = NDArray[np.number[Any] | np.bool_]
"""[..., H, W] numbers; those that are not 0 mark their pixels."""


_ROW, _COLUMN, _MIX = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
"""Odd numbers without pattern, as in `vos_digest` of csrc/kernels.c."""


def object_digest(top: int, left: int, mask: Mask) -> int:
    """Checksum of an object's pixels and of where they lie, from 1 to 2**32 - 1.

    The same for label maps, masks per object and run lengths. Pixels are taken 64 at a
    time, as the kernels hold them; each such word is mixed with its place, and the sum
    of all is folded to 32 bits.

    Args:
        top: first row of a box around the object.
        left: first column of it.
        mask: [H, W] bool, the object within the box; some pixel is True.
    """
    height, width = mask.shape
    lead = left % 64
    bits = np.zeros((height, -(-(lead + width) // 64) * 64), np.bool_)
    bits[:, lead : lead + width] = mask
    words = np.packbits(bits, axis=1, bitorder="little").view("<u8")
    rows = np.arange(top, top + height, dtype=np.uint64) * np.uint64(_ROW)
    places = np.arange(left // 64, left // 64 + words.shape[1], dtype=np.uint64)
    keys = rows[:, None] + places * np.uint64(_COLUMN)
    mixed = (words ^ keys) * np.uint64(_MIX)
    mixed ^= mixed >> np.uint64(32)
    total = int(mixed[words != 0].sum(dtype=np.uint64))
    return (total ^ total >> 32) & 0xFFFFFFFF or 1


def has_channels_last(shape: tuple[int, ...], ratio: int = 4, least: int = 16) -> bool:
    """Whether [n, H, W] is more likely [H, W, n]: many masks, each far too narrow.

    >>> has_channels_last((100, 150, 3)), has_channels_last((3, 100, 150))
    (True, False)

    Args:
        shape: of three axes, else it is not.
        ratio: how many times longer the second axis is than the last one, at least;
            the first is twice as long.
        least: how long they are, at least.
    """
    if len(shape) != 3:
        return False
    first, second, last = shape
    long = first > 2 * last > 0 and second > ratio * last
    return long and min(first, second) >= least


def plain_array(values: object, where: str = "array") -> NDArray[Any]:
    """The values as an array that says what each pixel is.

    Args:
        values: whatever numpy takes, a torch tensor, or a list of any of these.
        where: what to name in an error.

    Raises:
        InputError: a masked array with masked elements, which have no value; arrays of
            several shapes; or a tensor that numpy cannot hold.
    """
    if hasattr(values, "detach"):
        return _of_tensor(values, where)
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        count = np.count_nonzero(np.ma.getmaskarray(values))
        raise InputError(
            where,
            f"a masked array with {count} masked pixels",
            "a value for every pixel",
            "Pass values.filled(0), or another value that says what these pixels are.",
        )
    if isinstance(values, list | tuple):
        return _join_values(values, where)
    return np.asarray(values)


def _join_values(values: Sequence[Any], where: str) -> NDArray[Any]:
    """A list as one array; its elements are looked at first, as numpy drops masks.

    Raises:
        InputError: an element has no values, or they have several shapes.
    """
    parts = [
        plain_array(value, where)
        if isinstance(value, list | tuple | np.ma.MaskedArray)
        or hasattr(value, "detach")
        else value
        for value in values
    ]
    try:
        return np.asarray(parts)
    except ValueError as error:
        shapes = dict.fromkeys(str(list(np.shape(part))) for part in parts)
        raise InputError(
            where,
            f"arrays of several shapes: {', '.join(shapes)}",
            "one shape, height and width, for all of them",
            "Give all masks of the video one size.",
        ) from error


def _of_tensor(tensor: Any, where: str) -> NDArray[Any]:
    """The values of a torch tensor, wherever and however it keeps them.

    Raises:
        InputError: numpy cannot hold them.
    """
    dense = tensor.detach()
    try:
        if "strided" not in str(getattr(dense, "layout", "strided")):
            dense = dense.to_dense()
        dense = dense.cpu()
        try:
            return np.asarray(dense.numpy())
        except TypeError:  # numpy has no bfloat16
            return np.asarray(dense.float().numpy())
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        kept = f"{getattr(tensor, 'layout', '')} {getattr(tensor, 'dtype', '')}"
        raise InputError(
            where,
            f"a tensor that numpy cannot hold ({kept.strip()})",
            "a dense tensor of integers, booleans or real numbers",
            "Convert it first, e.g. tensor.to_dense().to(torch.uint8).",
        ) from error


Notice = Callable[[str], None]
"""Told what had to be decided to read a mask."""


def _warn(text: str) -> None:
    warnings.warn(text, InputWarning, stacklevel=4)


def read_label_map(path: FilePath, notice: Notice = _warn) -> LabelMap:
    """Read the object ids stored in a PNG.

    Palette, grey (1, 2, 4, 8 and 16 bits) and 1-bit files give their raw
    pixel values: ids survive whatever the palette looks like. A colour file is
    mapped back through the DAVIS palette, with an `InputWarning`; so is a palette with
    DAVIS's colours in another order.

    Args:
        path: a PNG file.
        notice: told of that in place of the warning.

    Returns:
        [H, W] label map; uint16 for 16-bit files, else uint8.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: the file is not a PNG, is damaged, or holds colours that are
            not in the DAVIS palette.
    """
    path = Path(path)
    refuse_special(path)
    return np.array(decode_label_map(path.read_bytes(), path, notice))


def decode_label_map(
    data: bytes,
    path: FilePath,
    notice: Notice = _warn,
) -> LabelMap:
    """Decode the bytes of a PNG as :func:`read_label_map` does.

    Args:
        data: the whole file.
        path: what to name in an error.
        notice: told if the file is a colour image that had to be mapped back.

    Returns:
        [H, W] label map, perhaps read-only and with gaps between its rows.
    """
    return MaskDecoder(notice=lambda text: notice(f"{path}: {text}")).decode(data, path)


def write_label_map(path: FilePath, label_map: LabelMap) -> None:
    """Write object ids as a PNG: 8-bit with the DAVIS palette, 16-bit grey above 255.

    The file appears complete or not at all.

    Args:
        path: where to write; its folder is made if missing.
        label_map: [H, W] integers (or booleans) in 0..65535.

    Raises:
        InputError: the array is not two-dimensional integers in 0..65535.
    """
    write_atomically(Path(path), encode_label_map(label_map, path))


def encode_label_map(label_map: LabelMap, where: FilePath) -> bytes:
    """The bytes of the file that `write_label_map` writes.

    Args:
        label_map: [H, W] integers (or booleans) in 0..65535.
        where: what to name in an error.

    Raises:
        InputError: the array is not two-dimensional integers in 0..65535.
    """
    ids = _checked_ids(where, plain_array(label_map, str(where)))
    from PIL import Image

    if ids.size and ids.max() > 255:
        image = Image.fromarray(np.ascontiguousarray(ids, dtype=np.uint16))
    else:
        image = Image.fromarray(np.ascontiguousarray(ids, dtype=np.uint8))
        image.putpalette(davis_palette().tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def write_object_masks(
    masks: Mapping[int, Mask],
    object_ids: Sequence[int],
    size: tuple[int, int],
    folder: Path,
    frame: str,
) -> None:
    """Write a frame of a video as object folders: ``<folder>/<object>/<frame>.png``.

    Args:
        masks: object id -> [H, W] bool; they may overlap.
        object_ids: of the whole video: each gets a file for every frame. A video
            without any is kept by an object of empty masks, `NO_OBJECT`.
        size: height and width of the frame.
        folder: of the video.
        frame: its name.

    Raises:
        OSError: a file cannot be written.
    """
    empty = np.zeros(size, bool)
    for object_id in object_ids or (NO_OBJECT,):
        mask = masks.get(object_id, empty).astype(np.uint8)
        write_label_map(folder / f"{object_id:03d}" / f"{frame}.png", mask)


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


def as_label_map(
    masks: LabelMap | Mapping[int, Mask], like: LabelMap | Mapping[int, Mask]
) -> LabelMap:
    """One label map; `like` gives the size where there is no mask at all.

    Args:
        masks: a label map, or object id -> [H, W] mask.
        like: masks of the other side of the frame.
    """
    if not isinstance(masks, Mapping):
        return masks
    if masks:
        return join_objects(masks)
    if not isinstance(like, Mapping):
        return np.zeros(like.shape, np.uint8)
    shape = next((mask.shape for mask in like.values()), (1, 1))
    return np.zeros(shape, np.uint8)


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
