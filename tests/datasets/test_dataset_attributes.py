from __future__ import annotations

from collections.abc import Iterator

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField
from small_benchmark import own_name, write_results

import s3fo
from evaluation import object_attributes
from evaluation.attributes import ATTRIBUTES
from evaluation.errors import InputError
from s3fo.datasets import compute_attributes, map_similar_objects


@pytest.fixture(scope="module")
def measured(benchmark, tmp_path_factory) -> Iterator[fo.Dataset]:
    """An evaluated dataset with attributes; loading one takes seconds."""
    dataset = s3fo.load_benchmark(benchmark, dataset_name=own_name("attributes"))
    results = write_results(benchmark, tmp_path_factory.mktemp("shifted"))
    s3fo.add_predictions(dataset, results, "shifted")
    s3fo.evaluate(dataset, "shifted", "k")
    compute_attributes(dataset)
    yield dataset
    dataset.delete()


def test_attributes_are_on_the_objects_as_measured(measured, benchmark):
    expected = object_attributes(benchmark).objects.set_index(["sequence", "object"])
    for sample in measured:
        for span in sample.objects.detections:
            row = expected.loc[(sample.sequence, span.index)]
            for name in ("size", "speed", "occlusion", "background_similarity"):
                assert span[name] == pytest.approx(row[name])
            assert span.length_bucket == "1-50"
            assert span.n_objects == len(sample.objects.detections)
            assert span.official_tags is None
            assert set(span.tags_computed) <= {"OCC", "FM", "LR", "SV", "OV", "OUT"}


def test_sliders_filter_objects_not_videos(measured):
    sizes = measured.values("objects.detections.size", unwind=True)
    view = measured.filter_labels("objects", ViewField("size") >= max(sizes))
    assert view.count("objects.detections") == 1


def test_evaluations_carry_the_attributes_beside_their_scores(measured):
    objects, scored = (
        measured.values(f"{field}.detections.size", unwind=True)
        for field in ("objects", "k_objects")
    )
    assert objects == scored and None not in objects
    assert None not in measured.values("k_objects.detections.JF", unwind=True)


def test_fields_say_what_they_mean(measured):
    field = measured.get_field("objects.detections.occlusion")
    assert ATTRIBUTES["occlusion"].definition in field.description


def test_measuring_again_changes_nothing(measured):
    before = measured.values("objects.detections.speed", unwind=True)
    compute_attributes(measured)
    assert measured.values("objects.detections.speed", unwind=True) == before


def test_evaluations_made_later_get_them_too(measured):
    s3fo.evaluate(measured, "shifted", "later")
    for name in ("size", "tags_computed"):
        first, later = (
            measured.values(f"{key}_objects.detections.{name}", unwind=True)
            for key in ("k", "later")
        )
        assert later == first


def test_brain_knows_every_object_by_its_looks(measured, benchmark):
    attributes = object_attributes(benchmark)
    for method in ("tsne", "pca"):
        clips = map_similar_objects(measured, attributes, method=method)
    assert {"looks", "similar_objects"} <= set(measured.list_brain_runs())
    labels = measured.values("objects.detections.id", unwind=True)
    assert clips.values("id") == labels, "a clip is known by the object's label"
    points = measured.load_brain_results("looks")
    assert points.points.shape == (3, 2) and list(points.sample_ids) == labels


def test_the_most_alike_come_first(measured, benchmark):
    attributes = object_attributes(benchmark)
    vectors = np.stack(attributes.descriptors["descriptor"])
    first, *others = map_similar_objects(measured, attributes).values("id")
    saved = measured.load_saved_view("objects by looks")
    ranked = saved.sort_by_similarity(first, brain_key="similar_objects").values("id")
    nearest = others[int((vectors[1:] @ vectors[0]).argmax())]
    assert ranked[:2] == [first, nearest]


def test_looks_need_images(measured, benchmark):
    without = object_attributes(benchmark, images=False)
    with pytest.raises(InputError, match="descriptors of 0 objects"):
        map_similar_objects(measured, without)
