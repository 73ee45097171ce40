"""Masks kept as run-length encodings in one JSON file.

Four forms are told apart by their keys: BURST, SA-V, YouTube-VIS, and the plain
nesting sequence -> frame -> object id -> COCO RLE.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
    try:
        document = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _unreadable(path, f"no valid JSON ({error})") from error
    try:
        sequences = _sequences(document)
        classes, sizes = _classes(document), _sizes(document)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise _unreadable(path, f"JSON of another form ({error!r})") from error
    read: dict[str, MaskSequence] = {}
    for name, frames in sequences.items():
        read[name] = RleSequence(name, frames, str(path))
        read[name].classes = classes.get(name)
        read[name].size = sizes.get(name)
    return read


def _sequences(document: Any) -> dict[str, Frames]:
    if "sequences" in document:
        names = _burst_names(document["sequences"])
        items = zip(names, document["sequences"], strict=True)
        return {name: _burst(item) for name, item in items}
    if "masklet" in document:
        return {str(document["video_id"]): _sa_v(document)}
    if "videos" in document and "annotations" in document:
        return _youtube_vis(document)
    return {
        str(name): {
            str(frame): {int(k): _checked(rle) for k, rle in masks.items()}
            for frame, masks in frames.items()
        }
        for name, frames in document.items()
    }


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
        return {
            _video_name(video): (int(video["height"]), int(video["width"]))
            for video in document["videos"]
            if "height" in video and "width" in video
        }
    return {}


def _video_name(video: Mapping[str, Any]) -> str:
    return Path(video["file_names"][0]).parent.name


def _burst(item: Mapping[str, Any]) -> Frames:
    size = [item["height"], item["width"]]
    frames: Frames = {}
    pairs = zip(item["annotated_image_paths"], item["segmentations"], strict=True)
    for image, masks in pairs:
        frames[Path(image).stem] = {
            int(k): {"size": size, "counts": mask["rle"]} for k, mask in masks.items()
        }
    return frames


def _sa_v(document: Mapping[str, Any]) -> Frames:
    ids = [int(k) for k in document["masklet_id"]]
    return {
        f"{SAV_FRAME_STEP * t:05d}": {
            k: _checked(rle) for k, rle in zip(ids, masks, strict=True)
        }
        for t, masks in enumerate(document["masklet"])
    }


def _youtube_vis(document: Mapping[str, Any]) -> dict[str, Frames]:
    """Objects have the id in ``object_id``, which `s3fo convert` writes.

    Without it they are numbered from 1 on, in order of their annotation ids.
    """
    videos = {video["id"]: video for video in document["videos"]}
    names = {k: _video_name(video) for k, video in videos.items()}
    sequences: dict[str, Frames] = {
        names[k]: {Path(file).stem: {} for file in video["file_names"]}
        for k, video in videos.items()
    }
    counted: dict[Any, int] = {}
    for item in sorted(document["annotations"], key=lambda item: item["id"]):
        video = item["video_id"]
        counted[video] = int(item.get("object_id", counted.get(video, 0) + 1))
        files = videos[video]["file_names"]
        for file, rle in zip(files, item["segmentations"], strict=True):
            if rle is not None:
                frame = sequences[names[video]][Path(file).stem]
                frame[counted[video]] = _checked(rle)
    return sequences


def _checked(rle: Any) -> Any:
    if "size" not in rle or "counts" not in rle:
        raise KeyError("size, counts")
    return rle


def _unreadable(path: Path, found: str) -> InputError:
    return InputError(
        path,
        found,
        "masks as BURST, SA-V or YouTube-VIS JSON, or {sequence: {frame: {object id: "
        "COCO RLE}}}",
        "Convert the file, or give a folder of PNG masks.",
    )
