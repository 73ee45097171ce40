"""Results that change on disk, and labels that people have worked on since."""

from __future__ import annotations

import warnings
from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest
from small_benchmark import copied, make_predicted, own_name, write_results

import s3fo
from evaluation.errors import InputWarning
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks import write_synthetic
from s3fo.benchmarks.synthetic import Factors
from s3fo.datasets import remove_predictions

LABELS = "frames.shifted.detections"


@pytest.fixture(scope="module")
def made(benchmark, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    dataset = make_predicted(benchmark, folder, "kept")
    yield dataset, folder
    dataset.delete()


@pytest.fixture
def worked(made, benchmark):
    """A copy of which `alone` has one edited box, and all labels have a tag."""
    dataset, folder = made
    write_results(benchmark, folder)
    with copied(dataset) as clone:
        clone.tag_labels("checked", "frames.shifted")
        yield clone, folder


def edit(dataset, box=(0.5, 0.5, 0.25, 0.25)):
    sample = dataset.match({"sequence": "alone"}).first()
    sample.frames[2].shifted.detections[0].bounding_box = list(box)
    sample.save()
    return of_video(dataset, "alone")


def of_video(dataset, name, parts=("id", "index", "bounding_box", "tags")):
    view = dataset.match({"sequence": name})
    return [view.values(f"{LABELS}.{part}")[0] for part in parts]


def lose(folder, video, frame):
    """Write one mask of a video again, with its first object only in one pixel."""
    path = sorted((folder / video).glob("*.png"))[frame - 1]
    label_map = read_label_map(path)
    label_map[label_map == 1] = 0
    label_map[30, 31] = 1
    write_label_map(path, label_map)


def kept_notes(scores):
    return [note for note in scores.notes if "was changed after the import" in note]


def test_edited_labels_outlive_files_that_change(worked):
    dataset, folder = worked
    edited = edit(dataset)
    pair = of_video(dataset, "pair")
    for video in ("pair", "alone"):
        lose(folder, video, 2)
    for _ in range(2):  # it goes on being told
        scores = s3fo.evaluate(dataset, "shifted", "k", workers=1)
        (note,) = kept_notes(scores)
        assert "in alone: the imported" in note and "remove_predictions" in note
        assert of_video(dataset, "alone") == edited
    now = of_video(dataset, "pair")
    assert now[2][1][0] == pytest.approx([31 / 93, 30 / 61, 1 / 93, 1 / 61])
    assert now[3] == pair[3] and now[3][1][0] == ["checked"]
    for old, new in zip(pair, now, strict=True):  # frames whose files are as they were
        assert old[:1] + old[2:] == new[:1] + new[2:]


def test_what_a_note_says_takes_the_files(worked):
    dataset, folder = worked
    edit(dataset)
    lose(folder, "alone", 2)
    with pytest.warns(InputWarning, match="in alone: the imported"):
        s3fo.add_predictions(dataset, folder, "shifted")
    remove_predictions(dataset, "shifted")
    s3fo.add_predictions(dataset, folder, "shifted")
    boxes = of_video(dataset, "alone")[2]
    assert boxes[1][0] == pytest.approx([31 / 93, 30 / 61, 1 / 93, 1 / 61])
    assert kept_notes(s3fo.evaluate(dataset, "shifted", "k", workers=1)) == []


def test_tags_and_classes_alone_are_no_edit(worked):
    dataset, folder = worked
    sample = dataset.match({"sequence": "pair"}).first()
    sample.frames[3].shifted.detections[1].label = "hound"
    sample.save()
    lose(folder, "pair", 3)
    assert kept_notes(s3fo.evaluate(dataset, "shifted", "k", workers=1)) == []
    assert dataset.count_label_tags("frames.shifted") == {"checked": 21}
    assert dataset.count(LABELS) == 21
    assert of_video(dataset, "pair", ["label"])[0][2] == ["object 1", "hound"]
    assert of_video(dataset, "pair")[2][2][0][2:] == pytest.approx([1 / 93, 1 / 61])


def test_edits_outlive_an_import_that_is_killed(worked, monkeypatch):
    from s3fo.datasets.importing import predictions

    class Killed(BaseException):
        pass

    def die(*args, **kwargs):
        raise Killed

    dataset, folder = worked
    edited = edit(dataset)
    lose(folder, "pair", 2)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(predictions, "index_labels", die)
        s3fo.add_predictions(dataset, folder, "shifted")
    lose(folder, "pair", 3)
    (note,) = kept_notes(s3fo.evaluate(dataset, "shifted", "k", workers=1))
    assert "in alone: the imported" in note
    assert of_video(dataset, "alone") == edited
    boxes = of_video(dataset, "pair")[2]
    assert np.ptp([boxes[1][0], boxes[2][0]], axis=0) == pytest.approx([0] * 4)


def test_files_of_the_ground_truth_that_change_are_told(tmp_path):
    """They are scored; labels in the dataset are the old ones until it is loaded."""
    videos = dict.fromkeys("ab", Factors(objects=1, length=5, size=0.1))
    own = write_synthetic(tmp_path / "own", videos=videos, size=(32, 48))
    name = own_name("truth")
    dataset = s3fo.load_benchmark(own, dataset_name=name, video="none")
    try:
        s3fo.add_predictions(dataset, write_results(own, tmp_path / "shifted"), "mine")
        assert truth_notes(dataset) == []
        path = own["b"].annotations[own["b"].frames[1]]
        label_map = read_label_map(path)
        write_label_map(path, np.roll(label_map, 2, axis=0))
        (note,) = truth_notes(dataset)
        assert "(b): they are scored" in note and "s3fo load" in note
        s3fo.load_benchmark(own, dataset_name=name, video="none")
        assert truth_notes(dataset) == []
        sample = dataset.match({"sequence": "b"}).first()
        sample.frames[3].ground_truth.detections[0].bounding_box = [0.0, 0.0, 0.5, 0.5]
        sample.save()
        for item in own:  # both videos change, one was edited
            path = item.annotations[item.frames[1]]
            write_label_map(path, np.roll(read_label_map(path), 3, axis=1))
        before = truth_boxes(dataset)
        for again in (False, True):
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always", InputWarning)
                s3fo.load_benchmark(own, dataset_name=name, video="none")
            after = truth_boxes(dataset)
            assert after["b"] == before["b"] and after["a"] != before["a"]
            scores = s3fo.evaluate(dataset, "mine", workers=1)
            assert any("ground_truth in the dataset were edited" in n
                       for n in scores.notes)  # fmt: skip
            warned = [str(one.message) for one in told]
            assert (
                any("in b were edited and stay so" in text for text in warned) != again
            )
    finally:
        dataset.delete()


def truth_notes(dataset):
    scores = s3fo.evaluate(dataset, "mine", workers=1)
    return [n for n in scores.notes if "ground truth changed since" in n]


def truth_boxes(dataset):
    path = "frames.ground_truth.detections.bounding_box"
    return dict(zip(*dataset.values(["sequence", path]), strict=True))


@pytest.fixture
def own(tmp_path, benchmark):
    """A dataset of two short videos, its benchmark, and how to load that again."""
    videos = dict.fromkeys("ab", Factors(objects=2, length=5, size=0.1))
    own = write_synthetic(tmp_path / "own", videos=videos, size=(32, 48))
    name = own_name("worked")
    dataset = s3fo.load_benchmark(own, dataset_name=name, video="none")

    def again(benchmark=own):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", InputWarning)
            s3fo.load_benchmark(benchmark, dataset_name=name, video="none")
        return [str(one.message) for one in told]

    yield dataset, own, again
    for key in fo.list_datasets():
        if key.startswith(name):
            fo.delete_dataset(key)


def rewrite(own, video, frame, change):
    path = own[video].annotations[own[video].frames[frame - 1]]
    write_label_map(path, change(read_label_map(path)))


def move_box(dataset, video, frame=3):
    sample = dataset.match({"sequence": video}).first()
    label = sample.frames[frame].ground_truth.detections[0]
    label.bounding_box = [0.0, 0.0, 0.5, 0.25]
    sample.save()


def truth(dataset, video, part, frame):
    view = dataset.match({"sequence": video})
    return view.values(f"frames.ground_truth.detections.{part}")[0][frame - 1]


def test_what_was_added_to_ground_truth_stays_where_its_masks_change(own):
    dataset, files, again = own
    sample = dataset.match({"sequence": "a"}).first()
    first, second = sample.frames[2].ground_truth.detections
    first.tags, second.label, second["doubt"] = ["odd"], "hound", 0.25
    sample.objects.detections[1].tags = ["small"]
    sample.save()
    rewrite(files, "a", 2, lambda ids: np.roll(ids, 2, axis=0))
    before = truth(dataset, "a", "bounding_box", 2)
    assert again() == []
    assert truth(dataset, "a", "bounding_box", 2) != before
    assert truth(dataset, "a", "tags", 2) == [["odd"], []]
    assert truth(dataset, "a", "label", 2) == ["object 1", "hound"]
    assert truth(dataset, "a", "label", 3) == ["object 1", "object 2"]
    assert truth(dataset, "a", "doubt", 2) == [None, 0.25]
    assert dataset.values("objects.detections.tags")[0] == [[], ["small"]]
    # Where the object is gone, the video is kept apart as it was.
    rewrite(files, "a", 2, lambda ids: np.where(ids == 2, 0, ids))
    (told,) = again()
    assert "1 video (a)" in told and "2 labels with tags, attributes" in told
    kept = fo.load_dataset(f"{dataset.name}-kept")
    assert truth(kept, "a", "label", 2) == ["object 1", "hound"]
    assert truth(dataset, "a", "tags", 2) == [["odd"]]


def test_work_on_videos_with_other_frames_is_kept_apart(own):
    dataset, files, again = own
    move_box(dataset, "b")
    video = files["b"]
    shorter = replace(
        video,
        frames=video.frames[:4],
        images={f: video.images[f] for f in video.frames[:4]},
        annotations={f: video.annotations[f] for f in video.frames[:4]},
    )
    (told,) = again(replace(files, sequences=(files["a"], shorter)))
    assert "1 video (b)" in told and "10 labels of ground_truth in edited" in told
    kept = fo.load_dataset(f"{dataset.name}-kept")
    assert kept.values("sequence") == ["b"] and kept.persistent
    assert truth(kept, "b", "bounding_box", 3)[0] == [0.0, 0.0, 0.5, 0.25]
    dataset.reload()
    assert dataset.count("frames") == 9
    # Videos that nobody touched are replaced, or taken out, in silence.
    assert again(replace(files, sequences=(shorter,))) == []
    dataset.match({"sequence": "b"}).tag_samples("mine")
    (told,) = again(replace(files, sequences=(files["a"],)))
    assert "no longer has them" in told and f"{dataset.name}-kept-2" in told


def test_edits_of_ground_truth_outlive_a_load_that_is_killed(own, monkeypatch):
    from s3fo.datasets.importing import benchmark as module

    class Killed(BaseException):
        pass

    def die(*args, **kwargs):
        raise Killed

    dataset, files, again = own
    move_box(dataset, "b")
    dataset.match({"sequence": "a"}).tag_labels("seen", "frames.ground_truth")
    for video in "ab":
        rewrite(files, video, 2, lambda ids: np.roll(ids, 3, axis=1))
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(module, "_write_samples", die)
        again()
    (told,) = again()
    assert "labels of ground_truth in b were edited and stay so" in told
    assert truth(dataset, "b", "bounding_box", 3)[0] == [0.0, 0.0, 0.5, 0.25]
    assert truth(dataset, "a", "tags", 2) == [["seen"], ["seen"]]
    rewrite(files, "b", 4, lambda ids: np.roll(ids, 1, axis=1))
    assert len(again()) == 1  # and goes on to be known
