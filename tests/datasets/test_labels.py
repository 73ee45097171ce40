from __future__ import annotations

import numpy as np
import pytest

from s3fo.datasets.importing.labels import (
    detections_of,
    masks_of_label_map,
    object_instance,
    object_spans,
)
from s3fo.datasets.views.colours import line_colour, object_colour


def draw(*boxes: tuple[int, int, int, int, int]) -> np.ndarray:
    """Label map of 20 x 40 pixels with (id, top, left, height, width) boxes."""
    label_map = np.zeros((20, 40), np.uint8)
    for object_id, top, left, height, width in boxes:
        label_map[top : top + height, left : left + width] = object_id
    return label_map


def test_box_and_mask_cover_exactly_the_object():
    label_map = draw((3, 5, 10, 10, 20), (1, 8, 12, 2, 2))
    small, large = masks_of_label_map(label_map)
    assert (small.object_id, large.object_id) == (1, 3)
    assert large.box == [0.25, 0.25, 0.5, 0.5]
    assert np.array_equal(large.mask, label_map[5:15, 10:30] == 3)
    assert small.mask.shape == (2, 2) and small.mask.all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_high_ids_survive(dtype):
    label_map = draw((1, 0, 0, 5, 5)).astype(dtype) * (300 if dtype == np.uint16 else 7)
    assert [item.object_id for item in masks_of_label_map(label_map)] == [
        300 if dtype == np.uint16 else 7
    ]


def test_an_empty_frame_has_no_labels():
    assert masks_of_label_map(draw()) == []


def test_one_object_is_one_instance_everywhere():
    assert object_instance("dog", 1).id == object_instance("dog", 1).id
    others = {object_instance(*key).id for key in (("dog", 1), ("dog", 2), ("cat", 1))}
    assert len(others) == 3


def test_labels_without_masks_keep_boxes():
    objects = masks_of_label_map(draw((2, 0, 0, 4, 4)))
    labels = detections_of("dog", objects, {2: "tail"}, with_masks=False)
    (label,) = labels.detections
    assert label.mask is None
    assert (label.label, label.index) == ("tail", 2)


def test_spans_reach_from_first_to_last_sight():
    spans = object_spans({1: [2, 5]}, {})
    (span,) = spans.detections
    assert (span.label, span.support, span.visible_frames) == ("object 1", [2, 5], 2)


def test_the_colour_of_an_object_is_that_of_its_mask_files():
    assert [object_colour(key) for key in (1, 2, 3, 8)] == [
        "#800000",
        "#008000",
        "#808000",
        "#400000",
    ]
    assert object_colour(300) != object_colour(301)
    # Navy is lost on a dark ground, bright yellow on a light one.
    assert (line_colour(4), line_colour(3)) == ("#7878FF", "#8C8C00")


def test_twenty_objects_have_twenty_colours():
    assert len({object_colour(object_id) for object_id in range(1, 21)}) == 20
