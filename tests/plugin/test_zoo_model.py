from __future__ import annotations

import eta.core.video as etav
import fiftyone as fo
import fiftyone.zoo as foz
import numpy as np
import pytest
from small_benchmark import own_name, write_video

import s3fo
from evaluation.errors import InputError
from s3fo.inference import predict
from s3fo.plugin.zoo import enable_zoo
from s3fo.plugin.zoo.reader import VideoReader


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


def test_a_video_without_metadata_on_a_machine_without_ffmpeg(
    model, monkeypatch, tmp_path
):
    """A dataset that s3fo did not make: a file, a prompt, and nothing else."""
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "three.mp4"
    write_video(path, [np.full((32, 48, 3), 60 * k, np.uint8) for k in range(3)])
    mask = np.ones((8, 12), dtype=bool)
    prompt = fo.Detection(
        label="cup", index=1, bounding_box=[0.25, 0.25, 0.25, 0.25], mask=mask
    )
    dataset = fo.Dataset(own_name("foreign"))
    try:
        sample = fo.Sample(filepath=str(path))
        sample.frames[1] = fo.Frame(prompt=fo.Detections(detections=[prompt]))
        dataset.add_sample(sample)
        dataset.apply_model(
            model, "copied", prompt_field="frames.prompt", skip_failures=False
        )
        labels = dataset.first().frames
        boxes = [labels[n].copied.detections[0].bounding_box for n in (1, 2, 3)]
        assert boxes == [[0.25, 0.25, 0.25, 0.25]] * 3
    finally:
        dataset.delete()


def test_fiftyone_has_its_own_reader_back(dataset, model):
    theirs = etav.FFmpegVideoReader
    with model, model:
        assert etav.FFmpegVideoReader is VideoReader
    assert etav.FFmpegVideoReader is theirs


def test_our_reader_gives_the_frames_asked_for(tmp_path):
    path = tmp_path / "levels.mp4"
    levels = [20, 90, 160, 230]
    write_video(path, [np.full((32, 32, 3), level, np.uint8) for level in levels])
    with VideoReader(str(path), frames=[2, 4]) as reader:
        found = [frame.mean() for frame in reader]
        assert reader.total_frame_count == 4
    assert np.allclose(found, [90, 230], atol=4)
