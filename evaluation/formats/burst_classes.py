"""Which classes BURST scores, and in which group each of them is.

Facts of the published evaluation (BURST-benchmark, burstapi/eval/run.py, and the
dataset class of TrackEval that it uses): classes that stand for another one, classes
that are not scored, and the common ones; all others are uncommon.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MERGED = {504: 347, 720: 347, 912: 529, 967: 529, 207: 554, 153: 943, 201: 1175}
"""Category id -> id of the category that it is scored as."""

NOT_SCORED = frozenset({
    20, 63, 108, 180, 188, 204, 212, 247, 303, 403, 407, 415, 490, 504, 507, 513, 529,
    567, 569, 588, 672, 691, 702, 708, 711, 720, 736, 737, 798, 813, 815, 827, 831, 851,
    877, 883, 912, 971, 976, 1130, 1133, 1134, 1169, 1184, 1220,
})  # fmt: skip
"""Ids of categories whose tracks are left out."""

COMMON = frozenset({
    4, 13, 1038, 544, 1057, 34, 35, 36, 41, 45, 58, 60, 579, 1091, 1097, 1099, 78, 79,
    81, 91, 1115, 1117, 95, 1122, 99, 1132, 621, 1135, 625, 118, 1144, 126, 642, 1155,
    133, 1162, 139, 154, 174, 185, 699, 1215, 714, 717, 1229, 211, 729, 221, 229, 747,
    235, 237, 779, 276, 805, 299, 829, 852, 347, 371, 382, 896, 392, 926, 937, 428, 429,
    961, 452, 979, 980, 982, 475, 480, 993, 1001, 502, 1018,
})  # fmt: skip
"""Ids of the common categories; the others are uncommon."""


def scored_class(
    category: int, names: Mapping[int, str | None]
) -> tuple[str, str] | None:
    """Class and group (``"common"``, ``"uncommon"``) as which a track is scored.

    Args:
        category: id of the track's category.
        names: category id -> name.

    Returns:
        None for tracks that are left out; empty names for those that only show that
        their frames are annotated.
    """
    if category in NOT_SCORED:
        return None
    scored = MERGED.get(category, category)
    if scored in NOT_SCORED:
        return "", ""
    group = "common" if scored in COMMON else "uncommon"
    return names.get(scored) or f"category {scored}", group


def track_classes(
    sequence: Mapping[str, Any], names: Mapping[int, str | None]
) -> dict[int, tuple[str, str]] | None:
    """Class and group of the tracks of one sequence in a file of BURST.

    Args:
        sequence: an entry of ``sequences``.
        names: category id -> name.

    Returns:
        Track id -> class and group, without tracks that are left out; None if the
        file does not say what the tracks are.
    """
    categories = sequence.get("track_category_ids")
    if not categories:
        return None
    known = {int(k): scored_class(int(c), names) for k, c in categories.items()}
    return {k: kind for k, kind in known.items() if kind is not None}
