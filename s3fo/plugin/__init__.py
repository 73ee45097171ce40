"""FiftyOne operators and panels: thin, all logic is in the library."""

from __future__ import annotations

from typing import Any

from s3fo.plugin.install import install

__all__ = ["install", "register"]


def register(plugin: Any) -> None:
    """Hand the operators to FiftyOne; it calls this when it builds its registry.

    Args:
        plugin: FiftyOne's plugin context.
    """
    from s3fo.plugin.compute_attributes import ComputeAttributes
    from s3fo.plugin.evaluate_vos import EvaluateVOS
    from s3fo.plugin.find_failures import FindFailures
    from s3fo.plugin.import_predictions import ImportPredictions
    from s3fo.plugin.load_benchmark import LoadBenchmark
    from s3fo.plugin.make_report import MakeReport
    from s3fo.plugin.run_s3 import RunS3

    for operator in (
        LoadBenchmark,
        RunS3,
        ImportPredictions,
        EvaluateVOS,
        ComputeAttributes,
        FindFailures,
        MakeReport,
    ):
        plugin.register(operator)
