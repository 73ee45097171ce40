"""Image files by OpenCV, given as bytes: it crashes at names that are not UTF-8."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evaluation._utils.atomic import write_atomically
from evaluation._utils.input_files import read_input
from evaluation.errors import InputError
from evaluation.masks.prepare import has_other_aspect

Picture = NDArray[np.uint8]
"""[H, W, 3]."""

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
"""Endings of the files that count as images of frames, in lower case."""

_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}

_GREY = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


def read_picture(
    path: str | os.PathLike[str],
    fix: str = "Copy or unpack it again.",
    *,
    reduced: int = 1,
    grey: bool = False,
) -> Picture:
    """Decode one image file.

    A rotation tag (EXIF) is ignored: masks lie on the stored pixels. Values of more
    than 8 bits keep the upper 8 of those that images of the folder use: see
    `note_few_bits`.

    Args:
        path: of the file; its name may be in any encoding.
        fix: what to do where it cannot be decoded, for the error.
        reduced: 1, 2, 4 or 8: by how much to make it smaller while decoding.
        grey: leave out the colours, which takes half the time.

    Returns:
        [H, W, 3] uint8, blue first; [H, W] where grey.

    Raises:
        InputError: missing, empty or damaged, or of more pixels than OpenCV takes.
    """
    data = np.frombuffer(read_input(path, "an image", fix), np.uint8)
    pixels = None
    if data.size:
        try:
            flags = (_GREY if grey else _REDUCED)[
                reduced
            ] | cv2.IMREAD_IGNORE_ORIENTATION
            if _has_16_bits(data):
                shift = _bits_used(path)[0] - 8
                wide = cv2.imdecode(data, flags | cv2.IMREAD_ANYDEPTH)
                if wide is not None:
                    pixels = np.right_shift(np.asarray(wide, np.uint16), shift)
            else:
                pixels = cv2.imdecode(data, flags)
        except cv2.error:  # beyond a limit of its own
            pixels = None
    if pixels is None:
        found = "a file that cannot be decoded" if data.size else "an empty file"
        raise InputError(path, found, "an image", fix)
    return np.asarray(pixels, dtype=np.uint8)


def note_few_bits(path: str | os.PathLike[str]) -> str | None:
    """What to note of a video whose images of 16 bits use a small part of their range.

    Cameras of 8, 10, 12 or 14 bits are often saved in PNG files of 16 bits as they
    are, and the upper 8 of the 16 bits are then nearly or wholly black. If no image of
    the folder has a value beyond those bits, images are read as of so many bits.

    Args:
        path: of any image of the video. All images in its folder are looked at, until
            one uses the whole range.

    Returns:
        A sentence without a subject; None where images are read as they are.
    """
    try:
        with open(path, "rb") as file:
            header = np.frombuffer(file.read(_HEADER), np.uint8)
    except OSError:  # told when it is read
        return None
    if not _has_16_bits(header):
        return None
    bits, greatest, where = _bits_used(path)
    if bits == 16:
        return None
    return (
        f"images of 16 bits with no value above {greatest} of 65535 ({where}): read as "
        f"images of {bits} bits, their values divided by {2 ** (bits - 8)}; if they "
        "are dark images of the whole range instead, save them with 8 bits (mogrify "
        "-depth 8 *.png), as which they stay dark"
    )


_HEADER = 26
"""Bytes of a PNG file to its colour type."""


def _has_16_bits(data: NDArray[np.uint8]) -> bool:
    """Whether a file is a PNG of 16 bits per value (PNG, section 11.2.2)."""
    return (
        data.size >= _HEADER
        and data[24] == 16
        and data[:16].tobytes() == b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    )


@dataclass(frozen=True)
class _Folder:
    """What `_bits_used` found, and the files as they were: name to time and size."""

    found: tuple[int, int, str]
    files: dict[bytes, tuple[int, int]]


_folders: dict[bytes, _Folder] = {}
_looking = Lock()


def _bits_used(path: str | os.PathLike[str]) -> tuple[int, int, str]:
    """Bits that images in the folder of a 16-bit image use: 8, 10, 12, 14 or 16.

    Decided once per folder, so that all frames of a video are treated alike; anew
    where files changed.

    Returns:
        the bits, the greatest value, and the name of the file that has it.
    """
    folder, name = os.path.split(os.fsencode(os.path.abspath(path)))
    with _looking:
        known = _folders.get(folder)
        if known is None or known.files.get(name) != _state(os.path.join(folder, name)):
            known = _folders[folder] = _look_through(folder)
    return known.found


def _look_through(folder: bytes) -> _Folder:
    files = {
        entry.name: _state(entry.path)
        for entry in os.scandir(folder)
        if entry.name.lower().endswith(b".png")
    }
    greatest, where = 0, b""
    for name in sorted(files):
        value = _greatest_value(os.path.join(folder, name))
        if value > greatest:
            greatest, where = value, name
        if greatest >= 2**14:
            break
    bits = next((b for b in (8, 10, 12, 14) if 0 < greatest < 2**b), 16)
    return _Folder((bits, greatest, os.fsdecode(where)), files)


def _greatest_value(path: bytes) -> int:
    """Of an image of 16 bits; 0 for any other, and for none."""
    try:
        with open(path, "rb") as file:
            data = np.frombuffer(file.read(), np.uint8)
        if not _has_16_bits(data):
            return 0
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
        pixels = cv2.imdecode(data, flags)
    except (OSError, cv2.error):  # told when it is read itself
        return 0
    return 0 if pixels is None else int(pixels.max(initial=0))


def _state(path: bytes) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size


def refuse_turned(path: str | os.PathLike[str], mask: Sequence[int]) -> None:
    """Refuse an image that viewers turn, unless the mask's size tells it was not.

    Masks drawn on what a viewer shows do not lie on the stored pixels. The EXIF
    orientation is 1 for an image that is shown as it is stored; 2 to 8 turn it, 5 to 8
    with its width and height exchanged (Exif 2.3, section 4.6.4).

    Args:
        path: of the image.
        mask: height and width of the mask that lies on it.

    Raises:
        InputError: it may be turned.
    """
    try:
        with Image.open(path) as image:
            turn = image.getexif().get(_ORIENTATION, 1)
            stored = image.size[::-1]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return  # what is broken is told when it is decoded
    if not isinstance(turn, int) or not 2 <= turn <= 8:
        return
    turned = stored[::-1] if turn >= 5 else stored
    if tuple(mask) == stored != turned:
        return
    raise InputError(
        path,
        f"EXIF orientation {turn}: viewers turn this image, and its mask "
        + ("was drawn on the turned one" if tuple(mask) == turned != stored else
        "may or may not have been drawn on the turned one"),
        "images without an orientation tag, as their masks have none",
        "Turn the pixels and drop the tag, e.g. mogrify -auto-orient *.jpg, where the "
        "masks were drawn on what a viewer shows; else only drop the tag, e.g. "
        "exiftool -Orientation= *.jpg.",
    )  # fmt: skip


_ORIENTATION = 0x0112
"""The tag's number."""


def compare_sizes(
    where: str | os.PathLike[str], image: Sequence[int], masks: Sequence[int]
) -> str | None:
    """What to note where an image has another size than the masks that lie on it.

    >>> compare_sizes("00000.jpg", (480, 854), (480, 854))
    >>> compare_sizes("00000.jpg", (240, 427), (480, 854))
    'images of 427x240 pixels beside masks of 854x480: masks were scaled to images'

    Args:
        where: the image.
        image: its height and width.
        masks: height and width of the masks.

    Returns:
        A sentence without a subject; None where both have one size.

    Raises:
        InputError: the sides have other proportions: the masks cannot lie on it.
    """
    sizes = [f"{size[1]}x{size[0]}" for size in (image, masks)]
    if sizes[0] == sizes[1]:
        return None
    if has_other_aspect(image, masks):
        raise InputError(
            where,
            f"an image of {sizes[0]} pixels beside masks of {sizes[1]}",
            "an image that the masks lie on",
            "Give the images that were annotated, neither cropped nor padded.",
        )
    return (
        f"images of {sizes[0]} pixels beside masks of {sizes[1]}: masks were scaled to "
        "images"
    )


def write_picture(path: str | os.PathLike[str], pixels: Picture, quality: int) -> None:
    """Write an image file, whole or not at all.

    Args:
        path: of the file; its ending tells the format.
        pixels: [H, W, 3] uint8, blue first.
        quality: of JPEG, 0 to 100.

    Raises:
        OSError: it cannot be written.
    """
    ending = os.path.splitext(path)[1].lower()
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality] if ending != ".png" else []
    made, data = cv2.imencode(ending, pixels, settings)
    assert made, "OpenCV writes JPEG and PNG"
    write_atomically(path, data.tobytes())
