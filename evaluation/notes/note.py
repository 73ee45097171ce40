"""`Note`: a text with a kind and data.

What is done with notes later goes by their kind and data: those of merged scores are
joined, some are left out, and no text is read for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

NoteKind = Literal[
    "",
    "scored-as-empty",
    "blank-frames",
    "wrong-numbers",
    "shared-pixels",
    "unknown-unseen",
    "unknown-videos",
    "partly-scored",
    "one-group",
    "few-videos",
    "numbered-instances",
]
"""What notes are about; "" where nobody asks."""


class Note(str):
    """A sentence, and what it says as data; to whoever prints it, a plain text.

    >>> note = Note("scored as empty: 00001", "scored-as-empty", line="00001")
    >>> note.kind, note.data, note.about("cat")[:8]
    ('scored-as-empty', {'line': '00001'}, 'cat: sco')

    Attributes:
        kind: what it is about.
        data: what it says, as JSON can hold it; its keys are those of the kind.
    """

    kind: NoteKind
    data: Mapping[str, Any]

    def __new__(cls, text: str, kind: NoteKind = "", **data: Any) -> Note:
        """Make one of its text; `kind` and `data` as the attributes."""
        note = super().__new__(cls, text)
        note.kind, note.data = kind, data
        return note

    def about(self, name: str) -> Note:
        """The same note on one of several things, whose name its data have, too."""
        return Note(f"{name}: {self}", self.kind, **{**self.data, "about": name})


def of_kind(notes: Iterable[str], kind: NoteKind) -> list[Note]:
    """The notes of a kind; plain texts are of none."""
    return [note for note in notes if isinstance(note, Note) and note.kind == kind]


def told_once(notes: Iterable[str], kind: NoteKind) -> list[str]:
    """Notes, with the first only of those of a kind about the same thing."""
    seen: set[str] = set()
    kept = []
    for note in notes:
        if isinstance(note, Note) and note.kind == kind:
            name = str(note.data.get("about", note))
            if name in seen:
                continue
            seen.add(name)
        kept.append(note)
    return kept


def without_kind(notes: Iterable[str], kind: NoteKind) -> list[str]:
    """The notes that are of another kind, or of none."""
    return [n for n in notes if not (isinstance(n, Note) and n.kind == kind)]


def note_facts(notes: Iterable[str]) -> list[dict[str, Any]]:
    """Kinds and data of notes as JSON holds them, to be stored beside their texts."""
    return [
        {"note": str(note), "kind": note.kind, "data": dict(note.data)}
        for note in notes
        if isinstance(note, Note)
    ]


def with_facts(
    texts: Sequence[str], facts: Iterable[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Notes from their stored texts, and from what `note_facts` gave of them.

    Kinds that a later version may know stay plain texts.
    """
    known = {
        fact["note"]: Note(fact["note"], fact["kind"], **fact["data"])
        for fact in facts
        if fact["kind"] in get_args(NoteKind)
    }
    return tuple(known.get(text, text) for text in texts)
