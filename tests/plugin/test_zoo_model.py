from __future__ import annotations

import fiftyone.zoo as foz
import numpy as np
import pytest

import s3fo
from evaluation.errors import InputError
from s3fo.inference import predict
from s3fo.plugin.zoo import enable_zoo


@pytest.fixture(scope="module")
def model():
    enable_zoo()
    return foz.load_zoo_model("s3-video-torch", method="copy", cache=False)


def test_the_model_does_what_the_results_folder_says(
    dataset, benchmark, model, tmp_path
):
    dataset.apply_model(
        model, label_field="from_model", prompt_field="frames.ground_truth"
    )
    predict(benchmark, tmp_path / "copy", method="copy")
    s3fo.add_predictions(dataset, tmp_path / "copy", "from_files")
    for sample in dataset:
        for frame in sample.frames.values():
            pairs = zip(
                frame.from_model.detections, frame.from_files.detections, strict=True
            )
            for left, right in pairs:
                assert (left.index, left.label) == (right.index, right.label)
                assert left.bounding_box == right.bounding_box
                assert np.array_equal(left.mask, right.mask)
                assert left.instance.id == right.instance.id


def test_only_first_appearances_are_prompts(dataset, model):
    """Later ground truth must not change anything."""
    prompts = "frames.ground_truth"
    dataset.apply_model(model, label_field="whole", prompt_field=prompts)
    labels = dataset.values("frames.ground_truth")
    first = [[frames[0]] + [None] * (len(frames) - 1) for frames in labels]
    dataset.set_values("frames.prompt", first)
    dataset.apply_model(model, label_field="prompted", prompt_field="frames.prompt")
    path = "frames.{}.detections.bounding_box"
    assert dataset.values(path.format("whole")) == dataset.values(
        path.format("prompted")
    )


def test_the_prompt_field_must_hold_masks(dataset, model):
    with pytest.raises(InputError, match="prompt_field"):
        dataset.apply_model(
            model, label_field="x", prompt_field="objects", skip_failures=False
        )
    dataset.set_values(
        "frames.ground_truth.detections.mask",
        [
            [[None] * len(frame) for frame in frames]
            for frames in dataset.values("frames.ground_truth.detections.id")
        ],
    )
    with pytest.raises(InputError, match="without mask"):
        dataset.apply_model(
            model,
            label_field="x",
            prompt_field="frames.ground_truth",
            skip_failures=False,
        )
