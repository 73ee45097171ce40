from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image
from small_benchmark import own_name

import s3fo
from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks import Benchmark, VideoObject, VideoSequence
from s3fo.benchmarks.synthetic import open_synthetic
from s3fo.datasets import image_sequences, load_benchmark_info, open_dataset
from s3fo.datasets.importing.labels import (
    detections_of,
    labels_document,
    masks_of_frame,
)
from s3fo.datasets.views import images as image_views
from s3fo.datasets.views.images import IMAGE_VIEW, opening_view


@pytest.fixture
def own(benchmark, tmp_path) -> Benchmark:
    """A copy of the benchmark whose files a test may change."""
    shutil.copytree(benchmark.root, tmp_path / "own")
    return open_synthetic(tmp_path / "own")


def full_mask(detection: fo.Detection, shape: tuple[int, int]) -> np.ndarray:
    """A label's mask at its place in the picture."""
    height, width = shape
    left, top = detection.bounding_box[0] * width, detection.bounding_box[1] * height
    full = np.zeros(shape, bool)
    rows, columns = detection.mask.shape
    top, left = round(top), round(left)
    full[top : top + rows, left : left + columns] = detection.mask
    return full


def test_every_mask_arrives_pixel_for_pixel(dataset, benchmark):
    for sequence in benchmark:
        sample = dataset.one(fo.ViewField("sequence") == sequence.name)
        assert len(sample.frames) == len(sequence.frames)
        for number, frame in enumerate(sequence.frames, start=1):
            loaded = sample.frames[number]
            assert loaded.filepath == str(sequence.images[frame])
            label_map = sequence.read_annotation(frame)
            rebuilt = np.zeros_like(label_map)
            for detection in loaded.ground_truth.detections:
                rebuilt[full_mask(detection, label_map.shape)] = detection.index
            assert np.array_equal(rebuilt, label_map)


def test_a_sample_tells_about_its_video(dataset, benchmark):
    sample = dataset.one(fo.ViewField("sequence") == "pair")
    assert sample.media_type == "video"
    assert sample.metadata.total_frame_count == 8
    assert (sample.num_objects, sample.split) == (2, "val")
    assert [span.index for span in sample.objects.detections] == [1, 2]
    assert len({d.instance.id for f in sample.frames.values()
                for d in f.ground_truth.detections}) == 2  # fmt: skip


def test_loading_twice_changes_nothing(dataset, benchmark):
    path = "frames.ground_truth.detections.id"
    before = dataset.values(path)
    again = s3fo.load_benchmark(benchmark, dataset_name=dataset.name)
    assert again is dataset
    assert dataset.values(path) == before


def test_only_a_changed_sequence_is_updated(own, results):
    dataset = s3fo.load_benchmark(own, dataset_name=own_name("own"))
    try:
        s3fo.add_predictions(dataset, results, "shifted")
        path = "frames.ground_truth.detections.id"
        before = dict(zip(*dataset.values(["sequence", path]), strict=True))
        changed = own["pair"].annotations[own["pair"].frames[3]]
        write_label_map(changed, np.zeros_like(read_label_map(changed)))
        s3fo.load_benchmark(open_synthetic(own.root), dataset_name=own_name("own"))
        after = dict(zip(*dataset.values(["sequence", path]), strict=True))
        assert after["alone"] == before["alone"]
        assert after["pair"][3] == []
        assert dataset.count("frames.shifted.detections") > 0
    finally:
        dataset.delete()


def test_a_sequence_of_another_length_is_made_anew(own):
    dataset = s3fo.load_benchmark(own, dataset_name=own_name("own"))
    try:
        pair = own["pair"]
        shorter = replace(pair, frames=pair.frames[:5])
        cut = replace(own, sequences=(own["alone"], shorter))
        s3fo.load_benchmark(cut, dataset_name=own_name("own"))
        counts = dict(
            zip(*dataset.values(["sequence", "frames.frame_number"]), strict=True)
        )
        assert counts["pair"] == [1, 2, 3, 4, 5]
        assert len(dataset) == 2
    finally:
        dataset.delete()


def test_an_interrupted_load_goes_on(benchmark, monkeypatch):
    from s3fo.datasets.importing import writing

    monkeypatch.setattr(writing, "FRAMES_A_WRITE", 1)

    def interrupt(done, total, label):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        s3fo.load_benchmark(benchmark, dataset_name=own_name("cut"), progress=interrupt)
    dataset = fo.load_dataset(own_name("cut"))
    try:
        (kept,) = dataset.values("id")
        s3fo.load_benchmark(benchmark, dataset_name=own_name("cut"))
        assert len(dataset) == 2
        assert kept in dataset.values("id")
    finally:
        dataset.delete()


def test_a_broken_mask_leaves_no_dataset(own):
    broken = own["pair"].annotations[own["pair"].frames[2]]
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(InputError, match=broken.name):
        s3fo.load_benchmark(own, dataset_name=own_name("broken"))
    assert not fo.dataset_exists(own_name("broken"))


def test_a_dataset_of_other_content_is_left_alone(benchmark):
    other = fo.Dataset(own_name("other"))
    other.add_sample(fo.Sample("/nowhere.jpg"))
    try:
        with pytest.raises(InputError, match="something else"):
            s3fo.load_benchmark(benchmark, dataset_name=own_name("other"))
        assert len(other) == 1
        with pytest.raises(InputError, match="other origin"):
            load_benchmark_info(other)
    finally:
        other.delete()


def test_masks_by_reference(benchmark):
    dataset = s3fo.load_benchmark(
        benchmark, dataset_name=own_name("reference"), masks="reference"
    )
    try:
        frame = dataset.one(fo.ViewField("sequence") == "pair").frames[2]
        pair = benchmark["pair"]
        assert frame.ground_truth_mask.mask_path == str(
            pair.annotations[pair.frames[1]]
        )
        assert [d.index for d in frame.ground_truth.detections] == [1, 2]
        assert all(d.mask is None for d in frame.ground_truth.detections)
        targets = dataset.mask_targets["frames.ground_truth_mask"]
        assert targets["#800000"] == "object 1"
        assert dataset.mask_targets["ground_truth_mask"] == targets
    finally:
        dataset.delete()


def test_loading_again_points_at_videos_in_another_folder(own, tmp_path, monkeypatch):
    name = own_name("moved videos")
    monkeypatch.setenv("S3FO_CACHE_DIR", str(tmp_path / "first"))
    dataset = s3fo.load_benchmark(own, dataset_name=name)
    ids, frames = dataset.values("id"), dataset.values("frames.id")
    shutil.rmtree(tmp_path / "first")
    monkeypatch.setenv("S3FO_CACHE_DIR", str(tmp_path / "second"))
    again = s3fo.load_benchmark(own, dataset_name=name)
    paths = [Path(path) for path in again.values("filepath")]
    assert all(path.is_relative_to(tmp_path / "second") for path in paths)
    assert all(path.is_file() for path in paths)
    assert (again.values("id"), again.values("frames.id")) == (ids, frames)


def test_videos_may_be_left_out_and_made_later(benchmark, cache, results, monkeypatch):
    name = own_name("unencoded")
    made = set(cache.rglob("*.mp4"))
    dataset = s3fo.load_benchmark(benchmark, dataset_name=name, video="none")
    try:
        assert set(cache.rglob("*.mp4")) == made
        assert dataset.values("metadata.total_frame_count") == [6, 8]
        assert dataset.values("metadata.frame_width") == [93, 93]
        images = image_sequences(dataset)
        assert len(images) == 2
        assert images.first().filepath == str(
            benchmark["alone"].images[benchmark["alone"].frames[0]]
        )
        content = dataset.values("content")
        s3fo.load_benchmark(benchmark, dataset_name=name, video="none")
        assert dataset.values("content") == content
        assert opening_view(dataset).media_type == "group"
        assert dataset.list_saved_views() == [IMAGE_VIEW]
        s3fo.add_predictions(dataset, results, "shifted")
        assert opening_view(dataset).has_sample_field("shifted")
        monkeypatch.setattr(image_views, "_MOST_COPIED", 13)  # of its 14 frames
        s3fo.add_predictions(dataset, results, "again")
        assert dataset.list_saved_views() == []
        assert opening_view(dataset).has_sample_field("again")
        s3fo.load_benchmark(benchmark, dataset_name=name)
        assert opening_view(dataset) is dataset
        assert dataset.list_saved_views() == []
        assert all(Path(path).is_file() for path in dataset.values("filepath"))
        with pytest.raises(InputError, match="mp4 or none"):
            s3fo.load_benchmark(benchmark, dataset_name=name, video="film")
    finally:
        dataset.delete()


def test_labels_are_stored_as_fiftyone_would(benchmark):
    """The fast documents and FiftyOne's own classes agree but for the fresh ids."""
    pair = benchmark["pair"]
    objects = masks_of_frame(pair, pair.frames[0])
    own = labels_document("pair", objects, {1: "dog"}, with_masks=True)
    theirs = detections_of("pair", objects, {1: "dog"}, with_masks=True).to_dict()
    for documents in (own, theirs):
        for document in documents["detections"]:
            del document["_id"]
    assert own == theirs


def test_memory_holds_pieces_of_a_long_video(benchmark, monkeypatch):
    """Every frame arrives when a video is read in several pieces."""
    from s3fo.datasets.importing import writing

    monkeypatch.setattr(writing, "_FRAMES_A_PIECE", 3)
    monkeypatch.setattr(writing, "FRAMES_A_WRITE", 4)
    dataset = s3fo.load_benchmark(benchmark, dataset_name=own_name("pieces"))
    try:
        for sequence in benchmark:
            sample = dataset.one(fo.ViewField("sequence") == sequence.name)
            for number, frame in enumerate(sequence.frames, start=1):
                labels = sample.frames[number].ground_truth.detections
                ids = np.unique(sequence.read_annotation(frame))
                assert [0, *(label.index for label in labels)] == ids.tolist()
            for span in sample.objects.detections:
                assert span.visible_frames == sum(
                    span.index in sequence.read_annotation(frame)
                    for frame in sequence.frames
                )
    finally:
        dataset.delete()


def test_unknown_mask_form(benchmark):
    with pytest.raises(InputError, match="auto or instances or reference"):
        s3fo.load_benchmark(benchmark, masks="polygons")


def test_masks_of_long_videos_are_not_kept_inside_labels(
    benchmark, results, monkeypatch
):
    """All frames of a video must fit into one document of the database."""
    from s3fo.datasets.importing import mask_forms

    name = own_name("long")
    monkeypatch.setattr(mask_forms, "ROOM", 15)
    with pytest.raises(InputError, match=r'8 frames.*at most 7 .*"reference"'):
        s3fo.load_benchmark(benchmark, dataset_name=name, masks="instances")
    assert not fo.dataset_exists(name)
    monkeypatch.setattr(mask_forms, "ROOM", 16)
    dataset = s3fo.load_benchmark(benchmark, dataset_name=name, masks="instances")
    try:
        s3fo.add_predictions(dataset, results, "first")
        s3fo.add_predictions(dataset, results, "first")
        with pytest.raises(InputError, match=r'3 sources.*at most 5 .*"reference"'):
            s3fo.add_predictions(dataset, results, "second")
        assert not dataset.has_frame_field("second")
    finally:
        dataset.delete()


def test_a_benchmark_comes_back_from_its_dataset(dataset, benchmark):
    again = load_benchmark_info(fo.load_dataset(dataset.name))
    assert (again.name, again.split) == (benchmark.name, benchmark.split)
    assert (again.root, again.protocol) == (benchmark.root, benchmark.protocol)
    for old, new in zip(benchmark, again, strict=True):
        assert (new.name, new.frames, new.objects) == (
            old.name,
            old.frames,
            old.objects,
        )
        assert dict(new.images) == dict(old.images)
        assert dict(new.annotations) == dict(old.annotations)


def test_categories_are_labels(benchmark):
    pair = benchmark["pair"]
    first = pair.frames[0]
    named = replace(
        pair,
        known_objects=(VideoObject(1, first, "dog"), VideoObject(2, first, "cat")),
        attributes=("occlusion",),
    )
    dataset = s3fo.load_benchmark(
        replace(benchmark, sequences=(named,)), dataset_name=own_name("named")
    )
    try:
        sample = dataset.first()
        assert sample.categories == ["cat", "dog"]
        assert sample.attributes == ["occlusion"]
        assert [d.label for d in sample.frames[1].ground_truth.detections] == [
            "dog",
            "cat",
        ]
        assert load_benchmark_info(dataset)["pair"].objects == named.objects
    finally:
        dataset.delete()


def test_frames_without_annotation_have_no_labels(benchmark):
    pair = benchmark["pair"]
    first = pair.frames[0]
    prompted = replace(pair, annotations={first: pair.annotations[first]})
    dataset = s3fo.load_benchmark(
        replace(benchmark, sequences=(prompted,)), dataset_name=own_name("prompted")
    )
    try:
        frames = dataset.first().frames
        assert len(frames[1].ground_truth.detections) == 2
        assert all(frames[n].ground_truth is None for n in range(2, 9))
    finally:
        dataset.delete()


def test_progress_counts_sequences(benchmark):
    steps = []
    dataset = s3fo.load_benchmark(
        benchmark,
        dataset_name=own_name("progress"),
        progress=lambda *step: steps.append(step),
    )
    dataset.delete()
    assert steps == [(1, 2, "alone 1/2"), (2, 2, "pair 2/2")]


def test_unknown_dataset_is_told(dataset):
    assert open_dataset(dataset.name) is dataset
    with pytest.raises(InputError, match=dataset.name):
        open_dataset("no-such-dataset")


def test_a_name_needs_a_root():
    with pytest.raises(InputError, match="no root"):
        s3fo.load_benchmark("davis-2017")


def test_frames_inside_a_video_file(tmp_path, benchmark):
    from s3fo.datasets.importing.videos import make_video

    pair = benchmark["pair"]
    film = make_video(pair, tmp_path).path
    sequence = VideoSequence("film", pair.frames, {}, pair.annotations, video=film)
    dataset = s3fo.load_benchmark(
        replace(benchmark, sequences=(sequence,)), dataset_name=own_name("film")
    )
    try:
        assert dataset.first().metadata.total_frame_count == 8
        assert dataset.count("frames.ground_truth.detections") == 16
    finally:
        dataset.delete()


def test_names_that_are_not_utf8_are_refused(cli, tmp_path):
    """FiftyOne's database stores no others; OpenCV's own reader would crash."""
    odd = os.fsdecode(b"caf\xe9")
    for kind, ending in (("images", "jpg"), ("masks", "png")):
        (tmp_path / kind / odd).mkdir(parents=True)
        picture = Image.fromarray(np.eye(16, dtype=np.uint8))
        picture.save(tmp_path / kind / odd / f"00000.{ending}")
    name = own_name("odd-name")
    code, _, told = cli(
        "load", "--images", tmp_path / "images", "--masks", tmp_path / "masks",
        "--dataset", name,
    )  # fmt: skip
    assert code == 2 and "a name that is not UTF-8" in told
    assert not fo.dataset_exists(name)
