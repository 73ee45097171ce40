"""Audit: errors in the ground truth, per object and frame, with their reasons."""

from evaluation.audit.find import audit_ground_truth
from evaluation.audit.kinds import ErrorKind
from evaluation.audit.rescored import scores_without, side_by_side
from evaluation.audit.tables import Audit

__all__ = [
    "Audit",
    "ErrorKind",
    "audit_ground_truth",
    "scores_without",
    "side_by_side",
]
