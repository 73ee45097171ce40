"""Lists of results as the servers of YouTube-VIS and COCO take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.formats.form import (
    LEAST_SCORE,
    EncodedVideo,
    FormError,
    Frames,
    ListedVideo,
    PhraseId,
    add_track,
    keep_empty,
    note_scores,
    object_id,
)
from evaluation.formats.object_ids import ObjectIds

_ID_KEYS = ("object_id", "track_id", "instance_id")
"""Under which a result may say which object it is; the format has no such key."""

_AS_PNG = "write the masks as one PNG per frame."


def read_result_list(
    entries: Sequence[Any], videos: Mapping[object, ListedVideo]
) -> dict[str, EncodedVideo]:
    """Read the results of YouTube-VIS or SA-Co: one entry per predicted track.

    Entries hold ``video_id``, ``segmentations`` (COCO RLE or null, one per frame),
    ``score`` and ``category_id``. Tracks are numbered from 1, the best score first,
    unless every entry has an ``object_id``, ``track_id`` or ``instance_id``: an id of
    an object, or, if that fits all entries and the other does not, of an annotation in
    the ground truth's file, which is noted. Where the
    ground truth has phrases, ``category_id`` is the phrase, tracks with a score below
    0.5 are left out, and phrases without entries have no tracks.

    Args:
        entries: the list in the file.
        videos: what the ground truth says of its videos, by their ids, or of its
            phrases by `PhraseId`.

    Raises:
        FormError: a list of something else, of results of images, or of videos that
            the ground truth does not have.

    Source: the evaluation server of YouTube-VIS describes the format; for phrases the
    evaluation code of SAM 3 (`saco_veval_evaluators`).
    """
    if any(isinstance(key, PhraseId) for key in videos):
        return _read_phrases(entries, videos)
    _refuse_others(entries, videos)
    key = next((k for k in _ID_KEYS if all(k in one for one in entries)), None)
    places = [f"entry {index}" for index in range(len(entries))]
    listed = list(zip(places, entries, strict=True))
    if key is None:
        listed.sort(key=lambda item: -float(item[1].get("score", 0)))
    found: dict[str, Frames] = {}
    ids: dict[str, ObjectIds] = {}
    of_annotations = key is not None and _are_annotation_ids(entries, key, videos)
    own_entries: dict[str, list[object]] = {}
    for place, entry in listed:
        if entry["video_id"] not in videos:
            raise FormError(
                f"the video_id {entry['video_id']!r} at {place}",
                "the id of a video in the ground truth's file",
            )
        video = videos[entry["video_id"]]
        own = found.setdefault(video.name, {frame: {} for frame in video.frames})
        own_entries.setdefault(video.name, []).append(entry)
        number = len(own_entries[video.name])
        if key is not None:
            own_ids = ids.setdefault(video.name, ObjectIds())
            number = object_id(entry[key], place, own_ids)
            if of_annotations:
                number = video.annotation_ids[number]
        add_track(own, number, entry["segmentations"], place)
    notes = {name: note_scores(own) for name, own in own_entries.items()}
    if of_annotations:
        for name in notes:
            notes[name] = (*notes[name], f"{key}: {_OF_ANNOTATIONS}")
    return {
        name: EncodedVideo(frames, identified=key is not None, notes=notes[name])
        for name, frames in found.items()
    }


_OF_ANNOTATIONS = (
    "these are the ids of annotations in the ground truth's file, and were taken for "
    "their objects, which count from 1 in each video"
)


def _are_annotation_ids(
    entries: Sequence[Any], key: str, videos: Mapping[object, ListedVideo]
) -> bool:
    """Whether all entries have ids of annotations of their video, but not of objects.

    Args:
        entries: the list in the file.
        key: under which they say which object they are.
        videos: what the ground truth says of its videos, by their ids.
    """
    named = [
        (e[key], videos[e["video_id"]]) for e in entries if e["video_id"] in videos
    ]
    if not all(isinstance(own, int) for own, _ in named):
        return False
    return all(own in video.annotation_ids for own, video in named) and not all(
        own in video.annotation_ids.values() for own, video in named
    )


def _read_phrases(
    entries: Sequence[Any], videos: Mapping[object, ListedVideo]
) -> dict[str, EncodedVideo]:
    """The tracks of each phrase of each video, of those that are surely meant."""
    if entries:
        _refuse_others(entries, videos)
    found: dict[object, Frames] = {
        key: {frame: {} for frame in video.frames} for key, video in videos.items()
    }
    kept = dict.fromkeys(videos, 0)
    for index, entry in enumerate(entries):
        key = PhraseId(entry["video_id"], entry["category_id"])
        if key not in videos:
            raise FormError(
                f"video_id {key.video_id!r} with category_id {key.category_id!r} at "
                f"entry {index}",
                "a video and phrase of the ground truth's video_np_pairs",
            )
        if float(entry["score"]) >= LEAST_SCORE:
            kept[key] += 1
            masks, place = entry["segmentations"], f"entry {index}"
            add_track(found[key], kept[key], masks, place)
            keep_empty(found[key], kept[key], masks, videos[key].size)
    lost = len(entries) - sum(kept.values())
    note = (
        f"{lost} of {len(entries)} tracks have a score below {LEAST_SCORE} and are "
        "left out, as in the evaluation code of SAM 3"
    )
    notes = {next(iter(videos), None): (note,)} if lost else {}
    return {
        video.name: EncodedVideo(
            found[key], video.size, identified=False, notes=notes.get(key, ())
        )
        for key, video in videos.items()
    }


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
