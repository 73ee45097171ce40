"""Masks of MOTS: a text file per video, one line per mask; and what its ids say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from evaluation._utils.input_files import read_input
from evaluation._utils.json_files import read_json
from evaluation.errors import InputError
from evaluation.formats.form import EncodedVideo, Frames

FRAMES_FILE = "frames.json"
"""Beside files that cannot name empty frames: sequence -> frames and size."""

MOTS_SCALE = 1000
"""MOTS writes the class in thousands: class * 1000 + object."""

MOTS_IGNORE = 10
"""The class of regions that MOTS ignores."""

IGNORED_REGION = MOTS_IGNORE * MOTS_SCALE
"""The id of these regions, in which predictions do not count either."""

_FIX = "Give files as MOTS has them, one line per mask."


_Known = Mapping[str, Any]


class _Line(NamedTuple):
    """One mask: number of the frame, id, class, run lengths, and where it stands."""

    frame: int
    mots_id: int
    kind: int
    rle: dict[str, Any]
    where: str

    @property
    def key(self) -> tuple[int, int]:
        """Id and class."""
        return self.mots_id, self.kind

    @property
    def is_ignored(self) -> bool:
        """Whether it is a region to ignore, and no object."""
        return self.kind == MOTS_IGNORE


def mots_files(folder: Path) -> list[Path]:
    """The files of a folder of MOTS; none if it is no such folder."""
    files = [path for path in sorted(folder.glob("*.txt")) if path.stem != "seqmap"]
    return files if files and all(map(_is_mots, files)) else []


def _is_mots(path: Path) -> bool:
    """Whether the first line of a file is that of a mask; empty files may be."""
    try:
        with open(path, "rb") as file:
            first = file.readline(1 << 20).split()
    except OSError:
        return False
    numbers = first[:5]
    return not first or (len(first) == 6 and all(n.isdigit() for n in numbers))


def read_mots(folder: Path, *, whole_ids: bool = False) -> dict[str, EncodedVideo]:
    """Read the masks of all videos; ignored regions are object `IGNORED_REGION`.

    Args:
        folder: of ``<sequence>.txt``; `FRAMES_FILE` may say which frames there are.
        whole_ids: keep ids of class * 1000 + object as they are.

    Raises:
        InputError: a line is no mask, or one object has two masks in a frame.
    """
    known = _known_frames(folder)
    videos = {path.stem: list(_lines(path)) for path in mots_files(folder)}
    keys = {x.key for own in videos.values() for x in own if not x.is_ignored}
    instances = _whole_ids(keys) if whole_ids else object_ids(sorted(keys))
    read: dict[str, EncodedVideo] = {}
    for name, lines in videos.items():
        told = known.get(name, {})
        by_number = _by_number(told.get("frames", ()), folder / FRAMES_FILE)
        frames: Frames = {frame: {} for frame in by_number.values()}
        for line in lines:
            frame = by_number.get(line.frame, f"{line.frame:06d}")
            own = frames.setdefault(frame, {})
            number = IGNORED_REGION if line.is_ignored else instances[line.key]
            if number in own:
                raise InputError(
                    line.where,
                    f"object {line.mots_id} twice in frame {line.frame}",
                    "one mask per object and frame",
                    _FIX,
                )
            own[number] = line.rle
        size = tuple(told["size"]) if told else None
        ignores = any(line.is_ignored for line in lines)
        read[name] = EncodedVideo(
            frames, size, ignores=IGNORED_REGION if ignores else None
        )
    return read


def _by_number(frames: Iterable[str], path: Path) -> dict[int, str]:
    """Names of frames by their numbers.

    Raises:
        InputError: one is no number, or two are the same.
    """
    found: dict[int, str] = {}
    for name in frames:
        number = int(name) if name.isascii() and name.isdecimal() else -1
        if number < 0 or number in found:
            both = f"{found[number]!r} and {name!r}" if number in found else repr(name)
            raise InputError(path, both, "frame numbers, each once", _FIX)
        found[number] = name
    return found


def _lines(path: Path) -> Iterator[_Line]:
    data = read_input(path, "a text file in UTF-8", "Copy or unpack it again.")
    for row, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path}, line {row}"
        try:
            frame, mots_id, kind, height, width, counts = line.split()
            rle = {"size": [int(height), int(width)], "counts": counts}
            mask = _Line(int(frame), int(mots_id), int(kind), rle, where)
        except ValueError as error:
            raise InputError(
                where,
                repr(line[:80]),
                "frame, object, class, height, width and run lengths",
                _FIX,
            ) from error
        yield mask


def _whole_ids(keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Ids of class * 1000 + object, also of ids that do not tell the class."""
    return {
        (number, kind): number
        if number // MOTS_SCALE == kind
        else MOTS_SCALE * kind + number
        for number, kind in keys
    }


def object_ids(ids: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """The object ids that ids of MOTS stand for.

    That is what its class leaves of an id; but whole ids where objects of two classes
    would have one number, or one would be 0, which label maps have for background.

    Args:
        ids: id and class of every mask, not of ignored regions.

    >>> object_ids([(1002, 1), (1007, 1)])
    {(1002, 1): 2, (1007, 1): 7}
    >>> object_ids([(1002, 1), (2002, 2)])
    {(1002, 1): 1002, (2002, 2): 2002}
    """
    short = {
        (number, kind): number - MOTS_SCALE * kind
        if number // MOTS_SCALE == kind
        else number
        for number, kind in dict.fromkeys(ids)
    }
    if len(set(short.values())) == len(short) and 0 not in short.values():
        return short
    return {key: key[0] for key in short}


def _known_frames(folder: Path) -> _Known:
    path = folder / FRAMES_FILE
    if not path.is_file():
        return {}
    document = read_json(path, "Write the file again, or remove it.")
    return document if isinstance(document, dict) else {}
