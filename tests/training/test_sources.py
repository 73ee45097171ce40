from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from s3fo.training.data.sources import StillImage, still_images, training_videos


def test_images_beside_masks_in_class_folders(tmp_path: Path) -> None:
    """The layout of FSS and DUTS: x.png is the mask of x.jpg."""
    for name in ("cat/1", "cat/2", "dog/1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), np.zeros((8, 9, 3), np.uint8))
        write_label_map(tmp_path / f"{name}.png", np.ones((8, 9), np.uint8))
    found = still_images(tmp_path, times=2)
    assert len(found) == 6
    image, labels = found[0].read()
    assert image.shape == (8, 9, 3) and labels.shape == (8, 9)


def test_an_image_without_mask_is_named(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "lonely.jpg"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match=r"lonely\.jpg: found no mask"):
        still_images(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="images with masks"):
        still_images(tmp_path)


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"no image")
    write_label_map(tmp_path / "broken.png", np.ones((8, 8), np.uint8))
    with pytest.raises(InputError, match=r"broken\.jpg: found .* cannot be decoded"):
        StillImage(path, tmp_path / "broken.png").read()


def test_a_mask_of_another_size_is_named(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((8, 9, 3), np.uint8))
    write_label_map(tmp_path / "a.png", np.ones((8, 8), np.uint8))
    with pytest.raises(InputError, match=r"a\.png: found a mask of 8x8"):
        still_images(tmp_path)[0].read()


def test_videos_by_name(video_folder: Path) -> None:
    assert [v.sequence.name for v in training_videos(video_folder)] == ["one", "two"]
    (two,) = training_videos(video_folder, without=["one"])
    assert two.sequence.name == "two" and len(two.frames) == 8
    with pytest.raises(InputError, match="no video three"):
        training_videos(video_folder, only=["three"])


def test_videos_in_two_folders(video_folder: Path) -> None:
    found = training_videos(video_folder / "JPEGImages", video_folder / "Annotations")
    assert len(found) == 2


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        training_videos(tmp_path / "nowhere")


def test_the_first_frames_of_a_video(video_folder: Path) -> None:
    short = training_videos(video_folder)[0].shortened(3)
    assert short.frames == ("00000", "00001", "00002")
    assert short.read(2)[1].any()
