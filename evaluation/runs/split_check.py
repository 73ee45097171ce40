"""Is a run of a benchmark's split? By the names of its videos, and by its records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

_DRAWN = "synthetic"


def is_drawn(benchmark: str) -> bool:
    """Whether a benchmark's name is that of drawn videos.

    >>> is_drawn("synthetic-mini"), is_drawn("davis-2017")
    (True, False)
    """
    return benchmark == _DRAWN or benchmark.startswith(f"{_DRAWN}-")


def say_foreign(names: Sequence[str], official: Collection[str], title: str) -> str:
    """Say which sequences an official list does not have; empty if it has all.

    >>> say_foreign(["bear", "kite"], {"bear"}, "DAVIS")
    '1 of 2 sequences are none of DAVIS (kite)'

    Args:
        names: of the sequences at hand.
        official: those of the list.
        title: what the list is of.
    """
    foreign = [name for name in names if name not in official]
    if not foreign:
        return ""
    shown = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")
    return f"{len(foreign)} of {len(names)} sequences are none of {title} ({shown})"


def other_benchmark(
    recorded: Iterable[str], benchmark: str, known: Collection[str]
) -> str:
    """The other benchmark that records name; empty where they name none.

    A name that is no benchmark's, such as that of a folder, says nothing.

    Args:
        recorded: what a run's records call its videos and its ground truth.
        benchmark: which it should be of.
        known: names of benchmarks.
    """
    for name in recorded:
        if name != benchmark and (name in known or is_drawn(name)):
            return name
    return ""
