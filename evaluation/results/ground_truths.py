"""Were scores made against one ground truth? Notes where they were not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from evaluation._utils.names import counted
from evaluation.results.scores import Scores

if TYPE_CHECKING:
    import pandas as pd

_KEYS = ["sequence", "object"]


def object_names(keys: list[tuple[str, int]], most: int = 5) -> str:
    """The first few objects, for a message.

    >>> object_names([("cat", 1), ("dog", 2)])
    'cat/1, dog/2'

    Args:
        keys: sequence and object id of each.
        most: how many are named.
    """
    first = ", ".join(f"{sequence}/{object_id}" for sequence, object_id in keys[:most])
    return first + (", ..." if len(keys) > most else "")


def name_of(ground_truth: object) -> str:
    """What scores call a ground truth: its path, the benchmark's name, or arrays.

    Args:
        ground_truth: what `evaluation.score` takes.
    """
    if isinstance(ground_truth, (str, os.PathLike)):
        return str(ground_truth)
    return str(getattr(ground_truth, "name", "arrays"))


def note_other_name(first: str, second: str) -> list[str]:
    """A note where two ground truths go by different names or paths.

    Args:
        first: name or path of a ground truth; empty where it is not known.
        second: the other one.
    """
    if not (first and second) or os.path.abspath(first) == os.path.abspath(second):
        return []
    return [f"different ground truths: {first} and {second}"]


def note_other_masks(
    scores: Scores, areas: pd.DataFrame, name: str, kind: str
) -> list[str]:
    """A note where masks have changed between scores and what was measured of them.

    Args:
        scores: of any results.
        areas: `sequence`, `object`, `frame`, `area` in pixels, and `digest`, a checksum
            of the pixels, which early versions did not keep; without `area` nothing
            can be said.
        name: what the scores are called.
        kind: what the areas come with, e.g. ``"attributes"``.
    """
    # These options give other objects or other pixels than the masks themselves.
    if {"binarize", "void"} & {*scores.options} or "area" not in areas:
        return []
    if not {*_KEYS, "gt_area"} <= {*scores.frame_columns}:
        return []
    names = {"area": "gt_area", "digest": "gt_digest"}
    both = _side_by_side(scores.frames, areas.rename(columns=names), "inner")
    changed = both[_differ(both)]
    if changed.empty:
        return []
    objects = dict.fromkeys(zip(*(changed[key] for key in _KEYS), strict=True))
    return [
        f"the ground truth of {name} and that of the {kind} differ in "
        f"{counted(len(changed), 'object frame')} "
        f"({object_names([(str(s), int(k)) for s, k in objects])}): were masks changed "
        "in between? Make both anew"
    ]


def note_ground_truths(methods: Mapping[str, Scores]) -> tuple[str, ...]:
    """Notes where scores were made against different ground truths.

    Names and paths are compared, and the areas and checksums of the true masks, which
    tell exchanged ids and changed masks wherever the files lie.

    Args:
        methods: scores by name; each is held against the first.
    """
    # Stand-ins that hold nothing but a table of objects tell no ground truth.
    names = [name for name, one in methods.items() if isinstance(one, Scores)]
    notes = []
    for name in names[1:]:
        one, other = methods[names[0]], methods[name]
        pair = f"{names[0]} and {name} were scored against"
        labels = [str(scores.inputs.get("ground_truth", "")) for scores in (one, other)]
        notes += [f"{pair} {note}" for note in note_other_name(*labels)]
        changed = _changed_objects(one, other)
        if changed:
            notes.append(
                f"{pair} masks or frames that differ in "
                f"{counted(len(changed), 'object')} of the ground truth "
                f"({object_names(changed)}): the difference between them is not one "
                "between methods alone"
            )
    return tuple(notes)


def _changed_objects(one: Scores, other: Scores) -> list[tuple[str, int]]:
    """Objects of both whose scored frames, or true masks in them, differ."""
    if not all({*_KEYS, "gt_area"} <= {*s.frame_columns} for s in (one, other)):
        return []
    both = _side_by_side(one.frames, other.frames, "outer")
    both = both[_differ(both)]
    known = [
        set(zip(*(scores.frames[k] for k in _KEYS), strict=True))
        for scores in (one, other)
    ]
    found = dict.fromkeys(zip(*(both[k].tolist() for k in _KEYS), strict=True))
    return [(str(s), int(k)) for s, k in found if all((s, k) in own for own in known)]


_SHAPES = ["gt_area", "gt_digest"]


def _side_by_side(
    one: pd.DataFrame, other: pd.DataFrame, how: Literal["inner", "outer"]
) -> pd.DataFrame:
    """Object frames with the areas and checksums that two tables have of them."""
    keys = [*_KEYS, "frame"]
    tables = [
        table.reindex(columns=[*keys, *_SHAPES]).astype({"frame": str})
        for table in (one, other)
    ]
    return tables[0].merge(tables[1], on=keys, how=how)


def _differ(both: pd.DataFrame) -> pd.Series:
    """Whether areas differ, or the checksums where both sides have one."""
    areas, digests = ([both[f"{name}_{s}"] for s in "xy"] for name in _SHAPES)
    moved = digests[0].ne(digests[1]) & digests[0].notna() & digests[1].notna()
    changed: pd.Series = areas[0].ne(areas[1]) | moved
    return changed
