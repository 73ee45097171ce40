"""The layout of BURST: one JSON of run lengths for all videos, frames of TAO."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.errors import InputError
from evaluation.sequence import MaskSequence, RleSequence
from s3fo.benchmarks.files import IMAGE_SUFFIXES, FrameFiles, list_frames
from s3fo.benchmarks.layout import Found, gaps_in, refuse_gaps
from s3fo.benchmarks.video import VideoObject, VideoSequence

_ANNOTATION_FILES = {
    "all": "all_classes.json",
    "common": "common_classes.json",
    "uncommon": "uncommon_classes.json",
    "first-frame": "first_frame_annotations.json",
}


def read_burst(root: Path, split: str, *, annotations: str = "all") -> Found:
    """Read one split of BURST.

    Sequences are named ``<dataset>_-_<video>``, as results folders of BURST are.

    Args:
        root: holds the annotations (``annotations/<split>/*.json`` or
            ``<split>/*.json``) and the frames
            (``frames/<split>/<dataset>/<video>/*.jpg``, or in ``images``).
        split: ``"train"``, ``"val"`` or ``"test"``.
        annotations: ``"all"``, ``"common"``, ``"uncommon"`` classes, or
            ``"first-frame"`` for each track's first mask only.

    Raises:
        InputError: not such a tree, or pieces are missing: all of them are named.
    """
    source = annotation_file(root, split, annotations)
    frames_root = _frames_root(root, split)
    content = read_annotations(source)
    categories = {item["id"]: item["name"] for item in content.get("categories") or ()}
    build = partial(_sequence, frames_root, source, categories)
    sequences = tuple(build(entry) for entry in content["sequences"])
    gaps = gaps_in(sequences)
    refuse_gaps(
        frames_root,
        gaps + _unannotated_images(sequences),
        f"the frames of every video in {source.name}",
        "Unpack the missing pieces of TAO.",
    )
    return Found(root, sequences)


def annotation_file(root: Path, split: str, annotations: str) -> Path:
    """Where the JSON of a split is; see `read_burst`.

    Raises:
        InputError: nowhere.
    """
    name = _ANNOTATION_FILES[annotations]
    bases = [root, root / "annotations", root / "b_annotations", root.parent]
    places = [base / split / name for base in bases]
    for place in places:
        if place.is_file():
            return place
    raise InputError(
        root,
        "no annotation file" if root.is_dir() else "no such folder",
        f"annotations/{split}/{name}",
        "Unpack annotations.zip of BURST there.",
    )


def _frames_root(root: Path, split: str) -> Path:
    places = [root / name / split for name in ("frames", "images")]
    places += [root / split / name for name in ("frames", "images")]
    for place in places:
        if place.is_dir():
            return place
    raise InputError(
        root,
        "no frames",
        f"frames/{split}/<dataset>/<video>/*.jpg",
        "Unpack the frames of TAO there.",
    )


def read_annotations(path: Path) -> dict[str, Any]:
    """Parse an annotation file.

    Raises:
        InputError: it is something else.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        for entry in content["sequences"]:
            entry["dataset"], entry["seq_name"], entry["segmentations"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            path,
            f"something else ({error})",
            "annotations of BURST",
            "Unpack it again.",
        ) from error
    return content


def sequence_name(entry: dict[str, Any]) -> str:
    """Name of a video in results folders, as tools around BURST have it."""
    return f"{entry['dataset']}_-_{entry['seq_name']}"


def _sequence(
    frames_root: Path, source: Path, categories: dict[int, str], entry: dict[str, Any]
) -> VideoSequence:
    name = sequence_name(entry)
    images = list_frames(
        frames_root / entry["dataset"] / entry["seq_name"], IMAGE_SUFFIXES
    )
    annotated = [Path(path).stem for path in entry["annotated_image_paths"]]
    masks = {
        frame: {int(track): _rle(entry, item) for track, item in segmentations.items()}
        for frame, segmentations in zip(annotated, entry["segmentations"], strict=True)
    }
    return VideoSequence(
        name=name,
        frames=tuple(images),
        images=images,
        annotations={},
        known_objects=_objects(entry, masks, categories),
        load_object_masks=partial(_as_masks, name, masks, str(source)),
        fps=entry.get("fps"),
        listed_frames=tuple(annotated),
    )


def _rle(entry: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    return {"size": [entry["height"], entry["width"]], "counts": item["rle"]}


def _objects(
    entry: dict[str, Any],
    masks: dict[str, dict[int, Any]],
    categories: dict[int, str],
) -> tuple[VideoObject, ...]:
    first_frames: dict[int, str] = {}
    for frame, tracks in masks.items():
        for track in tracks:
            first_frames.setdefault(track, frame)
    kinds = {
        int(track): categories.get(category)
        for track, category in (entry.get("track_category_ids") or {}).items()
    }
    return tuple(
        VideoObject(track, frame, kinds.get(track))
        for track, frame in first_frames.items()
    )


def _as_masks(name: str, masks: dict[str, dict[int, Any]], source: str) -> MaskSequence:
    return RleSequence(name, masks, source)


def _unannotated_images(sequences: tuple[VideoSequence, ...]) -> list[str]:
    """Annotated frames whose image is not there."""
    gaps = []
    for sequence in sequences:
        listed = sequence.listed_frames or ()
        absent = [frame for frame in listed if frame not in sequence.images]
        if absent and isinstance(sequence.images, FrameFiles) and sequence.images:
            gaps.append(
                f"no image for {len(absent)} annotated frames of {sequence.name}"
            )
    return gaps
