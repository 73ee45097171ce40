"""What a results folder is: its record, and finding such folders."""

from evaluation.runs.registry import find_runs
from evaluation.runs.schema import Run, read_run

__all__ = ["Run", "find_runs", "read_run"]
