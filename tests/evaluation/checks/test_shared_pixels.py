"""Predicted masks that overlap are told where the official tool has label maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation import Meter, Scores, merge, score

TOLD = "predicted masks overlap in {} of {}, first objects {} and {} of {} in frame {}"


def masks_of(*columns: tuple[int, int]) -> dict[int, np.ndarray]:
    """Objects 1, 2, ... of 12 x 24 pixels, each given by its first and last column."""
    drawn = {k: np.zeros((12, 24), bool) for k in range(1, len(columns) + 1)}
    for mask, (left, right) in zip(drawn.values(), columns, strict=True):
        mask[3:9, left:right] = True
    return drawn


TRUE = masks_of((1, 7), (8, 14), (16, 22))
TOUCHING = masks_of((1, 8), (8, 15), (15, 22))
OVERLAPPING = masks_of((1, 7), (8, 16), (15, 22))


def label_map(masks: dict[int, np.ndarray]) -> np.ndarray:
    return sum((k * mask.astype(np.uint8) for k, mask in masks.items()), np.uint8(0))


TRUTH = {name: np.stack([label_map(TRUE)] * 7) for name in ("cat", "dog")}


def predicted(overlapping: list[int]) -> dict[str, dict[int, np.ndarray]]:
    return {f"{t:05d}": OVERLAPPING if t in overlapping else TOUCHING for t in range(7)}


def told(scores: Scores) -> list[str]:
    return [note for note in scores.notes if "overlap" in note]


@pytest.mark.parametrize(
    "protocol", ["davis-2017", "youtube-vos", "vost", "mose-v2", "trackeval-davis"]
)
def test_overlaps_are_told_with_frames_and_first_objects(protocol: str) -> None:
    results = {"cat": predicted([]), "dog": predicted([2, 4, 5])}
    (note,) = told(score(results, TRUTH, protocol))
    assert note.startswith(TOLD.format("3 frames", "1 video", 2, 3, "dog", "00002"))
    assert f"official tool of {protocol} reads label maps" in note


@pytest.mark.parametrize(
    "protocol", ["sa-v", "mevis", "burst-masks", "trackeval-hota", "davis-2016"]
)
def test_protocols_with_a_mask_per_object_allow_overlaps(protocol: str) -> None:
    results = {name: predicted([2, 3, 4]) for name in TRUTH}
    assert not told(score(results, TRUTH, protocol))


def test_masks_that_touch_and_frames_that_do_not_count_are_silent() -> None:
    results = {name: predicted([0, 6]) for name in TRUTH}
    assert not told(score(results, TRUTH, "davis-2017"))
    assert not told(score(TRUTH, TRUTH))


def test_true_masks_that_overlap_allow_predicted_ones_to() -> None:
    truth = {"cat": dict(predicted([0, 1, 2, 3, 4, 5, 6]))}
    assert not told(score({"cat": predicted([1, 2, 3, 4, 5])}, truth))


def test_pixels_that_do_not_count_are_no_overlap() -> None:
    truth = {"cat": TRUTH["cat"].copy()}
    truth["cat"][:, 3:9, 15] = 255
    assert not told(score({"cat": predicted([2, 3])}, truth, void=255))


def test_counts_of_a_cache_and_merged_scores_tell_the_same(tmp_path: Path) -> None:
    results = {"cat": predicted([3]), "dog": predicted([1, 5])}
    whole = told(score(results, TRUTH, cache=tmp_path))
    assert whole == told(score(results, TRUTH, cache=tmp_path))
    assert whole[0].startswith(
        TOLD.format("3 frames", "2 videos", 2, 3, "cat", "00003")
    )
    parts = [score(results, TRUTH, sequences=[name]) for name in ("dog", "cat")]
    assert told(merge(parts)) == whole


def test_the_meter_tells_it_of_stacks() -> None:
    meter = Meter("davis-2017")
    for t, masks in enumerate(predicted([2, 3]).values()):
        meter.update(masks, label_map(TRUE), sequence="cat", frame=t)
    (note,) = told(meter.compute())
    assert note.startswith(TOLD.format("2 frames", "1 video", 2, 3, "cat", "00002"))
