"""Every notebook runs, and what it shows is right: numbers, text and pictures."""

from __future__ import annotations

import importlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.fiftyone, pytest.mark.slow]

REPOSITORY = Path(__file__).resolve().parents[1]
NOTEBOOKS = REPOSITORY / "notebooks"
KEPT = REPOSITORY / "artifacts" / "notebooks"
PICTURES = {
    "01_quickstart": 2,
    "02_your_masks": 1,
    "03_attributes": 1,
    "04_failures_in_the_app": 2,
    "05_your_videos_with_s3": 1,
    "06_leaderboard": 2,
}
"""How many each notebook shows."""

DATASET = f"test-{os.getpid()}-notebooks"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Demo data, cache and dataset that all notebooks share."""
    folder = tmp_path_factory.mktemp("notebooks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("S3FO_NOTEBOOK_DATA", str(folder / "data"))
        patch.setenv("S3FO_NOTEBOOK_DATASET", DATASET)
        patch.setenv("S3FO_CACHE_DIR", str(folder / "cache"))
        yield folder


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a notebook in the folder; gives what its variables are in the end.

    Its page is made as for the documentation, looked through, and kept to look at.
    """
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(REPOSITORY / "docs" / "generators")
    pages = importlib.import_module("notebook_pages")

    def run_notebook(name: str) -> dict[str, Any]:
        names: dict[str, Any] = {}
        cells = list(pages.run(pages.read(NOTEBOOKS / f"{name}.py"), names))
        page = pages.page(name, cells)
        KEPT.mkdir(parents=True, exist_ok=True)
        for file, content in page.items():
            data = content if isinstance(content, bytes) else content.encode()
            (KEPT / file).write_bytes(data)
        check_page(name, page)
        return names

    return run_notebook


def check_page(name: str, page: dict[str, Any]) -> None:
    """Every picture is there, in its place, and shows something."""
    text = page[f"{name}.md"]
    pictures = [file for file in page if file.endswith(".png")]
    assert len(pictures) == PICTURES[name]
    for file in pictures:
        assert f"]({file})" in text
        pixels = np.asarray(Image.open(io.BytesIO(page[file])).convert("RGB"))
        assert min(pixels.shape[:2]) >= 100 and pixels.std() > 10, file
    assert text.count("```text\n") >= 5, "cells print"


def test_no_notebook_goes_untested() -> None:
    assert {path.stem for path in NOTEBOOKS.glob("*.py")} == PICTURES.keys()


def test_quickstart(run: Any) -> None:
    shown = run("01_quickstart")

    copy, flow = (shown["scores"][name].summary["J&F"] for name in ("copy", "flow"))
    assert 0.05 < copy < 0.25 < flow < 0.6
    assert shown["perfect"].summary["J&F"] == 1.0
    assert len(shown["objects"]) == 12
    assert shown["objects"]["J&F"].is_monotonic_increasing
    # Errors pile up: that is what the text says of optical flow.
    assert (shown["objects"]["J_decay"] > 0).all()
    assert shown["again"].summary == shown["scores"]["flow"].summary


def test_your_masks(run: Any) -> None:
    shown = run("02_your_masks")

    difference = shown["difference"].objects.set_index(["sequence", "object"])["delta"]
    assert (difference["near-and-far"] < 0).all()
    assert (difference["lookalikes"] > 0).all()
    assert "crossing: 00020" in shown["complaint"].found
    assert "240x135" in shown["size_complaint"].found
    template, lenient = (
        shown[name].summary["J&F"] for name in ("template", "lenient")
    )  # fmt: skip
    assert 0 < template - lenient < 0.01
    assert shown["resized"].summary["J&F"] != template
    assert any("00020" in note for note in shown["lenient"].notes)


def test_attributes(run: Any) -> None:
    shown = run("03_attributes")

    measured = shown["measured"]["mean"]
    assert measured[0] < 0.01 < 0.1 < measured[50] < measured[100]
    assert (shown["odd"]["left_frame"] > 0).all()
    assert (shown["loss"] > 0).mean() >= 0.75
    trend = shown["trends"].loc[("flow", "occlusion")]
    assert trend["spearman"] < 0 and trend["change"] < 0
    assert shown["chart"].stat().st_size > 10_000


def test_failures(run: Any) -> None:
    import fiftyone as fo

    try:
        shown = run("04_failures_in_the_app")

        failures, clips = shown["failures"], shown["clips"]
        assert failures.frames["cost"].sum() == pytest.approx(failures.lost)
        assert failures.headline == shown["scores"].summary["J&F"]
        assert len(clips) == 10
        event = failures.events.iloc[0]
        assert shown["video"] == event["sequence"]
        assert shown["label"].label.startswith(event["kind"] + ", ")
        # Frames count from 1 in FiftyOne.
        start, end = event["start_index"] + 1, event["end_index"] + 1
        assert list(shown["first"].support) == [start, end]
        assert set(shown["worst_objects"].values("sequence")) <= set(
            failures.events["sequence"]
        )
    finally:
        if fo.dataset_exists(DATASET):
            fo.delete_dataset(DATASET)


def test_your_videos(run: Any) -> None:
    shown = run("05_your_videos_with_s3")

    assert shown["sequence"].fps == 24.0
    quality = shown["scores"].objects.set_index("object")["J&F"]
    assert (quality > 0.7).all(), quality
    # Object 1 leaves and returns: the alarm by area must tell.
    assert shown["areas"][1].min() < 50 < shown["areas"][1][0]
    assert shown["sheet"].stat().st_size > 10_000


def test_leaderboard(run: Any) -> None:
    shown = run("06_leaderboard")

    assert shown["runs"].set_index("method")["state"].eq("current").all()
    assert shown["difference"].delta > 0
    figures = shown["board"].table
    s3 = figures[figures["method"] == "S3"].set_index("J&F")
    assert s3["superseded"].to_dict() == {89.1: True, 87.8: False}
    assert figures.loc[figures["superseded"], "rank"].isna().all()
    (warning,) = shown["mixed"].warnings
    assert "no rank among figures of davis-2017" in warning
    assert shown["written"].page.is_file()
    folder = shown["paper"] / "tables"
    assert {path.suffix for path in folder.iterdir()} == {
        ".csv", ".json", ".md", ".tex",
    }  # fmt: skip
