"""Strata of SeCVOS: how often the scene changes in a video.

``scene_info.json`` lies beside JPEGImages and Annotations, and names the scenes of each
video. Its form is described nowhere, so several are read, with a note that says what
was taken; where numbers could mean two things, the file is refused.

Source: the file list of huggingface.co/datasets/OpenIXCLab/SeCVOS and EVALUATE.md of
github.com/OpenIXCLab/SeC name the file; table 4 of Zhang et al., arXiv 2507.15852, has
the strata: no, a single and multiple scene changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from evaluation._utils.input_files import is_file
from evaluation._utils.json_files import read_json
from evaluation.errors import InputError
from s3fo.benchmarks.layouts.layout import Found

FILE = "scene_info.json"

STRATA = ("no scene change", "single scene change", "multiple scene changes")
"""Tags of videos with one, two, and more scenes."""

_NAMES = ("video", "video_id", "video_name", "vid", "name", "id")
_COUNTS = ("scene_num", "num_scenes", "n_scenes", "scene_count", "scenes", "scene")
_EXPECTED = (
    "per video the number of its scenes, or a list of [start, end] per scene: "
    '{"video": 3}, {"video": [[0, 40], [41, 90]]} or {"video": {"scenes": ...}}'
)
_FIX = (
    'Write it as {"video": number of scenes}, or remove the file to go without strata.'
)


def with_strata(found: Found) -> Found:
    """The videos with the tag of their stratum, where the benchmark's file is there.

    Raises:
        InputError: the file has none of the forms that are understood.
    """
    path = found.root / FILE
    if not is_file(path):
        note = f"no {FILE} in {found.root}: no figures by number of scene changes"
        return replace(found, notes=(*found.notes, note))
    counts = read_scene_counts(path)
    sequences = tuple(
        replace(
            video,
            attributes=(stratum(counts[video.name]),) if video.name in counts else None,
        )
        for video in found.sequences
    )
    tags = Counter(tag for video in sequences for tag in video.attributes or ())
    told = ", ".join(f"{tags[tag]} with {tag}" for tag in STRATA)
    unknown = [video.name for video in sequences if video.attributes is None]
    notes = [f"scenes per video as in {FILE}: {told}"]
    if unknown:
        notes.append(f"{FILE} does not name {len(unknown)} videos, e.g. {unknown[0]}")
    return replace(
        found, sequences=sequences, notes=(*found.notes, *notes), strata=STRATA
    )


def stratum(scenes: int) -> str:
    """The tag of a video by the number of its scenes.

    >>> stratum(2)
    'single scene change'
    """
    return STRATA[min(scenes, len(STRATA)) - 1]


def read_scene_counts(path: Path) -> dict[str, int]:
    """Number of scenes by the name of the video.

    Raises:
        InputError: it says something else.
    """
    document = read_json(path, _FIX, "scenes of videos")
    if isinstance(document, dict) and isinstance(document.get("videos"), (dict, list)):
        document = document["videos"]
    if isinstance(document, dict):
        entries = [(str(name), entry) for name, entry in document.items()]
    elif isinstance(document, list):
        entries = [(_name(path, entry), entry) for entry in document]
    else:
        raise InputError(path, "no object and no list at the top", _EXPECTED, _FIX)
    counts: dict[str, int] = {}
    for name, entry in entries:
        if name in counts:
            raise InputError(path, f"video {name!r} twice", _EXPECTED, _FIX)
        counts[name] = _count(path, name, entry)
    return counts


def _name(path: Path, entry: object) -> str:
    keys = entry if isinstance(entry, Mapping) else {}
    for key in _NAMES:
        if isinstance(keys.get(key), str):
            return str(keys[key])
    raise InputError(path, f"an entry without the name of a video: {entry!r:.60}",
                     _EXPECTED, _FIX)  # fmt: skip


def _count(path: Path, name: str, entry: object) -> int:
    """Scenes that an entry tells: a number, one item per scene, or a key with these."""
    if isinstance(entry, Mapping):
        given = [key for key in _COUNTS if key in entry]
        if not given:
            found = f"no number of scenes for video {name!r}"
            raise InputError(path, found, _EXPECTED, _FIX)
        told = {_count(path, name, entry[key]) for key in given}
        if len(told) > 1:
            found = f"several numbers of scenes for video {name!r}"
            raise InputError(path, found, _EXPECTED, _FIX)
        return told.pop()
    if isinstance(entry, int) and not isinstance(entry, bool) and entry > 0:
        return entry
    listed = entry if isinstance(entry, list) else []
    if listed and all(isinstance(one, (list, Mapping)) and one for one in listed):
        return len(listed)
    # Numbers in a list may be where scenes begin, where they end or where they change.
    raise InputError(path, f"{entry!r:.60} for video {name!r}", _EXPECTED, _FIX)
