"""The name under which FiftyOne stored evaluations of version 0.1: keeps them alive."""

from s3fo.datasets.scoring.model_evaluation import (
    VOSEvaluation,
    VOSEvaluationConfig,
    VOSResults,
)

__all__ = ["VOSEvaluation", "VOSEvaluationConfig", "VOSResults"]
