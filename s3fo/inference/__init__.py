"""Video in, masks out: methods, the S3 engine, and the loop that runs them."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from evaluation._utils.former_names import present_name
from s3fo._extras import require
from s3fo.inference.methods.base import (
    AnyMethod,
    CorrectableMethod,
    Method,
    ObjectPrompt,
    VideoMethod,
)
from s3fo.inference.methods.registry import MethodInfo, build_method, list_methods
from s3fo.inference.running.predict import PredictionSummary, predict

# Before torch is loaded: by default its threads spin while they wait for each other,
# which beside other work costs three times the CPU and can stall a frame for seconds.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from s3fo.inference.build import build_propagator
    from s3fo.inference.correcting.run import correct
    from s3fo.inference.correcting.single import correct_at
    from s3fo.inference.engine.config import InferenceConfig
    from s3fo.inference.engine.propagator import Propagator
    from s3fo.inference.methods.appearance import S3Features
    from s3fo.inference.running.probabilities import fuse

__all__ = [
    "AnyMethod",
    "CorrectableMethod",
    "InferenceConfig",
    "Method",
    "MethodInfo",
    "ObjectPrompt",
    "PredictionSummary",
    "Propagator",
    "S3Features",
    "VideoMethod",
    "build_method",
    "build_propagator",
    "correct",
    "correct_at",
    "fuse",
    "list_methods",
    "predict",
]

_LAZY_WITHOUT_TORCH = {
    "correct": "s3fo.inference.correcting.run",
    "correct_at": "s3fo.inference.correcting.single",
}

# Baselines run without torch: what needs it is imported on first use.
_LAZY = {
    "InferenceConfig": "s3fo.inference.engine.config",
    "Propagator": "s3fo.inference.engine.propagator",
    "S3Features": "s3fo.inference.methods.appearance",
    "build_propagator": "s3fo.inference.build",
    "fuse": "s3fo.inference.running.probabilities",
}


def __getattr__(name: str) -> object:
    """Import a function from its module on first use."""
    renamed = {"merge_scores": "fuse", "Run": "PredictionSummary"}
    name = present_name(__name__, name, renamed)
    if name == "PredictionSummary":
        return PredictionSummary
    if name in _LAZY_WITHOUT_TORCH:
        return getattr(importlib.import_module(_LAZY_WITHOUT_TORCH[name]), name)
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("model")
    return getattr(importlib.import_module(_LAZY[name]), name)
