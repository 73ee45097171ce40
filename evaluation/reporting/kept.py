"""What a report measured stays in its folder, until what it was measured on changes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from evaluation.labelmap import write_atomically
from evaluation.scores import software_version
from evaluation.sources import Source, open_ground_truth


def digest(*parts: object) -> str:
    """Key made of anything whose `repr` tells it, and of the software's version."""
    text = repr((software_version(), *parts))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def truth_key(
    ground_truth: Source,
    images: Mapping[str, Mapping[str, Path]],
    names: Collection[str],
) -> str:
    """Key of what attributes are measured on: masks by content, images by state."""
    total = hashlib.blake2b(digest_size=16)
    for name, masks in open_ground_truth(ground_truth).sequences.items():
        if name not in names:
            continue
        for frame in masks.frames:
            total.update(f"{name}/{frame}".encode() + masks.digest(frame))
        for frame, path in images.get(name, {}).items():
            if os.path.exists(path):
                state = os.stat(path)
                total.update(f"{frame} {state.st_size} {state.st_mtime_ns}".encode())
    return total.hexdigest()


def is_kept(folder: Path, key: str) -> bool:
    """Whether the folder holds what was measured under this key."""
    path = folder / "key"
    return path.is_file() and path.read_text() == key


def keep(folder: Path, key: str) -> None:
    """Mark the folder as holding it, once everything else is written."""
    write_atomically(folder / "key", key.encode())
