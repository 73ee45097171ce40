"""Mean scores of groups of videos for which a benchmark publishes figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.results.scores import Scores

MEASURES = {"J&F": "J&F", "J": "J_mean", "F": "F_mean"}
"""What is told of a group, and the column of the objects' table that has it."""


def by_stratum(
    scores: Scores, strata: Mapping[str, Collection[str]]
) -> dict[str, dict[str, float]]:
    """Means over the objects of each group's videos.

    Args:
        scores: of any number of videos.
        strata: names of the videos by name of the group.

    Returns:
        By group ``videos`` and ``objects``, how many were scored, and ``J&F``, ``J``
        and ``F`` in 0..1, NaN where there are none.
    """
    table = scores.object_columns
    found: dict[str, dict[str, float]] = {}
    for name, videos in strata.items():
        rows = [i for i, video in enumerate(table["sequence"]) if video in set(videos)]
        found[name] = {
            "videos": len({table["sequence"][i] for i in rows}),
            "objects": len(rows),
        }
        for measure, column in MEASURES.items():
            values = [float(table[column][i]) for i in rows]
            found[name][measure] = sum(values) / len(values) if values else nan
    return found


def format_strata(found: Mapping[str, Mapping[str, float]]) -> str:
    """A text table of `by_stratum`, for people."""
    headings = ["Stratum", "Videos", "Objects", *(f"{m}-Mean" for m in MEASURES)]
    rows = [
        [name, str(row["videos"]), str(row["objects"])]
        + [f"{row[measure]:.3f}" for measure in MEASURES]
        for name, row in found.items()
    ]
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = []
    for row in [headings, *rows]:
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(n) for cell, n in others)]
        lines.append("  ".join(cells))
    return "\n".join([*lines, "Means over objects."])
