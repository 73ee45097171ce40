"""On the synthetic benchmark, attributes follow the factors that were injected."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from evaluation import object_attributes
from s3fo.benchmarks.synthetic import Factors, write_synthetic

SHORT = {"length": 18}
SWEEPS: dict[str, list[Factors]] = {
    "occlusion": [
        Factors(occlusion=share, occlusion_frames=8, **SHORT)
        for share in (0.0, 0.3, 0.6, 0.9, 1.0)
    ],
    "size": [Factors(size=size, **SHORT) for size in (0.004, 0.012, 0.03, 0.08)],
    "speed": [Factors(speed=speed, **SHORT) for speed in (0.0, 1.0, 3.0, 6.0)],
    "length": [Factors(length=length) for length in (8, 12, 16, 24)],
    "disappearance": [
        Factors(absence_frames=frames, **SHORT) for frames in (0, 3, 6, 10)
    ],
}


def measured(root: Path, sweep: list[Factors], name: str, videos: int = 1) -> pd.Series:
    """An attribute of object 1 at each step of a sweep, mean over some videos."""
    drawn = {
        f"{step}-{number}": factors
        for step, factors in enumerate(sweep)
        for number in range(videos)
    }
    benchmark = write_synthetic(root, videos=drawn, size=(135, 240), workers=1)
    objects = object_attributes(benchmark, workers=1).objects
    steps = objects["sequence"].str.split("-").str[0].astype(int)
    return objects.groupby(steps)[name].mean()


def spearman(values: pd.Series) -> float:
    return float(values.corr(values.index.to_series(), method="spearman"))


@pytest.mark.parametrize("name", list(SWEEPS))
def test_the_measure_follows_the_factor(tmp_path: Path, name: str) -> None:
    assert spearman(measured(tmp_path, SWEEPS[name], name)) >= 0.9


def test_likeness_of_unannotated_things_is_noticed(tmp_path: Path) -> None:
    """Four videos per step: which textures meet is chance."""
    sweep = [
        Factors(distractors=4, similarity=alike, length=6)
        for alike in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert spearman(measured(tmp_path, sweep, "background_similarity", 4)) >= 0.9
