"""VOST and alike: flat folders, lists of sequences, scored as VOST's own code does."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from evaluation import InputError, db_eval_boundary, db_eval_iou, score
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import open_benchmark
from s3fo.benchmarks.catalog import get_entry

N_FRAMES = 11


def shape(t: int, shift: int) -> np.ndarray:
    """[30, 40] object 1 grows, object 2 moves; a stripe of void."""
    label_map = np.zeros((30, 40), np.uint8)
    label_map[2 : 8 + t, 2 + shift : 12] = 1
    label_map[20:28, 10 + t + shift : 20 + t] = 2
    if not shift:
        label_map[:, 39] = 255
    return label_map


@pytest.fixture
def vost(tmp_path: Path) -> Path:
    from PIL import Image

    root = tmp_path / "VOST"
    for name in ("111_cut_onion", "222_pour_milk", "333_tear_paper"):
        for t in range(N_FRAMES):
            image = root / "JPEGImages" / name / f"frame{t:05d}.jpg"
            image.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 30)).save(image)
            write_label_map(
                root / "Annotations" / name / f"frame{t:05d}.png", shape(t, 0)
            )
    lists = root / "ImageSets"
    lists.mkdir()
    (lists / "val.txt").write_text("111_cut_onion\n222_pour_milk\n")
    (lists / "train.txt").write_text("333_tear_paper\n")
    return root


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for name in ("111_cut_onion", "222_pour_milk"):
        for t in range(N_FRAMES):
            shift = 1 if t < 5 else 3
            write_label_map(
                tmp_path / "out" / name / f"frame{t:05d}.png", shape(t, shift)
            )
    return tmp_path / "out"


def test_lists_say_what_a_split_has(vost: Path) -> None:
    benchmark = open_benchmark("vost", vost)
    assert [item.name for item in benchmark] == ["111_cut_onion", "222_pour_milk"]
    assert benchmark.sequences[0].object_ids == (1, 2)
    assert len(open_benchmark("vost", vost, split="train")) == 1
    shutil.rmtree(vost / "Annotations" / "222_pour_milk")
    with pytest.raises(InputError, match="222_pour_milk"):
        open_benchmark("vost", vost)


def test_the_numbers_are_those_of_vosts_own_code(vost: Path, results: Path) -> None:
    """J over all frames but the ends, and over frames floor(0.75 n) on of these."""
    scores = score(results, open_benchmark("vost", vost), "vost")
    official: dict[str, list[float]] = {"J": [], "J_last": [], "decay": []}
    for _ in ("111_cut_onion", "222_pour_milk"):
        for k in (1, 2):
            series = []
            for t in range(1, N_FRAMES - 1):
                gt, pred = shape(t, 0) == k, shape(t, 1 if t < 5 else 3) == k
                series.append((gt & pred).sum() / (gt | pred).sum())
            last = series[int(np.floor(len(series) * 0.75)) :]
            official["J"].append(np.mean(series))
            official["J_last"].append(np.mean(last))
            assert len(last) == 3
    assert scores.object_columns["J_mean"] == official["J"]
    assert scores.object_columns["J_last_mean"] == official["J_last"]
    assert scores.summary["J"] == np.mean(official["J"])
    assert scores.summary["J_last"] == np.mean(official["J_last"])
    assert scores.protocol.headline_metric == "J"
    assert scores.summary["J_last"] < scores.summary["J"]


def test_a_benchmark_without_lists_is_read_whole(vost: Path) -> None:
    shutil.rmtree(vost / "ImageSets")
    benchmark = open_benchmark("pumavos", vost)
    assert len(benchmark) == 3
    assert any("all 3 sequences" in note for note in benchmark.notes)


def test_other_protocols_have_no_last_quarter(vost: Path, results: Path) -> None:
    scores = score(results, open_benchmark("vost", vost), "davis-2017")
    assert "J_last" not in scores.summary


def test_visor_counts_the_last_frame(vost: Path, results: Path) -> None:
    """The tree that visor_to_davis.py makes, scored as eval.py of VISOR-VOS does."""
    root = vost.parent / "VISOR_2022"
    for kind in ("JPEGImages", "Annotations"):
        (root / kind).mkdir(parents=True)
        (vost / kind).rename(root / kind / "480p")
    lists = root / "ImageSets" / "2022"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("111_cut_onion\n222_pour_milk")
    (lists / "val_unseen.txt").write_text("222_pour_milk")
    assert len(open_benchmark("visor", root, split="val-unseen")) == 1
    benchmark = open_benchmark("visor", root, split="val")
    scores = score(results, benchmark, get_entry("visor", "val").protocol)
    gt = np.stack([shape(t, 0) for t in range(1, N_FRAMES)])
    pred = np.stack([shape(t, 1 if t < 5 else 3) for t in range(1, N_FRAMES)])
    for metric, measure in (("J", db_eval_iou), ("F", db_eval_boundary)):
        values = [np.mean(measure(gt == k, pred == k)) for k in (1, 2)] * 2
        assert scores.object_columns[f"{metric}_mean"] == values
        assert scores.summary[metric] == np.mean(values)


def test_masks_may_lie_in_a_folder_per_object(vost: Path, results: Path) -> None:
    """SeCVOS allows both; the scores are the same."""
    root = vost.parent / "SeCVOS"
    shutil.copytree(vost / "JPEGImages", root / "JPEGImages")
    for name in ("111_cut_onion", "222_pour_milk", "333_tear_paper"):
        for t in range(N_FRAMES):
            without_void = np.where(shape(t, 0) == 255, 0, shape(t, 0))
            write_label_map(
                vost / "Annotations" / name / f"frame{t:05d}.png",
                without_void.astype(np.uint8),
            )
            for k in (1, 2):
                file = f"{name}/{k - 1:03d}/frame{t:05d}.png"
                mask = (shape(t, 0) == k).astype(np.uint8)
                write_label_map(root / "Annotations" / file, mask)
    shutil.copytree(results / "111_cut_onion", results / "333_tear_paper")
    shutil.rmtree(vost / "ImageSets")
    folders = score(results, open_benchmark("secvos", root), "sa-v")
    maps = score(results, open_benchmark("secvos", vost), "sa-v")
    assert folders.summary["J&F"] == maps.summary["J&F"]
    assert folders.object_columns["J_mean"] == maps.object_columns["J_mean"]
