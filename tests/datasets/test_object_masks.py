from __future__ import annotations

import numpy as np
import pytest
from fiftyone import ViewField
from small_benchmark import own_name

import s3fo
from benchmarks.panels import Visitor
from s3fo.datasets.importing import object_masks
from s3fo.datasets.importing.object_masks import put_masks
from s3fo.plugin.panels.evaluation import VOSEvaluation


@pytest.fixture
def referring(benchmark, results):
    """Masks as files, which the labels refer to."""
    dataset = s3fo.load_benchmark(
        benchmark, dataset_name=own_name("referring"), masks="reference", video="none"
    )
    s3fo.add_predictions(dataset, results, "shifted")
    yield dataset
    dataset.delete()


def masks(dataset, field, object_id):
    """Frame number -> mask of the object in the video "pair"; None without."""
    sample = dataset.one(ViewField("sequence") == "pair")
    return {
        number: detection.mask
        for number, frame in sample.frames.items()
        for detection in frame[field].detections
        if detection.index == object_id
    }


@pytest.mark.parametrize(("field", "shift"), [("ground_truth", 0), ("shifted", 1)])
def test_labels_of_one_object_get_the_masks_of_the_files(
    referring, benchmark, field, shift, monkeypatch
):
    monkeypatch.setattr(object_masks, "MOST_FRAMES", 3)
    sample_id = referring.match({"sequence": "pair"}).first().id
    assert put_masks(referring, field, sample_id, 2, first=2) == 4
    sequence = benchmark["pair"]
    found = masks(referring, field, 2)
    assert [number for number, mask in found.items() if mask is not None] == [2, 3, 4]
    for number in (2, 3, 4):
        truth = sequence.read_annotation(sequence.frames[number - 1])
        whole = np.roll(truth == 2, shift, axis=1)
        rows, columns = (np.flatnonzero(whole.any(axis)) for axis in (1, 0))
        box = whole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        np.testing.assert_array_equal(found[number], box)
    assert set(masks(referring, field, 1).values()) == {None}


@pytest.mark.parametrize(("reach", "said"), [(8, False), (3, True)])
def test_a_clip_longer_than_its_masks_says_so(referring, monkeypatch, reach, said):
    monkeypatch.setattr(object_masks, "MOST_FRAMES", reach)
    s3fo.evaluate(referring, "shifted", workers=1)
    person = Visitor(VOSEvaluation(), referring)
    person.do("open", "on_load")
    sample_id = referring.match({"sequence": "pair"}).first().id
    told = person.do("a point", "on_click_point", id=f"shifted|{sample_id}|2").requests
    # Object 2 is lost in frame 5, where the clip begins; it ends with frame 8.
    assert ("up to frame 7" in told.get("notify", {}).get("message", "")) == said


def test_masks_that_are_there_are_left_alone(referring):
    sample_id = referring.match({"sequence": "pair"}).first().id
    put_masks(referring, "shifted", sample_id, 1, first=1)
    written = referring.values("frames.last_modified_at", unwind=True)
    put_masks(referring, "shifted", sample_id, 1, first=1)
    assert referring.values("frames.last_modified_at", unwind=True) == written
