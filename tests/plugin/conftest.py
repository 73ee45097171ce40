"""What tests of the plugin share."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image
from small_benchmark import (
    benchmark,
    cache,
    dataset,
    explained,
    explained_once,
    predicted,
    results,
)

from evaluation.report import figures

DRAWINGS = [
    name for name in vars(figures) if name.endswith(("_chart", "_strip", "timeline"))
]
"""Functions that draw the pictures of a report."""

__all__ = [
    "benchmark",
    "cache",
    "dataset",
    "explained",
    "explained_once",
    "predicted",
    "results",
]


@pytest.fixture(autouse=True)
def blank_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without drawn pictures, which cost seconds each.

    Here it counts who makes a report of what, and where; tests/evaluation/report and
    tests/test_cli_reports.py draw and look at the pictures.
    """

    def draw_blank(*_: object, **__: object) -> Figure:
        return Figure()

    def save_blank(figure: Figure, path: Path, dots_per_inch: int = 200) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            Image.new("RGB", (8, 8)).save(path)
        else:
            path.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
        return path

    monkeypatch.setattr(figures, "save_figure", save_blank)
    for name in DRAWINGS:
        monkeypatch.setattr(figures, name, draw_blank)
