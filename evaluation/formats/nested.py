"""The plain form of masks in JSON: sequence -> frame -> object id -> COCO RLE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.formats.form import (
    EncodedVideo,
    FormError,
    Frames,
    JsonForm,
    Rle,
    check_rle,
    note_scores,
    object_id,
)
from evaluation.formats.object_ids import ObjectIds


@dataclass(frozen=True)
class _Nested:
    sequences: dict[str, dict[str, dict[str, Rle | None]]]


def _refuse_objects_first(document: Mapping[str, Any]) -> None:
    """Refuse frames inside objects: they would be taken for objects inside frames.

    Raises:
        FormError: keys padded with zeros, as of frames, lie inside others.
    """
    for name, outer in document.items():
        for key, inner in outer.items():
            frames = [k for k in inner if len(k) > 3 and k[0] == "0" and k.isdecimal()]
            if len(frames) > 1 and not (len(key) > 3 and key[0] == "0"):
                raise FormError(
                    f"keys such as {frames[0]!r} below {name}.{key}: frames inside "
                    "objects, as it seems",
                    "objects inside frames: {sequence: {frame: {object id: COCO RLE}}}",
                    "Exchange the two levels: frames outside, object ids inside.",
                )


def _read(document: Mapping[str, Any]) -> dict[str, EncodedVideo]:
    _refuse_objects_first(document)
    return {
        str(name): EncodedVideo(
            _frames(str(name), frames),
            notes=note_scores(
                rle for masks in frames.values() for rle in masks.values()
            ),
        )
        for name, frames in document.items()
    }


def _frames(name: str, frames: Mapping[str, Any]) -> Frames:
    ids = ObjectIds()
    return {
        str(frame): {
            object_id(k, f"{name}.{frame}", ids): check_rle(rle, f"{name}.{frame}.{k}")
            for k, rle in masks.items()
            if rle is not None
        }
        for frame, masks in frames.items()
    }


NESTED = JsonForm(
    "{sequence: {frame: {object id: COCO RLE}}}", lambda document: True, _read, _Nested
)
