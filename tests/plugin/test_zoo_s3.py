"""The zoo model with the weights that come with s3fo, beside the other way there."""

from __future__ import annotations

import fiftyone as fo
import fiftyone.zoo as foz
import numpy as np
import pytest
from small_benchmark import own_name

import s3fo
from s3fo.benchmarks import open_folders
from s3fo.inference import predict
from s3fo.plugin.zoo import enable_zoo

OPTIONS = {"size": 48, "memory": "davis", "device": "cpu", "precision": "float32"}


@pytest.fixture(scope="module")
def model():
    enable_zoo()
    return foz.load_zoo_model("s3-video-torch", cache=False, **OPTIONS)


def masks(dataset: fo.Dataset, field: str) -> dict[tuple[str, int, int], np.ndarray]:
    """Mask and box by video, frame and object."""
    return {
        (sample["sequence"], number, label.index): np.append(
            label.mask.astype(float).ravel(), label.bounding_box
        )
        for sample in dataset
        for number, frame in sample.frames.items()
        for label in frame[field].detections
    }


def same_both_ways(dataset: fo.Dataset, benchmark, model, out) -> int:
    """Apply the model; predict and import; how many equal masks there are."""
    dataset.apply_model(
        model, label_field="zoo", prompt_field="frames.ground_truth",
        skip_failures=False,
    )  # fmt: skip
    assert not predict(benchmark, out, **OPTIONS).failures
    s3fo.add_predictions(dataset, out, "files")
    zoo, files = masks(dataset, "zoo"), masks(dataset, "files")
    assert zoo.keys() == files.keys()
    assert all(np.array_equal(zoo[key], files[key]) for key in zoo)
    return len(zoo)


def test_s3_from_the_zoo_gives_the_masks_of_predict(
    dataset, benchmark, model, tmp_path
):
    assert same_both_ways(dataset, benchmark, model, tmp_path / "s3") > 14
    assert model.media_type == "video"


def test_a_real_video(model, shared, tmp_path):
    """Five frames of a bike and its rider, loaded from folders as users have them."""
    images, truth = tmp_path / "images" / "bike", tmp_path / "masks" / "bike"
    source = shared / "data" / "multi-object" / "cutie-bike"
    images.mkdir(parents=True)
    truth.mkdir(parents=True)
    for path in sorted(source.rglob("*.jpg"))[:5]:
        (images / path.name).symlink_to(path)
    first = sorted(source.rglob("*.png"))[0]
    (truth / first.name).symlink_to(first)
    benchmark = open_folders(images.parent, truth.parent)
    dataset = s3fo.load_benchmark(benchmark, dataset_name=own_name("bike"))
    try:
        assert same_both_ways(dataset, benchmark, model, tmp_path / "s3") > 5
    finally:
        dataset.delete()
