"""Names of unseen kinds that have no effect: told by scores, and by merged ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from evaluation.protocols import ScoringProtocol

if TYPE_CHECKING:
    from evaluation.results.scores import Scores

_UNKNOWN = " of the names of unseen kinds fit no sequence of the ground truth: "
_IN_SOME = ": listed as unseen for some of the merged scores, and not for all"


def unseen_notes(
    unseen: Collection[str], sequences: Collection[str], rules: ScoringProtocol
) -> list[str]:
    """Notes on names of unseen kinds that fit no sequence, or have no use at all.

    Args:
        unseen: names of sequences, or ``"sequence/object"``.
        sequences: names of all sequences of the ground truth.
        rules: of the scores.
    """
    if not unseen:
        return []
    if rules.average != "seen-unseen":
        return [f"{rules.name} does not tell unseen kinds apart: their list has no use"]
    return _note_unknown(n for n in unseen if _sequence_of(n) not in sequences)


def _note_unknown(names: Iterable[str]) -> list[str]:
    """All names, so that of merged scores those can be left out that are known."""
    unknown = sorted(set(names))
    return [f"{len(unknown)}{_UNKNOWN}{', '.join(unknown)}"] if unknown else []


def note_unknown_objects(
    ids: Mapping[str, Collection[str]], unseen: Iterable[str]
) -> list[str]:
    """Notes on ``"sequence/object"`` of unseen kind that no sequence has.

    Args:
        ids: of the scored objects by sequence.
        unseen: the names.
    """
    parts = (name.rpartition("/") for name in sorted(unseen))
    return [
        f"{name}: object {own}, listed as unseen, is none of the scored objects"
        for name, _, own in parts
        if name in ids and own not in ids[name]
    ]


def joined_unseen(shards: Iterable[Scores], notes: Iterable[str]) -> list[str]:
    """Notes of scores that are merged: a name that one does not know another may.

    Args:
        shards: the scores.
        notes: of all of them.
    """
    groups: dict[str, dict[str, str]] = {}
    for shard in shards:
        table = shard.object_columns
        if "group" in table:
            columns = (table[name] for name in ("sequence", "object", "group"))
            for sequence, object_id, group in zip(*columns, strict=True):
                groups.setdefault(sequence, {})[str(object_id)] = group
    kept: list[str] = []
    unknown: list[str] = []
    for note in notes:
        names = note.partition(_UNKNOWN)[2]
        unknown += names.split(", ") if names else []
        kept += [] if names else [note]
    for name in unknown:
        sequence, _, own = name.partition("/")
        known = groups.get(sequence)
        if known is None:
            continue
        if own and own not in known:
            kept += note_unknown_objects({sequence: known}, [name])
        elif set([known[own]] if own else known.values()) != {"unseen"}:
            kept.append(f"{name}{_IN_SOME}")
    return kept + _note_unknown(n for n in unknown if _sequence_of(n) not in groups)


def _sequence_of(name: str) -> str:
    """The sequence of ``"sequence"`` or ``"sequence/object"``."""
    return name.partition("/")[0]
