"""`MaskDecoder`: what the mask files of a video say, decided once per video, and told.

Nearly all masks are palette or grey PNGs whose pixel values are ids, and are read as
they are. For the others one decoder per video settles what its files mean, so that all
frames are read alike: colours or indices, red and blue exchanged, colour images that
are grey, masks kept in the alpha channel. Each such decision is told.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation._utils.input_files import read_input
from evaluation.errors import InputError
from evaluation.masks.colours import (
    DAVIS_BYTES,
    exchange_red_and_blue,
    ids_by_colour,
    ids_of_colours,
    is_grey,
    palette_of,
    palette_order,
    visible_colours,
)
from evaluation.masks.png import (
    PNG_SIGNATURE,
    check_size,
    decode_png_indices,
    is_complete,
    parse_header,
)

FilePath = str | os.PathLike[str]
Ids = NDArray[np.integer[Any]]

Drawn = NDArray[np.integer[Any] | np.bool_]
"""Ids of objects, or whether any object is there."""


Given = tuple[FilePath, Callable[[], Ids]]
"""A file, and what reads true ids [H, W] that it should show."""

_JPEG_SIGNATURE = b"\xff\xd8\xff"
_MAX_LOOKED_AT = 200
"""Files of a video that are looked at to settle what its colours mean."""


class MaskDecoder:
    """Decodes the mask files of one video.

    Args:
        files: all mask files of the video by frame, to look at where one file leaves
            open what is meant; empty where there is only the one.
        notice: told once about each decision.
        binarize: take whatever is not black for object 1 where colours say no ids.
    """

    def __init__(
        self,
        files: Mapping[str, FilePath] | None = None,
        notice: Callable[[str], None] = lambda text: None,
        *,
        binarize: bool = False,
    ) -> None:
        self._files = files or {}
        self._notice = notice
        self._told: set[str] = set()
        self._binarize = binarize
        self.expected_ids: Callable[[], Collection[int]] = tuple
        """Gives the ids that the other side has, where that is known."""
        self.given: Callable[[], Iterable[Given]] = tuple
        """Gives files, and what reads the true ids [H, W] of their frames or of others
        nearby, where these are known."""

    def decode(self, data: bytes, path: FilePath) -> Ids:
        """Decode one file.

        Args:
            data: the whole file.
            path: what to name in an error.

        Returns:
            [H, W] uint8 or uint16 ids, perhaps read-only and with gaps between rows.

        Raises:
            InputError: no PNG, damaged, too large, or colours that no id has.
        """
        plain = decode_png_indices(data)
        if plain is None:
            return self._decode_any(data, path)
        palette = palette_of(data) if data[25] == 3 else None
        if palette is None or DAVIS_BYTES.startswith(palette):
            return plain
        return self._by_palette(plain, palette, path)

    def _decode_any(self, data: bytes, path: FilePath) -> Ids:
        _check_signature(path, data)
        pixels = _pixels_by_pillow(data, path)
        if pixels.ndim == 3:
            return self._from_channels(pixels, path)
        bits, colour_type = data[24], data[25]
        if colour_type == 0 and bits in (2, 4):
            # Pillow stretches 2- and 4-bit grey to 0..255; undo it to keep the ids.
            pixels = pixels // (255 // (2**bits - 1))
        ids: Ids = pixels.astype(np.uint16 if bits == 16 else np.uint8, copy=False)
        palette = palette_of(data) if colour_type == 3 else None
        if palette is None or ids.dtype != np.uint8:
            return ids
        return self._by_palette(ids, palette, path)

    def _by_palette(self, indices: Ids, palette: bytes, path: FilePath) -> Ids:
        order = palette_order(palette)
        if order.by_colour is False:
            return indices
        colours_fit = self._colours_fit
        if colours_fit is False:
            if order.by_colour:
                self._tell(INDICES_FIT)
            return indices
        if not (order.by_colour or colours_fit or self._others_are_by_colour):
            return indices
        try:
            ids = ids_by_colour(indices, order)
        except ValueError as error:
            if self._binarize:
                return indices
            (index,) = error.args
            colour = tuple(palette[3 * index : 3 * index + 3])
            raise _unknown_colour(
                path, f"a palette image with colour {colour}"
            ) from None
        ids = self._exchange_channels(ids)
        self._tell(
            "palettes hold DAVIS's colours in another order, so ids were recovered "
            "from the colours; the official tools read indices"
        )
        return ids

    def _from_channels(self, pixels: NDArray[np.uint8], path: FilePath) -> Ids:
        """Ids of an image with 2 to 4 channels."""
        colours, alpha = visible_colours(pixels)
        if alpha is not None and not colours.any():
            self._tell("the mask is in the alpha channel")
            return alpha
        if is_grey(colours) and not self._is_colour_by_others(colours):
            if pixels.shape[2] > 2:
                self._tell("colour images with equal channels were read as grey")
            return np.ascontiguousarray(colours[..., 0])
        ids = ids_of_colours(colours)
        if (ids < 0).any():
            if self._binarize:
                return _colour_levels(colours)
            if alpha is not None and set(np.unique(alpha).tolist()) == {0, 255}:
                self._tell(
                    "the colours are a picture; the mask is in the alpha channel"
                )
                return alpha
            row, column = np.argwhere(ids < 0)[0].tolist()
            colour = tuple(colours[row, column].tolist())
            found = f"a colour image with colour {colour} at row {row}, column {column}"
            raise _unknown_colour(path, found)
        self._tell(
            "colour images: ids were recovered through the DAVIS palette. Write "
            "palette PNGs (mode P) to be safe"
        )
        return self._exchange_channels(ids.astype(np.uint8))

    def _exchange_channels(self, ids: Ids) -> Ids:
        if not self._red_and_blue_are_exchanged:
            return ids
        self._tell("red and blue are exchanged in the colours (BGR for RGB); undone")
        return exchange_red_and_blue(ids)

    @cached_property
    def _red_and_blue_are_exchanged(self) -> bool:
        """Whether the ids by colour make sense only with red and blue exchanged."""
        found: set[int] = set()
        for data in self._samples():
            found |= _colour_ids(data)
        if not found:
            return False
        ids = np.array(sorted(found))
        other = set(exchange_red_and_blue(ids).tolist())
        expected = set(self.expected_ids())
        if expected:
            return not found <= expected and other <= expected
        counted = set(range(1, len(found) + 1))
        return found != counted and other == counted

    @cached_property
    def _colours_fit(self) -> bool | None:
        """Whether colours fit true masks far better than indices; False the reverse.

        So do indices of palettes that a tool put in its own order without a thought of
        ids. None where neither is clear.
        """
        for path, read_true in self.given():
            try:
                data = read_input(path, "a PNG file")
                palette = palette_of(data)
                order = None if palette is None else palette_order(palette)
                if order is None or order.by_colour is False:
                    continue
                indices, true = palette_indices(data, path), read_true()
            except InputError:
                continue
            if indices is None or indices.shape != true.shape:
                continue
            try:
                colours = self._fit_of(ids_by_colour(indices, order), true)
            except ValueError:  # a colour that no id has
                colours = 0.0
            gain = colours - (label_iou(indices, true) or 0.0)
            return bool(gain > 0) if abs(gain) > _CLEARLY else None
        return None

    def _fit_of(self, ids: Ids, true: Ids) -> float:
        """How well ids by colour fit, with red and blue exchanged where that is so."""
        exchanged = self._red_and_blue_are_exchanged
        own = exchange_red_and_blue(ids) if exchanged else ids
        return label_iou(own, true) or 0.0

    @cached_property
    def _others_are_by_colour(self) -> bool:
        """Whether palettes of other files of the video have an order of their own."""
        palettes = {palette_of(data) for data in self._samples()}
        return any(p is not None and palette_order(p).by_colour for p in palettes)

    def _is_colour_by_others(self, colours: NDArray[np.uint8]) -> bool:
        """Whether grey pixels stand for ids by colour: ids 7, 56, 63 are grey, too."""
        values = set(np.unique(colours).tolist())
        return values <= {0, 64, 128, 192} and self._others_have_colours

    @cached_property
    def _others_have_colours(self) -> bool:
        for data in self._samples():
            header = parse_header(data)
            if header is not None and header.colour_type in (2, 6):
                pixels = _pixels_by_pillow(data, "mask")
                if not is_grey(visible_colours(pixels)[0]):
                    return True
        return False

    def _samples(self) -> Iterator[bytes]:
        """Files of the video, evenly spread; those that can be read."""
        frames = list(self._files)
        for frame in frames[:: max(1, len(frames) // _MAX_LOOKED_AT)]:
            try:
                yield read_input(self._files[frame], "a PNG file")
            except InputError:
                continue

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._notice(text)


INDICES_FIT = (
    "palettes hold DAVIS's colours in another order, but indices fit the first true "
    "masks, and colours do not: indices were taken for ids, as the official tools do"
)
"""The remark on palettes whose order means nothing."""

_CLEARLY = 0.2
"""Agreement with true ids by which indices must fit better than colours."""


def label_iou(one: Drawn, other: Drawn) -> float | None:
    """IoU of two label maps over all objects; None for two sizes, or nothing at all.

    >>> label_iou(np.array([[1, 1, 2, 0]]), np.array([[1, 2, 2, 2]]))
    0.5

    Args:
        one: [H, W] ids, or whether any object is there.
        other: the same of other masks.
    """
    if one.shape != other.shape:
        return None
    there = one != 0
    union = np.count_nonzero(there | (other != 0))
    shared = np.count_nonzero((one == other) & there)
    return shared / union if union else None


def _colour_levels(colours: NDArray[np.uint8]) -> Ids:
    """A number for each colour; 0 for black.

    Colours that no id has say which pixels are not black, and no more; but of how many
    colours a mask is tells whether it was smoothed.
    """
    codes = colours.astype(np.int64) @ np.array([65536, 256, 1])
    known, places = np.unique(codes, return_inverse=True)
    numbers: Ids = np.minimum(places.reshape(codes.shape) + int(known[0] != 0), 65535)
    return numbers.astype(np.uint8 if len(known) < 256 else np.uint16)


def palette_indices(data: bytes, path: FilePath) -> Ids | None:
    """The indices [H, W] of a PNG with a palette, as they are; None for others.

    Args:
        data: the whole file.
        path: what to name in an error.

    Raises:
        InputError: it is damaged.
    """
    header = parse_header(data)
    if header is None or header.colour_type != 3:
        return None
    plain = decode_png_indices(data)
    return _pixels_by_pillow(data, path) if plain is None else plain


def _colour_ids(data: bytes) -> set[int]:
    """Ids by colour in a file: of a colour image, or a palette in another order."""
    header = parse_header(data)
    if header is None or header.colour_type not in (2, 3, 6):
        return set()
    try:
        pixels = _pixels_by_pillow(data, "mask")
    except InputError:
        return set()
    if header.colour_type == 3:
        order = palette_order(palette_of(data) or b"")
        return set(order.ids[np.unique(pixels)].tolist()) - {0, -1}
    return set(np.unique(ids_of_colours(visible_colours(pixels)[0])).tolist()) - {0, -1}


def _pixels_by_pillow(data: bytes, path: FilePath) -> NDArray[Any]:
    """[H, W] or [H, W, C] pixels of any PNG.

    Raises:
        InputError: it is damaged.
    """
    from PIL import Image

    check_size(data, path)
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            image.load()
            return np.array(image)
    except Exception as error:  # Pillow raises of all kinds on damaged files
        raise _damaged_file_error(
            path, f"a damaged PNG of {len(data)} bytes"
        ) from error


def _check_signature(path: FilePath, data: bytes) -> None:
    if data.startswith(PNG_SIGNATURE) and len(data) > 33:
        if is_complete(data):
            return
        raise _damaged_file_error(path, f"a PNG of {len(data)} bytes that breaks off")
    if data.startswith(_JPEG_SIGNATURE):
        raise InputError(
            path,
            "a JPEG image",
            "a PNG: JPEG changes pixel values, and with them object ids",
            "Write the masks as palette PNG.",
        )
    if not data:
        raise _damaged_file_error(path, "an empty file")
    raise _damaged_file_error(path, "something else than a complete PNG")


def _damaged_file_error(path: FilePath, found: str) -> InputError:
    return InputError(
        path,
        found,
        "a palette or grey PNG that can be read to the end",
        "Write this file again; the disk may have been full or the job stopped.",
    )


def _unknown_colour(path: FilePath, found: str) -> InputError:
    return InputError(
        path,
        f"{found}, which no object id has",
        "a palette or grey PNG whose pixel values are object ids",
        "Write the masks as palette PNG (mode P), not as RGB.",
    )
