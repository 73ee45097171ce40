"""FiftyOne operators and panels: thin, all logic is in the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3fo._extras import require
from s3fo.plugin.install import install

if TYPE_CHECKING:
    from fiftyone.plugins.context import PluginContext

__all__ = ["install", "register"]


def register(plugin: PluginContext) -> None:
    """Hand operators and panels to FiftyOne; it calls this to build its registry.

    Args:
        plugin: FiftyOne's plugin context.

    Raises:
        MissingExtra: FiftyOne or the model is not installed.
    """
    require("app", "model")
    from s3fo.datasets.environment import silence_config_warnings

    silence_config_warnings()
    from s3fo.plugin.metrics import METRIC_OPERATORS
    from s3fo.plugin.operators.benchmark_method import BenchmarkMethod
    from s3fo.plugin.operators.compute_attributes import ComputeAttributes
    from s3fo.plugin.operators.correct_here import CorrectHere, ShowCorrection
    from s3fo.plugin.operators.evaluate_vos import EvaluateVOS
    from s3fo.plugin.operators.explain.audit_ground_truth import AuditGroundTruth
    from s3fo.plugin.operators.explain.map_failures import MapFailures, ShowFailureMap
    from s3fo.plugin.operators.explain.masks_of_frames import MasksOfFrames
    from s3fo.plugin.operators.explain.show_worst_frames import ShowWorstFrames
    from s3fo.plugin.operators.export_submission import ExportSubmission
    from s3fo.plugin.operators.find_failures import FindFailures
    from s3fo.plugin.operators.import_predictions import ImportPredictions
    from s3fo.plugin.operators.load_benchmark import LoadBenchmark
    from s3fo.plugin.operators.make_report import MakeReport
    from s3fo.plugin.operators.menu import Menu
    from s3fo.plugin.operators.open_workspace import OpenWorkspace
    from s3fo.plugin.operators.relocate import Relocate
    from s3fo.plugin.operators.remove import RemoveEvaluation, RemovePredictions
    from s3fo.plugin.operators.run_method import RunMethod, RunS3
    from s3fo.plugin.operators.show_changes import RestoreColours, ShowChanges
    from s3fo.plugin.panels.audit import GroundTruthAudit
    from s3fo.plugin.panels.changed_failures import FailureDifference
    from s3fo.plugin.panels.evaluation import VOSEvaluation
    from s3fo.plugin.panels.failures import Failures
    from s3fo.plugin.panels.heat_map import AttributeHeatMap
    from s3fo.plugin.panels.looks.failure_map import FailureMap
    from s3fo.plugin.panels.side_by_side import SideBySide
    from s3fo.plugin.panels.timeline import ObjectTimeline

    # In the order of the work, in which FiftyOne lists them.
    for operator in (
        Menu,
        LoadBenchmark,
        RunMethod,
        RunS3,
        ImportPredictions,
        EvaluateVOS,
        ComputeAttributes,
        FindFailures,
        MapFailures,
        ShowFailureMap,
        ShowWorstFrames,
        CorrectHere,
        ShowCorrection,
        AuditGroundTruth,
        MakeReport,
        ExportSubmission,
        BenchmarkMethod,
        ShowChanges,
        OpenWorkspace,
        Relocate,
        RemovePredictions,
        RemoveEvaluation,
        MasksOfFrames,
        RestoreColours,
        *METRIC_OPERATORS,
        VOSEvaluation,
        Failures,
        FailureDifference,
        FailureMap,
        GroundTruthAudit,
        AttributeHeatMap,
        ObjectTimeline,
        SideBySide,
    ):
        plugin.register(operator)
