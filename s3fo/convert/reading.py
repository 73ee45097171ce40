"""Read any of the formats into videos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation._utils.json_files import parse, read_json
from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map
from evaluation.masks.open import open_ground_truth
from evaluation.masks.sequence import ArraySequence, MaskSequence, RleSequence
from s3fo.benchmarks.layouts.files import read_text
from s3fo.convert.formats import FORMATS

FRAMES_FILE = "frames.json"
"""Beside formats that cannot name empty frames: sequence -> frames and size."""

MOTS_SCALE = 1000
"""MOTS writes the class in thousands: class * 1000 + object."""

MOTS_IGNORE = 10
"""The class of regions that MOTS ignores."""


def detect(path: Path) -> str:
    """Name of the format of a file or folder.

    Raises:
        InputError: it is none that can be told from what lies there.
    """
    if path.is_file() and path.suffix == ".json":
        document = _document(path)
        if "sequences" in document:
            return "burst"
        if "masklet" in document:
            return "sa-v"
        if "videos" in document:
            return "youtube-vis"
        if "images" in document:
            return "coco"
    if path.is_dir():
        if any(path.glob("*_manual.json")) or any(path.glob("*_auto.json")):
            return "sa-v"
        if _text_files(path):
            return "mots"
        found = sorted(path.rglob("*.png"))
        if found:
            return _kind_of_folder(path, found)
    raise InputError(
        path,
        "no masks in a format that can be told" if path.exists() else "no such path",
        f"one of {', '.join(FORMATS)}",
        "Name the format (source_format=, --from), or give the path of the masks.",
    )


def read(path: Path, source_format: str) -> dict[str, MaskSequence]:
    """Open the masks of all videos.

    Raises:
        InputError: they are not in this format.
    """
    if source_format == "mots":
        return _read_mots(path)
    if source_format == "mots-png":
        return _read_mots_png(path)
    if source_format == "coco":
        return _read_coco(path)
    if source_format == "sa-v" and path.is_dir():
        files = sorted((*path.glob("*_manual.json"), *path.glob("*_auto.json")))
        parts = [_with_frames(file) for file in files]
        return {name: masks for part in parts for name, masks in part.items()}
    if source_format == "sa-v":
        return _with_frames(path)
    return dict(open_ground_truth(path).sequences)


def _with_frames(path: Path) -> dict[str, MaskSequence]:
    """One file of SA-V, its frames by the names that `convert` wrote beside them."""
    document = _document(path)
    if document.get("masklet_frame_names") is None:
        return dict(open_ground_truth(path).sequences)
    known = parse(document, _Masklets, path, _FIX)
    counts = {len(masks) for masks in known.masklet} | {len(known.masklet_id)}
    if len(counts) > 1 or len(known.masklet) != len(known.masklet_frame_names):
        found = "lists of masklets that do not have one length"
        raise InputError(path, found, "SA-V masklets", _FIX)
    frames = {
        name: dict(zip(known.masklet_id, masks, strict=True))
        for name, masks in zip(known.masklet_frame_names, known.masklet, strict=True)
    }
    video = known.video_id
    masks = RleSequence(video, frames, str(path))
    masks.size = (int(known.video_height), int(known.video_width))
    return {video: masks}


def _read_mots(folder: Path) -> dict[str, MaskSequence]:
    known = _known_frames(folder)
    read: dict[str, MaskSequence] = {}
    for path in _text_files(folder):
        told = known.get(path.stem, {})
        by_number = {int(name): name for name in told.get("frames", ())}
        frames: dict[str, dict[int, Any]] = {name: {} for name in by_number.values()}
        for number, object_id, rle in _mots_lines(path):
            name = by_number.get(number, f"{number:06d}")
            frames.setdefault(name, {})[object_id] = rle
        masks = RleSequence(path.stem, frames, str(path))
        masks.size = tuple(told["size"]) if told else None
        read[path.stem] = masks
    return read


def _mots_lines(path: Path) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """(frame number, object id, run lengths) of each line but ignored regions."""
    for row, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            frame, mots_id, kind, height, width, counts = line.split(" ")
            size = [int(height), int(width)]
            numbers = int(frame), int(mots_id), int(kind)
        except ValueError as error:
            raise InputError(
                f"{path}, line {row}",
                repr(line[:80]),
                "frame, object, class, height, width and run lengths",
                "Give files as MOTS has them.",
            ) from error
        if numbers[2] != MOTS_IGNORE:
            object_id = numbers[1] % MOTS_SCALE
            yield numbers[0], object_id, {"size": size, "counts": counts}


def _read_mots_png(folder: Path) -> dict[str, MaskSequence]:
    read: dict[str, MaskSequence] = {}
    for inner in sorted(item for item in folder.iterdir() if item.is_dir()):
        files = {path.stem: path for path in sorted(inner.glob("*.png"))}
        if files:
            read[inner.name] = _MotsPngs(inner.name, files)
    return read


class _MotsPngs(ArraySequence):
    """Index masks of MOTS, whose ids also tell the class."""

    def where(self, frame: str, object_id: int | None = None) -> str:
        """The file."""
        return str(self._masks[frame])

    def read(self, frame: str) -> np.ndarray[Any, Any]:
        """The label map, without classes and ignored regions."""
        stored = read_label_map(self._masks[frame]).astype(np.int64)
        ignored = stored // MOTS_SCALE == MOTS_IGNORE
        return np.where(ignored, 0, stored % MOTS_SCALE).astype(np.uint16)


def _read_coco(path: Path) -> dict[str, MaskSequence]:
    document = parse(_document(path), _CocoFile, path, _FIX)
    frames: dict[str, dict[str, dict[int, Any]]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    places = {}
    for image in document.images:
        name = Path(image.file_name)
        video = name.parent.name if image.video is None else image.video
        frames.setdefault(video, {})[name.stem] = {}
        sizes[video] = (image.height, image.width)
        places[image.id] = (video, name.stem)
    for index, item in enumerate(document.annotations):
        if item.image_id not in places:
            found = f"the image {item.image_id!r} at annotations[{index}].image_id"
            raise InputError(path, found, "the id of one of its images", _FIX)
        video, frame = places[item.image_id]
        own = (item.object_id, item.track_id, item.id)
        object_id = next(number for number in own if number is not None)
        frames[video][frame][object_id] = item.segmentation
    read: dict[str, MaskSequence] = {}
    for video, masks in frames.items():
        read[video] = RleSequence(video, masks, str(path))
        read[video].size = sizes[video]
    return read


def _kind_of_folder(path: Path, files: Sequence[Path]) -> str:
    """Which of the formats of PNG files a folder has; empty masks do not tell."""
    depth = len(files[0].relative_to(path).parts)
    if depth >= 3:
        return "object-folders"
    for file in files:
        label_map = read_label_map(file)
        ids = label_map[label_map > 0]
        if ids.size:
            return "mots-png" if int(ids.min()) >= MOTS_SCALE else "davis"
    return "davis"


def _text_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.txt")) if path.stem != "seqmap"]


def _known_frames(folder: Path) -> Mapping[str, Any]:
    path = folder / FRAMES_FILE
    known: Mapping[str, Any] = _document(path) if path.is_file() else {}
    return known


_FIX = "Write the file again, or give another path."


@dataclass(frozen=True)
class _CocoImage:
    id: int | str
    file_name: str
    height: int
    width: int
    video: str | None = None


@dataclass(frozen=True)
class _CocoMask:
    """Run lengths, which are checked when decoded, and whose they are."""

    id: int
    image_id: int | str
    segmentation: Any
    object_id: int | None = None
    track_id: int | None = None


@dataclass(frozen=True)
class _CocoFile:
    images: list[_CocoImage]
    annotations: list[_CocoMask]


@dataclass(frozen=True)
class _Masklets:
    """What is read of a file of SA-V that `convert` wrote."""

    video_id: str
    video_height: float
    video_width: float
    masklet_id: list[int]
    masklet: list[list[Any]]
    masklet_frame_names: list[str]


def _document(path: Path) -> dict[str, Any]:
    document = read_json(path, _FIX, "a JSON file of masks")
    return document if isinstance(document, dict) else {}
