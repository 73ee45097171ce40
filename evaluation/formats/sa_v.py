"""Masks of SA-V: one JSON file per video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.formats.form import (
    EncodedVideo,
    Frames,
    JsonForm,
    Rle,
    check_length,
    check_rle,
    object_id,
)

ANNOTATED_EVERY = 4
"""SA-V annotates 6 frames per second in videos of 24."""


@dataclass(frozen=True)
class _SaV:
    video_id: Any
    masklet_id: list[int]
    masklet: list[list[Rle | None]]


def _read(document: Mapping[str, Any]) -> dict[str, EncodedVideo]:
    return {str(document["video_id"]): EncodedVideo(_frames(document))}


def _frames(document: Mapping[str, Any]) -> Frames:
    ids = [object_id(k, "masklet_id") for k in document["masklet_id"]]
    frames: Frames = {}
    for t, masks in enumerate(document["masklet"]):
        check_length(ids, masks, f"masklet[{t}]")
        frames[f"{ANNOTATED_EVERY * t:05d}"] = {
            k: check_rle(rle, f"masklet[{t}], object {k}")
            for k, rle in zip(ids, masks, strict=True)
            if rle is not None
        }
    return frames


SA_V = JsonForm("SA-V", lambda document: "masklet" in document, _read, _SaV)
