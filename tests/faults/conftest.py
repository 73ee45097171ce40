from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import harness

from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks.synthetic import Factors, write_synthetic


def pytest_terminal_summary(terminalreporter) -> None:
    if harness.COUNT.tried:
        terminalreporter.write_line(harness.COUNT.table())


@pytest.fixture(scope="session")
def place(tmp_path_factory) -> Path:
    """A small benchmark, and results whose masks are some pixels off."""
    root = tmp_path_factory.mktemp("faults")
    videos = {name: Factors(length=8) for name in ("one", "two", "three")}
    write_synthetic(root / "gt", videos=videos, size=(60, 96), textures="procedural")
    masks = root / "gt/Annotations/480p"
    for path in masks.rglob("*.png"):
        moved = np.roll(read_label_map(path), 4, axis=1)
        write_label_map(root / "results" / path.relative_to(masks), moved)
    return root


@pytest.fixture(scope="session")
def verbs(place):
    """What each verb is called with, given where to write."""
    named = ("--benchmark", "synthetic", "--root", place / "gt")
    results = place / "results"
    return {
        "evaluate": lambda out: ("evaluate", results, *named, "--out", out),
        "failures": lambda out: ("failures", results, *named, "--out", out),
        "report": lambda out: ("report", results, *named, "--out", out),
        "predict": lambda out: (
            "predict", "synthetic", "--root", place / "gt", "--method", "copy",
            "--out", out,
        ),
    }  # fmt: skip
