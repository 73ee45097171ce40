"""The meta files of YouTube-VOS, MOSE and LVOS, in all their variants."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.errors import InputError


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


def read_meta(paths: list[Path]) -> dict[str, VideoMeta]:
    """Read and join the meta files of a split; later ones add to earlier ones.

    Understood are ``{"videos": {video: {"objects": ...}}}`` with objects as
    ``{id: {...}}``, as a list of ids or of ``{"id": ...}``, or as their number, and
    per object ``category``, ``frames``, ``frame_range``, ``caption`` (or ``exp``) and
    ``attributes``; per video ``attributes`` and ``length``.

    Raises:
        InputError: not JSON, or nothing like that.
    """
    joined: dict[str, VideoMeta] = {}
    for path in paths:
        for name, content in _videos(path).items():
            joined[name] = _join(joined.get(name, VideoMeta()), _video(path, content))
    return joined


def _videos(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        videos = content["videos"]
        if not isinstance(videos, dict):
            raise TypeError(f"videos is a {type(videos).__name__}")
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            path,
            f"something else ({error})",
            'JSON {"videos": {name: {"objects": ...}}}',
            "Unpack the file again.",
        ) from error
    return videos


def _video(path: Path, content: Any) -> VideoMeta:
    if not isinstance(content, dict):
        raise InputError(
            path, f"a video that is a {type(content).__name__}", "an object", "Unpack."
        )
    try:
        objects = {
            int(object_id): _object(entry)
            for object_id, entry in _entries(content.get("objects") or {})
        }
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            path, f"objects that cannot be read ({error!r})", "ids", "Unpack again."
        ) from error
    tags = content.get("attributes")
    length = content.get("length")
    return VideoMeta(
        objects,
        None if tags is None else _tags(tags),
        length if isinstance(length, int) else None,
    )


def _entries(objects: Any) -> list[tuple[Any, Any]]:
    if isinstance(objects, dict):
        return list(objects.items())
    if isinstance(objects, int):
        return [(number, {}) for number in range(1, objects + 1)]
    return [
        (item["id"], item) if isinstance(item, dict) else (item, {}) for item in objects
    ]


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
