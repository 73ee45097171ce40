"""Every verb over what a dataset becomes: views, clones, imports of exports, losses."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField
from labelled_clips import LENGTHS, box_of, load_clips, mean_j, predicted
from small_benchmark import own_name

import s3fo
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from s3fo.datasets import (
    compute_attributes,
    failure_clips,
    find_failures,
    image_sequences,
    load_benchmark_info,
    worst,
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    for video, length in LENGTHS.items():
        for t in range(length):
            write_label_map(folder / video / f"{t:05d}.png", predicted(video, t))
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory, results):
    dataset = load_clips(tmp_path_factory.mktemp("clips"), own_name("views"))
    s3fo.add_predictions(dataset, results, "mine")
    s3fo.evaluate(dataset, "mine", workers=1)
    yield dataset
    dataset.delete()


@pytest.fixture
def copies():
    """Takes copies of a dataset, and deletes them afterwards."""
    made = []
    yield lambda dataset: made.append(dataset) or dataset
    for dataset in made:
        dataset.delete()


RIGHT = {"right": LENGTHS["right"]}


def check_verbs(samples, results, lengths):
    """Scores as computed by hand, and every other verb without complaint."""
    scores = s3fo.evaluate(samples, "mine", "again", workers=1)
    assert scores.summary["J"] == pytest.approx(mean_j(lengths=lengths), abs=1e-12)
    found = find_failures(samples, "again", workers=1)
    assert set(found.frames["sequence"]) == set(lengths)
    attributes = compute_attributes(samples, workers=1)
    assert set(attributes.objects["sequence"]) == set(lengths)
    assert s3fo.add_predictions(samples, results, "mine") == []
    assert [item.name for item in load_benchmark_info(samples)] == list(lengths)
    assert len(worst(samples, "again", k=1)) == 1
    assert len(failure_clips(samples, "again", k=1)) <= 1
    assert len(image_sequences(samples)) == len(lengths)


def _slow(choose):
    return pytest.param(choose, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "choose",
    [
        lambda dataset: dataset.sort_by("sequence", reverse=True).limit(1),
        # As those of other tests here.
        _slow(lambda dataset: dataset.match(ViewField("sequence") == "right")),
        _slow(lambda dataset: dataset.select_by("sequence", ["right"])),
    ],
)
def test_views_choose_videos(clips, results, choose):
    check_verbs(choose(clips), results, RIGHT)


def test_a_saved_view_and_the_whole(clips, results):
    clips.save_view("one", clips.match(ViewField("sequence") == "right"))
    check_verbs(clips.load_saved_view("one"), results, RIGHT)
    check_verbs(clips, results, LENGTHS)


def test_a_clone_and_losses(clips, results, copies):
    clone = copies(clips.clone())
    check_verbs(clone, results, LENGTHS)
    clone.delete_samples(clone.match(ViewField("sequence") == "left"))
    check_verbs(clone, results, RIGHT)
    assert len(clips) == 2


def test_a_clone_of_a_view(clips, results, copies):
    """FiftyOne leaves runs behind: what describes the files comes from the original."""
    view = clips.match(ViewField("sequence") == "right")
    check_verbs(copies(view.clone()), results, RIGHT)


def test_an_export_that_is_imported_again(clips, results, copies, tmp_path):
    kind = fo.types.FiftyOneDataset
    clips.export(export_dir=str(tmp_path), dataset_type=kind, export_media=False)
    found = fo.Dataset.from_dir(
        dataset_dir=str(tmp_path), dataset_type=kind, name=own_name("imported")
    )
    check_verbs(copies(found), results, LENGTHS)


def test_frames_that_were_deleted_move_no_others(clips, results, copies):
    clone = copies(clips.clone())
    sample = clone.match(ViewField("sequence") == "right").first()
    del sample.frames[3]
    sample.save()
    check_verbs(clone, results, LENGTHS)
    s3fo.add_predictions(clone, results, "other")
    view = clone.match(ViewField("sequence") == "right")
    numbers, indices, boxes = view.values(
        [
            "frames.frame_number",
            "frames.other.detections.index",
            "frames.other.detections.bounding_box",
        ]
    )
    assert numbers[0] == [1, 2, 4, 5, 6]
    for number, own, places in zip(numbers[0], indices[0], boxes[0], strict=True):
        left, *_ = box_of(predicted("right", number - 1) == 1)
        assert places[own.index(1)][0] == pytest.approx(left / 36)


def test_a_sample_of_somebody_else_is_left_alone(clips, results, copies):
    clone = copies(clips.clone())
    theirs = fo.Sample(filepath="/nowhere/theirs.mp4")
    clone.add_sample(theirs)
    check_verbs(clone, results, LENGTHS)
    s3fo.load_benchmark(
        load_benchmark_info(clone), dataset_name=clone.name, video="none"
    )
    assert theirs.id in clone.values("id")


def test_views_of_parts_are_refused(clips, results):
    by_frame = clips.to_frames(sample_frames=False)
    views = {
        "FilterLabels": clips.filter_labels("frames.mine", ViewField("index") == 1),
        "MatchFrames": clips.match_frames(ViewField("frame_number") > 2),
        "clips of videos": clips.to_clips([[[1, 3]], [[2, 4]]]),
        "frames of videos": by_frame,
        "patches of objects": by_frame.to_patches("mine"),
        "no video": clips.match(ViewField("sequence") == "neither"),
    }
    for said, view in views.items():
        for verb in (
            lambda view: s3fo.evaluate(view, "mine", workers=1),
            lambda view: find_failures(view, "mine", workers=1),
            lambda view: compute_attributes(view, workers=1),
            lambda view: s3fo.add_predictions(view, results, "mine"),
        ):
            with pytest.raises(InputError, match=said):
                verb(view)
    for view in (by_frame, views["clips of videos"]):
        for verb in (lambda v: worst(v, "mine"), lambda v: failure_clips(v, "mine")):
            with pytest.raises(InputError, match="of videos"):
                verb(view)


def test_filtered_labels_become_a_method(clips):
    """As the refusal says."""
    view = clips.filter_labels(
        "frames.mine", ViewField("index") == 2, only_matches=False
    )
    view.clone_frame_field("mine", "only_2")
    found = s3fo.evaluate(clips, "only_2", workers=1).summary["J"]
    s3fo.datasets.remove_predictions(clips, "only_2")
    clips.delete_frame_field("only_2")
    wanted = mean_j(lambda v, t: np.where(predicted(v, t) == 2, 2, 0))
    assert found == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("key", ["num", "_k", "tags", "J", "instance", "2nd"])
def test_keys_that_are_other_fields_leave_nothing_behind(clips, key):
    """`num_objects` is a field of every sample, `tags` one of every label."""
    before = clips.list_evaluations(), set(clips.get_field_schema())
    with pytest.raises(InputError, match="eval_key"):
        s3fo.evaluate(clips, "mine", key, workers=1)
    assert (clips.list_evaluations(), set(clips.get_field_schema())) == before


@pytest.mark.parametrize("name", ["_mine", "pk", "2nd", "a b"])
def test_names_that_are_no_fields_are_refused(clips, results, name):
    with pytest.raises(InputError, match="a free name"):
        s3fo.add_predictions(clips, results, name)


def test_an_edited_ground_truth_is_told(clips, copies):
    clone = copies(clips.clone())
    sample = clone.first()
    sample.frames[2].ground_truth.detections.pop()
    sample.save()
    scores = s3fo.evaluate(clone, "mine", workers=1)
    assert scores.summary["J"] == pytest.approx(mean_j(), abs=1e-12)
    assert any("21 labels, 22 were loaded" in note for note in scores.notes)


@pytest.mark.parametrize("part", ["mask", "bounding_box"])
def test_ground_truth_edited_in_place_is_told(clips, copies, part):
    """As many labels as were loaded, with the same ids: pixels or a box are others."""
    clone = copies(clips.clone())
    scores = s3fo.evaluate(clone, "mine", workers=1)
    assert not any("edited" in note for note in scores.notes)
    sample = clone.first()
    label = sample.frames[2].ground_truth.detections[0]
    label[part] = ~label.mask if part == "mask" else [0.0, 0.0, 0.1, 0.1]
    sample.save()
    scores = s3fo.evaluate(clone, "mine", workers=1)
    assert scores.summary["J"] == pytest.approx(mean_j(), abs=1e-12)
    assert any("labels of ground_truth in the dataset were edited" in note
               for note in scores.notes)  # fmt: skip


@pytest.mark.parametrize(
    "hide",
    [
        lambda view: view.exclude_fields("sequence"),
        lambda view: view.select_fields(["frames.mine", "frames.ground_truth"]),
    ],
)
def test_views_without_the_field_of_names_choose_videos(clips, hide):
    view = hide(clips.match(ViewField("sequence") == "right"))
    scores = s3fo.evaluate(view, "mine", "hidden", workers=1)
    assert scores.summary["J"] == pytest.approx(mean_j(lengths=RIGHT), abs=1e-12)
    assert set(scores.objects["sequence"]) == {"right"}


def changed_notes(dataset):
    scores = s3fo.evaluate(dataset, "mine", workers=1)
    assert scores.summary["J"] == pytest.approx(mean_j(), abs=1e-12)
    return [note for note in scores.notes if "was changed after the import" in note]


def test_changed_predictions_are_told(clips, copies):
    clone = copies(clips.clone())
    assert changed_notes(clone) == []
    there = clone.count("frames.mine.detections")
    for sample in clone:
        for frame in sample.frames.values():  # as many, of the same objects
            if frame.mine is not None:
                labels = [item.copy() for item in frame.mine.detections]
                frame.mine = fo.Detections(detections=labels)
        sample.save()
    (note,) = changed_notes(clone)
    assert f"({there} labels, {there} were imported)" in note
    sample = clone.first()
    sample.frames[2].mine = None
    sample.save()
    (note,) = changed_notes(clone)
    assert note.startswith(f"frames.mine was changed after the import ({there - 2} ")


@pytest.mark.parametrize("part", ["mask", "bounding_box"])
def test_labels_that_are_edited_in_place_are_told(clips, copies, part):
    """They keep their ids: only pixels, or only a box, are others."""
    clone = copies(clips.clone())
    sample = clone.first()
    label = next(
        frame.mine.detections[0]
        for frame in sample.frames.values()
        if frame.mine is not None and frame.mine.detections
    )
    edited = ~label.mask if part == "mask" else [0.0, 0.0, 0.1, 0.1]
    label[part] = edited
    sample.save()
    assert len(changed_notes(clone)) == 1


def test_predictions_imported_again_count_as_unchanged(clips, results, copies):
    clone = copies(clips.clone())
    clone.clear_frame_field("mine")
    assert len(changed_notes(clone)) == 1
    s3fo.datasets.remove_predictions(clone, "mine")
    s3fo.add_predictions(clone, results, "mine")
    assert changed_notes(clone) == []
