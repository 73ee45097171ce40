"""Names that fit nothing of the ground truth: told by scores, and by merged ones.

They are names of unseen kinds, or of videos of the results.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from evaluation._utils.names import counted
from evaluation.masks.names import shown, unlike
from evaluation.notes import Note, of_kind, without_kind
from evaluation.protocols import ScoringProtocol

if TYPE_CHECKING:
    from evaluation.results.scores import Scores

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
    if not unknown:
        return []
    told = (
        f"{len(unknown)} of the names of unseen kinds fit no sequence of the ground "
        f"truth: {', '.join(unknown)}"
    )
    return [Note(told, "unknown-unseen", names=unknown)]


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


def note_unknown_videos(names: Iterable[str]) -> list[str]:
    """A note on videos of the results that the ground truth does not have."""
    left = sorted(set(names))
    if not left:
        return []
    told = (
        f"{counted(len(left), 'video')} of the results not scored, since the ground "
        f"truth has none of this name: {shown(left)}"
    )
    return [Note(told, "unknown-videos", names=left)]


def joined_unknown_videos(shards: Iterable[Scores], notes: Iterable[str]) -> list[str]:
    """Notes of scores that are merged: the videos of one may be scored by another.

    Args:
        shards: the scores.
        notes: of all of them.
    """
    notes = list(notes)
    told = of_kind(notes, "unknown-videos")
    scored = {name for shard in shards for name in shard.object_columns["sequence"]}
    scored |= {name for shard in shards for name in shard.fingerprints}
    names = {str(name) for note in told for name in note.data["names"]}
    left = note_unknown_videos(unlike(scored, names))
    return without_kind(notes, "unknown-videos") + left


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
    notes = list(notes)
    kept = without_kind(notes, "unknown-unseen")
    told = of_kind(notes, "unknown-unseen")
    unknown = [str(name) for note in told for name in note.data["names"]]
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
