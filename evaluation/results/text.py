"""Scores as the text table that official tools print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from evaluation.protocols import VOID

if TYPE_CHECKING:
    from evaluation.results.scores import Scores

_HEADINGS = {
    "J&F": "J&F-Mean",
    "J": "J-Mean",
    "J_recall": "J-Recall",
    "J_decay": "J-Decay",
    "F": "F-Mean",
    "F_recall": "F-Recall",
    "F_decay": "F-Decay",
}


_TRACKING = (
    "HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDSW", "Frag",
    "cgF1", "positive_micro_F1", "IL_MCC",
)  # fmt: skip
"""Tracking metrics that get a table of their own, where the protocol has them."""

_MEANING = {"V": "  (LVOS: standard deviation of J&F over frames; lower is steadier)"}
"""What a metric is that its name does not tell."""

_NAMED = 3
"""How many of the things that one note is about are named."""


def format_scores(scores: Scores, *, per_object: bool = False) -> str:
    """Format scores like the DAVIS evaluation: global, then by object."""
    summary = scores.summary
    tables = [_HEADINGS]
    tracking = [key for key in _TRACKING if key in summary]
    if tracking:
        tables.append({key: key for key in tracking})
    if scores.protocol.headline in tracking:
        tables.reverse()
    parts = ["; ".join([scores.protocol.describe(), *_changes(scores)])]
    parts += [_table([*t.values()], [[summary[key] for key in t]]) for t in tables]
    shown = set(summary) - set(_HEADINGS) - set(tracking)
    if scores.protocol.name != "lvos":
        shown -= {"V", "V_seen", "V_unseen"}
    extra = {key: value for key, value in summary.items() if key in shown}
    if extra:
        parts.append(
            "\n".join(
                f"{key:<24} {_text(value)}{_MEANING.get(key, '')}"
                for key, value in extra.items()
            )
        )
    if per_object:
        parts.append(_object_table(scores))
    parts.append("\n".join(f"Note: {note}" for note in notes_to_show(scores.notes)))
    return "\n\n".join(part for part in parts if part)


def _changes(scores: Scores) -> list[str]:
    """What options changed of the rules of the protocol, in words."""
    void = scores.options.get("void")
    if void is None or (void == VOID and scores.protocol.void == "ignored"):
        return []
    return [f"here {void} in the ground truth is left out of both masks (void={void})"]


def notes_to_show(notes: Iterable[str]) -> list[str]:
    """Notes for people: one line where the same is said of more than three things.

    >>> notes_to_show([f"{name}: flipped" for name in "abcd"] + ["a: empty"])
    ['a, b, c and 1 more: flipped', 'a: empty']

    Args:
        notes: sentences, most of them ``<sequence>: <what>``.

    Returns:
        Each note where the first of its kind stood; those of few things as they are.
    """
    about: dict[str, dict[str, None]] = {}
    for note in notes:
        name, colon, what = note.partition(": ")
        about.setdefault(what if colon else note, {})[name if colon else ""] = None
    shown = []
    for what, names in about.items():
        first, more = list(names)[:_NAMED], len(names) - _NAMED
        if more > 0 and "" not in names:
            shown.append(f"{', '.join(first)} and {more} more: {what}")
        else:
            shown += [f"{name}: {what}" if name else what for name in names]
    return shown


def _object_table(scores: Scores) -> str:
    table = scores.object_columns
    names = zip(table["sequence"], table["object"], strict=True)
    values = zip(table["J&F"], table["J_mean"], table["F_mean"], strict=True)
    rows = [
        [f"{sequence}_{object_id}", *row]
        for (sequence, object_id), row in zip(names, values, strict=True)
    ]
    return _table(["Sequence", "J&F-Mean", "J-Mean", "F-Mean"], rows)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str | float]]) -> str:
    cells = [list(headings)] + [
        [cell if isinstance(cell, str) else _text(cell) for cell in row] for row in rows
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"
