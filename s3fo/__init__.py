"""Benchmark and evaluate video object segmentation in FiftyOne.

The verbs live in the rooms of this package and are imported on first use, so that
``import s3fo`` costs nothing:

>>> import s3fo
>>> dataset = s3fo.load_benchmark("davis-2017", root="DAVIS", split="val")
>>> s3fo.predict("davis-2017", root="DAVIS", split="val", out="results/s3")
>>> s3fo.add_predictions(dataset, "results/s3", name="s3")
>>> s3fo.evaluate(dataset, "s3", eval_key="s3")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from evaluation._utils.version import __version__ as __version__

if TYPE_CHECKING:
    from s3fo.datasets import (
        add_predictions,
        compute_attributes,
        evaluate,
        failure_clips,
        find_failures,
        load_benchmark,
        relocate,
        worst,
    )
    from s3fo.inference import correct, predict

__all__ = [
    "add_predictions",
    "compute_attributes",
    "correct",
    "evaluate",
    "failure_clips",
    "find_failures",
    "load_benchmark",
    "predict",
    "relocate",
    "worst",
]

_ROOMS = {
    "add_predictions": "s3fo.datasets",
    "compute_attributes": "s3fo.datasets",
    "evaluate": "s3fo.datasets",
    "failure_clips": "s3fo.datasets",
    "find_failures": "s3fo.datasets",
    "load_benchmark": "s3fo.datasets",
    "relocate": "s3fo.datasets",
    "worst": "s3fo.datasets",
    "correct": "s3fo.inference",
    "predict": "s3fo.inference",
}


def __dir__() -> list[str]:
    """The verbs too, before their first use."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> object:
    """Import a verb from its room, or a room, on first use."""
    if name in ("datasets", "inference"):
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_ROOMS[name]), name)
