"""Datasets that others made, in the form of the zoo's DAVIS-2017 and in others."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import fiftyone as fo
import numpy as np
import pytest
from PIL import Image
from small_benchmark import own_name, write_results

import s3fo
from evaluation.errors import InputError
from evaluation.scoring import score
from s3fo.benchmarks import Benchmark, write_synthetic
from s3fo.benchmarks.synthetic import Factors
from s3fo.convert import convert
from s3fo.datasets import benchmark_from_dataset, load_benchmark_info
from s3fo.datasets.importing.labels import detections_of, masks_of_label_map
from s3fo.datasets.importing.videos import make_video


@pytest.fixture
def theirs() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset(own_name("theirs"))
    yield dataset
    dataset.delete()


def zoo_label(sequence: str, label_map: np.ndarray, position: int) -> fo.Detection:
    """As `voxel51/davis-2017` makes them: no index, counted from 0, absent or not."""
    mask = (label_map == position + 1).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(mask)
    rows, columns = label_map.shape
    return fo.Detection(
        bounding_box=[x / columns, y / rows, width / columns, height / rows],
        mask=mask[y : y + height, x : x + width] if mask.any() else None,
        label=f"{sequence}{position}",
    )


def zoo_images(benchmark: Benchmark, *, first_only: bool = False) -> list[fo.Sample]:
    """One sample per image, as `voxel51/davis-2017` has them."""
    samples = []
    for sequence in benchmark:
        for number, frame in enumerate(sequence.frames):
            label_map = sequence.read_annotation(frame)
            if first_only and number:
                label_map = np.zeros_like(label_map)
            labels = [
                zoo_label(sequence.name, label_map, position)
                for position in range(int(label_map.max()))
            ]
            sample = fo.Sample(
                filepath=str(sequence.images[frame]),
                tags=["val", sequence.name],
                frame_number=frame,
                ground_truth=fo.Detections(detections=labels),
            )
            samples.append(sample)
    return samples


def assert_same_masks(found: Benchmark, benchmark: Benchmark) -> None:
    assert [item.name for item in found] == [item.name for item in benchmark]
    for own, original in zip(found, benchmark, strict=True):
        assert own.objects == original.objects
        for frame, other in zip(own.frames, original.frames, strict=True):
            expected = original.read_annotation(other)
            assert np.array_equal(own.read_annotation(frame), expected)


def test_the_zoos_davis_is_scored_like_the_original(theirs, benchmark, tmp_path):
    theirs.add_samples(zoo_images(benchmark)[::-1])
    found = benchmark_from_dataset(theirs, tmp_path / "gt", name="davis-2017")
    assert (found.name, found.split, found.protocol) == (
        "davis-2017",
        "val",
        "davis-2017",
    )
    assert "object k here is k - 1 there" in found.notes[-1]
    assert_same_masks(found, benchmark)
    results = write_results(benchmark, tmp_path / "shifted")
    original = score(results, benchmark, "davis-2017").summary
    assert score(results, found, "davis-2017").summary == original
    dataset = s3fo.load_benchmark(found, dataset_name=own_name("from-labels"))
    try:
        assert dataset.values("sequence") == ["alone", "pair"]
        assert_same_masks(load_benchmark_info(dataset), benchmark)
    finally:
        dataset.delete()


def test_first_masks_only(theirs, benchmark, tmp_path):
    """Test-dev: the zoo gives later frames empty labels, not none."""
    theirs.add_samples(zoo_images(benchmark, first_only=True))
    found = benchmark_from_dataset(theirs, tmp_path, name="davis-2017", split="val")
    for sequence in found:
        assert sequence.annotated_frames == sequence.frames[:1]


def test_a_view_of_some_sequences(theirs, benchmark, tmp_path):
    theirs.add_samples(zoo_images(benchmark))
    found = benchmark_from_dataset(theirs.match_tags("pair"), tmp_path)
    assert [sequence.name for sequence in found] == ["pair"]
    assert (found.name, found.protocol) == (theirs.name, "davis-2017")


def test_videos_with_an_index(dataset, benchmark, tmp_path):
    found = benchmark_from_dataset(
        dataset, tmp_path, field="frames.ground_truth", sequence="sequence"
    )
    assert_same_masks(found, benchmark)
    assert all(item.video is None for item in found)


def test_videos_whose_frames_are_no_files(theirs, tmp_path):
    videos = {"alone": Factors(objects=1, length=4, size=0.08)}
    made = write_synthetic(
        tmp_path / "made", videos=videos, size=(60, 92), textures="procedural"
    )
    film = make_video(made["alone"], tmp_path).path
    sample = fo.Sample(filepath=str(film))
    for number, frame in enumerate(made["alone"].frames[:3], start=1):
        objects = masks_of_label_map(made["alone"].read_annotation(frame))
        labels = detections_of("alone", objects, {}, with_masks=True)
        sample.frames[number] = fo.Frame(gt=labels)
    theirs.add_sample(sample)
    (sequence,) = benchmark_from_dataset(theirs, tmp_path, field="gt")
    assert (sequence.name, sequence.video) == (film.stem, film)
    assert sequence.frames == ("00000", "00001", "00002", "00003")
    assert sequence.annotated_frames == ("00000", "00001", "00002")
    for frame in sequence.annotated_frames:
        expected = made["alone"].read_annotation(frame)
        assert np.array_equal(sequence.read_annotation(frame), expected)


def test_of_masks_that_overlap_the_smaller_lies_on_top(theirs, benchmark, tmp_path):
    whole = fo.Detection(label="a", index=1, bounding_box=[0, 0, 1, 1])
    whole.mask = np.ones((61, 93), bool)
    box = [10 / 93, 20 / 61, 9 / 93, 6 / 61]
    part = fo.Detection(label="b", index=2, bounding_box=box)
    part.mask = np.ones((5, 7), bool)
    image = next(iter(benchmark["alone"].images.values()))
    sample = fo.Sample(filepath=str(image))
    sample["masks"] = fo.Detections(detections=[part, whole])
    theirs.add_sample(sample)
    found = benchmark_from_dataset(theirs, tmp_path / "gt", field="masks")
    assert any("objects overlap in 1 frame" in note for note in found.notes)
    done = convert(f"{theirs.name}:masks", tmp_path / "out", "davis")
    assert any("objects overlap in 1 frame" in note for note in done.notes)
    (sequence,) = found
    label_map = sequence.read_annotation(sequence.frames[0])
    assert (label_map == 2).sum() == 54  # the mask fills its box
    assert (label_map[20:26, 10:19] == 2).all()
    assert (label_map == 1).sum() == 61 * 93 - 54


def test_what_cannot_be_used_is_told(theirs, benchmark, tmp_path):
    image = str(next(iter(benchmark["alone"].images.values())))
    box = fo.Detection(label="car", bounding_box=[0, 0, 1, 1])
    sample = fo.Sample(image, ground_truth=fo.Detections(detections=[box]))
    theirs.add_sample(sample)
    with pytest.raises(InputError, match="one of ground_truth"):
        benchmark_from_dataset(theirs, tmp_path, field="gt")
    with pytest.raises(InputError, match="no masks"):
        benchmark_from_dataset(theirs, tmp_path)
    box.mask = np.ones((61, 93), bool)
    sample.ground_truth = fo.Detections(detections=[box, box.copy()])
    sample.save()
    with pytest.raises(InputError, match="'label car' in one frame, and no index"):
        benchmark_from_dataset(theirs, tmp_path)


def detection(box, mask, **facts):
    return fo.Detection(label="thing", bounding_box=box, mask=mask, **facts)


def drawn(dataset, tmp_path):
    """Label map of each frame of the only sequence, as it was written."""
    benchmark = benchmark_from_dataset(dataset, tmp_path / "out")
    (sequence,) = benchmark.sequences
    return benchmark, [sequence.read_annotation(frame) for frame in sequence.frames]


@pytest.fixture
def still(tmp_path):
    """Makes a dataset of images 48x32 in one folder, with given labels per frame."""
    made = []

    def make(*frames):
        dataset = fo.Dataset(own_name(f"still-{len(made)}"))
        made.append(dataset)
        for t, labels in enumerate(frames):
            path = tmp_path / f"clip/{t:05d}.png"
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (48, 32)).save(path)
            sample = fo.Sample(filepath=str(path))
            sample["ground_truth"] = fo.Detections(detections=labels)
            dataset.add_sample(sample)
        return dataset

    yield make
    for dataset in made:
        dataset.delete()


@pytest.mark.parametrize("size", [(4, 4), (8, 12), (16, 24), (40, 50)])
def test_a_mask_fills_its_box_whatever_its_resolution(still, tmp_path, size):
    half = np.zeros(size, bool)
    half[:, : size[1] // 2] = True
    box = [12 / 48, 8 / 32, 24 / 48, 16 / 32]
    dataset = still([detection(box, half, index=1)])
    _, (label_map,) = drawn(dataset, tmp_path)
    expected = np.zeros((32, 48), np.uint8)
    expected[8:24, 12:24] = 1
    assert (label_map != expected).sum() <= 16  # at most a column, where it is blurred
    label = dataset.first().ground_truth.detections[0]
    theirs = label.to_segmentation(frame_size=(48, 32)).mask > 0
    assert np.array_equal(label_map > 0, theirs)


def test_boxes_may_leave_the_frame_on_every_side(still, tmp_path):
    ones = np.ones((8, 8), bool)
    boxes = [(-4, 5), (44, 5), (20, -3), (20, 28), (60, 5)]
    labels = [
        detection([x / 48, y / 32, 8 / 48, 8 / 32], ones, index=k)
        for k, (x, y) in enumerate(boxes, start=1)
    ]
    _, (label_map,) = drawn(still(labels), tmp_path)
    areas = np.bincount(label_map.ravel(), minlength=6)[1:].tolist()
    assert areas == [4 * 8, 4 * 8, 8 * 5, 8 * 4, 0]


def test_indices_may_be_any_integers(still, tmp_path):
    ones = np.ones((6, 6), bool)
    indices = [-1, 7, 255, 70_000]
    labels = [
        detection([x / 48, 0, 6 / 48, 6 / 32], ones, index=index)
        for x, index in zip((0, 10, 20, 30), indices, strict=True)
    ]
    benchmark, (label_map,) = drawn(still(labels), tmp_path)
    ids = [int(label_map[0, x]) for x in (0, 10, 20, 30)]
    assert ids[1] == 7 and len(set(ids)) == 4 and 255 not in ids and 0 not in ids
    assert any("-1 ->" in note and "70000 ->" in note for note in benchmark.notes)


def test_objects_without_index_are_told_by_instance(still, tmp_path):
    ones = np.ones((6, 6), bool)
    first, second = fo.Instance(), fo.Instance()
    frames = [
        [
            detection([(4 + t) / 48, 0, 6 / 48, 6 / 32], ones, instance=first),
            detection([(30 - t) / 48, 0, 6 / 48, 6 / 32], ones, instance=second),
        ][:: 1 if t % 2 else -1]
        for t in range(3)
    ]
    benchmark, label_maps = drawn(still(*frames), tmp_path)
    left = [int(label_map[0, 4 + t]) for t, label_map in enumerate(label_maps)]
    right = [int(label_map[0, 30 - t]) for t, label_map in enumerate(label_maps)]
    assert len(set(left)) == len(set(right)) == 1 and {*left, *right} == {1, 2}
    assert any("without index" in note for note in benchmark.notes)


def two_squares(t, first, second):
    ones = np.ones((6, 6), bool)
    return [
        detection([(4 + t) / 48, 0, 6 / 48, 6 / 32], ones, **first),
        detection([(30 - t) / 48, 0, 6 / 48, 6 / 32], ones, **second),
    ]


def test_one_index_on_all_labels_is_no_id(still, tmp_path):
    """Told apart by instance, or by text; never one object in silence."""
    one, other = fo.Instance(), fo.Instance()
    for index in (-1, 0, 3):
        by_instance = [
            two_squares(
                t,
                {"index": index, "instance": one},
                {"index": index, "instance": other},
            )
            for t in range(3)
        ]
        benchmark, label_maps = drawn(still(*by_instance), tmp_path / f"i{index}")
        assert [sorted(np.unique(m).tolist()) for m in label_maps] == [[0, 1, 2]] * 3
        assert len({int(m[0, 4 + t]) for t, m in enumerate(label_maps)}) == 1
        assert any(
            f"index {index} is that of several objects" in n for n in benchmark.notes
        )
    labels = [two_squares(t, {"index": -1}, {"index": -1}) for t in range(2)]
    for first, second in labels:
        first.label, second.label = "cat", "dog"
    _, label_maps = drawn(still(*labels), tmp_path / "texts")
    assert sorted(np.unique(label_maps[1]).tolist()) == [0, 1, 2]
    alike = [two_squares(t, {"index": -1}, {"index": -1}) for t in range(2)]
    with pytest.raises(InputError, match="in one frame, and index -1"):
        drawn(still(*alike), tmp_path / "alike")


def test_labels_with_and_without_index_are_not_mixed(still, tmp_path):
    frames = [two_squares(t, {"index": 1}, {"index": 2}) for t in range(3)]
    frames[1][0].index = None
    with pytest.raises(InputError, match=r"frame 00001.*without index"):
        drawn(still(*frames), tmp_path)


def test_a_hidden_object_has_a_label_without_extent(still, tmp_path):
    frames = [two_squares(t, {"index": 1}, {"index": 2}) for t in range(3)]
    frames[1][1] = detection([0, 0, 0, 0], None, index=2)
    _, label_maps = drawn(still(*frames), tmp_path / "hidden")
    assert [int(m.max()) for m in label_maps] == [2, 1, 2]
    frames[1][1] = detection([0.2, 0.2, 0.1, 0.1], None, index=2)
    with pytest.raises(InputError, match=r"frame 00001.*without mask"):
        drawn(still(*frames), tmp_path / "lost")


def test_boxes_in_pixels_are_refused(still, tmp_path):
    label = detection([12, 8, 24, 16], np.ones((16, 24), bool), index=1)
    with pytest.raises(InputError, match="in pixels"):
        drawn(still([label]), tmp_path)


def test_masks_of_others_are_not_replaced(still, tmp_path):
    dataset = still(*[two_squares(t, {"index": 1}, {"index": 2}) for t in range(2)])
    theirs = tmp_path / "out/Annotations/clip/00000.png"
    theirs.parent.mkdir(parents=True)
    Image.new("L", (48, 32)).save(theirs)
    before = theirs.read_bytes()
    with pytest.raises(InputError, match="somebody else"):
        drawn(dataset, tmp_path)
    assert theirs.read_bytes() == before
    benchmark_from_dataset(dataset, tmp_path / "new")
    dataset.delete_samples(dataset.skip(1))
    benchmark_from_dataset(dataset, tmp_path / "new")
    left = [path.name for path in (tmp_path / "new/Annotations/clip").iterdir()]
    assert left == ["00000.png"]


def image_samples(tmp_path, places):
    samples = []
    for place in places:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (48, 32)).save(path)
        (label, _) = two_squares(0, {"index": 1}, {"index": 2})
        labels = fo.Detections(detections=[label])
        samples.append(fo.Sample(filepath=str(path), ground_truth=labels))
    return samples


def test_folders_of_one_name_are_several_videos(theirs, tmp_path):
    """As of MOT: <video>/img1/000001.jpg; they must not become one video."""
    places = [f"{video}/img1/{t:06d}.png" for video in "ab" for t in (1, 2)]
    theirs.add_samples(image_samples(tmp_path, places))
    found = benchmark_from_dataset(theirs, tmp_path / "out")
    assert [(item.name, len(item.frames)) for item in found] == [("a", 2), ("b", 2)]
    assert any("named by the folder 1 above" in note for note in found.notes)


def test_two_frames_of_one_name_are_refused(theirs, tmp_path):
    theirs.add_samples(image_samples(tmp_path, ["a/1.png", "a/1.jpg"]))
    with pytest.raises(InputError, match="two frames called 1"):
        benchmark_from_dataset(theirs, tmp_path / "out")


def test_groups_and_clips_are_no_videos(theirs, benchmark, tmp_path):
    theirs.add_samples(zoo_images(benchmark))
    grouped = theirs.group_by("filepath")
    with pytest.raises(InputError, match="groups of samples"):
        benchmark_from_dataset(grouped, tmp_path / "out")


def test_label_maps_are_a_ground_truth(theirs, benchmark, tmp_path):
    """A `Segmentation` whose pixels are ids, in a file or in memory."""
    for sequence in benchmark:
        for number, frame in enumerate(sequence.frames):
            path = str(sequence.annotations[frame])
            label = fo.Segmentation(mask_path=path)
            if number % 2:
                label = fo.Segmentation(mask=sequence.read_annotation(frame))
            image = str(sequence.images[frame])
            theirs.add_sample(fo.Sample(filepath=image, maps=label))
    found = benchmark_from_dataset(theirs, tmp_path / "out", field="maps")
    assert_same_masks(found, benchmark)


def test_an_object_that_no_pixel_shows_is_told(still, tmp_path):
    ones = np.ones((6, 6), bool)
    seen = detection([0, 0, 6 / 48, 6 / 32], ones, index=1)
    outside = detection([1.2, 0, 6 / 48, 6 / 32], ones, index=4)
    benchmark, (label_map,) = drawn(still([seen, outside]), tmp_path)
    assert set(np.unique(label_map).tolist()) == {0, 1}
    assert any("object 4 covers no pixel" in note for note in benchmark.notes)


def test_label_maps_of_0_and_255_are_one_object(theirs, benchmark, tmp_path):
    """As files are read; 255 alone is no unclear area."""
    sequence = benchmark["alone"]
    for frame in sequence.frames:
        mask = (sequence.read_annotation(frame) > 0).astype(np.uint8) * 255
        image = str(sequence.images[frame])
        theirs.add_sample(fo.Sample(filepath=image, maps=fo.Segmentation(mask=mask)))
    (found,) = benchmark_from_dataset(theirs, tmp_path / "out", field="maps")
    assert [item.object_id for item in found.objects] == [1]
    for frame in sequence.frames:
        np.testing.assert_array_equal(
            found.read_annotation(frame) > 0, sequence.read_annotation(frame) > 0
        )


def test_a_view_without_samples_is_refused(theirs, benchmark, tmp_path):
    theirs.add_samples(zoo_images(benchmark))
    with pytest.raises(InputError, match="no samples"):
        benchmark_from_dataset(theirs.match_tags("neither"), tmp_path / "out")
