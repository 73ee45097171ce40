"""Masks kept as run-length encodings in one JSON file.

Four forms are told apart by their keys: BURST, SA-V, YouTube-VIS, and the plain
nesting sequence -> frame -> object id -> COCO RLE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from evaluation._utils.json_files import parse, read_json
from evaluation.burst_classes import track_classes
from evaluation.errors import InputError
from evaluation.masks.sequence import MaskSequence, RleSequence

SAV_FRAME_STEP = 4
"""SA-V annotates at 6 frames a second in videos of 24."""

Frames = dict[str, dict[int, Any]]
"""Frame name -> object id -> COCO RLE."""


def read_mask_json(path: Path) -> dict[str, MaskSequence]:
    """Read all sequences of a JSON file.

    Args:
        path: BURST (``{"sequences": [...]}``), SA-V (``{"video_id": ...,
            "masklet": [...]}``), YouTube-VIS (``{"videos": ..., "annotations":
            ...}``), or ``{sequence: {frame: {object id: RLE}}}``.

    Raises:
        InputError: the file is no JSON, or has none of these forms.
    """
    document = read_json(path, _FIX, _EXPECTED)
    try:
        sequences = _sequences(document)
        classes, sizes = _classes(document), _sizes(document)
    except _FormError as error:
        raise InputError(path, error.found, error.expected, _FIX) from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        _name_the_place(path, document)
        raise InputError(
            path, f"JSON of another form ({error!r})", _EXPECTED, _FIX
        ) from error
    read: dict[str, MaskSequence] = {}
    for name, frames in sequences.items():
        read[name] = RleSequence(name, frames, str(path))
        read[name].classes = classes.get(name)
        read[name].size = sizes.get(name)
    return read


_EXPECTED = (
    "masks as BURST, SA-V or YouTube-VIS JSON, or {sequence: {frame: {object id: COCO "
    "RLE}}}"
)
_FIX = "Convert or write the file again, or give a folder of PNG masks."


class _FormError(Exception):
    """Something in the file is not as its form wants it; `found` says where."""

    def __init__(self, found: str, expected: str) -> None:
        self.found, self.expected = found, expected


@dataclass(frozen=True)
class _BurstMask:
    rle: str


@dataclass(frozen=True)
class _BurstVideo:
    seq_name: str
    height: int
    width: int
    annotated_image_paths: list[str]
    segmentations: list[dict[str, _BurstMask]]


@dataclass(frozen=True)
class _Burst:
    sequences: list[_BurstVideo]


@dataclass(frozen=True)
class _Rle:
    size: list[int]
    counts: Any


@dataclass(frozen=True)
class _SaV:
    video_id: Any
    masklet_id: list[int]
    masklet: list[list[_Rle | None]]


@dataclass(frozen=True)
class _VisVideo:
    id: Any
    file_names: list[str]


@dataclass(frozen=True)
class _VisAnnotation:
    id: int
    video_id: Any
    segmentations: list[_Rle | None]


@dataclass(frozen=True)
class _Vis:
    videos: list[_VisVideo]
    annotations: list[_VisAnnotation]


@dataclass(frozen=True)
class _Nested:
    sequences: dict[str, dict[str, dict[str, _Rle | None]]]


def _name_the_place(path: Path, document: Any) -> None:
    """Compare a document with its form, to say where it differs.

    Raises:
        InputError: names the place.
    """
    if not isinstance(document, dict):
        raise InputError(path, "no JSON object at the top", _EXPECTED, _FIX)
    if "sequences" in document:
        parse(document, _Burst, path, _FIX)
    elif "masklet" in document:
        parse(document, _SaV, path, _FIX)
    elif "videos" in document and "annotations" in document:
        parse(document, _Vis, path, _FIX)
    else:
        parse({"sequences": document}, _Nested, path, _FIX)


def _sequences(document: Any) -> dict[str, Frames]:
    if "sequences" in document:
        names = _burst_names(document["sequences"])
        _refuse_twice(names, "videos called")
        items = zip(names, document["sequences"], strict=True)
        return {name: _burst(name, item) for name, item in items}
    if "masklet" in document:
        return {str(document["video_id"]): _sa_v(document)}
    if "videos" in document and "annotations" in document:
        return _youtube_vis(document)
    return {
        str(name): {
            str(frame): {
                _object_id(k, f"{name}.{frame}"): _checked(rle, f"{name}.{frame}.{k}")
                for k, rle in masks.items()
                if rle is not None
            }
            for frame, masks in frames.items()
        }
        for name, frames in document.items()
    }


def _refuse_twice(names: Sequence[str], what: str) -> None:
    """Refuse names that stand for two things: the last would win.

    Raises:
        _FormError: with the first such name.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise _FormError(f"two {what} {name!r}", "a name of its own for each")
        seen.add(name)


def _stem(file: str) -> str:
    """Name of a frame from the path of its image, of any system."""
    return PurePosixPath(file.replace("\\", "/")).stem


def _in_step(first: Sequence[Any], second: Sequence[Any], place: str) -> None:
    if len(first) != len(second):
        raise _FormError(
            f"{len(second)} entries for {len(first)} frames at {place}",
            "one entry per frame, null where there is no mask",
        )


def _object_id(key: Any, place: str) -> int:
    try:
        return int(key)
    except (TypeError, ValueError):
        raise _FormError(
            f"the object id {key!r} at {place}", "integers as object ids"
        ) from None


def _burst_names(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the videos; with their data set where two have the same."""
    names = [str(item["seq_name"]) for item in items]
    if len(set(names)) == len(names):
        return names
    return [f"{item['dataset']}_-_{item['seq_name']}" for item in items]


def _classes(document: Any) -> dict[str, dict[int, tuple[str, str]] | None]:
    """Sequence -> class and group of each track, where the file says so."""
    if "sequences" not in document:
        return {}
    items = document["sequences"]
    names = {item["id"]: item["name"] for item in document.get("categories") or ()}
    pairs = zip(_burst_names(items), items, strict=True)
    return {name: track_classes(item, names) for name, item in pairs}


def _sizes(document: Any) -> dict[str, tuple[int, int]]:
    """Sequence -> (H, W), where the file says so."""
    if "sequences" in document:
        items = document["sequences"]
        names = _burst_names(items)
        return {
            name: (int(item["height"]), int(item["width"]))
            for name, item in zip(names, items, strict=True)
        }
    if "videos" in document and "annotations" in document:
        videos = document["videos"]
        return {
            name: (int(video["height"]), int(video["width"]))
            for name, video in zip(_video_names(videos), videos, strict=True)
            if "height" in video and "width" in video
        }
    return {}


_GENERIC = {"img", "img1", "images", "image", "frames", "rgb", "jpegimages", "color"}
"""Folders of frames within the folder of a video."""


def _video_names(videos: Sequence[Mapping[str, Any]]) -> list[str]:
    """A name for each video: its folder, with as much of the path as tells them apart.

    Raises:
        _FormError: two videos have the same frames' folder.
    """
    paths = []
    for video in videos:
        if not video["file_names"]:
            raise _FormError(f"no file_names in video {video['id']!r}", "at least one")
        first = PurePosixPath(video["file_names"][0].replace("\\", "/"))
        parts = [part for part in first.parts[:-1] if part not in ("/", ".", "..")]
        while len(parts) > 1 and parts[-1].lower() in _GENERIC:
            parts.pop()
        paths.append(parts or [str(video["id"])])
    while len(paths) > 1 and all(len(parts) > 1 for parts in paths):
        if len({parts[-1] for parts in paths}) > 1:
            break
        paths = [parts[:-1] for parts in paths]
    names = [parts[-1] for parts in paths]
    if len(set(names)) < len(names):
        names = ["-".join(parts) for parts in paths]
    _refuse_twice(names, "videos in the folder")
    return names


def _burst(name: str, item: Mapping[str, Any]) -> Frames:
    size = [item["height"], item["width"]]
    images, segmentations = item["annotated_image_paths"], item["segmentations"]
    _in_step(images, segmentations, f"sequences, {name}, segmentations")
    stems = [_stem(image) for image in images]
    _refuse_twice(stems, f"frames of {name} called")
    return {
        stem: {
            _object_id(k, f"{name}, {stem}"): {"size": size, "counts": mask["rle"]}
            for k, mask in masks.items()
            if mask is not None
        }
        for stem, masks in zip(stems, segmentations, strict=True)
    }


def _sa_v(document: Mapping[str, Any]) -> Frames:
    ids = [_object_id(k, "masklet_id") for k in document["masklet_id"]]
    frames: Frames = {}
    for t, masks in enumerate(document["masklet"]):
        _in_step(ids, masks, f"masklet[{t}]")
        frames[f"{SAV_FRAME_STEP * t:05d}"] = {
            k: _checked(rle, f"masklet[{t}], object {k}")
            for k, rle in zip(ids, masks, strict=True)
            if rle is not None
        }
    return frames


def _youtube_vis(document: Mapping[str, Any]) -> dict[str, Frames]:
    """Objects have the id in ``object_id``, which `s3fo convert` writes.

    Without it they are numbered from 1 on, in order of their annotation ids.
    """
    entries = document["videos"]
    videos = {video["id"]: video for video in entries}
    names = {v["id"]: n for v, n in zip(entries, _video_names(entries), strict=True)}
    _refuse_twice([str(video["id"]) for video in entries], "videos with the id")
    stems = {k: [_stem(f) for f in video["file_names"]] for k, video in videos.items()}
    sequences: dict[str, Frames] = {}
    for k, own in stems.items():
        _refuse_twice(own, f"frames of {names[k]} called")
        sequences[names[k]] = {stem: {} for stem in own}
    counted: dict[Any, int] = {}
    for item in sorted(document["annotations"], key=lambda item: item["id"]):
        video, place = item["video_id"], f"annotation {item['id']!r}"
        if video not in videos:
            raise _FormError(
                f"{place} of video {video!r}", "the id of one of the videos"
            )
        number = item.get("object_id", counted.get(video, 0) + 1)
        counted[video] = _object_id(number, place)
        _in_step(stems[video], item["segmentations"], f"{place}, segmentations")
        frames = sequences[names[video]]
        for stem, rle in zip(stems[video], item["segmentations"], strict=True):
            if rle is None:
                continue
            if counted[video] in frames[stem]:
                found = f"object {counted[video]} twice in frame {stem} ({place})"
                raise _FormError(found, "one mask per object and frame")
            frames[stem][counted[video]] = _checked(rle, f"{place}, frame {stem}")
    return sequences


def _checked(rle: Any, place: str) -> Any:
    if not isinstance(rle, dict) or "size" not in rle or "counts" not in rle:
        found = repr(rle)
        found = found if len(found) <= 40 else found[:37] + "..."
        raise _FormError(
            f"{found} at {place}", 'COCO RLE {"size": [H, W], "counts": ...}, or null'
        )
    return rle
