"""Notes of scores that were saved when notes were plain texts.

The texts that 0.1.0 and early builds after it wrote do not change any more: here alone
they are read, and new notes are none of its business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from evaluation.notes.note import Note, NoteKind, with_facts

_SHARED = re.compile(
    r"predicted masks overlap in (\d+) frames? of (\d+) videos?, first objects (\d+) "
    r"and (\d+) of (.*) in frame (.*): the official tool of (\S+) reads .*",
    re.DOTALL,
)
_UNKNOWN = re.compile(
    r"\d+ of the names of unseen kinds fit no sequence of the ground truth: (.*)",
    re.DOTALL,
)
_PART = re.compile(
    r"only \d+ of \d+ sequences of the ground truth are scored: means are not those "
    r"of all"
)
_GROUP = re.compile(
    r"(?:no object is|all objects are) marked as unseen: the total is over .* only"
)
_EMPTY = re.compile(r"scored as empty: (.*)", re.DOTALL)


def _shared(frames: str, videos: str, *rest: str) -> dict[str, Any]:
    one, other, name, frame, _ = rest
    return {
        "name": name,
        "frame": frame,
        "objects": [int(one), int(other)],
        "n_frames": int(frames),
        "n_videos": int(videos),
    }


_FORMER: tuple[tuple[re.Pattern[str], NoteKind, Callable[..., dict[str, Any]]], ...] = (
    (_SHARED, "shared-pixels", _shared),
    (_UNKNOWN, "unknown-unseen", lambda names: {"names": names.split(", ")}),
    (_PART, "partly-scored", dict),
    (_GROUP, "one-group", dict),
    (_EMPTY, "scored-as-empty", lambda line: {"line": line}),
)


def stored_notes(
    texts: Sequence[str], facts: Iterable[Mapping[str, Any]] | None
) -> tuple[str, ...]:
    """Notes as they were before they were stored.

    >>> stored_notes(["scored as empty: all of cat"], None)[0].data
    {'line': 'all of cat'}

    Args:
        texts: that were stored.
        facts: what `note_facts` gave of them; None where none were stored, as earlier
            versions did.
    """
    if facts is not None:
        return with_facts(texts, facts)
    return tuple(_recognised(text) for text in texts)


def _recognised(text: str) -> str:
    for pattern, kind, data in _FORMER:
        if match := pattern.fullmatch(text):
            return Note(text, kind, **data(*match.groups()))
    return text
