"""Failures: where predictions fail, in which way, and what each failure costs."""

from evaluation.failures.compared import ComparedMasks
from evaluation.failures.find import find_failures
from evaluation.failures.kinds import FailureKind
from evaluation.failures.onset import CIRCUMSTANCES
from evaluation.failures.tables import Failures

__all__ = ["CIRCUMSTANCES", "ComparedMasks", "FailureKind", "Failures", "find_failures"]
