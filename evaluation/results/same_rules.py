"""Were scores made by one protocol and with the same options? Told where not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evaluation._utils.names import counted
from evaluation.errors import InputError
from evaluation.notes import of_kind
from evaluation.options import InputOptions
from evaluation.protocols import VOID, ScoringProtocol
from evaluation.results.shards import OF_SEQUENCES, SHARD

if TYPE_CHECKING:
    from evaluation.results.scores import Scores

_MOST_EMPTY = 3
"""How many of the videos or frames that were scored as empty a note names."""


def applied_options(
    options: InputOptions, *, empty: bool, resized: bool, void: bool
) -> dict[str, object]:
    """The options of an evaluation that may have changed its numbers.

    >>> strict = InputOptions(missing="score-as-empty", binarize=True)
    >>> applied_options(strict, empty=False, resized=False, void=False)
    {'binarize': True}

    Args:
        options: as they were given.
        empty: whether anything was missing and scored as empty.
        resized: whether any prediction was resized.
        void: whether any pixel was void.
    """
    without_use = {"missing": not empty, "resize": not resized, "void": not void}
    return {k: v for k, v in options.changed().items() if not without_use.get(k)}


def require_one_protocol(
    protocols: Sequence[ScoringProtocol],
    *,
    where: str = "scores",
    remedy: str = "Score all methods with the same protocol.",
) -> None:
    """Refuse scores by different protocols, or by different rules under one name.

    Args:
        protocols: of the scores.
        where: what to name in the error.
        remedy: what to do about it.

    Raises:
        InputError: with the names of the protocols, or with the rules that differ.
    """
    first = next(iter(protocols), None)
    for other in protocols:
        if first is None or other == first:
            continue
        one, two = first.to_dict(), other.to_dict()
        differ = [name for name in one if one[name] != two[name] and name != "name"]
        rules = ", ".join(f"{name} {one[name]} and {two[name]}" for name in differ)
        found = f"the protocols {first.name} and {other.name}"
        if other.name == first.name:
            found = f"two protocols called {first.name} that differ in {rules}"
        raise InputError(where, found, "one protocol", remedy)


def note_rules(methods: Mapping[str, Scores]) -> tuple[str, ...]:
    """Notes where masks were read by different options, or of a part of the videos.

    Args:
        methods: scores by name; each is held against the first.
    """
    names = list(methods)
    rules = {name: _rules(methods[name]) for name in names}
    notes = [*_note_shards(methods)]
    for name in names[1:]:
        notes += say_other_rules((names[0], name), (rules[names[0]], rules[name]))
    return tuple(notes)


def say_other_rules(
    names: tuple[str, str], rules: tuple[Mapping[str, str], Mapping[str, str]]
) -> list[str]:
    """A note where two scores were made by other options.

    >>> say_other_rules(("a", "b"), ({"void": "with void 3"}, {}))[0][:60]
    'a and b were scored by different rules: a with void 3 and b '

    Args:
        names: of the two.
        rules: of each, see `options_in_words`.
    """
    one, other = rules
    keys = dict.fromkeys((*one, *other))
    differ = [key for key in keys if one.get(key) != other.get(key)]
    if not differ:
        return []
    sides = " and ".join(
        f"{side} {', '.join(own.get(k, _without(k)) for k in differ)}"
        for side, own in zip(names, rules, strict=True)
    )
    return [
        f"{names[0]} and {names[1]} were scored by different rules: {sides}; the "
        "difference between them is not one between methods alone"
    ]


def _note_shards(methods: Mapping[str, Scores]) -> list[str]:
    """Notes on scores of one shard, whose means are not those of the benchmark."""
    return [
        f"{name} is scored on shard {scores.inputs[SHARD]} alone, "
        f"{len(scores.sequences)} of {scores.inputs[OF_SEQUENCES]} sequences: "
        "put all shards together (`s3fo merge-shards`, `evaluation.merge`)"
        for name, scores in methods.items()
        if SHARD in scores.inputs
    ]


def options_in_words(
    options: Mapping[str, object], protocol: ScoringProtocol, notes: Sequence[str]
) -> dict[str, str]:
    """Options that changed numbers, each in words.

    >>> from evaluation.protocols import get_protocol
    >>> options_in_words({"void": 3}, get_protocol("davis-2017"), ())
    {'void': 'with void 3'}

    Args:
        options: as `Scores.options` has them.
        protocol: of the scores.
        notes: of the scores, which tell what was scored as empty.
    """
    words = {name: f"with {name} {value}" for name, value in options.items()}
    words = {k: v.removesuffix(" True") for k, v in words.items()}
    if protocol.void == "ignored" and options.get("void") == VOID:
        words.pop("void", None)  # said aloud what the protocol does anyway
    if "missing" in words and (empty := _scored_as_empty(notes)):
        words["missing"] += f" ({empty})"
    return words


def _rules(scores: Scores) -> dict[str, str]:
    """Options that changed numbers and kinds that are unseen, each in words."""
    words = options_in_words(scores.options, scores.protocol, scores.notes)
    unseen = list(scores.objects.get("group", ())).count("unseen")
    if unseen:
        words["unseen"] = f"with {counted(unseen, 'object')} of unseen kind"
    return words


def _without(option: str) -> str:
    return "without unseen kinds" if option == "unseen" else f"without {option}"


def _scored_as_empty(notes: Sequence[str]) -> str:
    lines = [note.data["line"] for note in of_kind(notes, "scored-as-empty")]
    more = [f"and {len(lines) - _MOST_EMPTY} more"] if len(lines) > _MOST_EMPTY else []
    return "; ".join([*lines[:_MOST_EMPTY], *more])
