from __future__ import annotations

import pytest
from fiftyone import ViewField

import s3fo
from evaluation import object_attributes
from evaluation.attributes import ATTRIBUTES
from s3fo.datasets import compute_attributes


def test_attributes_are_on_the_objects_as_measured(dataset, benchmark):
    attributes = compute_attributes(dataset)
    expected = object_attributes(benchmark).objects.set_index(["sequence", "object"])
    for sample in dataset:
        for span in sample.objects.detections:
            row = expected.loc[(sample.sequence, span.index)]
            for name in ("size", "speed", "occlusion", "background_similarity"):
                assert span[name] == pytest.approx(row[name])
            assert span.length_bucket == "1-50"
            assert span.n_objects == len(sample.objects.detections)
            assert span.official_tags is None
            assert set(span.tags_computed) <= {"OCC", "FM", "LR", "SV", "OV", "OUT"}
    assert len(attributes.objects) == 3


def test_sliders_filter_objects_not_videos(dataset):
    compute_attributes(dataset)
    sizes = dataset.values("objects.detections.size", unwind=True)
    limit = sorted(sizes)[-1]
    view = dataset.filter_labels("objects", ViewField("size") >= limit)
    assert view.count("objects.detections") == 1


def test_evaluations_carry_the_attributes_too(predicted):
    s3fo.evaluate(predicted, "shifted", "k")
    compute_attributes(predicted)
    objects, scored = (
        predicted.values(f"{field}.detections.size", unwind=True)
        for field in ("objects", "k_objects")
    )
    assert objects == scored and None not in objects


def test_fields_say_what_they_mean(dataset):
    compute_attributes(dataset)
    field = dataset.get_field("objects.detections.occlusion")
    assert ATTRIBUTES["occlusion"].definition in field.description


def test_measuring_again_changes_nothing(dataset):
    compute_attributes(dataset)
    before = dataset.values("objects.detections.speed", unwind=True)
    compute_attributes(dataset)
    assert dataset.values("objects.detections.speed", unwind=True) == before
