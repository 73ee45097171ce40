"""On the synthetic benchmark, attributes follow the factors that were injected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from evaluation import object_attributes
from s3fo.benchmarks.synthetic import Factors, write_synthetic

SHORT = {"length": 18}
VIDEOS = 2
"""Per step of a sweep: chance decides texture and path of each."""

SWEEPS: dict[str, list[Factors]] = {
    "occlusion": [
        Factors(occlusion=share, occlusion_frames=8, **SHORT)
        for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    ],
    "size": [Factors(size=size, **SHORT) for size in (0.004, 0.012, 0.03, 0.08)],
    "speed": [Factors(speed=speed, **SHORT) for speed in (0.0, 1.0, 3.0, 6.0)],
    "length": [Factors(length=length) for length in (8, 12, 16, 24)],
    "disappearance": [
        Factors(absence_frames=frames, **SHORT) for frames in (0, 3, 6, 10)
    ],
    "background_similarity": [
        Factors(distractors=4, similarity=alike, **SHORT)
        for alike in (0.0, 0.5, 0.75, 1.0)
    ],
}


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pd.DataFrame]:
    root: Path = tmp_path_factory.mktemp("sweeps")
    videos = {
        f"{name}-{step}-{number}": factors
        for name, sweep in SWEEPS.items()
        for step, factors in enumerate(sweep)
        for number in range(VIDEOS)
    }
    benchmark = write_synthetic(root, videos=videos, size=(90, 160), workers=1)
    yield object_attributes(benchmark, workers=1).objects.set_index("sequence")


@pytest.mark.parametrize("name", list(SWEEPS))
def test_the_measure_follows_the_factor(objects: pd.DataFrame, name: str) -> None:
    steps = range(len(SWEEPS[name]))
    measured = pd.Series(
        [
            objects.loc[[f"{name}-{step}-{n}" for n in range(VIDEOS)], name].mean()
            for step in steps
        ]
    )
    assert measured.corr(pd.Series(list(steps)), method="spearman") >= 0.9
