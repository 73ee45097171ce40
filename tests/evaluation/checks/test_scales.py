"""Masks of images that were padded or cropped a little, or whose pixels lie elsewhere.

What undoes each is known: a height of 100 that was padded to 108 comes back by 1.08.
"""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest

from evaluation import score

T, H, W = 8, 100, 180


def frame(t: int) -> np.ndarray:
    """Two objects on their ways, and one that stays."""
    drawn = np.zeros((H, W), np.uint8)
    cv2.ellipse(drawn, (40 + 7 * t, 30 + 5 * t), (13, 9), 0, 0, 360, 1, -1)
    cv2.ellipse(drawn, (140 - 6 * t, 72 - 4 * t), (9, 12), 0, 0, 360, 2, -1)
    cv2.rectangle(drawn, (20, 66), (44, 84), 3, -1)
    return drawn


TRUTH = {"v": np.stack([frame(t) for t in range(T)])}


def back(mask: np.ndarray) -> np.ndarray:
    return cv2.resize(mask, (W, H), interpolation=cv2.INTER_NEAREST)


def notes_of(change, options: dict[str, str] | None = None) -> list[str]:
    found = {"v": np.stack([change(mask) for mask in TRUTH["v"]])}
    return list(score(found, TRUTH, **(options or {})).notes)


CHANGES = {
    "padded below": (lambda m: back(np.pad(m, ((0, 8), (0, 0)))), 1.0, 1.08),
    "padded on the right": (lambda m: back(np.pad(m, ((0, 0), (0, 12)))), 16 / 15, 1.0),
    "cropped on all sides": (lambda m: back(m[5:-5, 9:-9]), 0.9, 0.9),
    "cropped to a square": (lambda m: back(m[:, 20:160]), 140 / 180, 1.0),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_small_scale_is_told_with_its_size(kind) -> None:
    change, across, down = CHANGES[kind]
    (note,) = (n for n in notes_of(change) if "scaled" in n)
    found = re.search(r"by ([\d.]+) across and ([\d.]+) down", note)
    assert found
    assert [float(n) for n in found.groups()] == pytest.approx([across, down], abs=0.03)


@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_a_scale_by_two_percent_is_told(factor) -> None:
    """Of frames of 640x360 that were brought to a size of whole blocks, and back."""
    truth = np.stack([cv2.resize(m, (640, 360), interpolation=0) for m in TRUTH["v"]])
    matrix = np.array([[factor, 0, 0], [0, factor, 0]])
    scaled = np.stack(
        [cv2.warpAffine(m, matrix, (640, 360), flags=cv2.INTER_NEAREST) for m in truth]
    )
    # A method's own: each frame is off by a pixel, to another side.
    found = np.stack([np.roll(m, t % 3 - 1, axis=t % 2) for t, m in enumerate(scaled)])
    (note,) = (n for n in score({"v": found}, {"v": truth}).notes if "scaled" in n)
    numbers = re.search(r"by ([\d.]+) across and ([\d.]+) down", note)
    assert numbers
    back = [1 / factor] * 2
    assert [float(n) for n in numbers.groups()] == pytest.approx(back, abs=0.006)
    plain = np.stack([np.roll(m, t % 3 - 1, axis=t % 2) for t, m in enumerate(truth)])
    assert not any("scaled" in n for n in score({"v": plain}, {"v": truth}).notes)


@pytest.mark.parametrize("grow", [cv2.dilate, cv2.erode])
def test_masks_too_large_or_small_are_not_called_scaled(grow) -> None:
    """Though those of an object alone, about its middle, would be the same."""
    assert notes_of(lambda m: grow(m, np.ones((5, 5), np.uint8))) == []


def test_pixels_in_the_order_of_columns_are_told() -> None:
    """Written along the rows, and read down the columns, or the other way round."""
    notes = notes_of(lambda m: m.ravel(order="C").reshape(H, W, order="F"))
    assert [n for n in notes if "pixels fit" in n and "along the rows" in n]
    notes = notes_of(lambda m: m.ravel(order="F").reshape(H, W, order="C"))
    assert [n for n in notes if "pixels fit" in n and "down the columns" in n]


def discs(grown=0):
    """[10, 100, 150] two wavy discs on their way, grown by so many pixels all round."""
    ys, xs = np.mgrid[:100, :150]
    video = np.zeros((10, 100, 150), np.uint8)
    rng = np.random.default_rng(23)
    for key in (1, 2):
        radius, y, x, step = rng.uniform((12, 25, 25, 1), (20, 75, 60, 5))
        for t, frame in enumerate(video):
            down, right = ys - y, xs - x - step * t
            waves = 1 + 0.15 * np.sin(3 * np.arctan2(down, right) + 0.3 * t)
            frame[np.hypot(down, right) < radius * waves + grown] = key
    return video


@pytest.mark.parametrize("grown", [1, 2, 3, -2])
def test_masks_that_are_too_large_or_small_all_round_are_not_told_as_scaled(grown):
    assert score({"v": discs(grown)}, {"v": discs()}).notes == ()
