"""Masks that live in FiftyOne are scored as if they had come from files."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest

import s3fo
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.scoring import score
from s3fo.convert import convert
from s3fo.datasets.fields.masks import label_mask
from s3fo.datasets.fields.predictions import field_methods


@pytest.fixture
def scores(predicted):
    """What the files score."""
    return s3fo.evaluate(predicted, "shifted", workers=1)


def copy(dataset, field, change):
    """Copy labels of the imported method into a field that others might have made."""
    for sample in dataset:
        for frame in sample.frames.values():
            labels = frame["shifted"]
            if labels is not None:
                frame[field] = change(labels)
        sample.save()


def detections(keep_index):
    def change(labels):
        return fo.Detections(
            detections=[
                fo.Detection(
                    label="thing",
                    bounding_box=label.bounding_box,
                    mask=label.mask,
                    index=label.index if keep_index else None,
                    instance=label.instance,
                )
                for label in labels.detections
            ]
        )

    return change


def same(ours, scores):
    assert ours.summary["J&F"] == pytest.approx(scores.summary["J&F"], abs=1e-12)


@pytest.mark.parametrize("keep_index", [True, False])
def test_detections_are_scored_where_they_are(predicted, scores, keep_index):
    copy(predicted, "zoo", detections(keep_index))
    assert field_methods(predicted) == ["zoo"]
    ours = s3fo.evaluate(predicted, "zoo", workers=1)
    same(ours, scores)
    first = predicted.match({"sequence": "pair"}).first().frames[3]["zoo"]
    assert sorted(label.index for label in first.detections) == [1, 2]
    assert all(0 <= label.J <= 1 for label in first.detections)
    s3fo.datasets.find_failures(predicted, "zoo", error_maps=False)
    sample = predicted.match({"sequence": "pair"}).first()
    label = sample.frames[3]["zoo"].detections[0]
    label.mask = ~label.mask
    sample.save()
    with pytest.raises(InputError, match="changed since evaluation 'zoo'"):
        s3fo.datasets.find_failures(predicted, "zoo", error_maps=False)
    edited = s3fo.evaluate(predicted, "zoo", workers=1)
    assert edited.summary["J"] < ours.summary["J"]


def test_a_segmentation_is_imported_beside_itself(predicted, scores, benchmark):
    folder = s3fo.datasets.load_predictions_info(predicted)["shifted"].folder
    for sequence in benchmark:
        sample = predicted.match({"sequence": sequence.name}).first()
        for number, name in enumerate(sequence.frames, start=1):
            path = folder / sequence.name / f"{name}.png"
            sample.frames[number]["net"] = fo.Segmentation(mask_path=str(path))
        sample.save()
    ours = s3fo.evaluate(predicted, "net", workers=1)
    same(ours, scores)
    assert predicted.get_evaluation_info("net").config.predictions == "net_objects"


def test_edited_labels_are_scored_as_they_are_now(predicted, scores):
    copy(predicted, "zoo", detections(True))
    before = s3fo.evaluate(predicted, "zoo", workers=1).summary["J&F"]
    sample = predicted.match({"sequence": "alone"}).first()
    for frame in sample.frames.values():
        frame["zoo"] = fo.Detections()
    sample.save()
    assert s3fo.evaluate(predicted, "zoo", workers=1).summary["J&F"] < before


def test_forgetting_a_field_leaves_its_labels(predicted, scores):
    copy(predicted, "zoo", detections(True))
    s3fo.evaluate(predicted, "zoo", workers=1)
    s3fo.datasets.remove_predictions(predicted, "zoo")
    assert predicted.has_frame_field("zoo")
    assert "zoo" not in predicted.list_evaluations()
    with pytest.raises(InputError, match="a field of other content"):
        folder = s3fo.datasets.load_predictions_info(predicted)["shifted"].folder
        s3fo.add_predictions(predicted, folder, "zoo")


def test_labels_of_no_object_are_refused(predicted, scores):
    copy(predicted, "zoo", detections(True))
    sample = predicted.first()
    frame = sample.frames[2]
    frame["zoo"].detections[0].index = None
    frame["zoo"].detections[0].instance = None
    sample.save()
    with pytest.raises(InputError, match="without index and instance"):
        s3fo.evaluate(predicted, "zoo", workers=1)
    frame["zoo"].detections[0].index = 0
    sample.save()
    with pytest.raises(InputError, match="index 0"):
        s3fo.evaluate(predicted, "zoo", workers=1)


@pytest.mark.parametrize("order", [1, -1])
def test_objects_that_overlap_keep_their_masks(
    predicted, benchmark, scores, tmp_path, order
):
    """Both objects of a video get the masks of both; in files they are kept, too."""
    masks = {}
    for sample in predicted:
        for number, frame in sample.frames.items():
            labels = [label.copy() for label in frame["shifted"].detections]
            own = {d.index: label_mask(d, (61, 93), "") for d in labels}
            if len(own) == 2:
                own = dict.fromkeys(own, own[1] | own[2])
            for index, mask in own.items():
                masks[sample["sequence"], index, number] = mask
            labels = [
                fo.Detection(
                    label="", index=index, mask=mask, bounding_box=[0, 0, 1, 1]
                )
                for index, mask in own.items()
            ]
            frame["ours"] = fo.Detections(detections=labels[::order])
        sample.save()
    names = {sequence.name: sequence.frames for sequence in benchmark}
    for (video, index, number), mask in masks.items():
        path = tmp_path / video / f"{index}" / f"{names[video][number - 1]}.png"
        write_label_map(path, mask.astype(np.uint8))
    files = score(tmp_path, benchmark, workers=1)
    ours = s3fo.evaluate(predicted, "ours", workers=1)
    assert ours.objects["J&F"].tolist() == files.objects["J&F"].tolist()
    assert ours.summary["J&F"] < scores.summary["J&F"]

    with pytest.raises(InputError, match="overlap"):
        convert(f"{predicted.name}:ours", tmp_path / "flat", "davis")
    apart = tmp_path / "apart"
    convert(f"{predicted.name}:ours", apart, "object-folders")
    again = score(apart, benchmark, workers=1)
    assert again.objects["J&F"].tolist() == files.objects["J&F"].tolist()


def test_a_field_without_masks_is_told(predicted):
    predicted.add_frame_field(
        "boxes", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
    )
    with pytest.raises(InputError, match="no masks"):
        s3fo.evaluate(predicted, "boxes", workers=1)
