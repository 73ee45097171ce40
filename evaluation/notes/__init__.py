"""Notes: sentences for people that also say, as data, what they are about."""

from evaluation.notes.former import stored_notes
from evaluation.notes.note import (
    Note,
    NoteKind,
    note_facts,
    of_kind,
    told_once,
    with_facts,
    without_kind,
)

__all__ = [
    "Note",
    "NoteKind",
    "note_facts",
    "of_kind",
    "stored_notes",
    "told_once",
    "with_facts",
    "without_kind",
]
