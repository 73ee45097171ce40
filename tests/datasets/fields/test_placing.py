"""Masks of labels at their place: they fill their box, which may leave the frame."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest

from evaluation.errors import InputError
from s3fo.datasets.fields.placing import place_mask
from s3fo.datasets.fields.segmentation import segmentation_map

SIZE = (20, 40)


def _filled(top, bottom, left, right):
    full = np.zeros(SIZE, bool)
    full[top:bottom, left:right] = True
    return full


def test_a_mask_of_the_size_of_its_box_is_laid_as_it_is():
    mask = np.array([[1, 0, 1], [0, 1, 0]], bool)
    full = place_mask(mask, [0.25, 0.5, 3 / 40, 2 / 20], SIZE)
    expected = np.zeros(SIZE, bool)
    expected[10:12, 10:13] = mask
    np.testing.assert_array_equal(full, expected)


def test_a_mask_of_another_size_fills_its_box():
    full = place_mask(np.ones((5, 5), np.uint8), [0.5, 0.5, 0.25, 0.3], SIZE)
    np.testing.assert_array_equal(full, _filled(10, 16, 20, 30))
    half = np.array([[1, 0]], np.uint8)  # left half of the box
    full = place_mask(half, [0.5, 0.5, 0.25, 0.3], SIZE)
    label = fo.Detection(bounding_box=[0.5, 0.5, 0.25, 0.3], mask=half)
    theirs = label.to_segmentation(frame_size=SIZE[::-1]).mask > 0
    np.testing.assert_array_equal(full, theirs)
    assert (full != _filled(10, 16, 20, 25)).sum() <= 6  # blurred along its edge


def test_what_leaves_the_frame_is_cut_off():
    whole = np.ones((10, 20), bool)
    full = place_mask(whole, [-0.25, -0.25, 0.5, 0.5], SIZE)
    np.testing.assert_array_equal(full, _filled(0, 5, 0, 10))
    full = place_mask(whole, [0.75, 0.75, 0.5, 0.5], SIZE)
    np.testing.assert_array_equal(full, _filled(15, 20, 30, 40))
    assert not place_mask(whole, [1.5, 0.0, 0.5, 0.5], SIZE).any()
    assert not place_mask(whole, [-2.0, 0.0, 0.5, 0.5], SIZE).any()


def test_values_above_one_are_inside():
    full = place_mask(np.full((2, 2), 255, np.uint8), [0, 0, 2 / 40, 2 / 20], SIZE)
    np.testing.assert_array_equal(full, _filled(0, 2, 0, 2))


def test_a_mask_with_equal_channels_is_one_mask_in_both_kinds_of_labels():
    rows = np.array([[0, 3, 3], [0, 0, 3]], np.uint8)
    three = np.repeat(rows[..., None], 3, axis=2)
    box = [0.25, 0.5, 3 / 40, 2 / 20]
    for channels in (three, three[..., :1]):
        np.testing.assert_array_equal(
            place_mask(channels, box, SIZE), place_mask(rows, box, SIZE)
        )
        found = segmentation_map(fo.Segmentation(mask=channels), "a frame", [])
        np.testing.assert_array_equal(found, rows)
    three[0, 0] = (1, 0, 0)
    with pytest.raises(InputError, match="shape"):
        place_mask(three, box, SIZE)
    with pytest.raises(InputError, match="shape"):
        segmentation_map(fo.Segmentation(mask=three), "a frame", [])


@pytest.mark.parametrize("digits", [3, 4, 5, 6, 16])
def test_boxes_that_were_rounded_leave_every_pixel_in_its_place(digits):
    """By FiftyOne's own rule some lose a pixel, and their masks are stretched."""
    frame, (rng, stretched) = (97, 149), (np.random.default_rng(5), 0)
    for _ in range(40):
        y, x = (int(rng.integers(0, n - 40)) for n in frame)
        h, w = (int(n) for n in rng.integers(5, 40, 2))
        mask = rng.random((h, w)) > 0.5
        exact = (x / frame[1], y / frame[0], w / frame[1], h / frame[0])
        box = [round(v, digits) for v in exact]
        expected = np.zeros(frame, bool)
        expected[y : y + h, x : x + w] = mask
        np.testing.assert_array_equal(place_mask(mask, box, frame), expected)
        label = fo.Detection(bounding_box=box, mask=mask)
        theirs = label.to_segmentation(frame_size=frame[::-1]).mask > 0
        stretched += not np.array_equal(theirs, expected)
    assert stretched or digits > 5


def test_masks_cut_out_at_the_nearest_pixels_stay_there():
    """As FiftyOne's importer of COCO does, of boxes between pixels."""
    mask = np.eye(6, 11, dtype=bool)
    box = [9.7 / 40, 3.6 / 20, 10.7 / 40, 6.1 / 20]  # 10..20 and 4..10 when rounded
    full = place_mask(mask[:, :10], box, SIZE)
    np.testing.assert_array_equal(full[4:10, 10:20], mask[:, :10])
    assert full.sum() == 6


def test_a_mask_as_large_as_its_box_between_pixels_lies_as_in_fiftyone():
    label = fo.Detection(
        bounding_box=[9.7 / 40, 3.6 / 20, 10.2 / 40, 6.1 / 20],
        mask=np.eye(6, 10, dtype=bool),
    )
    theirs = label.to_segmentation(frame_size=SIZE[::-1]).mask > 0
    full = place_mask(label.mask, label.bounding_box, SIZE)
    np.testing.assert_array_equal(full, theirs)
    assert full[3, 9]
