from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import harness

from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks.download.archives import files_of
from s3fo.benchmarks.synthetic import Factors, write_synthetic


def pytest_terminal_summary(terminalreporter) -> None:
    if harness.COUNT.tried:
        terminalreporter.write_line(harness.COUNT.table())


@pytest.fixture(scope="session")
def place(tmp_path_factory) -> Path:
    """A small benchmark, and results whose masks, but the first, are pixels off."""
    root = tmp_path_factory.mktemp("faults")
    videos = {name: Factors(length=8) for name in ("one", "two", "three")}
    write_synthetic(root / "gt", videos=videos, size=(60, 96), textures="procedural")
    masks = root / "gt/Annotations/480p"
    for path in masks.rglob("*.png"):
        by = 4 if path.stem > "00000" else 0  # a first mask is given to methods
        moved = np.roll(read_label_map(path), by, axis=1)
        write_label_map(root / "results" / path.relative_to(masks), moved)
    _add_training_folders(root)
    _add_hidden_split(root)
    _add_archive(root)
    return root


def _add_training_folders(root: Path) -> None:
    """The videos as `train` wants them, and stills from one of them."""
    for tree in ("JPEGImages", "Annotations"):
        shutil.copytree(root / "gt" / tree / "480p", root / "videos" / tree)
    for tree, folder in (("JPEGImages", "images"), ("Annotations", "masks")):
        shutil.copytree(root / "gt" / tree / "480p/one", root / "stills" / folder)


def _add_hidden_split(root: Path) -> None:
    """The same videos as a split that a server scores."""
    shutil.copytree(root / "gt", root / "hidden")
    lists = root / "hidden/ImageSets/2017"
    (lists / "val.txt").rename(lists / "test-dev.txt")


ARCHIVE = files_of("davis-2016", "val")[0].name


def _add_archive(root: Path) -> None:
    """The archive of a benchmark, as if somebody had downloaded it."""
    (root / "archives").mkdir()
    with zipfile.ZipFile(root / "archives" / ARCHIVE, "w") as packed:
        for path in sorted((root / "gt").rglob("*")):
            if path.is_file():
                packed.write(path, Path("DAVIS") / path.relative_to(root / "gt"))


def _unpack(root: Path, out: Path) -> tuple[object, ...]:
    if not out.exists() and out.parent.is_dir():
        out.mkdir()
        os.link(root / "archives" / ARCHIVE, out / ARCHIVE)
    return "benchmarks", "download", "davis-2016", "--split", "val", "--to", out


@pytest.fixture(scope="session")
def verbs(place):
    """What each verb is called with, given where to write."""
    named = ("--benchmark", "synthetic", "--root", place / "gt")
    results = place / "results"
    return {
        "evaluate": lambda out: ("evaluate", results, *named, "--out", out),
        "failures": lambda out: ("failures", results, *named, "--out", out),
        "report": lambda out: (
            "report", results, *named, "--top", 1, "--out", out,
        ),
        "predict": lambda out: (
            "predict", "synthetic", "--root", place / "gt", "--method", "copy",
            "--out", out,
        ),
        "attributes": lambda out: ("attributes", *named, "--out", out),
        "audit": lambda out: ("audit", *named, "--out", out),
        "convert": lambda out: (
            "convert", results, out, "--to", "object-folders",
        ),
        "submit": lambda out: (
            "submit", results, "--benchmark", "davis-2017", "--split", "test-dev",
            "--root", place / "hidden", "--out", out / "masks.zip",
        ),
        "unpack": lambda out: _unpack(place, out),
    }  # fmt: skip
