"""Boxes that are no [x, y, width, height] are told from those that are."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest

from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
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


OBLONG = [(0.1, 0.1, 0.5, 0.5), *((x, 0.2, x + 0.3, 0.8 - x) for x in (0.1, 0.2, 0.3))]
"""The same of objects that are wider than high."""


def test_masks_with_rows_for_columns_are_refused():
    boxes = [size_of(own) for own in OBLONG]
    turned = [detection(size_of(own), own) for own in OBLONG]
    for label in turned:
        label.mask = label.mask.T
    with pytest.raises(InputError, match="masks of 80 rows and 40 columns") as e:
        check_boxes(frames(turned), SIZE, "bear")
    assert e.value.remedy == "Turn every mask: label.mask = label.mask.T"
    for label in turned:
        label.mask = label.mask.T
    assert check_boxes(frames(turned), SIZE, "bear") == []
    one = detection(boxes[0], OBLONG[0])  # one right mask, and nothing is sure
    odd = [detection(boxes[k], OBLONG[k], turned[k].mask.shape[::-1]) for k in (1, 2)]
    assert check_boxes(frames([one, *odd]), SIZE, "bear") == []


def test_turned_masks_in_files_are_refused(tmp_path):
    labels = []
    for k, own in enumerate(OBLONG):
        write_label_map(tmp_path / f"{k}.png", detection(own, own).mask.T)
        path = str(tmp_path / f"{k}.png")
        labels.append(fo.Detection(bounding_box=list(size_of(own)), mask_path=path))
    with pytest.raises(InputError, match="rows and columns exchanged"):
        check_boxes(frames(labels), SIZE, "bear")


@pytest.mark.parametrize(("more", "told"), [(1, "larger"), (-1, "smaller"), (0, "")])
def test_boxes_a_pixel_too_small_or_large_everywhere_are_told(more, told):
    """Measured from the first to the last pixel, not behind it."""
    labels = []
    for own in CORNERS:
        label = detection(size_of(own), own)
        height, width = label.mask.shape
        label.mask = np.ones((height + more, width + more), bool)
        labels.append(label)
    notes = check_boxes(frames(labels), SIZE, "bear")
    assert len(notes) == bool(told)
    assert all(f"one pixel {told} than their boxes" in note for note in notes)
    notes = check_boxes(
        frames([*labels, detection((0, 0, 0.1, 0.1), (0, 0, 0.1, 0.1))]), SIZE, "bear"
    )
    assert notes == []


@pytest.mark.parametrize(
    ("digits", "size", "told"),
    [(3, (1080, 1920), "1.0 pixels"), (3, (480, 854), ""), (4, (1080, 1920), ""),
     (3, (1000, 2000), "")],
)  # fmt: skip
def test_boxes_of_too_few_digits_for_the_frame_are_told(digits, size, told):
    """0.0005 of 1920 pixels is 0.96; of 2000 pixels, digits are whole ones."""
    labels = []
    for left, top, width, height in ((101, 77, 203, 151), (307, 205, 99, 61),
                                     (911, 111, 35, 47)):  # fmt: skip
        corner = left / size[1], top / size[0], width / size[1], height / size[0]
        box = [round(v, digits) for v in corner]
        mask = np.ones((height, width), bool)
        labels.append(fo.Detection(bounding_box=box, mask=mask))
    notes = check_boxes(frames(labels), size, "bear")
    assert len(notes) == bool(told) and all(told in note for note in notes)
