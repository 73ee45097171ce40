"""Saved scores that are about to be replaced: told where they are of other things."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation._utils.json_files import read_json
from evaluation.errors import InputError
from evaluation.masks.names import shown
from evaluation.results.shards import PART, SHARD
from evaluation.results.storage import DOCUMENT

if TYPE_CHECKING:
    from evaluation.results.scores import Scores


def note_replaced(folder: Path, scores: Scores) -> list[str]:
    """A note where a folder holds scores that new ones do not stand for.

    Scores of the same videos of the same results are replaced in silence: they were
    scored again. Where some sequences were chosen, or a shard, new masks are told, too.

    Args:
        folder: that the new scores are about to be saved in.
        scores: the new ones.
    """
    try:
        held = read_json(folder / DOCUMENT, "", "saved scores")
    except InputError:
        return []  # none are there, or saving will tell
    others = _differences(held, scores) if isinstance(held, Mapping) else []
    if not others:
        return []
    return [
        f"{folder} held scores {', and '.join(others)}: they are replaced. To keep "
        "both, give each call an --out of its own; `s3fo merge-shards` puts the scores "
        "of different sequences of one results folder together"
    ]


def _differences(held: Mapping[str, Any], scores: Scores) -> list[str]:
    """In what saved scores are of something else than the new ones, in words."""
    inputs = held.get("inputs") or {}
    told = [
        f"of other {what.replace('_', ' ')} ({inputs[what]})"
        for what in ("results", "ground_truth")
        if what in inputs and not _is_one_place(inputs[what], scores.inputs.get(what))
    ]
    if held.get("protocol") != scores.protocol.name:
        return [*told, f"by another protocol ({held.get('protocol')})"]
    before, now = held.get("fingerprints") or {}, scores.fingerprints
    if left_out := sorted(before.keys() - now.keys()):
        told.append(f"of sequences that are not in the new ones ({shown(left_out)})")
    in_parts = any(
        key in one for key in (PART, SHARD) for one in (inputs, scores.inputs)
    )
    changed = sorted(k for k in before.keys() & now.keys() if before[k] != now[k])
    if in_parts and changed and not told:
        told.append(f"of other masks of {shown(changed)}")
    return told


def _is_one_place(one: str, other: str | None) -> bool:
    return other is not None and os.path.abspath(one) == os.path.abspath(other)
