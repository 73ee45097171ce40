"""The layout of BURST: one JSON of run lengths for all videos, frames of TAO."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.errors import InputError
from evaluation.sequence import MaskSequence, RleSequence
from s3fo.benchmarks.files import (
    IMAGE_SUFFIXES,
    find_archives,
    list_folders,
    list_frames,
    read_text,
)
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
    base, note = _base(root, split, annotations)
    source = annotation_file(base, split, annotations)
    frames_root = _frames_root(base, split)
    content = read_annotations(source)
    categories = {item["id"]: item["name"] for item in content.get("categories") or ()}
    build = partial(_sequence, frames_root, source, categories)
    sequences = tuple(build(entry) for entry in content["sequences"])
    refuse_gaps(
        frames_root,
        gaps_in(sequences) if sequences else [f"no videos in {source.name}"],
        f"the frames of every video in {source.name}",
        "Unpack the missing pieces of TAO.",
    )
    return Found(base, sequences, (note,) if note else ())


def annotation_file(root: Path, split: str, annotations: str) -> Path:
    """Where the JSON of a split is; see `read_burst`.

    Raises:
        InputError: nowhere.
    """
    if annotations not in _ANNOTATION_FILES:
        raise InputError(
            "annotations",
            repr(annotations),
            ", ".join(_ANNOTATION_FILES),
            "Choose one of them.",
        )
    name = _ANNOTATION_FILES[annotations]
    places = [
        root / base / split / name for base in ("annotations", "", "b_annotations")
    ]
    return _first_there(root, places, "annotations.zip of BURST")


def _frames_root(root: Path, split: str) -> Path:
    kinds = ("frames", "images")
    places = [root / kind / split for kind in kinds]
    places += [root / split / kind for kind in kinds]
    return _first_there(root, places, "the frames of TAO")


def _first_there(root: Path, places: list[Path], what: str) -> Path:
    for place in places:
        if place.exists():
            return place
    inside = [*list_folders(root)[:6], *find_archives(root)]
    raise InputError(
        root,
        ", ".join(inside) or ("an empty folder" if root.is_dir() else "no such folder"),
        str(places[0].relative_to(root)),
        f"Unpack {what} there.",
    )


def _base(root: Path, split: str, annotations: str) -> tuple[Path, str]:
    """The folder with annotations and frames, and what to tell the user about it."""
    above = root.absolute().parent
    inside = [root / name for name in list_folders(root)]
    said = {root: "", above: f"root given one level too low: using {above}"}
    if len(inside) == 1:
        said[inside[0]] = f"root given one level too high: using {inside[0]}"
    gaps: list[InputError] = []
    for place, note in said.items() if root.is_dir() else [(root, "")]:
        lacking = _lacking(place, split, annotations)
        if not lacking:
            return place, note
        gaps += lacking if place == root else []
    raise _joined(gaps)


def _lacking(root: Path, split: str, annotations: str) -> list[InputError]:
    """What a folder does not have."""
    found = []
    for look in (partial(annotation_file, annotations=annotations), _frames_root):
        try:
            look(root, split)
        except InputError as error:
            found.append(error)
    return found


def _joined(gaps: list[InputError]) -> InputError:
    """One complaint about everything."""
    first = gaps[0]
    return InputError(
        first.where,
        first.found,
        " and ".join(gap.expected for gap in gaps),
        " ".join(gap.remedy for gap in gaps),
    )


def read_annotations(path: Path) -> dict[str, Any]:
    """Parse an annotation file.

    Raises:
        InputError: it is something else.
    """
    text = read_text(path)
    try:
        content: dict[str, Any] = json.loads(text)
        for entry in content["sequences"]:
            for key in ("dataset", "seq_name", "height", "width"):
                entry[key]
            for masks in entry["segmentations"]:
                for track, item in masks.items():
                    int(track), item["rle"]
            images, masks = entry["annotated_image_paths"], entry["segmentations"]
            if len(images) != len(masks):
                raise ValueError(
                    f"{sequence_name(entry)}: {len(images)} annotated images, but "
                    f"masks of {len(masks)}"
                )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
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
