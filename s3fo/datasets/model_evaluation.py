"""What FiftyOne imports by name: evaluations of version 0.1, and scenarios' code."""

from s3fo.datasets.scoring.model_evaluation import (
    VOSEvaluation,
    VOSEvaluationConfig,
    VOSResults,
)
from s3fo.datasets.scoring.subsets import attribute_subsets, view_subsets

__all__ = [
    "VOSEvaluation",
    "VOSEvaluationConfig",
    "VOSResults",
    "attribute_subsets",
    "view_subsets",
]
