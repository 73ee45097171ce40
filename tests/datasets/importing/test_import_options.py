"""Imports take the input options that scoring takes, in every form of results."""

from __future__ import annotations

import json

import numpy as np
import pytest
from labelled_clips import LENGTHS, box_of, load_clips, mean_j, predicted, truth
from PIL import Image
from small_benchmark import own_name
from typer.testing import CliRunner

import s3fo
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from s3fo.cli.data import app
from s3fo.datasets import load_predictions_info
from s3fo.datasets.importing.results import find_videos


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    dataset = load_clips(tmp_path_factory.mktemp("clips"), own_name("options"))
    yield dataset
    dataset.delete()


def write(folder, change=lambda label_map: label_map, videos=tuple(LENGTHS)):
    for video in videos:
        for t in range(LENGTHS[video]):
            path = folder / video / f"{t:05d}.png"
            write_label_map(path, change(predicted(video, t)))
    return folder


def test_binarized_masks_are_one_object_with_soft_edges_or_without(clips, tmp_path):
    def soften(label_map):
        grey = Image.fromarray((label_map > 0).astype(np.uint8) * 255)
        small = grey.resize((18, 12), Image.Resampling.BILINEAR)
        return np.asarray(small.resize((36, 24), Image.Resampling.BILINEAR))

    folder = write(tmp_path / "soft", soften)
    with pytest.raises(InputError, match="soft edges"):
        s3fo.add_predictions(clips, folder, "soft")
    s3fo.add_predictions(clips, folder, "soft", binarize=True)
    (label,) = clips.match({"sequence": "left"}).first().frames[2]["soft"].detections
    left, top, right, bottom = box_of(soften(predicted("left", 1)) > 0)
    assert label.index == 1
    assert label.mask.shape == (bottom - top, right - left)
    found = s3fo.evaluate(clips, "soft", binarize=True, workers=1).summary["J"]
    values = [
        np.mean(
            [
                (ours & theirs).sum() / (ours | theirs).sum()
                for t in range(1, length - 1)
                for ours in [soften(predicted(video, t)) > 0]
                for theirs in [truth(video, t) > 0]
            ]
        )
        for video, length in LENGTHS.items()
    ]
    assert found == pytest.approx(np.mean(values), abs=1e-12)
    # Scoring imported nothing anew, and otherwise: the evaluation is still there.
    assert load_predictions_info(clips)["soft"].options == {"binarize": True}
    assert clips.list_evaluations() == ["soft"]


def test_masks_of_another_size_are_resized_where_that_is_asked_for(clips, tmp_path):
    folder = write(tmp_path / "half", lambda label_map: label_map[::2, ::2])
    with pytest.raises(InputError, match=r"18x12.*--resize nearest"):
        s3fo.add_predictions(clips, folder, "half")
    s3fo.add_predictions(clips, folder, "half", resize="nearest")
    found = s3fo.evaluate(clips, "half", resize="nearest", workers=1).summary["J"]
    wanted = mean_j(
        lambda v, t: predicted(v, t)[::2, ::2].repeat(2, axis=0).repeat(2, axis=1)
    )
    assert found == pytest.approx(wanted, abs=1e-12)
    label = clips.match({"sequence": "right"}).first().frames[3]["half"].detections[0]
    left, top, *_ = box_of(predicted("right", 2)[::2, ::2] == label.index)
    assert label.bounding_box[:2] == pytest.approx([left / 18, top / 12])


def test_the_command_takes_the_options(clips, tmp_path):
    folder = write(tmp_path / "part", videos=["left"])
    words = ["import-predictions", str(folder), "--dataset", clips.name]
    words += ["--name", "part", "--evaluate", "--workers", "1"]
    strict = CliRunner().invoke(app, words)
    assert strict.exit_code != 0
    lenient = CliRunner().invoke(app, [*words, "--missing", "score-as-empty"])
    assert lenient.exit_code == 0, lenient.output
    assert "no results for right" in lenient.output
    found = clips.get_evaluation_info("part").config.summary["J"]
    wanted = mean_j(
        lambda v, t: predicted(v, t) * (v == "left"),
    )
    assert found == pytest.approx(wanted, abs=1e-12)


def test_forms_are_found_as_scoring_finds_them(clips, tmp_path):
    """Objects in folders, one level too high, and JSON: no mask is read for it."""
    sequences = s3fo.datasets.load_benchmark_info(clips).sequences
    for video in LENGTHS:
        place = tmp_path / "run/masks" / video / "object_1"
        place.mkdir(parents=True)
        Image.new("L", (36, 24)).save(place / "00000.png")
    assert find_videos(tmp_path / "run", sequences) == list(LENGTHS)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="left"):
        find_videos(tmp_path / "none", sequences)
    entries = {
        "videos": [
            {
                "id": 1,
                "file_names": [f"left/{t:05d}.jpg" for t in range(5)],
                "width": 36,
                "height": 24,
                "length": 5,
            }
        ],
        "annotations": [
            {
                "id": 1,
                "video_id": 1,
                "category_id": 1,
                "segmentations": [{"size": [24, 36], "counts": [0, 864]}] * 5,
            }
        ],
        "categories": [{"id": 1, "name": "thing"}],
    }
    path = tmp_path / "results.json"
    path.write_text(json.dumps(entries))
    assert find_videos(path, sequences) == ["left"]
