"""The DAVIS layout: resolution folders and lists of sequences in ImageSets."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from evaluation._utils.input_files import is_file
from evaluation._utils.names import safe_name
from evaluation.errors import InputError
from evaluation.runs.split_check import say_foreign
from s3fo.benchmarks.layouts.files import (
    IMAGE_SUFFIXES,
    holds_folders,
    list_folders,
    list_frames,
    locate_root,
    read_text,
)
from s3fo.benchmarks.layouts.layout import (
    Found,
    find_missing,
    find_missing_files,
    refuse_missing,
    sequence_from_folders,
)
from s3fo.benchmarks.video import VideoSequence

FPS = 24.0


@lru_cache(maxsize=1)
def davis_facts() -> dict[str, Any]:
    """Official lists: splits by year; frames, objects, attributes by sequence.

    Attributes exist for the 50 sequences of 2016 only. Source: `db_info.yaml` of
    the DAVIS 2017 repository.
    """
    path = Path(__file__).parents[1] / "data" / "davis.json"
    facts: dict[str, Any] = json.loads(path.read_text())
    return facts


def official_sequences(benchmark: str, split: str) -> tuple[str, ...]:
    """Names of a split's sequences; empty where the package has no list of them.

    >>> len(official_sequences("davis-2017", "val")), official_sequences("sa-v", "val")
    (30, ())
    """
    title, _, year = benchmark.partition("-")
    splits = davis_facts()["splits"].get(year, {}) if title == "davis" else {}
    return tuple(splits.get(split, ()))


def read_davis(
    root: Path,
    split: str,
    *,
    year: int = 2017,
    annotations: str = "Annotations",
    resolution: str | None = None,
) -> Found:
    """Read one split of DAVIS-2016, DAVIS-2017 or anything laid out alike.

    Args:
        root: the folder with JPEGImages (one level too high or low is noticed).
        split: name of a list in ImageSets. Without ImageSets: the official list of
            that split as far as it is there, else every sequence.
        year: 2016 makes every non-zero pixel object 1.
        annotations: folder of the masks; ``Annotations_unsupervised`` has the
            proposals of the unsupervised task.
        resolution: folder below JPEGImages, or ``"full"``; None takes 480p or else
            the only one there is.

    Raises:
        InputError: not such a tree, no such list, or sequences are missing: all of
            them are named.
    """
    root, note = locate_root(root, ["JPEGImages"], f"DAVIS {year}")
    notes = [note] if note else []
    level = _resolution_folder(root / "JPEGImages", resolution)
    if level and level != "480p":
        notes.append(f"frames at resolution {level}")
    image_root, mask_root = root / "JPEGImages" / level, root / annotations / level
    names, source = _sequence_names(root, image_root, split, year)
    notes.append(f"{len(names)} sequences from {source}")
    if foreign := say_foreign(names, davis_facts()["sequences"], "DAVIS"):
        notes.append(f"{foreign}: a benchmark of its own in the layout of DAVIS")
    # Proposals of the unsupervised task may begin anywhere.
    rules = {"binary": year == 2016, "late_objects": annotations != "Annotations"}
    sequences = tuple(_sequence(name, image_root, mask_root, **rules) for name in names)
    refuse_missing(
        root,
        find_missing(sequences) or ([] if names else [f"no sequences in {source}"]),
        f"every sequence of {source} in {image_root.relative_to(root)} and "
        f"{mask_root.relative_to(root)}",
        "Unpack the missing pieces, or name the sequences to use.",
    )
    return Found(
        root,
        sequences,
        tuple(notes),
        _missing_files(sequences, split),
        is_of_its_own=bool(foreign),
    )


def _missing_files(sequences: tuple[VideoSequence, ...], split: str) -> tuple[str, ...]:
    """Frames that the official list counts, and masks: hidden splits have one.

    Sequences of another benchmark may have the names of some of DAVIS, not its frames.
    """
    facts = davis_facts()["sequences"]
    lengths = {}
    if all(sequence.name in facts for sequence in sequences):
        lengths = {item.name: facts[item.name]["frames"] for item in sequences}
    hidden = split.startswith("test")
    return tuple(
        find_missing_files(sequences, lambda it: () if hidden else it.frames, lengths)
    )


def _sequence(
    name: str, image_root: Path, mask_root: Path, **rules: bool
) -> VideoSequence:
    attributes = davis_facts()["sequences"].get(name, {}).get("attributes")
    return sequence_from_folders(
        name,
        image_root / name,
        mask_root / name,
        **rules,
        fps=FPS,
        attributes=None if attributes is None else tuple(attributes),
    )


def _resolution_folder(images: Path, wanted: str | None) -> str:
    """Name of the folder between JPEGImages and the sequences; "" without one."""
    levels = [
        name
        for name in list_folders(images)
        if holds_folders(images / name)
        and not list_frames(images / name, IMAGE_SUFFIXES)  # that is a sequence
    ]
    if wanted is not None:
        wanted = wanted.lower()
        aliases = {"full": ["full-resolution", "1080p"]}.get(wanted, [wanted])
        matches = [name for name in levels if name.lower() in aliases]
    else:
        matches = ["480p"] if "480p" in levels else levels
    if len(matches) == 1:
        return matches[0]
    if not levels and wanted is None:
        return ""
    raise InputError(
        images,
        f"resolutions {', '.join(levels) or 'none'}",
        f"resolution {wanted}" if wanted else "480p, or just one",
        "Name the resolution to use.",
    )


def _sequence_names(
    root: Path, image_root: Path, split: str, year: int
) -> tuple[list[str], str]:
    """Sequences of the split, and where that list comes from."""
    lists = root / "ImageSets"
    for candidate in (lists / str(year), lists / "480p", lists):
        path = candidate / f"{split}.txt"
        if is_file(path):
            return _read_list(path), str(path.relative_to(root))
    if any(lists.rglob(f"*/{split}.txt")) or _has_lists(lists, year):
        raise _no_list(lists, split, year)
    present = list_folders(image_root)
    official = official_sequences(f"davis-{year}", split)
    known = [name for name in official if name in present]
    if known:
        count = f"{len(known)} of {len(official)}"
        return known, f"the official list of {split} ({count}; no list in ImageSets)"
    if present:
        return present, "the folder itself (no list in ImageSets)"
    raise InputError(
        image_root,
        "no sequences",
        "one folder per sequence",
        f"Unpack the archive of the frames into {image_root}.",
    )


def _has_lists(lists: Path, year: int) -> bool:
    return any((lists / str(year)).glob("*.txt"))


def _no_list(lists: Path, split: str, year: int) -> InputError:
    found = sorted(str(path.relative_to(lists)) for path in lists.rglob("*.txt"))
    return InputError(
        lists,
        f"lists {', '.join(found)}",
        f"{year}/{split}.txt",
        "Choose a split that is there, or get its list.",
    )


def _read_list(path: Path) -> list[str]:
    """Sequence names, one a line; the 2016 release lists files instead."""
    names = []
    for line in read_text(path).splitlines():
        entry = line.strip()
        if "/" in entry:
            entry = entry.split()[0].rstrip("/").split("/")[-2]
        if entry and entry not in names:
            names.append(safe_name(entry, "sequence", path))
    return names
