"""`open_benchmark`: a name and a folder become a `Benchmark`."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from evaluation.errors import InputError
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.davis import read_davis


def open_benchmark(
    name: str,
    root: str | PathLike[str],
    *,
    split: str | None = None,
    resolution: str | None = None,
) -> Benchmark:
    """Open one split of a benchmark that lies in a folder.

    Args:
        name: catalogue name, e.g. ``"davis-2017"``.
        root: the unpacked benchmark; one level too high or low is noticed.
        split: e.g. ``"val"``.
        resolution: DAVIS only: ``"480p"`` (default) or ``"full"``.

    Raises:
        InputError: no such benchmark, or the folder is not what it should be.
    """
    years = {"davis-2016": 2016, "davis-2017": 2017}
    if name not in years:
        raise InputError(name, "an unknown benchmark", ", ".join(years), "Name one.")
    split = split or "val"
    found = read_davis(Path(root), split, year=years[name], resolution=resolution)
    return Benchmark(name, split, found.root, found.sequences, name, found.notes)
