"""Fields that others fill: every value means one thing, or is refused by name."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest
from labelled_clips import (
    HEIGHT,
    LENGTHS,
    WIDTH,
    box_of,
    fill,
    label_of,
    labels_of,
    load_clips,
    mean_j,
    predicted,
    truth,
)
from PIL import Image
from small_benchmark import own_name

import s3fo
from evaluation.errors import InputError
from s3fo.convert import convert
from s3fo.datasets import find_failures, load_predictions_info
from s3fo.datasets.importing.changed_labels import describe_labels
from s3fo.datasets.schema import Predictions, save_predictions_info
from s3fo.datasets.scoring import evaluate as evaluating


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    dataset = load_clips(tmp_path_factory.mktemp("clips"), own_name("fields"))
    yield dataset
    dataset.delete()


@pytest.fixture
def field(clips, request):
    """A name for a field that is gone afterwards."""
    name = "f_" + "".join(c for c in request.node.name if c.isalnum())[:40].lower()
    yield name
    made = [name, f"{name}_objects"]
    for method in set(made) & set(load_predictions_info(clips)):
        s3fo.datasets.remove_predictions(clips, method)
    for own in made:
        if clips.has_frame_field(own):
            clips.delete_frame_field(own)


def score(clips, field, **options):
    return s3fo.evaluate(clips, field, workers=1, **options)


def detections(video, t):
    return fo.Detections(detections=labels_of(predicted(video, t)))


def test_a_frame_without_value_is_missing_as_a_file_would_be(clips, field):
    fill(clips, field, lambda v, t: None if t == 2 else detections(v, t))
    with pytest.raises(InputError, match="missing: left: 00002") as raised:
        score(clips, field)
    assert raised.value.where == f"frames.{field}"
    scores = score(clips, field, missing="score-as-empty")
    empty = np.zeros((HEIGHT, WIDTH), np.uint8)
    wanted = mean_j(lambda v, t: empty if t == 2 else predicted(v, t))
    assert scores.summary["J"] == pytest.approx(wanted, abs=1e-12)
    assert any("None in 1 of 5 frames (00002)" in note for note in scores.notes)


def test_an_empty_value_is_a_prediction_of_nothing(clips, field):
    fill(
        clips,
        field,
        lambda v, t: fo.Detections() if t == 2 else detections(v, t),
    )
    empty = np.zeros((HEIGHT, WIDTH), np.uint8)
    wanted = mean_j(lambda v, t: empty if t == 2 else predicted(v, t))
    assert score(clips, field).summary["J"] == pytest.approx(wanted, abs=1e-12)


def test_a_frame_that_lost_its_labels_is_not_scored_by_the_old_ones(clips, field):
    fill(clips, field, detections)
    score(clips, field)
    for sample in clips.iter_samples(autosave=True):
        sample.frames[3][field] = None
    with pytest.raises(InputError, match="missing: left: 00002"):
        score(clips, field)


def no_mask(label):
    label.mask = None


def no_pixels(label):
    label.mask = np.zeros((0, 0), bool)


def no_file(label):
    label.mask, label.mask_path = None, "/nowhere/mask.png"


def probabilities(label):
    label.mask = np.where(label.mask, 0.9, 0.2)


def grey_levels(label):
    label.mask = label.mask * np.uint8(200)
    label.mask[0] = 90


def negative_width(label):
    x, y, width, height = label.bounding_box
    label.bounding_box = [x + width, y, -width, height]


def pixels(label):
    scale = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT])
    label.bounding_box = (np.array(label.bounding_box) * scale).tolist()


def uncropped(label):
    left, top, right, bottom = (
        round(value * size)
        for value, size in zip(
            _corners(label.bounding_box), (WIDTH, HEIGHT, WIDTH, HEIGHT), strict=True
        )
    )
    whole = np.zeros((HEIGHT, WIDTH), bool)
    whole[top:bottom, left:right] = label.mask
    label.mask = whole


def _corners(box):
    x, y, width, height = box
    return x, y, x + width, y + height


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (no_mask, "without mask"),
        (no_pixels, r"shape \(0, 0\)"),
        (no_file, "/nowhere/mask.png"),
        (probabilities, "0.9 to 0.9"),
        (grey_levels, "values 90, 200"),
        (negative_width, "bounding box"),
        (pixels, "in pixels"),
        (uncropped, "whole frame"),
    ],
)
def test_unclear_masks_and_boxes_are_refused_by_name(clips, field, damage, said):
    """One label of one frame is enough, in a prediction as in a ground truth."""

    def make(video, t):
        made = detections(video, t)
        if (video, t) == ("right", 3):
            damage(made.detections[1])
        return made

    fill(clips, field, make)
    with pytest.raises(InputError, match=said) as raised:
        score(clips, field)
    assert "right, frame 4 (00003)" in raised.value.where
    assert "index 2" in raised.value.where


def test_masks_of_0_and_another_value_are_clear(clips, field):
    kinds = [bool, np.uint8, np.float32, np.int64, np.float64]

    def make(video, t):
        made = detections(video, t)
        for label in made.detections:
            label.mask = label.mask.astype(kinds[t % 5])
            if t % 2:
                label.mask = label.mask * 255
        return made

    fill(clips, field, make)
    assert score(clips, field).summary["J"] == pytest.approx(mean_j(), abs=1e-12)


def test_grey_levels_count_where_that_is_asked_for(clips, field):
    """Whatever is not 0; then all objects are one, in the ground truth, too."""

    def make(video, t):
        made = detections(video, t)
        for label in made.detections:
            grey_levels(label)
        return made

    fill(clips, field, make)
    found = score(clips, field, binarize=True).summary["J"]
    values = []
    for video, length in LENGTHS.items():
        for t in range(1, length - 1):
            ours, theirs = predicted(video, t) > 0, truth(video, t) > 0
            values.append((ours & theirs).sum() / (ours | theirs).sum())
        values[-length + 2 :] = [np.mean(values[-length + 2 :])]
    assert found == pytest.approx(np.mean(values), abs=1e-12)


@pytest.mark.parametrize("index", [255, 65_535, 70_000, 2**40])
def test_an_index_may_be_any_number(clips, field, index):
    """No annotated object has it: its labels are told, the others count."""

    def make(video, t):
        made = detections(video, t)
        made.detections[0].index = index
        return made

    fill(clips, field, make)
    scores = score(clips, field)

    def only_2(video, t):
        return np.where(predicted(video, t) == 2, 2, 0)

    assert scores.summary["J"] == pytest.approx(mean_j(only_2), abs=1e-12)
    assert any(f"index {index} is that of no" in note for note in scores.notes)


def test_an_index_below_1_is_told_by_instance_or_refused(clips, field):
    known = {
        (sample["sequence"], label.index): label.instance
        for sample in clips
        for label in sample.frames[1].ground_truth.detections
    }

    def make(video, t, with_instance=True):
        made = detections(video, t)
        for label in made.detections:
            if with_instance:
                label.instance = known[video, label.index]
            label.index = -1
        return made

    fill(clips, field, lambda v, t: make(v, t, with_instance=False))
    with pytest.raises(InputError, match="index -1"):
        score(clips, field)
    fill(clips, field, make)
    assert score(clips, field).summary["J"] == pytest.approx(mean_j(), abs=1e-12)
    found = find_failures(clips, field, error_maps=False, workers=1)
    assert set(found.events["object"]) <= {1, 2}
    patches = clips.first().frames[2][field].detections
    assert sorted(label.index for label in patches) == [1, 2]


def test_labels_with_instances_only_become_files(clips, field, tmp_path):
    """By `convert`, which does not write to the labels that it reads."""
    known = {
        (sample["sequence"], label.index): label.instance
        for sample in clips
        for label in sample.frames[1].ground_truth.detections
    }

    def make(video, t):
        made = detections(video, t)
        for label in made.detections:
            label.instance, label.index = known[video, label.index], None
        return made

    fill(clips, field, make)
    out = tmp_path / "files"
    convert(f"{clips.name}:{field}", out, "davis", source_format="fiftyone")
    for video, length in LENGTHS.items():
        for t in range(length):
            with Image.open(out / video / f"{t:05d}.png") as image:
                np.testing.assert_array_equal(np.asarray(image), predicted(video, t))
    indices = clips.values(f"frames.{field}.detections.index", unwind=True)
    assert set(indices) == {None}


def test_a_palette_file_is_read_by_its_indices(clips, field, tmp_path):
    """FiftyOne would read its colours: DAVIS's object 2 has no red, and no blue."""

    def make(video, t):
        made = detections(video, t)
        for label in made.detections:
            path = tmp_path / f"{video}-{t}-{label.index}.png"
            image = Image.fromarray(label.mask.astype(np.uint8) * 2)
            image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
            image.save(path)
            label.mask, label.mask_path = None, str(path)
        return made

    fill(clips, field, make)
    assert score(clips, field).summary["J"] == pytest.approx(mean_j(), abs=1e-12)


def test_filled_polylines_are_masks(clips, field):
    def make(video, t):
        lines = []
        for label in labels_of(predicted(video, t)):
            x, y, width, height = label.bounding_box
            # The corner pixels themselves belong to a filled polygon.
            right = x + width - 0.5 / WIDTH
            bottom = y + height - 0.5 / HEIGHT
            x, y = x + 0.5 / WIDTH, y + 0.5 / HEIGHT
            corners = [(x, y), (right, y), (right, bottom), (x, bottom)]
            line = fo.Polyline(
                label="thing", index=label.index, points=[corners], closed=True
            )
            line.filled = (video, t) != ("right", 2) or make.filled
            lines.append(line)
        return fo.Polylines(polylines=lines)

    make.filled = True
    fill(clips, field, make)
    assert score(clips, field).summary["J"] == pytest.approx(mean_j(), abs=1e-12)
    make.filled = False
    fill(clips, field, make)
    with pytest.raises(InputError, match="not filled"):
        score(clips, field)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (lambda m: m * 0.4, "from 0.0 to 0.8"),
        (lambda m: m.astype(int) - 1, "from -1"),
        (lambda m: m[::2, ::2], "18x12"),
        (lambda m: np.stack([m, m, m * 0], axis=2), "shape"),
    ],
)
def test_segmentations_hold_ids_at_the_size_of_the_frame(clips, field, kind, said):
    fill(clips, field, lambda v, t: fo.Segmentation(mask=kind(predicted(v, t))))
    with pytest.raises(InputError, match=said) as raised:
        score(clips, field)
    assert f"frames.{field}" in raised.value.where
    fill(clips, field, lambda v, t: fo.Segmentation(mask=predicted(v, t) * 1.0))
    assert score(clips, field).summary["J"] == pytest.approx(mean_j(), abs=1e-12)


def test_smaller_segmentations_are_resized_where_that_is_asked_for(clips, field):
    fill(clips, field, lambda v, t: fo.Segmentation(mask=predicted(v, t)[::2, ::2]))
    found = score(clips, field, resize="nearest").summary["J"]
    wanted = mean_j(
        lambda v, t: predicted(v, t)[::2, ::2].repeat(2, axis=0).repeat(2, axis=1)
    )
    assert found == pytest.approx(wanted, abs=1e-12)


def test_labels_beyond_the_last_frame_are_refused(clips, field):
    fill(clips, field, detections)
    sample = clips.match({"sequence": "left"}).first()
    sample.frames[LENGTHS["left"] + 1] = fo.Frame(**{field: detections("left", 4)})
    sample.save()
    try:
        with pytest.raises(InputError, match="labels in frame 6"):
            score(clips, field)
    finally:
        del sample.frames[LENGTHS["left"] + 1]
        sample.save()


def test_parts_of_an_object_are_joined_and_told(clips, field):
    def make(video, t):
        labels = []
        for k in (1, 2):
            mask = predicted(video, t) == k
            left, _, right, _ = box_of(mask)
            columns = np.arange(WIDTH) < (left + right) // 2
            labels += [label_of(mask & side, index=k) for side in (columns, ~columns)]
        return fo.Detections(detections=labels)

    fill(clips, field, make)
    scores = score(clips, field)
    assert scores.summary["J"] == pytest.approx(mean_j(), abs=1e-12)
    assert any("joined as its parts" in note for note in scores.notes)


def test_instances_of_no_annotated_object_are_told(clips, field):
    """A tracker's own instances: they are not guessed to be the annotated objects."""
    known = {
        sample["sequence"]: {
            label.index: label.instance
            for label in sample.frames[1].ground_truth.detections
        }
        for sample in clips
    }
    strange = {video: fo.Instance() for video in LENGTHS}

    def make(video, t):
        made = detections(video, t)
        for label in made.detections:
            own = known[video][1] if label.index == 1 else strange[video]
            label.instance, label.index = own, None
        return made

    fill(clips, field, make)
    scores = score(clips, field)
    only_1 = mean_j(lambda v, t: np.where(predicted(v, t) == 1, 1, 0))
    assert scores.summary["J"] == pytest.approx(only_1, abs=1e-12)
    assert any("1 instances are those of no" in note for note in scores.notes)
    fill(
        clips,
        field,
        lambda v, t: fo.Detections(
            detections=[
                label_of(predicted(v, t) == k, instance=strange[v]) for k in (2,)
            ]
        ),
    )
    with pytest.raises(InputError, match="which no object has") as refused:
        score(clips, field)
    assert "1 instances are those of no annotated object" in refused.value.found
    assert refused.value.remedy.startswith("Give labels the index of the annotated")


def test_fields_that_another_process_added_are_looked_for(clips, field, monkeypatch):
    def reload_changes(dataset):
        fill(dataset, field, detections)

    monkeypatch.setattr(evaluating, "reload_changes", reload_changes)
    scores = score(clips, field)
    assert scores.summary["J"] == pytest.approx(mean_j(), abs=1e-12)
    monkeypatch.setattr(evaluating, "reload_changes", lambda dataset: None)
    monkeypatch.setattr(
        evaluating, "field_methods", lambda dataset: [field, f"{field}_objects"]
    )
    with pytest.raises(InputError, match=f"{field}\\)"):
        score(clips, "other")


def test_imported_labels_of_a_renamed_field_are_told(clips, field, tmp_path):
    fill(clips, field, detections)
    labels = describe_labels(clips, field)
    record = Predictions(tmp_path / "own", "x", labels=labels)
    save_predictions_info(clips, "mine", record)
    try:
        told = [note for note in score(clips, field).notes if "imported from" in note]
    finally:
        save_predictions_info(clips, "mine", None)
    assert len(told) == 1 and f"imported from {tmp_path / 'own'} as 'mine'" in told[0]
