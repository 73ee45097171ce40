"""Benchmarks, masks and scores as FiftyOne datasets.

Importing this package prepares FiftyOne's environment but does not yet import
FiftyOne, which starts a database: that happens with the first function used.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from evaluation._utils.former_names import present_name
from s3fo._extras import require
from s3fo.datasets.environment import configure

# Before any module of this package imports FiftyOne.
configure()

if TYPE_CHECKING:
    from s3fo.datasets.auditing.events import audit_clips, audit_ground_truth
    from s3fo.datasets.auditing.rescored import scores_side_by_side
    from s3fo.datasets.fields.benchmark import benchmark_from_dataset
    from s3fo.datasets.importing.benchmark import load_benchmark
    from s3fo.datasets.importing.predictions import add_predictions, remove_predictions
    from s3fo.datasets.importing.relocation import relocate
    from s3fo.datasets.schema import (
        load_benchmark_info,
        load_predictions_info,
        open_dataset,
    )
    from s3fo.datasets.scoring.attributes import compute_attributes, write_attributes
    from s3fo.datasets.scoring.evaluate import evaluate, write_scores
    from s3fo.datasets.scoring.failures import (
        failure_clips,
        find_failures,
        write_failures,
    )
    from s3fo.datasets.scoring.similar_failures import (
        map_similar_failures,
        similar_failures,
    )
    from s3fo.datasets.scoring.thumbnails import make_thumbnails
    from s3fo.datasets.views.colours import object_colour
    from s3fo.datasets.views.images import image_sequences
    from s3fo.datasets.views.similar_objects import map_similar_objects
    from s3fo.datasets.views.worst import worst

__all__ = [
    "add_predictions",
    "audit_clips",
    "audit_ground_truth",
    "benchmark_from_dataset",
    "compute_attributes",
    "configure",
    "evaluate",
    "failure_clips",
    "find_failures",
    "image_sequences",
    "load_benchmark",
    "load_benchmark_info",
    "load_predictions_info",
    "make_thumbnails",
    "map_similar_failures",
    "map_similar_objects",
    "object_colour",
    "open_dataset",
    "relocate",
    "remove_predictions",
    "scores_side_by_side",
    "similar_failures",
    "worst",
    "write_attributes",
    "write_failures",
    "write_scores",
]

_MODULES = {
    "add_predictions": "importing.predictions",
    "audit_clips": "auditing.events",
    "audit_ground_truth": "auditing.events",
    "benchmark_from_dataset": "fields.benchmark",
    "compute_attributes": "scoring.attributes",
    "evaluate": "scoring.evaluate",
    "failure_clips": "scoring.failures",
    "find_failures": "scoring.failures",
    "image_sequences": "views.images",
    "load_benchmark": "importing.benchmark",
    "map_similar_failures": "scoring.similar_failures",
    "similar_failures": "scoring.similar_failures",
    "make_thumbnails": "scoring.thumbnails",
    "map_similar_objects": "views.similar_objects",
    "object_colour": "views.colours",
    "open_dataset": "schema",
    "load_benchmark_info": "schema",
    "load_predictions_info": "schema",
    "relocate": "importing.relocation",
    "remove_predictions": "importing.predictions",
    "scores_side_by_side": "auditing.rescored",
    "worst": "views.worst",
    "write_attributes": "scoring.attributes",
    "write_failures": "scoring.failures",
    "write_scores": "scoring.evaluate",
}


# Former names, for one version.
_RENAMED = {
    "map_look_alikes": "map_similar_objects",
    "recall_benchmark": "load_benchmark_info",
    "recall_predictions": "load_predictions_info",
}


def __getattr__(name: str) -> object:
    """Import a function from its module on first use."""
    name = present_name(__name__, name, _RENAMED)
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if "fiftyone" not in sys.modules:
        require("app")
        # FiftyOne waits a minute for a server that cannot start.
        importlib.import_module(f"{__name__}.database").check_server()
    module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
    return getattr(module, name)
