"""Writes a synthetic benchmark to disk in the DAVIS-2017 layout."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import Any
from zlib import crc32

import cv2
import numpy as np

from evaluation._utils.atomic import write_atomically
from evaluation._utils.json_files import parse, read_json
from evaluation._utils.parallel import check_workers
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.layouts.davis import read_davis
from s3fo.benchmarks.synthetic.director import build_scene
from s3fo.benchmarks.synthetic.factors import (
    PRESETS,
    Factors,
    check_factors,
    swept_factor,
)
from s3fo.benchmarks.synthetic.scene import Scene, render

SPLIT = "val"
_RECORD = "synthetic.json"
_FIX = "Write the benchmark again into an empty folder."
_JPEG_QUALITY = 92
# Part of the record: a change in how videos are drawn makes old ones out of date.
_DRAWING_VERSION = 1
_CASTINGS = 100


@dataclass(frozen=True)
class _Record:
    """What is always told of a benchmark."""

    preset: str
    seed: int
    sequences: dict[str, dict[str, Any]]


def write_synthetic(
    root: str | PathLike[str],
    preset: str = "mini",
    *,
    seed: int = 0,
    videos: Mapping[str, Factors] | None = None,
    size: tuple[int, int] | None = None,
    textures: str = "photographs",
    antialias: bool = True,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> Benchmark:
    """Write a procedural benchmark with exact masks, in the DAVIS-2017 layout.

    Textured objects move, rotate, grow, occlude each other, leave and return, as
    their `Factors` say. The same arguments give the same files. Sequences that are
    already there are kept, so that an interrupted call can be repeated. What was
    injected, and what every object then showed in each frame, is kept in
    ``synthetic.json``.

    Args:
        root: where to write.
        preset: ``"mini"`` (six short videos, seconds), ``"attributes"`` (one factor
            varied at a time) or ``"long"`` (thousands of frames).
        seed: another seed, other videos.
        videos: own factors by sequence name, instead of the preset's.
        size: (height, width) in pixels, instead of the preset's.
        textures: ``"photographs"`` (of installed packages) or ``"procedural"``.
        antialias: soft object edges in the frames; masks are always hard.
        workers: threads; default one a core.
        progress: told after every frame.

    Raises:
        InputError: unknown preset, impossible factors, or `root` holds another
            benchmark.
    """
    root = Path(root)
    if preset not in PRESETS:
        raise InputError(
            f"preset {preset!r}",
            "an unknown name",
            ", ".join(PRESETS),
            "Pass one of these presets.",
        )
    chosen = dict(videos or PRESETS[preset].videos)
    for name, factors in chosen.items():
        check_factors(name, factors)
    order = {
        "drawing_version": _DRAWING_VERSION,
        "preset": "custom" if videos else preset,
        "seed": seed,
        "size": list(size or PRESETS[preset].size),
        "textures": textures,
        "antialias": antialias,
    }
    _claim(root, {**order, "factors": {k: asdict(v) for k, v in chosen.items()}})
    records = _write_all(root, chosen, order, workers, progress)
    _finish(root, {**order, "sequences": records})
    return open_synthetic(root)


def open_synthetic(root: str | PathLike[str]) -> Benchmark:
    """Open what `write_synthetic` wrote.

    Raises:
        InputError: there is none, or it is not finished.
    """
    root = Path(root)
    record = read_record(root)
    found = read_davis(root, SPLIT)
    return Benchmark(
        f"synthetic-{record['preset']}",
        SPLIT,
        found.root,
        found.sequences,
        "davis-2017",
        found.notes,
    )


def read_record(root: Path) -> dict[str, object]:
    """What was injected and what came out.

    Returns:
        ``seed``, ``preset``, ... and ``sequences``: by name, ``factors`` (see
        `Factors`), ``swept`` (the factor that the ``attributes`` preset varies
        there) and ``objects``: by id, ``visible``, ``in_frame`` and ``whole`` pixels
        of each frame (see `Extent`).

    Raises:
        InputError: there is no finished synthetic benchmark.
    """
    path = root / _RECORD
    if not path.is_file():
        raise InputError(
            root,
            f"no {_RECORD}",
            "the folder of a finished synthetic benchmark",
            f"Write one with `s3fo.benchmarks.write_synthetic({str(root)!r})`, or take "
            "the folder `benchmark` that `s3fo demo` writes.",
        )
    record: dict[str, Any] = read_json(path, _FIX, "the record of a benchmark")
    parse(record, _Record, path, _FIX)
    return record


def _claim(root: Path, order: dict[str, object]) -> None:
    """Mark the folder with what is being written; refuse to mix two benchmarks."""
    marker = root / ".synthetic-order.json"
    text = json.dumps(order, sort_keys=True)
    if marker.is_file() and marker.read_text() == text:
        return
    if marker.is_file() or (root.is_dir() and any(root.iterdir())):
        raise InputError(
            root,
            "other files, or a synthetic benchmark made with other settings",
            "an empty folder, or the same benchmark",
            "Choose another folder or delete this one.",
        )
    write_atomically(marker, text.encode())


def _write_all(
    root: Path,
    videos: Mapping[str, Factors],
    order: dict[str, Any],
    workers: int | None,
    progress: ProgressCallback | None,
) -> dict[str, Any]:
    total = sum(factors.length for factors in videos.values())
    done, lock = 0, Lock()

    def advance(frames: int, label: str) -> None:
        nonlocal done
        with lock:
            done += frames
            if progress:
                progress(done, total, label)

    def write(item: tuple[str, Factors]) -> tuple[str, Any]:
        name, factors = item
        own = crc32(name.encode()) if factors.cast is None else factors.cast
        rng = np.random.default_rng([order["seed"], own])
        scene = _castable_scene(name, factors, order, rng)
        return name, _write_sequence(root, scene, rng, advance)

    check_workers(workers)
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        return dict(pool.map(write, videos.items()))


def _castable_scene(
    name: str, factors: Factors, order: dict[str, Any], rng: np.random.Generator
) -> Scene:
    """A scene whose first frame shows every object: the protocols ask for that."""
    for _ in range(_CASTINGS):
        scene = build_scene(
            name,
            factors,
            tuple(order["size"]),
            rng,
            textures=order["textures"],
            antialias=order["antialias"],
        )
        extents = render(scene, 0, rng)[2]
        if all(2 * extent.visible >= extent.whole for extent in extents.values()):
            return scene
    raise InputError(
        name,
        f"{_CASTINGS} first frames in which objects hide each other",
        "room for every object",
        "Ask for fewer or smaller objects.",
    )


def _write_sequence(
    root: Path, scene: Scene, rng: np.random.Generator, advance: Any
) -> dict[str, Any]:
    """Write one sequence under a temporary name, then rename; keep a finished one."""
    parts = root / ".parts" / f"{scene.name}.json"
    if parts.is_file():
        advance(scene.length, scene.name)
        kept: dict[str, Any] = read_json(parts, "Delete this file and run again.")
        return kept
    targets = [
        root / tree / "480p" / scene.name for tree in ("JPEGImages", "Annotations")
    ]
    folders = [target.with_name(f".{scene.name}.part") for target in targets]
    for folder in (*folders, *targets):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in folders:
        folder.mkdir(parents=True)
    objects: dict[str, dict[str, list[int]]] = {}
    for index in range(scene.length):
        image, label_map, extents = render(scene, index, rng)
        _write_jpeg(folders[0] / f"{index:05d}.jpg", image)
        write_label_map(folders[1] / f"{index:05d}.png", label_map)
        for object_id, extent in sorted(extents.items()):
            columns = objects.setdefault(str(object_id), {})
            for key, value in asdict(extent).items():
                columns.setdefault(key, []).append(value)
        advance(1, f"{scene.name} {index + 1}/{scene.length}")
    for folder, target in zip(folders, targets, strict=True):
        folder.rename(target)
    record = {
        "factors": scene.factors,
        "swept": swept_factor(scene.name),
        "objects": objects,
    }
    write_atomically(parts, json.dumps(record).encode())
    return record


def _write_jpeg(path: Path, image: np.ndarray) -> None:
    settings = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)[1]
    path.write_bytes(data.tobytes())


def _finish(root: Path, record: dict[str, Any]) -> None:
    names = "".join(f"{name}\n" for name in record["sequences"])
    write_atomically(root / "ImageSets" / "2017" / f"{SPLIT}.txt", os.fsencode(names))
    write_atomically(root / _RECORD, json.dumps(record).encode())
