"""FiftyOne's own exporters take our labels, in both forms of masks."""

from __future__ import annotations

import json

import cv2
import fiftyone as fo
import numpy as np
import pytest
from pycocotools import mask as coco_mask
from small_benchmark import own_name

import s3fo


@pytest.fixture(params=["instances", "reference"])
def either(request, benchmark):
    dataset = s3fo.load_benchmark(
        benchmark, dataset_name=own_name(f"export-{request.param}"), masks=request.param
    )
    yield dataset
    dataset.delete()


@pytest.fixture
def frames(dataset):
    return dataset.to_frames(sample_frames=False)


def annotated(benchmark) -> dict[tuple[str, int], np.ndarray]:
    """Video and frame number (from 1) -> label map."""
    return {
        (video.name, number): video.read_annotation(frame)
        for video in benchmark
        for number, frame in enumerate(video.frames, start=1)
    }


def test_coco_has_every_pixel_of_every_object(dataset, frames, benchmark, tmp_path):
    dataset.set_values(
        "frames.ground_truth.detections.iscrowd",  # So FiftyOne writes masks as RLE.
        [
            [[1] * len(ids) for ids in video]
            for video in dataset.values("frames.ground_truth.detections.id")
        ],
        dynamic=True,
    )
    dataset.to_frames(sample_frames=False).export(
        labels_path=str(tmp_path / "labels.json"),
        dataset_type=fo.types.COCODetectionDataset,
        label_field="ground_truth",
    )
    told = json.loads((tmp_path / "labels.json").read_text())
    assert len(told["images"]) == 14
    found = sorted(
        (
            tuple(round(edge, 9) for edge in item["bbox"]),
            coco_mask.decode(_packed(item["segmentation"])).tobytes(),
        )
        for item in told["annotations"]
    )
    expected = sorted(
        (
            cv2.boundingRect((label_map == number).astype(np.uint8)),
            (label_map == number).astype(np.uint8).tobytes(),
        )
        for label_map in annotated(benchmark).values()
        for number in np.unique(label_map[label_map > 0])
    )
    assert found == expected and len(found) == 22
    # Three objects, each with one instance through its video.
    assert len({item["instance"] for item in told["annotations"]}) == 3


def _packed(rle: dict) -> dict:
    return coco_mask.frPyObjects(rle, *rle["size"])


def test_yolo_has_a_line_per_object_and_frame(frames, tmp_path):
    frames.export(
        export_dir=str(tmp_path),
        dataset_type=fo.types.YOLOv5Dataset,
        label_field="ground_truth",
        classes=frames.distinct("ground_truth.detections.label"),
    )
    lines = [
        line
        for path in tmp_path.rglob("labels/**/*.txt")
        for line in path.read_text().splitlines()
    ]
    assert len(lines) == 22


def test_a_dataset_goes_out_and_comes_back(either, results, tmp_path):
    s3fo.add_predictions(either, results, "shifted")
    s3fo.evaluate(either, "shifted", "k", workers=1)
    either.export(
        export_dir=str(tmp_path),
        dataset_type=fo.types.FiftyOneDataset,
        export_media=False,
    )
    back = fo.Dataset.from_dir(
        dataset_dir=str(tmp_path),
        dataset_type=fo.types.FiftyOneDataset,
        name=own_name("back"),
    )
    try:
        for path in (
            "frames.ground_truth.detections.bounding_box",
            "frames.shifted.detections.J",
            "k_objects.detections.JF",
            "k_JF",
        ):
            assert back.values(path) == either.values(path), path
        assert back.list_evaluations() == ["k"]
        scores = s3fo.evaluate(back, "shifted", "again", workers=1)
        kept = either.get_evaluation_info("k").config.summary
        assert scores.summary == kept
    finally:
        back.delete()


def test_frames_go_out_as_masks(dataset, frames, benchmark, tmp_path):
    """One mask per frame with FiftyOne's own exporter, from masks in labels."""
    targets = {1: "object 1", 2: "object 2"}
    frames.export(
        export_dir=str(tmp_path),
        dataset_type=fo.types.ImageSegmentationDirectory,
        label_field="ground_truth",
        mask_targets=targets,
    )
    written = sorted((tmp_path / "labels").glob("*.png"))
    assert len(written) == 14
    pixels = sorted(
        tuple(int((mask == number).sum()) for number in (1, 2))
        for mask in (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in written)
    )
    expected = sorted(
        tuple(int((label_map == number).sum()) for number in (1, 2))
        for label_map in annotated(benchmark).values()
    )
    assert pixels == expected


def test_videos_go_out(dataset, tmp_path):
    dataset.export(export_dir=str(tmp_path), dataset_type=fo.types.VideoDirectory)
    assert len(list(tmp_path.glob("*.mp4"))) == 2


def test_a_dataset_says_what_its_form_of_masks_is_good_for(either, benchmark):
    has_masks = either.first().frames[1].ground_truth.detections[0].mask is not None
    assert ("boxes only" in either.description) != has_masks
    either.description = "mine"
    s3fo.load_benchmark(benchmark, dataset_name=either.name)
    either.reload()
    assert either.description == "mine"
