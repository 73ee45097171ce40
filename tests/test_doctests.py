"""The examples of all public names run, and say what is true."""

from __future__ import annotations

import doctest
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import evaluation
import s3fo

# In the order of a session: each example works on what those before it made.
VERBS = (
    "load_benchmark",
    "predict",
    "correct",
    "add_predictions",
    "evaluate",
    "compute_attributes",
    "find_failures",
    "failure_clips",
    "worst",
    "relocate",
)


def run_examples(thing: Any, name: str, names: dict[str, Any]) -> None:
    """Run all examples in one docstring; there is at least one."""
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    home = vars(sys.modules[thing.__module__])
    test = parser.get_doctest(thing.__doc__, {**home, **names}, name, None, 0)
    assert test.examples, f"{name} has no example"
    said: list[str] = []
    runner.run(test, out=said.append, clear_globs=False)
    names.update({k: v for k, v in test.globs.items() if k not in home})
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


# PROTOCOLS is a table, with the example of `get_protocol`.
@pytest.mark.parametrize("name", sorted(set(evaluation.__all__) - {"PROTOCOLS"}))
def test_examples_of_evaluation(name):
    run_examples(getattr(evaluation, name), name, {})


def test_all_verbs_have_examples():
    assert set(VERBS) == set(s3fo.__all__)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """`root`, a synthetic benchmark of one video, and `name` of a dataset to make."""
    import fiftyone as fo

    from s3fo.benchmarks import write_synthetic
    from s3fo.benchmarks.synthetic import Factors

    root = tmp_path / "benchmark"
    videos = {"clip": Factors(objects=1, length=6, size=0.08)}
    write_synthetic(root, videos=videos, size=(61, 93), textures="procedural")
    name = f"test-{os.getpid()}-doctest"
    yield {"root": str(root), "name": name, "s3fo": s3fo}
    if fo.dataset_exists(name):
        fo.delete_dataset(name)


@pytest.mark.fiftyone
def test_examples_of_s3fo(session):
    for name in VERBS:
        run_examples(getattr(s3fo, name), name, session)
