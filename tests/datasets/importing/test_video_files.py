from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import av
import cv2
import fiftyone as fo
import numpy as np
import pytest
from PIL import Image
from small_benchmark import own_name

import s3fo
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import VideoSequence, open_folders
from s3fo.datasets.importing.videos import (
    DEFAULT_FPS,
    check_mask_size,
    make_video,
    note_changing_ids,
)


def write_frames(
    folder: Path, count: int, size: tuple[int, int] = (32, 48)
) -> VideoSequence:
    """A sequence whose frame i has the grey level 10 * i."""
    folder.mkdir(parents=True, exist_ok=True)
    images = {}
    for i in range(count):
        path = folder / f"{i:05d}.jpg"
        cv2.imwrite(str(path), np.full((*size, 3), 10 * i, np.uint8))
        images[f"{i:05d}"] = path
    return VideoSequence("grey", tuple(images), images, {})


def grey_levels(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [float(frame.to_ndarray(format="gray").mean()) for frame in frames]


@pytest.mark.parametrize("count", [1, 2, 13, 25])
def test_every_frame_is_stored_once_and_in_order(tmp_path, count):
    video = make_video(write_frames(tmp_path / "in", count), tmp_path / "cache")
    levels = grey_levels(video.path)
    assert video.frame_count == len(levels) == count
    assert np.allclose(levels, 10 * np.arange(count), atol=4)


@pytest.mark.parametrize("size", [(31, 47), (32, 47), (31, 48)])
def test_odd_sizes_are_padded_to_even_ones(tmp_path, size):
    video = make_video(write_frames(tmp_path / "in", 2, size), tmp_path / "cache")
    assert (video.height, video.width) == (32, 48)
    with av.open(str(video.path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.height, context.width) == (32, 48)


def test_rate_and_metadata(tmp_path):
    frames = write_frames(tmp_path / "in", 6)
    video = make_video(replace(frames, fps=6.0), tmp_path / "cache")
    with av.open(str(video.path)) as container:
        assert container.streams.video[0].average_rate == 6
    metadata = video.metadata()
    assert (metadata.total_frame_count, metadata.duration) == (6, 1.0)
    assert make_video(frames, tmp_path / "cache").fps == DEFAULT_FPS


def test_equal_content_is_encoded_once(tmp_path):
    first = make_video(write_frames(tmp_path / "a", 3), tmp_path / "cache")
    written = first.path.stat().st_mtime_ns
    again = make_video(write_frames(tmp_path / "b", 3), tmp_path / "cache")
    assert again == first
    assert again.path.stat().st_mtime_ns == written


def test_changed_content_is_another_video(tmp_path):
    frames = write_frames(tmp_path / "in", 3)
    first = make_video(frames, tmp_path / "cache")
    cv2.imwrite(str(frames.images["00001"]), np.full((32, 48, 3), 200, np.uint8))
    changed = make_video(frames, tmp_path / "cache")
    assert changed.path != first.path
    assert grey_levels(changed.path)[1] == pytest.approx(200, abs=4)


def test_frames_inside_a_video_file(tmp_path):
    source = make_video(write_frames(tmp_path / "in", 5), tmp_path / "cache").path
    names = tuple(f"{i:05d}" for i in range(5))
    inside = VideoSequence("inside", names, {}, {}, video=source)
    video = make_video(inside, tmp_path / "other")
    assert np.allclose(grey_levels(video.path), 10 * np.arange(5), atol=5)


@pytest.mark.parametrize("damage", ["missing", "truncated", "resized"])
def test_a_bad_frame_is_named_and_leaves_nothing_behind(tmp_path, damage):
    frames = write_frames(tmp_path / "in", 4)
    bad = frames.images["00002"]
    if damage == "missing":
        bad.unlink()
    elif damage == "truncated":
        bad.write_bytes(bad.read_bytes()[:20])
    else:
        cv2.imwrite(str(bad), np.zeros((16, 16, 3), np.uint8))
    with pytest.raises(InputError) as caught:
        make_video(frames, tmp_path / "cache")
    assert ("frame 3" if damage == "resized" else bad.name) in str(caught.value)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_video_with_too_few_frames_is_refused(tmp_path):
    source = make_video(write_frames(tmp_path / "in", 3), tmp_path / "cache").path
    names = tuple(f"{i:05d}" for i in range(5))
    with pytest.raises(InputError, match="3 frames"):
        make_video(VideoSequence("short", names, {}, {}, video=source), tmp_path / "x")


def test_no_frames(tmp_path):
    with pytest.raises(InputError, match="no frames"):
        make_video(VideoSequence("none", (), {}, {}), tmp_path)


def test_a_dataset_of_one_video_file_takes_predictions(tmp_path):
    clip = make_video(write_frames(tmp_path / "in", 4), tmp_path / "cache").path
    masks = np.zeros((32, 48), np.uint8)
    masks[8:20, 10:30] = 1
    for frame in range(4):
        for folder, moved in (("truth", 0), ("mine", 5)):
            path = tmp_path / folder / clip.stem / f"{frame:05d}.png"
            write_label_map(path, np.roll(masks, moved, axis=1))
    benchmark = open_folders(clip, tmp_path / "truth" / clip.stem)
    dataset = s3fo.load_benchmark(benchmark, dataset_name=own_name("clip"))
    try:
        s3fo.add_predictions(dataset, tmp_path / "mine", "mine")
        scores = s3fo.evaluate(dataset, "mine", protocol="davis-2017")
    finally:
        fo.delete_dataset(dataset.name)
    assert scores.summary["J"] == pytest.approx(15 / 25)


def test_masks_of_another_size_than_images_are_told_or_refused(tmp_path, recwarn):
    video = write_frames(tmp_path / "in", 2, (32, 48))
    sizes = {(32, 48): "", (64, 96): "images of 48x32 pixels beside masks of 96x64"}
    for size, told in sizes.items():
        mask = tmp_path / f"{size[0]}.png"
        write_label_map(mask, np.ones(size, np.uint8))
        check_mask_size(replace(video, annotations={"00000": mask}))
        assert [told in str(one.message) for one in recwarn] == [True] * bool(told)
    write_label_map(mask, np.ones((48, 32), np.uint8))
    with pytest.raises(InputError, match="48x32 pixels beside masks of 32x48"):
        check_mask_size(replace(video, annotations={"00000": mask}))


@pytest.mark.parametrize(("odd", "told"), [({1, 3, 5, 7}, True), ({5, 6, 7}, False)])
def test_ground_truth_that_was_numbered_anew_in_each_image_is_told(
    tmp_path, recwarn, odd, told
):
    """Once exchanged, ids are an error of an annotator, and the audit's."""
    masks = {}
    for t in range(8):
        drawn = np.zeros((16, 24), np.uint8)
        ids = (2, 1) if t in odd else (1, 2)
        drawn[2:12, 2 + t : 8 + t], drawn[4:14, 12:20] = ids
        masks[f"{t:05d}"] = tmp_path / f"{t:05d}.png"
        write_label_map(masks[f"{t:05d}"], drawn)
    note_changing_ids(VideoSequence("v", tuple(masks), {}, masks))
    found = [one for one in recwarn if "exchange ids from frame to frame" in str(one)]
    assert len(found) == told


@pytest.mark.parametrize(("turn", "taken"), [(1, True), (3, False), (6, True)])
def test_images_that_viewers_turn_are_refused(tmp_path, turn, taken):
    """Upside down they may be either way; on their side, the mask's size tells."""
    sequence = write_frames(tmp_path / "in", 1)
    (path,) = sequence.images.values()
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.open(path).save(path, exif=exif)
    mask = tmp_path / "masks" / "00000.png"
    write_label_map(mask, np.ones((32, 48), np.uint8))
    sequence = replace(sequence, annotations={"00000": mask})
    with nullcontext() if taken else pytest.raises(InputError, match="orientation 3"):
        check_mask_size(sequence)
