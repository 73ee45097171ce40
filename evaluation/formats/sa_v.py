"""Masks of SA-V: one JSON file per video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.formats.form import (
    EncodedVideo,
    Frames,
    JsonForm,
    Rle,
    check_length,
    check_rle,
    object_id,
    refuse_twice,
)
from evaluation.formats.object_ids import ObjectIds

ANNOTATED_EVERY = 4
"""SA-V annotates 6 frames per second in videos of 24."""


@dataclass(frozen=True)
class _SaV:
    video_id: Any
    masklet_id: list[int]
    masklet: list[list[Rle | None]]


def _read(document: Mapping[str, Any]) -> dict[str, EncodedVideo]:
    height, width = (document.get(side) for side in ("video_height", "video_width"))
    size = None if height is None or width is None else (int(height), int(width))
    return {str(document["video_id"]): EncodedVideo(_frames(document), size)}


def _frames(document: Mapping[str, Any]) -> Frames:
    known = ObjectIds()
    ids = [object_id(k, "masklet_id", known) for k in document["masklet_id"]]
    refuse_twice([str(k) for k in ids], "masklets with the id")
    masklets = document["masklet"]
    names = document.get("masklet_frame_names")  # as `s3fo convert` writes them
    if names is None:
        names = [f"{ANNOTATED_EVERY * t:05d}" for t in range(len(masklets))]
    check_length(names, masklets, "masklet")
    refuse_twice([str(name) for name in names], "frames called")
    frames: Frames = {}
    for t, (name, masks) in enumerate(zip(names, masklets, strict=True)):
        check_length(ids, masks, f"masklet[{t}]")
        frames[str(name)] = {
            k: check_rle(rle, f"masklet[{t}], object {k}")
            for k, rle in zip(ids, masks, strict=True)
            if rle is not None
        }
    return frames


def sa_v_files(folder: Path) -> dict[Path, str]:
    """The files of a folder of SA-V, and what to say of each; none if it has none.

    Where a video has both, the masklets drawn by hand are taken.
    """
    manual, auto = _files(folder, "_manual.json"), _files(folder, "_auto.json")
    both = auto | manual
    return {
        both[name]: f"{auto[name].name} was left out: {manual[name].name} is taken"
        if name in auto and name in manual
        else ""
        for name in sorted(both)
    }


def _files(folder: Path, ending: str) -> dict[str, Path]:
    found = (path for path in folder.glob(f"*{ending}") if path.name[0] != ".")
    return {path.name.removesuffix(ending): path for path in found}


SA_V = JsonForm("SA-V", lambda document: "masklet" in document, _read, _SaV)
