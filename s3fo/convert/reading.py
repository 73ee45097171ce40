"""Read any of the formats into videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation._utils.json_files import read_json
from evaluation.errors import InputError
from evaluation.formats.mots import (
    IGNORED_REGION,
    MOTS_IGNORE,
    MOTS_SCALE,
    mots_files,
    object_ids,
)
from evaluation.masks.label_map import LabelMap, read_label_map
from evaluation.masks.open import open_ground_truth, read_encoded_folder
from evaluation.masks.sequence import ArraySequence, MaskSequence
from s3fo.convert.formats import FORMATS

_SHOWN = 12
"""Ids written out in a note."""

_FIX = "Write the file again, or give another path."


def detect(path: Path) -> str:
    """Name of the format of a file or folder.

    Raises:
        InputError: it is none that can be told from what lies there.
    """
    if path.is_file() and path.suffix == ".json":
        form = _kind_of_document(_document(path))
        if form:
            return form
    if path.is_dir():
        if any(path.glob("*_manual.json")) or any(path.glob("*_auto.json")):
            return "sa-v"
        if mots_files(path):
            return "mots"
        found = sorted(path.rglob("*.png"))
        if found:
            return _kind_of_folder(path, found)
    raise InputError(
        path,
        "no masks in a format that can be told" if path.exists() else "no such path",
        f"one of {', '.join(FORMATS)}",
        "Name the format (source_format=, --from), or give the path of the masks.",
    )


def _kind_of_document(document: Mapping[str, object]) -> str:
    """Name of the format of a JSON file; "" for none."""
    if "images" in document and "annotations" in document:
        return "coco"
    for key, name in (
        ("sequences", "burst"), ("masklet", "sa-v"), ("videos", "youtube-vis"),
    ):  # fmt: skip
        if key in document:
            return name
    plain = all(isinstance(item, dict) for item in document.values())
    return "json" if document and plain else ""


def read(
    path: Path, source_format: str, *, whole_ids: bool = False
) -> dict[str, MaskSequence]:
    """Open the masks of all videos.

    Args:
        path: of the masks.
        source_format: name of their format.
        whole_ids: leave the class in the ids of MOTS, and keep the regions that it
            ignores.

    Raises:
        InputError: they are not in this format.
    """
    if source_format == "mots-png":
        return _read_mots_png(path, whole_ids)
    if source_format in ("mots", "sa-v") and path.is_dir():
        found = read_encoded_folder(path, whole_ids=whole_ids)
        if found:
            if source_format == "mots" and not whole_ids:
                return _tell_lost(found, read_encoded_folder(path, whole_ids=True))
            return found
        raise InputError(
            path,
            f"no masks in the format {source_format}",
            FORMATS[source_format].about,
            "Leave out the format (source_format=, --from), or give another path.",
        )
    return dict(open_ground_truth(path).sequences)


LEFT_OUT = (
    f"regions that MOTS ignores ({IGNORED_REGION}) are left out, as only mots and "
    "mots-png keep them; score the masks of MOTS themselves where predictions in "
    "such regions are not to count"
)


def _tell_lost(
    found: Mapping[str, MaskSequence], whole: Mapping[str, MaskSequence]
) -> dict[str, MaskSequence]:
    """The videos without classes and regions to ignore, which is remarked.

    Args:
        found: under ids without the class, where these stay apart.
        whole: the same under ids with the class.
    """
    kept: dict[str, MaskSequence] = {}
    ids: dict[int, int] = {}
    for name, masks in found.items():
        own = masks.annotated_ids()
        ids |= {k: k % MOTS_SCALE for k in whole[name].annotated_ids() if k not in own}
    told = _tell_short(dict(sorted(ids.items())))
    for name, masks in found.items():
        ignores = masks.ignores
        kept[name] = masks if ignores is None else masks.renumbered(0, drop=ignores)
        if told:
            kept[name].remark(told)
        if ignores is not None:
            kept[name].remark(f"{name}: {LEFT_OUT}")
    return kept


def _tell_short(ids: Mapping[int, int]) -> str:
    """What is to be said of ids that lost their class; "" where none did."""
    short = [f"{k} became {v}" for k, v in ids.items() if k != v]
    if not short:
        return ""
    more = ", ..." if len(short) > _SHOWN else ""
    return f"ids without the class of MOTS: {', '.join(short[:_SHOWN])}{more}"


def _read_mots_png(folder: Path, whole_ids: bool) -> dict[str, MaskSequence]:
    opened = open_ground_truth(folder).sequences
    stored = {name: masks.labels_in(masks.frames) for name, masks in opened.items()}
    values = sorted(set().union(*stored.values()))
    kept = [(value, value // MOTS_SCALE) for value in values]
    instances = object_ids(key for key in kept if key[1] != MOTS_IGNORE)
    ids = {value: number for (value, _), number in instances.items()}
    if whole_ids:
        ids = {value: value for value in values}
    read: dict[str, MaskSequence] = {}
    told = _tell_short(ids)
    for name, masks in opened.items():
        read[name] = _MotsPngs(masks, ids)
        if told:
            read[name].remark(told)
        if stored[name] - ids.keys():
            read[name].remark(f"{name}: {LEFT_OUT}")
    return read


class _MotsPngs(ArraySequence):
    """Index masks of MOTS, whose ids also tell the class.

    Args:
        masks: as stored.
        ids: object id by the value in the files; others are no objects.
    """

    of_files = True

    def __init__(self, masks: MaskSequence, ids: Mapping[int, int]) -> None:
        super().__init__(masks.name, dict.fromkeys(masks.frames))
        self._stored = masks
        self._ids = np.zeros(2**16, np.uint16)
        self._ids[list(ids)] = list(ids.values())

    def where(self, frame: str, object_id: int | None = None) -> str:
        """The file."""
        return self._stored.where(frame, object_id)

    def read(self, frame: str) -> LabelMap:
        """The label map, without classes and ignored regions."""
        label_map = self._stored.read(frame)
        assert not isinstance(label_map, dict)
        return self._ids[label_map]


def _kind_of_folder(path: Path, files: Sequence[Path]) -> str:
    """Which of the formats of PNG files a folder has; empty masks do not tell."""
    depth = len(files[0].relative_to(path).parts)
    if depth >= 3:
        return "object-folders"
    for file in files:
        label_map = read_label_map(file, notice=lambda text: None)  # told by `read`
        ids = label_map[label_map > 0]
        if ids.size:
            return "mots-png" if int(ids.min()) >= MOTS_SCALE else "davis"
    return "davis"


def _document(path: Path) -> dict[str, Any]:
    document = read_json(path, _FIX, "a JSON file of masks")
    if isinstance(document, list):
        raise InputError(
            path,
            "a list of results, whose videos and frames only the file of the ground "
            "truth names",
            "masks that name their videos and frames",
            f"Score it beside that file, `s3fo evaluate {path} --gt instances.json`, "
            "which reads it as it is.",
        )
    return document if isinstance(document, dict) else {}
