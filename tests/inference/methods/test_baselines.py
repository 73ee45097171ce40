from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.masks.label_map import read_label_map
from s3fo.benchmarks import VideoSequence, write_synthetic
from s3fo.benchmarks.synthetic import Factors
from s3fo.inference import predict
from s3fo.inference.methods.baselines import CopyBaseline, FlowBaseline, lay_over

VIDEO = VideoSequence("a", ("0",), {}, {})


def moving_texture(frames: int, step: int) -> list[np.ndarray]:
    """A smooth random texture that moves right by `step` pixels a frame."""
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 255, (64, 96 + frames * step, 3)).astype(np.uint8)
    wide = cv2.GaussianBlur(wide, (0, 0), 2)
    wide = cv2.normalize(wide, None, 0, 255, cv2.NORM_MINMAX)
    left = frames * step
    return [
        np.ascontiguousarray(wide[:, left - k * step : left - k * step + 96])
        for k in range(frames)
    ]


@pytest.mark.parametrize("size", [None, 48])
def test_flow_follows_a_motion(size: int | None) -> None:
    method = FlowBaseline(size)
    method.start(VIDEO)
    prompt = np.zeros((64, 96), np.uint16)
    prompt[20:44, 20:44] = 300
    for index, image in enumerate(moving_texture(8, 3)):
        label_map = method.step(image, prompt if index == 0 else None)
        expected = np.zeros((64, 96), bool)
        expected[20:44, 20 + 3 * index : 44 + 3 * index] = True
        assert jaccard(label_map == 300, expected) > 0.9, f"frame {index}"
    assert label_map.dtype == np.uint16


def test_copy_stays_and_takes_new_objects() -> None:
    method = CopyBaseline()
    method.start(VIDEO)
    image = np.zeros((4, 6, 3), np.uint8)
    first, second = np.zeros((2, 4, 6), np.uint8)
    first[:, :3], second[:, 2:4] = 1, 2
    np.testing.assert_array_equal(method.step(image, first), first)
    np.testing.assert_array_equal(method.step(image, None), first)
    both = method.step(image, second)
    assert both[0].tolist() == [1, 1, 2, 2, 0, 0]
    np.testing.assert_array_equal(method.step(image, None), both)


def test_flow_takes_new_objects_and_keeps_the_old() -> None:
    method = FlowBaseline()
    method.start(VIDEO)
    frames = moving_texture(6, 2)
    first, second = np.zeros((2, 64, 96), np.uint8)
    first[10:30, 10:30], second[34:54, 40:60] = 1, 2
    for index, image in enumerate(frames):
        prompt = {0: first, 3: second}.get(index)
        label_map = method.step(image, prompt)
    areas = np.bincount(label_map.ravel(), minlength=3)
    assert abs(areas[1] - 400) < 60
    assert abs(areas[2] - 400) < 60


@pytest.mark.parametrize("method", [CopyBaseline(), FlowBaseline()])
def test_nothing_leaks_into_the_next_video(method: CopyBaseline | FlowBaseline) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (3, 40, 40, 3)).astype(np.uint8)
    prompt = np.zeros((40, 40), np.uint8)
    prompt[10:20, 10:20] = 1

    def follow() -> list[np.ndarray]:
        method.start(VIDEO)
        return [
            method.step(image, prompt if index == 0 else None).copy()
            for index, image in enumerate(images)
        ]

    once = follow()
    np.testing.assert_array_equal(once, follow())


def test_laying_over_keeps_wide_ids() -> None:
    wide = np.array([[300, 0]], np.uint16)
    narrow = np.array([[0, 2]], np.uint8)
    assert lay_over(wide, narrow, (1, 2)).tolist() == [[300, 2]]
    assert lay_over(narrow, wide, (1, 2)).tolist() == [[300, 2]]


def test_flow_beats_copy_on_moving_objects(tmp_path: Path) -> None:
    videos = {"a": Factors(length=14, speed=5.0, size=0.08, deformation=0.0)}
    benchmark = write_synthetic(tmp_path / "data", videos=videos, size=(120, 200))
    overlaps = {}
    for method in ("copy", "flow"):
        run = predict(benchmark, tmp_path / method, method=method)
        assert run.failures == {}
        overlaps[method] = np.mean(
            [
                jaccard(
                    read_label_map(tmp_path / method / "a" / f"{frame}.png") == 1,
                    benchmark["a"].read_annotation(frame) == 1,
                )
                for frame in benchmark["a"].frames
            ]
        )
    assert overlaps["flow"] > overlaps["copy"] + 0.1


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())
