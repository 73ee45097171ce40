"""How the App is made to show mask files that labels refer to.

FiftyOne and its App read a palette PNG as colours, not as indices: of a plain
integer mask they would look at the red channel, in which DAVIS's object 2 (dark
green) is 0, invisible. Such files get colours as mask targets; grey files get
integers.

The App shows the colours that a palette file has. So that an object has one colour
everywhere, files with another palette than DAVIS's are shown through copies in the
cache that have that palette and the same pixels.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evaluation._utils.atomic import write_atomically
from evaluation._utils.cache_dir import user_cache
from evaluation._utils.fingerprint import digest_bytes
from evaluation._utils.input_files import read_input, refuse_special
from evaluation.masks.label_map import davis_palette, write_label_map
from evaluation.masks.png import PNG_SIGNATURE, chunks, parse_header
from s3fo.benchmarks import VideoSequence
from s3fo.datasets.importing.results import PredictedVideo

_OBJECTS_TOLD = 30
_GREY, _PALETTE = 0, 3


def mask_targets(path: Path) -> dict[str, str] | dict[int, str]:
    """What the pixels of a mask file, and of others like it, mean in the App.

    Args:
        path: a palette or grey PNG.

    Returns:
        ``{"#800000": "object 1", ...}`` for palette files, else
        ``{1: "object 1", ...}``.
    """
    palette = _palette_of(path)
    names = {key: f"object {key}" for key in range(1, _OBJECTS_TOLD + 1)}
    if palette is None:
        return names
    colours: dict[str, str] = {}
    for key, name in names.items():
        channels = palette[3 * key : 3 * key + 3]
        if len(channels) == 3:
            # Palettes may repeat a colour for ids that they do not use.
            colours.setdefault("#{:02x}{:02x}{:02x}".format(*channels), name)
    return colours


def annotations_to_show(sequence: VideoSequence) -> Mapping[str, Path]:
    """The mask file of each annotated frame, for the App.

    Masks that are kept object by object (folders, run lengths) are drawn into label
    maps in the cache when asked for; where they overlap the smaller lies on top.
    """
    if sequence.object_masks is not None:
        return _Drawn(sequence.read_annotation, sequence.annotated_frames)
    return files_to_show(sequence.annotations, binary=sequence.binary)


def predictions_to_show(video: PredictedVideo) -> Mapping[str, Path]:
    """The mask file of each predicted frame, for the App.

    Masks that are no plain label maps are drawn into some in the cache.
    """
    if video.is_plain:
        return files_to_show(video.files(), binary=video.binary)
    return _Drawn(video.label_map, tuple(video.names))


def files_to_show(
    files: Mapping[str, Path], *, binary: bool = False
) -> Mapping[str, Path]:
    """The files of one sequence, such that the App shows each object in its colour.

    Args:
        files: mask file of each frame, all written alike; the first is looked at.
        binary: any non-zero pixel is object 1.

    Returns:
        `files`, where their own colours are right (or they are grey: then mask
        targets say the colours); else copies of them, made when asked for.
    """
    first = next(iter(files.values()), None)
    if first is None:
        return files
    try:
        usual = _is_grey_or_davis(first)
    except OSError:
        return files  # Whoever reads the masks tells what is wrong.
    if binary:
        return _Recoloured(files, _one_colour())
    return files if usual else _Recoloured(files, davis_palette().tobytes())


class _Recoloured(Mapping[str, Path]):
    """Copies with another palette; made when asked for, once for each content."""

    def __init__(self, files: Mapping[str, Path], palette: bytes) -> None:
        self._files = files
        self._palette = palette

    def __getitem__(self, frame: str) -> Path:
        path = self._files[frame]
        copy = _with_palette(read_input(path, "a PNG file"), self._palette)
        if copy is None:
            return path
        shown = _place(copy)
        if not shown.is_file():
            write_atomically(shown, copy)
        return shown

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, frame: object) -> bool:
        return frame in self._files


class _Drawn(Mapping[str, Path]):
    """Label maps of a sequence without any; made when asked for."""

    def __init__(
        self, read: Callable[[str], NDArray[np.integer]], frames: Sequence[str]
    ) -> None:
        self._read = read
        self._names = tuple(frames)
        self._frames = frozenset(frames)

    def __getitem__(self, frame: str) -> Path:
        if frame not in self._frames:
            raise KeyError(frame)
        label_map = self._read(frame)
        shown = _place(f"{label_map.shape}".encode() + label_map.tobytes())
        if not shown.is_file():
            write_label_map(shown, label_map)
        return shown

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._frames)

    def __contains__(self, frame: object) -> bool:
        return frame in self._frames


def _place(content: bytes) -> Path:
    """Where a file that is made from `content` lies in the cache."""
    name = digest_bytes(content).hex()
    return user_cache("masks") / name[:2] / f"{name}.png"


def _is_grey_or_davis(path: Path) -> bool:
    """Whether a file is grey, or has the colours of DAVIS for the ids it has.

    Many files have the first colours only, and black for the ids they do not use.
    """
    palette = _palette_of(path)
    if palette is None:
        return True
    given = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    coloured = np.flatnonzero(given.any(axis=1))
    last = min(int(coloured[-1]), _OBJECTS_TOLD) if len(coloured) else 0
    if not np.array_equal(given[1 : last + 1], davis_palette()[1 : last + 1]):
        return False
    with Image.open(path) as image:
        return int(image.getextrema()[1]) <= last  # type: ignore[arg-type]


def _palette_of(path: Path) -> bytes | None:
    refuse_special(path)
    with Image.open(path) as image:
        palette = image.getpalette() if image.mode in ("P", "1") else None
    return None if palette is None else bytes(palette)


def _one_colour() -> bytes:
    palette = davis_palette()
    return (palette[:1].tobytes() + palette[1:2].tobytes() * 255)[:768]


def _with_palette(data: bytes, palette: bytes) -> bytes | None:
    """A PNG with the same pixels, as indices into another palette.

    The compressed pixels are taken over as they are. Grey of up to 8 bits becomes
    indices, too: only the header tells the two apart.

    Returns:
        The file; None if its pixels are something else (16 bits, colours).
    """
    header = parse_header(data)
    if header is None or header.bits > 8 or header.colour_type not in (_GREY, _PALETTE):
        return None
    parts = list(chunks(data))
    first = bytearray(parts[0][1])
    first[9] = _PALETTE
    kept = [(b"IHDR", bytes(first)), (b"PLTE", palette[: 3 << header.bits])]
    kept += [part for part in parts if part[0] in (b"IDAT", b"IEND")]
    return PNG_SIGNATURE + b"".join(_pack(*part) for part in kept)


def _pack(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
