"""Masks of BURST: one JSON file for all videos of a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.formats.burst_classes import track_classes
from evaluation.formats.form import (
    EncodedVideo,
    Frames,
    JsonForm,
    check_length,
    frame_name,
    note_scores,
    object_id,
    refuse_twice,
)
from evaluation.formats.object_ids import ObjectIds


@dataclass(frozen=True)
class _BurstMask:
    rle: str


@dataclass(frozen=True)
class _BurstVideo:
    seq_name: str
    height: int
    width: int
    annotated_image_paths: list[str]
    segmentations: list[dict[str, _BurstMask]]


@dataclass(frozen=True)
class _Burst:
    sequences: list[_BurstVideo]


def _read(document: Mapping[str, Any]) -> dict[str, EncodedVideo]:
    items = document["sequences"]
    names = _names(items)
    refuse_twice(names, "videos called")
    categories = {item["id"]: item["name"] for item in document.get("categories") or ()}
    return {
        name: EncodedVideo(
            _frames(name, item),
            (int(item["height"]), int(item["width"])),
            _classes(name, item, categories),
            notes=note_scores(
                mask for masks in item["segmentations"] for mask in masks.values()
            ),
        )
        for name, item in zip(names, items, strict=True)
    }


def _classes(
    name: str, item: Mapping[str, Any], categories: Mapping[int, str | None]
) -> dict[int, tuple[str, str]] | None:
    """Classes of the tracks of a video.

    Raises:
        FormError: two texts are one id.
    """
    ids = ObjectIds()
    for key in item.get("track_category_ids") or ():
        object_id(key, f"{name}, track_category_ids", ids)
    return track_classes(item, categories)


def _names(items: Sequence[Mapping[str, object]]) -> list[str]:
    """Names of the videos; with their data set where two have the same."""
    names = [str(item["seq_name"]) for item in items]
    if len(set(names)) == len(names):
        return names
    return [f"{item['dataset']}_-_{item['seq_name']}" for item in items]


def _frames(name: str, item: Mapping[str, Any]) -> Frames:
    size = [item["height"], item["width"]]
    images, segmentations = item["annotated_image_paths"], item["segmentations"]
    check_length(images, segmentations, f"sequences, {name}, segmentations")
    stems = [frame_name(image) for image in images]
    refuse_twice(stems, f"frames of {name} called")
    ids = ObjectIds()
    return {
        stem: {
            object_id(k, f"{name}, {stem}", ids): {"size": size, "counts": mask["rle"]}
            for k, mask in masks.items()
            if mask is not None
        }
        for stem, masks in zip(stems, segmentations, strict=True)
    }


BURST = JsonForm("BURST", lambda document: "sequences" in document, _read, _Burst)
