"""The meta files of YouTube-VOS, MOSE and LVOS, in all their variants."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation._utils.names import check_names
from evaluation.errors import InputError
from s3fo.benchmarks.layouts.files import read_text

_WRONG = (
    ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip
"""What JSON of another form raises where it is read."""


_MOST_OBJECTS = 65535
"""As many as a label map of 16 bits can tell apart."""


@dataclass(frozen=True)
class ObjectMeta:
    """What a meta file says of one object.

    Attributes:
        category: what it is.
        frames: names of the frames it is listed with; empty if none are listed.
        frame_range: first frame number and the one to stop before.
        caption: a sentence that describes it.
        attributes: official attribute tags.
    """

    category: str | None = None
    frames: tuple[str, ...] = ()
    frame_range: tuple[int, int] | None = None
    caption: str | None = None
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VideoMeta:
    """What the meta files say of one video.

    Attributes:
        objects: by id.
        attributes: official attribute tags of the video; None if none were given.
        length: frames it should have; None if that is not said.
    """

    objects: dict[int, ObjectMeta] = field(default_factory=dict)
    attributes: tuple[str, ...] | None = None
    length: int | None = None

    def listed_frames(self) -> set[str]:
        """Names of the frames that any object is listed with."""
        return {frame for item in self.objects.values() for frame in item.frames}


def read_meta(paths: list[Path]) -> dict[str, VideoMeta]:
    """Read and join the meta files of a split; later ones add to earlier ones.

    Understood are ``{"videos": {video: {"objects": ...}}}`` with objects as
    ``{id: {...}}``, as a list of ids or of ``{"id": ...}``, or as their number, and
    per object ``category``, ``frames``, ``frame_range``, ``caption`` (or ``exp``) and
    ``attributes``; per video ``attributes`` and ``length``.

    Raises:
        InputError: not JSON, or nothing like that, or a key or id given twice.
    """
    joined: dict[str, VideoMeta] = {}
    for path in paths:
        for name, content in _videos(path).items():
            joined[name] = _join(joined.get(name, VideoMeta()), _video(path, content))
    return joined


def _videos(path: Path) -> Mapping[str, Any]:
    text = read_text(path)
    try:
        content = json.loads(text, object_pairs_hook=_refuse_repeated_keys)
        videos = content["videos"]
        if not isinstance(videos, dict):
            raise TypeError(f"videos is a {type(videos).__name__}")
    except _WRONG as error:
        raise InputError(
            path,
            f"something else ({error})",
            'JSON {"videos": {name: {"objects": ...}}}',
            "Unpack the archive of this file again.",
        ) from error
    check_names(videos, "sequence", path)
    return videos


def _video(path: Path, content: Any) -> VideoMeta:
    if not isinstance(content, dict):
        raise InputError(
            path,
            f"a video that is a {type(content).__name__}",
            'an object {"objects": ...}',
            "Unpack the archive of this file again.",
        )
    try:
        objects = _refuse_repeated_keys(
            (_object_id(key), _object(entry))
            for key, entry in _entries(content.get("objects") or {})
        )
        given = content.get("attributes")
        tags = None if given is None else _tags(given)
    except _WRONG as error:
        raise InputError(
            path,
            f"objects or attributes that cannot be read ({error})",
            "ids from 1, each once, with lists of frame names or frame ranges",
            "Unpack the archive of this file again.",
        ) from error
    length = content.get("length")
    return VideoMeta(
        objects,
        tags,
        length if isinstance(length, int) else None,
    )


def _entries(objects: Any) -> list[tuple[Any, Any]]:
    if isinstance(objects, dict):
        return list(objects.items())
    if isinstance(objects, int):
        if objects > _MOST_OBJECTS:
            raise ValueError(f"{objects} objects in one video")
        return [(number, {}) for number in range(1, objects + 1)]
    return [
        (item["id"], item) if isinstance(item, dict) else (item, {}) for item in objects
    ]


def _object_id(key: Any) -> int:
    object_id = int(key)
    if object_id < 1:
        raise ValueError(f"id {object_id}, which is background")
    return object_id


def _refuse_repeated_keys(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """A dictionary of the pairs; JSON's own takes the last of equal keys."""
    made: dict[Any, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"{key} twice")
        made[key] = value
    return made


def _object(entry: Any) -> ObjectMeta:
    entry = entry if isinstance(entry, dict) else {}
    span = entry.get("frame_range")
    return ObjectMeta(
        category=entry.get("category"),
        frames=tuple(str(frame) for frame in entry.get("frames") or ()),
        frame_range=(int(span["start"]), int(span["end"])) if span else None,
        caption=entry.get("caption") or entry.get("exp"),
        attributes=_tags(entry.get("attributes") or ()),
    )


def _tags(tags: Any) -> tuple[str, ...]:
    if isinstance(tags, str):
        return tuple(part.strip() for part in tags.split(",") if part.strip())
    if isinstance(tags, dict):
        return tuple(str(name) for name, present in tags.items() if present)
    return tuple(str(tag) for tag in tags)


def _join(old: VideoMeta, new: VideoMeta) -> VideoMeta:
    objects = dict(old.objects)
    for object_id, fresh in new.objects.items():
        known = objects.get(object_id, ObjectMeta())
        objects[object_id] = ObjectMeta(
            category=fresh.category or known.category,
            frames=fresh.frames or known.frames,
            frame_range=fresh.frame_range or known.frame_range,
            caption=fresh.caption or known.caption,
            attributes=fresh.attributes or known.attributes,
        )
    tags = old.attributes if new.attributes is None else new.attributes
    return VideoMeta(objects, tags, new.length or old.length)
