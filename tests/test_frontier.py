"""The measurement of our own settings runs in its tiny form, and continues."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.frontier import SETTINGS, run
from benchmarks.validation import HARD, HELD_OUT
from evaluation.leaderboard.settings import REFERENCE
from evaluation.masks.label_map import write_label_map
from evaluation.masks.pictures import write_picture


@pytest.fixture
def train(tmp_path: Path) -> Path:
    """Two held-out videos, and one that the network was trained on."""
    for name in (*HELD_OUT, "bear"):
        for frame in range(6):
            picture = np.full((32, 48, 3), 90, np.uint8)
            mask = np.zeros((32, 48), np.uint8)
            picture[8:24, 10 + frame : 30 + frame] = (200, 40, 10)
            mask[8:24, 10 + frame : 30 + frame] = 1
            image = tmp_path / "train" / "JPEGImages" / name / f"{frame:05d}.jpg"
            image.parent.mkdir(parents=True, exist_ok=True)
            write_picture(image, picture, 95)
            masks = tmp_path / "train" / "Annotations" / name
            write_label_map(masks / f"{frame:05d}.png", mask)
    return tmp_path / "train"


@pytest.mark.slow
def test_the_tiny_form_measures_and_continues(train, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    assert run(train, out, "cpu", short=True, part="first-frame-only") is None
    masks = next(out.glob("*first-frame-only*/hike"))
    before = masks.stat().st_mtime_ns
    table = run(train, out, "cpu", short=True)
    assert masks.stat().st_mtime_ns == before, "what was measured is kept"
    assert len(table) == 2 and set(table["mem_every"]) == {5, 10**6}
    usual = table.iloc[0]
    assert {key: usual[key] for key in REFERENCE} == dict(REFERENCE)
    assert usual["cost"] == 1 and (table["seconds"] > 0).all()
    # Four frames of two real videos and of all synthetic ones, none of a trained one.
    assert (table["frames"] == 4 * (len(HELD_OUT) + len(HARD))).all()
    assert table["J&F"].between(0.3, 1).all()
    lines = (out / "settings.md").read_text().splitlines()
    assert len([line for line in lines if line.startswith("| 384")]) == 2
    assert len((out / "settings.csv").read_text().splitlines()) == 3


def test_settings_that_share_encoded_frames_stand_together():
    kinds = [(setting.size, setting.precision) for setting in SETTINGS]
    changes = sum(a != b for a, b in pairwise(kinds))
    assert changes == len(set(kinds)) - 1
    assert (SETTINGS[0].size, SETTINGS[0].precision, SETTINGS[0].memory) == tuple(
        REFERENCE.values()
    )


def test_settings_that_share_encoded_frames_see_them_whole():
    """A window follows the masks, so that its frames would be of one setting alone."""
    assert SETTINGS[0].build("cpu").settings["zoom"] == 1
