"""Boxes that are no [x, y, width, height] are told from those that are."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest

from evaluation.errors import InputError
from s3fo.datasets.fields.boxes import check_boxes

SIZE = (100, 200)  # height, width
CORNERS = [
    (0.1, 0.1, 0.3, 0.5),
    (0.5, 0.2, 0.9, 0.6),
    (0.6, 0.5, 0.8, 0.9),
    (0.4, 0.6, 0.95, 1.0),
]
"""Left, top, right and bottom of objects."""


def detection(box, corners, resolution=None):
    left, top, right, bottom = corners
    shape = (round((bottom - top) * SIZE[0]), round((right - left) * SIZE[1]))
    return fo.Detection(
        bounding_box=list(box), mask=np.ones(resolution or shape, bool), index=1
    )


def size_of(corners):
    left, top, right, bottom = corners
    return (left, top, right - left, bottom - top)


def frames(labels):
    return {str(t): [label] for t, label in enumerate(labels)}


@pytest.mark.parametrize("resolution", [None, (28, 28)])
def test_boxes_of_two_corners_are_refused(resolution):
    labels = [detection(corners, corners, resolution) for corners in CORNERS]
    with pytest.raises(InputError, match="boxes of two corners") as told:
        check_boxes(frames(labels), SIZE, "frames.mine, bear")
    assert "x2 - x1" in told.value.remedy
    mended = [detection(size_of(own), own, resolution) for own in CORNERS]
    assert check_boxes(frames(mended), SIZE, "bear") == []


def test_boxes_of_two_corners_inside_the_frame_are_known_by_their_masks():
    inside = [(0.1 + t / 100, 0.1, 0.4 + t / 100, 0.3) for t in range(4)]
    labels = [detection(corners, corners) for corners in inside]
    with pytest.raises(InputError, match="masks are as large"):
        check_boxes(frames(labels), SIZE, "bear")


def test_right_boxes_beyond_the_frame_are_no_corners():
    """Half out on the right, wider than they are far from the left: masks decide."""
    labels = [
        detection((x, 0.1, 0.7, 0.5), (x, 0.1, x + 0.7, 0.6))
        for x in (0.45, 0.46, 0.47, 0.48)
    ]
    notes = check_boxes(frames(labels), SIZE, "bear")
    assert notes == [
        "bear: 4 of 4 boxes reach beyond the frame; are they [x, y, width, height], x "
        "and y of the upper left corner?"
    ]


def test_boxes_around_their_centre_are_told():
    centred = [((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
               for x1, y1, x2, y2 in CORNERS]  # fmt: skip
    labels = [detection(b, own) for b, own in zip(centred, CORNERS, strict=True)]
    notes = check_boxes(frames(labels), SIZE, "bear")
    assert "reach beyond the frame" in notes[0]


def test_labels_without_masks_in_memory_and_single_ones():
    box = fo.Detection(bounding_box=[0.5, 0.5, 0.6, 0.6], mask_path="a.png")
    assert check_boxes({"0": [box], "1": None}, SIZE, "bear") == []
    assert check_boxes({"0": []}, SIZE, "bear") == []


def test_a_mask_of_low_resolution_fits_corners_by_chance():
    """Half as large as its box, in every frame alike."""
    labels = [detection((0.25, 0.25, 0.5, 0.5), (0.0, 0.0, 0.25, 0.25))] * 5
    assert check_boxes(frames(labels), SIZE, "bear") == []
