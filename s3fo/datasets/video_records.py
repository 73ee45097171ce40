"""What a dataset remembers of a benchmark's videos, as JSON, and back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from s3fo.benchmarks import VideoObject, VideoSequence
from s3fo.benchmarks.layouts.files import FrameFiles

Facts = dict[str, Any]
"""Facts by name, as JSON keeps them."""

_PLAIN_FIELDS = (
    "name", "frames", "late_objects", "binary", "void", "fps", "attributes",
    "listed_frames",
)  # fmt: skip


def video_to_json(sequence: VideoSequence) -> Facts:
    """A video with its files and objects, as JSON keeps it."""
    record: Facts = {key: getattr(sequence, key) for key in _PLAIN_FIELDS}
    listed = sequence.known_objects is not None
    record.update(
        known_objects=[asdict(item) for item in sequence.objects] if listed else None,
        images=_pack(sequence.images),
        annotations=_pack(sequence.annotations),
        video=str(sequence.video) if sequence.video else None,
        per_object_masks=sequence.load_object_masks is not None,
    )
    return record


def video_from_json(record: Facts, old: Path, new: Path) -> VideoSequence:
    """A sequence whose files lay below one folder and lie below another now."""

    def moved(path: str) -> Path:
        here = Path(path)
        # Not below it: masks may lie in a folder of their own.
        if new != old and here.is_relative_to(old):
            here = new / here.relative_to(old)
        return here.absolute()

    fields = {key: record[key] for key in _PLAIN_FIELDS}
    for key in ("frames", "attributes", "listed_frames"):
        fields[key] = None if fields[key] is None else tuple(fields[key])
    objects = record["known_objects"]
    return VideoSequence(
        **fields,
        known_objects=None
        if objects is None
        else tuple(_object_from_json(item) for item in objects),
        images=_unpack(record["images"], moved),
        annotations=_unpack(record["annotations"], moved),
        video=moved(record["video"]) if record["video"] else None,
    )


def _object_from_json(record: Facts) -> VideoObject:
    span = record["frame_range"]
    return VideoObject(**{**record, "frame_range": span and (span[0], span[1])})


def _pack(files: Mapping[str, Path]) -> dict[str, object]:
    """Frame files as their folder once and a name for each: half the size."""
    if not files:
        return {"folder": ".", "files": {}}
    if isinstance(files, FrameFiles):
        return {"folder": str(files.folder), "files": dict(files.names)}
    folder = os.path.commonpath([path.parent for path in files.values()])
    names = {
        frame: path.relative_to(folder).as_posix() for frame, path in files.items()
    }
    return {"folder": folder, "files": names}


def _unpack(record: Facts, moved: Callable[[str], Path]) -> FrameFiles:
    return FrameFiles(moved(record["folder"]), record["files"])
