"""The training set of SA-V: mp4 files, and run lengths in a JSON file beside each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from evaluation._utils.input_files import is_file, is_folder
from evaluation._utils.json_files import parse, read_json
from evaluation.errors import InputError
from evaluation.formats.sa_v import ANNOTATED_EVERY
from evaluation.masks.run_lengths import decode_rle
from evaluation.masks.sequence import MaskSequence, RleSequence
from s3fo.benchmarks.layouts.files import find_files_below
from s3fo.benchmarks.layouts.layout import Found, refuse_missing
from s3fo.benchmarks.video import VideoObject, VideoSequence
from s3fo.benchmarks.video_file import count_frames, note_missing_frames

FPS = 24.0

_ATTRIBUTES = (
    "type", "size_bucket", "size_abs", "size_rel", "visibility_changes", "frame_count",
)  # fmt: skip
_JSON_SUFFIXES = ("_manual.json", "_auto.json")


_FIX = "Unpack the archive of this file again."


@dataclass(frozen=True)
class _Masklets:
    """What is read of a ``<video>_manual.json``; masks are checked when decoded."""

    video_id: str
    masklet_id: list[int]
    masklet: list[list[Any]]


def read_train(root: Path) -> Found:
    """Read all videos below a folder; of the masklets those made by hand, if any are.

    Raises:
        InputError: not such a tree, or pieces are missing: all of them are named.
    """
    if not is_folder(root):
        raise InputError(root, "no such folder", "SA-V train", "Check the path.")
    videos = find_files_below(root, "*.mp4")
    gaps, sequences = [], []
    for path in videos:
        source = _json_beside(path)
        if source is None:
            gaps.append(f"no {path.stem}_manual.json or {path.stem}_auto.json")
            continue
        try:
            sequences.append(_from_json(path, source))
        except InputError as error:
            gaps.append(f"{path.relative_to(root)}: {error.found}")
    if not videos:
        gaps.append("no mp4 files")
    refuse_missing(
        root,
        gaps,
        "<video>.mp4 with <video>_manual.json beside it",
        "Unpack the missing pieces.",
    )
    automatic = sum(_json_beside(path, _JSON_SUFFIXES[:1]) is None for path in videos)
    notes = (f"{automatic} videos have automatic masklets only",) if automatic else ()
    cut = tuple(note for path in videos if (note := note_missing_frames(path)))
    return Found(root, tuple(sequences), notes, cut)


def _json_beside(
    video: Path, suffixes: tuple[str, ...] = _JSON_SUFFIXES
) -> Path | None:
    places = [video.with_name(video.stem + suffix) for suffix in suffixes]
    return next((place for place in places if is_file(place)), None)


def _from_json(video: Path, source: Path) -> VideoSequence:
    """Frames from the video; masks are not parsed before somebody asks."""
    return VideoSequence(
        name=video.stem,
        frames=tuple(f"{index:05d}" for index in range(count_frames(video))),
        images={},
        annotations={},
        load_objects=partial(masklet_objects, source),
        load_object_masks=partial(load_masklets, source),
        video=video,
        fps=FPS,
    )


def load_masklets(path: Path) -> MaskSequence:
    """Masks of one ``<video>_manual.json``; masklet 0 is object 1.

    Raises:
        InputError: not a file of masklets.
    """
    content = _read_masklets(path)
    frames = {
        _frame_name(index): {
            int(number) + 1: rle
            for number, rle in zip(content["masklet_id"], masks, strict=True)
            if rle
        }
        for index, masks in enumerate(content["masklet"])
    }
    masks = RleSequence(content["video_id"], frames, str(path))
    masks.folder_offset = 1
    return masks


def masklet_objects(path: Path) -> tuple[VideoObject, ...]:
    """Objects of one ``<video>_manual.json`` with their official attributes.

    Raises:
        InputError: not a file of masklets.
    """
    content = _read_masklets(path)
    named = {
        name: content[f"masklet_{name}"]
        for name in _ATTRIBUTES
        if f"masklet_{name}" in content
    }
    return tuple(
        VideoObject(
            int(number) + 1,
            _frame_name(_first_index(content["masklet"], position, path)),
            attributes={name: values[position] for name, values in named.items()},
        )
        for position, number in enumerate(content["masklet_id"])
    )


def _first_index(frames: list[list[Any]], position: int, path: Path) -> int:
    """Annotated frame in which a masklet first shows; 0 if it never does.

    ``masklet_first_appeared_frame`` is not used: whether it counts the annotated
    frames or those of the video is written nowhere.
    """
    for index, masks in enumerate(frames):
        where = f"{path}, frame {index}, masklet {position}"
        if masks[position] and decode_rle(masks[position], where).any():
            return index
    return 0


def _frame_name(annotated_index: int) -> str:
    return f"{annotated_index * ANNOTATED_EVERY:05d}"


def _read_masklets(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = read_json(path, _FIX, "SA-V masklets")
    known = parse(content, _Masklets, path, _FIX)
    count, wrong = len(known.masklet_id), ""
    if len(set(known.masklet_id)) < count:
        wrong = "masklet ids that are not unique"
    for masks in known.masklet:
        if len(masks) != count:
            wrong = f"a frame with {len(masks)} of {count} masklets"
    for name in _ATTRIBUTES:
        values = content.get(f"masklet_{name}", known.masklet_id)
        if not isinstance(values, list) or len(values) != count:
            wrong = f"masklet_{name} that is no list of {count}"
    if wrong:
        raise InputError(path, wrong, "SA-V masklets", _FIX)
    return content
