"""What a results folder is: its record, its scores, and finding such folders."""

from evaluation._utils.former_names import present_name
from evaluation.runs.registry import RunFolder, find_runs, read_run

__all__ = ["RunFolder", "find_runs", "read_run"]


def __getattr__(name: str) -> object:
    """Serve the former name of a class, with a warning."""
    present = present_name(__name__, name, {"Run": "RunFolder"})
    if present == name:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals()[present]
