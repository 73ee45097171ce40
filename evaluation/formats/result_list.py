"""Lists of results as the servers of YouTube-VIS and COCO take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.formats.form import (
    EncodedVideo,
    FormError,
    Frames,
    check_length,
    check_rle,
    object_id,
)

_ID_KEYS = ("object_id", "track_id", "instance_id")
"""Under which a result may say which object it is; the format has no such key."""

_AS_PNG = "write the masks as one PNG per frame."


def read_result_list(
    entries: Sequence[Any], videos: Mapping[Any, tuple[str, Sequence[str]]]
) -> dict[str, EncodedVideo]:
    """Read the results of YouTube-VIS: one entry per predicted track.

    Entries hold ``video_id``, ``segmentations`` (COCO RLE or null, one per frame),
    ``score`` and ``category_id``. Tracks are numbered from 1, the best score first,
    unless every entry has an ``object_id``, ``track_id`` or ``instance_id``.

    Args:
        entries: the list in the file.
        videos: name and frames, in playing order, of the videos of the ground truth by
            their ids.

    Raises:
        FormError: a list of something else, of results of images, or of videos that
            the ground truth does not have.

    Source: the evaluation server of YouTube-VIS describes the format.
    """
    _refuse_others(entries, videos)
    key = next((k for k in _ID_KEYS if all(k in one for one in entries)), None)
    places = [f"entry {index}" for index in range(len(entries))]
    listed = list(zip(places, entries, strict=True))
    if key is None:
        listed.sort(key=lambda item: -float(item[1].get("score", 0)))
    found: dict[str, Frames] = {}
    tracks: dict[str, int] = {}
    for place, entry in listed:
        if entry["video_id"] not in videos:
            raise FormError(
                f"the video_id {entry['video_id']!r} at {place}",
                "the id of a video in the ground truth's file",
            )
        name, frames = videos[entry["video_id"]]
        own = found.setdefault(name, {frame: {} for frame in frames})
        tracks[name] = tracks.get(name, 0) + 1
        number = object_id(entry[key], place) if key else tracks[name]
        _add_track(own, number, entry["segmentations"], place)
    return {
        name: EncodedVideo(frames, identified=key is not None)
        for name, frames in found.items()
    }


def _add_track(frames: Frames, number: int, masks: Sequence[Any], place: str) -> None:
    check_length(list(frames), masks, f"{place}, segmentations")
    for frame, rle in zip(frames, masks, strict=True):
        if rle is None:
            continue
        if number in frames[frame]:
            found = f"object {number} twice in frame {frame} ({place})"
            raise FormError(found, "one mask per object and frame")
        frames[frame][number] = check_rle(rle, f"{place}, frame {frame}")


def _refuse_others(entries: Sequence[Any], videos: Mapping[Any, object]) -> None:
    keys = [set(one) if isinstance(one, dict) else set() for one in entries]
    if any("image_id" in own for own in keys):
        raise FormError(
            "a list of COCO results, which are of images and say neither video nor "
            "object",
            "masks that say video, frame and object",
            "Write them as {sequence: {frame: {object id: COCO RLE}}}, or as one PNG "
            "per frame.",
        )
    if not keys or not all({"video_id", "segmentations"} <= own for own in keys):
        raise FormError("a JSON list of something else", "a list of results per track")
    if not videos:
        raise FormError(
            "a list of YouTube-VIS results, whose video ids only the ground truth's "
            "own file explains",
            "as ground truth the YouTube-VIS file with `videos`",
            f"Give that file as ground truth (--gt instances.json), or {_AS_PNG}",
        )
