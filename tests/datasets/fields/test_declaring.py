"""Fields that are declared together are those that FiftyOne declares one by one."""

from __future__ import annotations

import fiftyone as fo
import pytest
from small_benchmark import own_name

from s3fo.datasets.declaring import declare_fields


@pytest.fixture
def empty():
    dataset = fo.Dataset(own_name("declared"))
    dataset.media_type = "video"
    yield dataset
    dataset.delete()


def test_all_kinds_of_fields_are_there_and_stay(empty):
    fields = {
        "score": fo.FloatField,
        "spans": fo.TemporalDetections,
        "spans.detections.index": fo.IntField,
        "words": fo.ListField(fo.StringField()),
        "frames.masks": fo.Detections,
        "frames.masks.detections.J": fo.FloatField,
    }
    declare_fields(empty, fields)
    stored = fo.load_dataset(empty.name).get_field_schema(flat=True)
    assert isinstance(stored["score"], fo.FloatField)
    assert isinstance(stored["words"].field, fo.StringField)
    assert stored["spans"].document_type is fo.TemporalDetections
    assert isinstance(stored["spans.detections.index"], fo.IntField)
    frames = empty.get_frame_field_schema(flat=True)
    assert frames["masks"].document_type is fo.Detections
    assert isinstance(frames["masks.detections.J"], fo.FloatField)

    empty.add_sample(fo.Sample("a.mp4", score=0.5))
    declare_fields(empty, {**fields, "more": fo.IntField})
    assert empty.values(["score", "more"]) == ([0.5], [None])


def test_a_field_that_holds_something_else_is_not_replaced(empty):
    empty.add_sample_field("score", fo.StringField)
    with pytest.raises(ValueError, match="score"):
        declare_fields(empty, {"score": fo.FloatField})
    assert isinstance(empty.get_field("score"), fo.StringField)
