"""Masks in the form of COCO: images of videos, and one annotation per mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from evaluation._utils.names import note_several_videos
from evaluation.formats.form import (
    EncodedVideo,
    FormError,
    Frames,
    JsonForm,
    Rle,
    check_rle,
    frame_name,
    note_scores,
    object_id,
)
from evaluation.formats.object_ids import ObjectIds

Item = Mapping[str, Any]
"""An object of the file."""

_ID_KEYS = ("object_id", "track_id", "instance_id")
"""Under which an annotation may say which object it is; COCO itself has no such key."""


@dataclass(frozen=True)
class _CocoImage:
    id: Any
    file_name: str
    height: int
    width: int


@dataclass(frozen=True)
class _CocoMask:
    id: Any
    image_id: Any
    segmentation: Rle


@dataclass(frozen=True)
class _Coco:
    images: list[_CocoImage]
    annotations: list[_CocoMask]


def _recognises(document: Item) -> bool:
    images = document.get("images")
    return isinstance(images, list) and bool(images) and "annotations" in document


def _read(document: Item) -> dict[str, EncodedVideo]:
    videos = {item["id"]: item["name"] for item in document.get("videos") or ()}
    frames: dict[str, Frames] = {}
    sizes: dict[str, tuple[int, int]] = {}
    places: dict[Any, tuple[str, str]] = {}
    for image in document["images"]:
        video, frame = _video_of(image, videos), frame_name(image["file_name"])
        if frame in frames.setdefault(video, {}):
            found = f"two frames of {video} called {frame!r}"
            raise FormError(found, "a name of its own for each")
        frames[video][frame] = {}
        sizes[video] = (int(image["height"]), int(image["width"]))
        places[image["id"]] = (video, frame)
    key = _key_of_objects(document["annotations"])
    ids = {video: ObjectIds() for video in frames}
    for index, item in enumerate(document["annotations"]):
        place = f"annotations[{index}]"
        if item["image_id"] not in places:
            found = f"the image {item['image_id']!r} at {place}.image_id"
            raise FormError(found, "the id of one of its images")
        video, frame = places[item["image_id"]]
        number = object_id(item[key], place, ids[video])
        if number in frames[video][frame]:
            found = f"object {number} of {video} twice in frame {frame} ({place})"
            raise FormError(found, "one mask per object and frame")
        frames[video][frame][number] = _run_lengths(item, place)
    items: dict[str, list[Item]] = {}
    for item in document["annotations"]:
        items.setdefault(places[item["image_id"]][0], []).append(item)
    return {
        name: EncodedVideo(
            own,
            sizes[name],
            notes=note_scores(items.get(name, ())) + note_several_videos(own),
        )
        for name, own in frames.items()
    }


def _video_of(image: Item, videos: Mapping[Any, str]) -> str:
    """Name of the video of an image: as it says, else the folder of its file."""
    if image.get("video") is not None:
        return str(image["video"])
    if image.get("video_id") in videos:
        return str(videos[image["video_id"]])
    return PurePosixPath(image["file_name"].replace("\\", "/")).parent.name or "images"


def _key_of_objects(items: Sequence[Item]) -> str:
    """The key that says of every annotation which object it is of.

    Raises:
        FormError: there is none: annotations of images say nothing about tracks.
    """
    for key in _ID_KEYS:
        if all(item.get(key) is not None for item in items):
            return key
    raise FormError(
        "annotations that do not say which object of the video each is of",
        f"one of {', '.join(_ID_KEYS)} in every annotation",
        "Add the `object_id` to every annotation: the same through a whole video.",
    )


def _run_lengths(item: Item, place: str) -> object:
    """The run lengths of an annotation.

    Raises:
        FormError: it has none: polygons leave open which pixels they cover.
    """
    if isinstance(item["segmentation"], list):
        raise FormError(
            f"polygons at {place}.segmentation",
            'COCO RLE {"size": [H, W], "counts": ...}',
            "Write run lengths, e.g. with `COCO.annToRLE` of pycocotools.",
        )
    return check_rle(item["segmentation"], f"{place}.segmentation")


COCO = JsonForm("COCO", _recognises, _read, _Coco)
