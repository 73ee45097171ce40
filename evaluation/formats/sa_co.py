"""Masks of SA-Co/VEval and SA-FARI: phrases of videos, and the objects they mean.

The file is that of YouTube-VIS with ``video_np_pairs``, which list every phrase that is
asked of a video, those without an object included. Each pair is a sequence of its own,
``<video>-<category_id>``: its objects are scored among themselves.

Source: the README of scripts/eval/veval of facebookresearch/sam3 describes the format,
its evaluation code (`saco_veval_evaluators`) which pairs and objects count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.formats.form import (
    EncodedVideo,
    FormError,
    Frames,
    JsonForm,
    PhraseId,
    Rle,
    add_track,
    keep_empty,
)
from evaluation.formats.youtube_vis import empty_frames, name_videos, size_of


@dataclass(frozen=True)
class _Video:
    id: Any
    file_names: list[str]
    height: int
    width: int


@dataclass(frozen=True)
class _Annotation:
    id: int
    video_id: Any
    category_id: Any
    segmentations: list[Rle | None]


@dataclass(frozen=True)
class _Pair:
    video_id: Any
    category_id: Any


@dataclass(frozen=True)
class _SaCo:
    videos: list[_Video]
    annotations: list[_Annotation]
    video_np_pairs: list[_Pair]


def _read(document: Mapping[str, Any]) -> dict[str, EncodedVideo]:
    """Annotations of crowds are left out; phrases that only these have count, too."""
    entries = document["videos"]
    names = dict(
        zip([video["id"] for video in entries], name_videos(entries), strict=True)
    )
    sizes = {video["id"]: size_of(video) for video in entries}
    blank = empty_frames(entries)
    found: dict[PhraseId, Frames] = {}
    for place, item in _places(document):
        if item["video_id"] not in blank:
            raise FormError(
                f"{place} of video {item['video_id']!r}", "the id of one of the videos"
            )
        key = PhraseId(item["video_id"], item["category_id"])
        found.setdefault(key, {frame: {} for frame in blank[key.video_id]})
    counted = dict.fromkeys(found, 0)
    for item in sorted(document["annotations"], key=lambda item: item["id"]):
        if item.get("iscrowd"):
            continue
        key = PhraseId(item["video_id"], item["category_id"])
        counted[key] += 1
        masks, place = item["segmentations"], f"annotation {item['id']!r}"
        add_track(found[key], counted[key], masks, place)
        keep_empty(found[key], counted[key], masks, sizes[key.video_id])
    return {
        f"{names[key.video_id]}-{key.category_id}": EncodedVideo(
            frames, sizes[key.video_id], video_id=key
        )
        for key, frames in found.items()
    }


def _places(document: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """What names a phrase of a video, and what to call its place in an error."""
    pairs = enumerate(document["video_np_pairs"])
    return [
        *((f"video_np_pairs[{index}]", pair) for index, pair in pairs),
        *((f"annotation {item['id']!r}", item) for item in document["annotations"]),
    ]


SA_CO = JsonForm(
    "SA-Co",
    lambda document: "video_np_pairs" in document and "annotations" in document,
    _read,
    _SaCo,
)
