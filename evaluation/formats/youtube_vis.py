"""Masks of YouTube-VIS: videos, and one annotation per object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from evaluation.formats.form import (
    EncodedVideo,
    FormError,
    Frames,
    JsonForm,
    Rle,
    check_length,
    check_rle,
    frame_name,
    object_id,
    refuse_twice,
)


@dataclass(frozen=True)
class _VisVideo:
    id: Any
    file_names: list[str]


@dataclass(frozen=True)
class _VisAnnotation:
    id: int
    video_id: Any
    segmentations: list[Rle | None]


@dataclass(frozen=True)
class _Vis:
    videos: list[_VisVideo]
    annotations: list[_VisAnnotation]


def _read(document: Mapping[str, Any]) -> dict[str, EncodedVideo]:
    names, videos = _video_names(document["videos"]), document["videos"]
    sizes = {
        name: (int(video["height"]), int(video["width"]))
        for name, video in zip(names, videos, strict=True)
        if "height" in video and "width" in video
    }
    frames = _frames(document, names)
    ids = {name: video["id"] for name, video in zip(names, videos, strict=True)}
    return {
        name: EncodedVideo(frames[name], sizes.get(name), video_id=ids[name])
        for name in names
    }


_GENERIC = {"img", "img1", "images", "image", "frames", "rgb", "jpegimages", "color"}
"""Folders of frames within the folder of a video."""


def _video_names(videos: Sequence[Mapping[str, Any]]) -> list[str]:
    """A name for each video: its folder, with as much of the path as tells them apart.

    Raises:
        FormError: two videos have the same frames' folder.
    """
    paths = []
    for video in videos:
        if not video["file_names"]:
            raise FormError(f"no file_names in video {video['id']!r}", "at least one")
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
    refuse_twice(names, "videos in the folder")
    return names


def _frames(
    document: Mapping[str, Any], video_names: Sequence[str]
) -> dict[str, Frames]:
    """Objects have the id in ``object_id``, which `s3fo convert` writes.

    Without it they are numbered from 1 on, in order of their annotation ids.
    """
    entries = document["videos"]
    videos = {video["id"]: video for video in entries}
    names = {v["id"]: n for v, n in zip(entries, video_names, strict=True)}
    refuse_twice([str(video["id"]) for video in entries], "videos with the id")
    stems = {
        k: [frame_name(f) for f in video["file_names"]] for k, video in videos.items()
    }
    sequences: dict[str, Frames] = {}
    for k, own in stems.items():
        refuse_twice(own, f"frames of {names[k]} called")
        sequences[names[k]] = {stem: {} for stem in own}
    counted: dict[Any, int] = {}
    for item in sorted(document["annotations"], key=lambda item: item["id"]):
        video, place = item["video_id"], f"annotation {item['id']!r}"
        if video not in videos:
            raise FormError(
                f"{place} of video {video!r}", "the id of one of the videos"
            )
        number = item.get("object_id", counted.get(video, 0) + 1)
        counted[video] = object_id(number, place)
        check_length(stems[video], item["segmentations"], f"{place}, segmentations")
        frames = sequences[names[video]]
        for stem, rle in zip(stems[video], item["segmentations"], strict=True):
            if rle is None:
                continue
            if counted[video] in frames[stem]:
                found = f"object {counted[video]} twice in frame {stem} ({place})"
                raise FormError(found, "one mask per object and frame")
            frames[stem][counted[video]] = check_rle(rle, f"{place}, frame {stem}")
    return sequences


YOUTUBE_VIS = JsonForm(
    "YouTube-VIS",
    lambda document: "videos" in document and "annotations" in document,
    _read,
    _Vis,
)
