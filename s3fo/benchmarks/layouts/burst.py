"""The layout of BURST: one JSON of run lengths for all videos, frames of TAO."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from evaluation._utils.input_files import is_file, is_folder
from evaluation._utils.json_files import parse, read_json
from evaluation._utils.names import safe_name
from evaluation.errors import InputError
from evaluation.formats.burst_classes import track_classes
from evaluation.formats.object_ids import ObjectIds
from evaluation.masks.sequence import RleSequence
from s3fo.benchmarks.layouts.files import (
    IMAGE_SUFFIXES,
    find_archives,
    list_folders,
    list_frames,
)
from s3fo.benchmarks.layouts.layout import (
    Found,
    describe_frames,
    find_missing,
    refuse_missing,
    unnumbered,
)
from s3fo.benchmarks.video import VideoObject, VideoSequence

_ANNOTATION_FILES = {
    "all": "all_classes.json",
    "common": "common_classes.json",
    "uncommon": "uncommon_classes.json",
    "first-frame": "first_frame_annotations.json",
}


_FIX = "Unpack the archive of the annotations again."


@dataclass(frozen=True)
class _Mask:
    """Run lengths of a track in a frame, which are checked when decoded."""

    rle: Any


@dataclass(frozen=True)
class _Sequence:
    """What is read of a video."""

    dataset: str
    seq_name: str
    height: int
    width: int
    annotated_image_paths: list[str]
    segmentations: list[dict[str, _Mask]]
    fps: float | None = None
    track_category_ids: dict[str, int] | None = None


@dataclass(frozen=True)
class _Category:
    id: int
    name: str


@dataclass(frozen=True)
class _Annotations:
    """What is read of an annotation file."""

    sequences: list[_Sequence]
    categories: list[_Category] | None = None


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
    source, frames_root = _pieces(base, split, annotations)
    assert source is not None and frames_root is not None, "the base has both"
    content = read_annotations(source)
    categories = {item["id"]: item["name"] for item in content.get("categories") or ()}
    build = partial(_sequence, frames_root, source, categories)
    sequences = tuple(build(entry) for entry in content["sequences"])
    refuse_missing(
        frames_root,
        find_missing(sequences) if sequences else [f"no videos in {source.name}"],
        f"the frames of every video in {source.name}",
        "Unpack the missing pieces of TAO.",
    )
    # Frames are thinned, so nothing can be said of numbers that are skipped.
    odd = tuple(
        f"{sequence.name}: not numbered like the others: {describe_frames(names)}"
        for sequence in sequences
        if (names := unnumbered(sequence.frames))
    )
    return Found(base, sequences, (note,) if note else (), odd)


def annotation_file(root: Path, split: str, annotations: str) -> Path:
    """Where the JSON of a split is; see `read_burst`.

    Raises:
        InputError: nowhere.
    """
    source, _ = _pieces(root, split, annotations)
    if source is None:
        raise _incomplete(root, [_wanted_files(split, annotations)[0]])
    return source


def _base(root: Path, split: str, annotations: str) -> tuple[Path, str]:
    """The folder with annotations and frames, and what to tell the user about it."""
    above = root.absolute().parent
    said = {root: ""}
    if is_folder(root):
        said[above] = f"root given one level too low: using {above}"
        inside = [root / name for name in list_folders(root)]
        if len(inside) == 1:
            said[inside[0]] = f"root given one level too high: using {inside[0]}"
    for place, note in said.items():
        if all(_pieces(place, split, annotations)):
            return place, note
    found = zip(
        _pieces(root, split, annotations),
        _wanted_files(split, annotations),
        strict=True,
    )
    raise _incomplete(root, [wanted for piece, wanted in found if piece is None])


def _pieces(
    root: Path, split: str, annotations: str
) -> tuple[Path | None, Path | None]:
    """The annotation file and the folder of frames, as far as they are there."""
    if annotations not in _ANNOTATION_FILES:
        known = ", ".join(_ANNOTATION_FILES)
        raise InputError(
            "annotations",
            repr(annotations),
            known,
            "Pass one of these as `annotations`.",
        )
    name = _ANNOTATION_FILES[annotations]
    folders = ("annotations", "", "b_annotations")
    sources = [root / folder / split / name for folder in folders]
    kinds = ("frames", "images")
    frames = [root / kind / split for kind in kinds]
    frames += [root / split / kind for kind in kinds]
    return (
        next((place for place in sources if is_file(place)), None),
        next((place for place in frames if is_folder(place)), None),
    )


def _wanted_files(split: str, annotations: str) -> tuple[str, str]:
    """What the two pieces are, for messages."""
    return (
        f"annotations/{split}/{_ANNOTATION_FILES[annotations]} (of annotations.zip)",
        f"frames/{split} (of TAO)",
    )


def _incomplete(root: Path, missing: list[str]) -> InputError:
    inside = [*list_folders(root)[:6], *find_archives(root)]
    return InputError(
        root,
        ", ".join(inside)
        or ("an empty folder" if is_folder(root) else "no such folder"),
        " and ".join(missing),
        "Unpack what is missing there.",
    )


def read_annotations(path: Path) -> dict[str, Any]:
    """Parse an annotation file.

    Raises:
        InputError: it is something else.
    """
    content: dict[str, Any] = read_json(path, _FIX, "annotations of BURST")
    for entry in parse(content, _Annotations, path, _FIX).sequences:
        for name in (entry.dataset, entry.seq_name):
            safe_name(name, "sequence", path)
        images, masks = len(entry.annotated_image_paths), len(entry.segmentations)
        tracks = {track for tracks in entry.segmentations for track in tracks}
        tracks |= (entry.track_category_ids or {}).keys()
        odd = sorted(track for track in tracks if not _is_number(track))
        wrong = ""
        if images != masks:
            wrong = f"{images} annotated images, but masks of {masks}"
        elif odd:
            wrong = f"the track {odd[0]!r}, which is no number"
        else:
            wrong = _written_twice(entry)
        if wrong:
            place = f"{entry.dataset}_-_{entry.seq_name}: {wrong}"
            raise InputError(path, place, "annotations of BURST", _FIX)
    return content


def _is_number(track: str) -> bool:
    return track.isascii() and track.isdecimal() and len(track) < 10


def _written_twice(entry: _Sequence) -> str:
    """Two texts that stand for one track, if there are any."""
    ids = ObjectIds()
    try:
        for track in entry.track_category_ids or {}:
            ids.number(track)
        for masks in entry.segmentations:
            for track in masks:
                ids.number(track)
    except ValueError as error:
        return str(error)
    return ""


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
        load_object_masks=partial(RleSequence, name, masks, str(source)),
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
    classes = track_classes(entry, categories) or {}
    return tuple(
        VideoObject(track, frame, kinds.get(track), tracking_class=classes.get(track))
        for track, frame in first_frames.items()
    )
