"""What a results folder is: its record, its scores, and finding such folders."""

from evaluation.runs.registry import Run, find_runs, read_run

__all__ = ["Run", "find_runs", "read_run"]
