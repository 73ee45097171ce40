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
    add_track,
    frame_name,
    note_scores,
    object_id,
    refuse_twice,
)
from evaluation.formats.object_ids import ObjectIds


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
    names, videos = name_videos(document["videos"]), document["videos"]
    sizes = [size_of(video) for video in videos]
    frames, ids = _frames(document, names)
    scored: dict[object, list[Mapping[str, Any]]] = {}
    for item in document["annotations"]:
        if "score" in item:
            scored.setdefault(item["video_id"], []).append(item)
    return {
        name: EncodedVideo(
            frames[name],
            size,
            video_id=video["id"],
            notes=note_scores(scored.get(video["id"], ())),
            annotation_ids=ids[video["id"]],
        )
        for name, size, video in zip(names, sizes, videos, strict=True)
    }


def size_of(video: Mapping[str, Any]) -> tuple[int, int] | None:
    """(H, W) of a video; None where its entry does not say."""
    if "height" in video and "width" in video:
        return int(video["height"]), int(video["width"])
    return None


_GENERIC = {"img", "img1", "images", "image", "frames", "rgb", "jpegimages", "color"}
"""Folders of frames within the folder of a video."""


def name_videos(videos: Sequence[Mapping[str, Any]]) -> list[str]:
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


def empty_frames(entries: Sequence[Mapping[str, Any]]) -> dict[object, Frames]:
    """The frames of each video, without masks yet, by the id of the video.

    Raises:
        FormError: two videos have one id, or two frames of a video one name.
    """
    refuse_twice([str(video["id"]) for video in entries], "videos with the id")
    frames: dict[object, Frames] = {}
    for video in entries:
        stems = [frame_name(file) for file in video["file_names"]]
        refuse_twice(stems, f"frames of video {video['id']!r} called")
        frames[video["id"]] = {stem: {} for stem in stems}
    return frames


def _frames(
    document: Mapping[str, Any], video_names: Sequence[str]
) -> tuple[dict[str, Frames], dict[object, dict[int, int]]]:
    """The frames of each video by its name; annotation id -> object id, by its id.

    Objects have the id in ``object_id``, which `s3fo convert` writes. Without it they
    are numbered from 1 on, in order of their annotation ids.
    """
    own: dict[object, dict[int, int]] = {
        entry["id"]: {} for entry in document["videos"]
    }
    videos = empty_frames(document["videos"])
    counted: dict[object, int] = {}
    ids = {video: ObjectIds() for video in videos}
    for item in sorted(document["annotations"], key=lambda item: item["id"]):
        video, place = item["video_id"], f"annotation {item['id']!r}"
        if video not in videos:
            raise FormError(
                f"{place} of video {video!r}", "the id of one of the videos"
            )
        number = item.get("object_id", counted.get(video, 0) + 1)
        counted[video] = object_id(number, place, ids[video])
        add_track(videos[video], counted[video], item["segmentations"], place)
        own[video][item["id"]] = counted[video]
    return dict(zip(video_names, videos.values(), strict=True)), own


YOUTUBE_VIS = JsonForm(
    "YouTube-VIS",
    lambda document: "videos" in document and "annotations" in document,
    _read,
    _Vis,
)
