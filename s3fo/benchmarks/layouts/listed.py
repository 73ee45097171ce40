"""Folders of frames and masks with lists of sequences: VOST, VISOR and alike.

``JPEGImages/<sequence>``, ``Annotations/<sequence>`` (below ``480p`` or not) and, where
there are splits, ``ImageSets/<split>.txt`` or ``ImageSets/<year>/<split>.txt``. Masks
are label maps, or in a folder per object as those of SA-V.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from evaluation._utils.input_files import is_file, is_folder
from evaluation._utils.names import check_names
from evaluation.masks.sequence import natural
from s3fo.benchmarks.layouts.files import (
    IMAGE_SUFFIXES,
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
from s3fo.benchmarks.layouts.sa_v import load_object_folders
from s3fo.benchmarks.video import VideoSequence

_LEVEL = "480p"


def read_listed(
    root: Path, split: str, *, title: str, fps: float | None = None
) -> Found:
    """Read one split of such a tree; without a list, all its sequences.

    Args:
        root: the folder with JPEGImages; one level too high or low is noticed.
        split: name of a list in ImageSets.
        title: of the benchmark, for messages.
        fps: frames per second of the images.

    Raises:
        InputError: not such a tree, or pieces are missing: all of them are named.
    """
    root, note = locate_root(root, ["JPEGImages"], title)
    notes = [note] if note else []
    level = _LEVEL if is_folder(root / "JPEGImages" / _LEVEL) else ""
    images, masks = root / "JPEGImages" / level, root / "Annotations" / level
    listing = _listing(root, split)
    if listing:
        names = list(dict.fromkeys(read_text(listing).split()))
        check_names(names, "sequence", listing)
        notes.append(f"{len(names)} sequences from {listing.relative_to(root)}")
    else:
        names = list_folders(images)
        notes.append(f"no list of {split} in ImageSets: all {len(names)} sequences")
    sequences = tuple(
        _sequence(name, images / name, masks / name, fps)
        for name in sorted(names, key=natural)
    )
    refuse_missing(
        root,
        find_missing(sequences) or ([] if names else ["no sequences"]),
        f"every sequence of {title} {split} in JPEGImages and Annotations",
        "Unpack the missing pieces.",
    )
    missing_files = find_missing_files(sequences, lambda item: item.annotated_frames)
    return Found(root, sequences, tuple(notes), tuple(missing_files))


def _sequence(name: str, images: Path, masks: Path, fps: float | None) -> VideoSequence:
    if not is_folder(masks) or not list_folders(masks):
        return sequence_from_folders(name, images, masks, fps=fps)
    frames = list_frames(images, IMAGE_SUFFIXES)
    return VideoSequence(
        name=name,
        frames=tuple(frames),
        images=frames,
        annotations={},
        load_object_masks=partial(load_object_folders, masks, name),
        fps=fps,
    )


def _listing(root: Path, split: str) -> Path | None:
    folder, file = root / "ImageSets", f"{split.replace('-', '_')}.txt"
    years = [folder / year / file for year in list_folders(folder)]
    return next((path for path in (folder / file, *years) if is_file(path)), None)
