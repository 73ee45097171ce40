"""Loading into a dataset that is there: what is gone leaves, others stay out."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from benchmark_trees import sa_v, write_davis, write_image
from filelock import FileLock
from small_benchmark import cache, own_name

import s3fo
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import open_benchmark
from s3fo.datasets import load_benchmark_info
from s3fo.datasets.locking import lock_of

pytestmark = pytest.mark.fiftyone

__all__ = ["cache"]


@pytest.fixture
def name(cache):
    own = own_name("again")
    yield own
    if fo.dataset_exists(own):
        fo.delete_dataset(own)


def davis(root: Path, *sequences: str, split: str = "val") -> Path:
    return write_davis(root, {key: [1] for key in sequences}, split=split, frames=2)


def load(root: Path, name: str, **options) -> fo.Dataset:
    return s3fo.load_benchmark("davis-2017", root, dataset_name=name, **options)


def test_videos_that_are_gone_leave_and_new_ones_come(tmp_path, name):
    load(davis(tmp_path, "ape", "bat"), name)
    kept = load(davis(tmp_path, "ape", "cow"), name)
    assert kept.values("sequence") == ["ape", "cow"]
    assert [item.name for item in load_benchmark_info(kept)] == ["ape", "cow"]


def test_a_choice_of_videos_does_not_take_the_place_of_all(tmp_path, name):
    load(davis(tmp_path, "ape", "bat"), name)
    chosen = open_benchmark("davis-2017", tmp_path, split="val").subset(["ape"])
    with pytest.raises(InputError, match=r"1 videos that were not chosen \(bat"):
        s3fo.load_benchmark(chosen, dataset_name=name)
    assert len(fo.load_dataset(name)) == 2
    few = s3fo.load_benchmark(chosen, dataset_name=f"{name}-few")
    assert len(few) == 1
    few.delete()
    assert len(load(tmp_path, name)) == 2


def test_another_split_does_not_take_the_place_of_one(tmp_path, name):
    load(davis(tmp_path, "ape"), name)
    davis(tmp_path, "ape", split="train")
    with pytest.raises(InputError, match=r"found davis-2017 val; .*another dataset"):
        load(tmp_path, name, split="train")
    assert fo.load_dataset(name).values("split") == ["val"]


def test_a_second_load_waits_for_the_first(tmp_path, name):
    davis(tmp_path, "ape")
    # A lock of its own is what another process has.
    with FileLock(lock_of(f"{name} load").lock_file):
        with pytest.raises(InputError, match="another load of it"):
            load(tmp_path, name)
        assert not fo.dataset_exists(name)
    assert len(load(tmp_path, name)) == 1


def test_masks_of_another_size_are_refused(tmp_path, name):
    root = davis(tmp_path / "davis", "ape")
    path = root / "Annotations/480p/ape/00001.png"
    write_label_map(path, np.ones((9, 7), np.uint8))
    with pytest.raises(InputError, match=r"00001\.png: found a mask of 7x9 .* 32x24"):
        load(root, name)
    assert not fo.dataset_exists(name)
    root = sa_v(tmp_path / "sa-v") / "sav_val/Annotations_6fps/sav_000001/002"
    write_label_map(root / "00004.png", np.ones((9, 7), np.uint8))
    with pytest.raises(InputError, match="a mask of 7x9"):
        s3fo.load_benchmark("sa-v", tmp_path / "sa-v", dataset_name=name)


def test_frames_of_odd_size_load(tmp_path, name):
    """Their videos are padded to even sizes."""
    root = davis(tmp_path, "ape")
    for frame in ("00000", "00001"):
        write_image(root / f"JPEGImages/480p/ape/{frame}.jpg", size=(23, 31))
        write_label_map(
            root / f"Annotations/480p/ape/{frame}.png", np.ones((23, 31), np.uint8)
        )
    assert load(root, name).values("num_objects") == [1]
