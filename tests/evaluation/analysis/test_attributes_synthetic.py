"""On the synthetic benchmark, attributes follow the factors that were injected."""

from __future__ import annotations

import pandas as pd
import pytest

from benchmarks import attributes
from evaluation import object_attributes
from s3fo.benchmarks.synthetic import PRESETS, write_synthetic
from s3fo.benchmarks.synthetic.factors import swept_factor

pytestmark = pytest.mark.slow  # each attribute by itself: test_attributes.py

ANSWERS = {
    factor: attribute
    for factor, attribute in attributes.ANSWERS.items()
    if factor not in ("distractors", "rotation")
}
"""Factor that the `attributes` preset sweeps -> the attribute that must follow it."""


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Object 1 of every video of these sweeps as the preset defines them, small."""
    videos = {
        name: factors
        for name, factors in PRESETS["attributes"].videos.items()
        if swept_factor(name) in ANSWERS
    }
    root = tmp_path_factory.mktemp("sweeps")
    benchmark = write_synthetic(root, videos=videos, size=(108, 192), workers=2)
    table = object_attributes(benchmark, workers=2).objects
    return table[table["object"] == 1].set_index("sequence")


@pytest.mark.parametrize("factor", list(ANSWERS))
def test_the_measure_follows_the_factor(objects: pd.DataFrame, factor: str) -> None:
    """The steps of a sweep go from harmless to hard, in order of their names."""
    sweep = [name for name in objects.index if swept_factor(name) == factor]
    measured = objects.loc[sweep, ANSWERS[factor]].reset_index(drop=True)
    injected = pd.Series([int(name.rpartition("-")[2]) for name in sweep])
    assert len(sweep) == len(set(injected)) >= 3
    assert measured.astype(float).corr(injected, method="spearman") >= 0.9
