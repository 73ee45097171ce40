"""Say which shard scores are of, and whether the shards to merge are complete."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from evaluation._utils.fingerprint import digest_stream, encoded
from evaluation._utils.shards import Shard
from evaluation.errors import InputError
from evaluation.notes import Note, without_kind
from evaluation.options import DEFAULT_OPTIONS, InputOptions
from evaluation.results.checks.shared_pixels import joined_shared
from evaluation.results.unseen import joined_unknown_videos, joined_unseen

if TYPE_CHECKING:
    from evaluation.results.scores import Scores

TRUTH_PLACE = "ground_truth_place"
"""Key of `Scores.inputs`: folder or file, absolute, that held the true masks."""

SHARD = "shard"
"""Key of `Scores.inputs`: which shard the scores are of, as ``2/4``."""

OF_SEQUENCES = "of_sequences"
"""Key of `Scores.inputs`: how many sequences all shards have together."""


OPTIONS = "options"
"""Key of `Scores.inputs` of a shard: options that all shards must share, in words.
`Scores.options` has those alone that had a use in the shard's own videos."""

PART = "part"
"""Key of `Scores.inputs`: how many sequences of the ground truth were chosen for them,
as ``2 of 30``; where all were, it is not there."""

ASKED = "asked_options"
"""Key of `Scores.inputs`: options that were given, in words, whether or not they had a
use in these videos; without any, it is not there."""

_OF_SHARDS = (SHARD, OF_SEQUENCES, OPTIONS)


def asked_inputs(options: InputOptions, chosen: int, known: int) -> dict[str, str]:
    """What `Scores.inputs` keep of a call, so that scores of parts can be merged.

    >>> asked_inputs(InputOptions(void=3), 2, 30)
    {'asked_options': 'void 3', 'part': '2 of 30'}

    Args:
        options: that masks were read by.
        chosen: how many sequences are scored.
        known: how many the ground truth has.
    """
    words = ", ".join(_in_words(options))
    facts = {ASKED: words} if words else {}
    return facts | ({PART: f"{chosen} of {known}"} if chosen < known else {})


def _in_words(options: InputOptions) -> list[str]:
    return [f"{k} {v}" for k, v in sorted(options.changed().items())]


def as_shard(
    scores: Scores,
    shard: Shard,
    n_sequences: int,
    options: InputOptions = DEFAULT_OPTIONS,
    unseen: Collection[str] = (),
) -> Scores:
    """The same scores, which say that they are of one shard.

    Args:
        scores: of the sequences of the shard.
        shard: which one.
        n_sequences: of all shards together.
        options: that masks were read by.
        unseen: names of unseen kinds, as they were given.
    """
    asked = _in_words(options)
    if unseen:
        digest = digest_stream(encoded(f"{name}\n") for name in sorted(set(unseen)))
        asked.append(f"{len(set(unseen))} unseen names ({digest[:8]})")
    facts = {SHARD: str(shard), OF_SEQUENCES: str(n_sequences)}
    facts[OPTIONS] = ", ".join(asked)
    return replace(scores, inputs={**scores.inputs, **facts})


def joined_inputs(inputs: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The `inputs` of shards that are merged; a complete run says nothing of shards.

    Raises:
        InputError: shards are missing; or they are of different results, ground truths
            or options.
    """
    left_out = {*_OF_SHARDS, PART}
    plain = [{k: v for k, v in one.items() if k not in left_out} for one in inputs]
    numbered = [one for one in inputs if SHARD in one]
    joined = dict(plain[0])
    for key in sorted({key for one in plain for key in one} - {ASKED}):
        places = _places(plain, key, known=bool(numbered))
        _require_one("shards", key, places)
        joined[key] = places[0]
    _require_one("shards", "options", [one.get(ASKED) or "none" for one in plain])
    if numbered:
        _require_all_shards(inputs, numbered)
    return joined | _joined_part(inputs)


def _places(inputs: Sequence[Mapping[str, str]], key: str, *, known: bool) -> list[str]:
    """What each of the inputs has under a key, as it is called first.

    Paths that lead to one place are one. Scores of early versions, and those made by
    hand, may not have the key; shards always do.
    """
    found = [one.get(key, "nothing") for one in inputs if known or key in one]
    if key == TRUTH_PLACE and (around := _around(found)):
        return [around] * len(found)
    names: dict[str, str] = {}
    return [names.setdefault(os.path.abspath(place), place) for place in found]


def _around(places: Sequence[str]) -> str:
    """The one of some folders that all others lie in, as those of some videos do."""
    try:
        common = os.path.commonpath(places)
    except ValueError:  # none, or on two drives
        return ""
    return common if common in places else ""


def _require_all_shards(
    inputs: Sequence[Mapping[str, str]], numbered: Sequence[Mapping[str, str]]
) -> None:
    shards = [Shard.parse(one[SHARD]) for one in numbered]
    _require_one("shards", "number of shards", [str(s.count) for s in shards])
    asked = [one.get(OPTIONS) or "none" for one in numbered if OPTIONS in one]
    _require_one("shards", "options", asked)
    totals = [one.get(OF_SEQUENCES, "0") for one in numbered]
    _require_one("shards", "number of sequences", totals)
    count = shards[0].count
    # More shards than sequences leave the last ones with nothing to score.
    wanted = range(1, min(count, int(totals[0])) + 1)
    missing = [f"{i}/{count}" for i in wanted if i not in {s.index for s in shards}]
    if missing or len(numbered) < len(inputs):
        raise InputError(
            "shards",
            f"without {', '.join(missing)}" if missing else "one that is no shard",
            f"all of the {count} shards of one run",
            "Score the missing shards too, save their tables, and name all folders.",
        )


def _joined_part(inputs: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """How many sequences of the ground truth all have together, if not all.

    Raises:
        InputError: they are parts of ground truths with more and with fewer.
    """
    parts = [one[PART].split(" of ") for one in inputs if PART in one]
    if len(parts) < len(inputs):
        return {}
    _require_one(
        "shards", "sequences of the ground truth", [whole for _, whole in parts]
    )
    chosen, whole = sum(int(own) for own, _ in parts), int(parts[0][1])
    return {PART: f"{chosen} of {whole}"} if chosen < whole else {}


def _note_part(shards: Sequence[Scores]) -> list[str]:
    """A note where scores of chosen sequences are merged, and some are missing."""
    if any(SHARD in shard.inputs for shard in shards):
        return []
    part = _joined_part([shard.inputs for shard in shards]).get(PART)
    if not part:
        return []
    told = (
        f"only {part} sequences of the ground truth are scored: means are not those "
        "of all"
    )
    return [Note(told, "partly-scored")]


def joined_options(shards: Sequence[Scores]) -> dict[str, object]:
    """The `options` of scores that are merged.

    Raises:
        InputError: some were read by other options than the rest.
    """
    options = [shard.options for shard in shards]
    for void in {one["void"] for one in options if "void" in one}:
        others = [s for s in shards if "void" not in s.options]
        if any(void in other.object_columns["object"] for other in others):
            _require_one("shards", "options", [f"void {void}", "no void"])
    # These are told only by shards in which they had a use.
    for_some = ("missing", "resize", "void")
    always = [
        ", ".join(f"{k} {v}" for k, v in sorted(one.items()) if k not in for_some)
        for one in options
    ]
    _require_one("shards", "options", [words or "none" for words in always])
    joined = {key: value for one in options for key, value in one.items()}
    return dict(sorted(joined.items()))


_ALL_SEEN = "no object is marked as unseen: the total is over seen ones only"
_ALL_UNSEEN = "all objects are marked as unseen: the total is over these only"


def note_kinds(groups: Collection[str]) -> list[str]:
    """A note where a total of seen and unseen kinds is over one of these only.

    Args:
        groups: of all objects; none where a protocol does not tell kinds apart.
    """
    if not groups or len(set(groups)) > 1:
        return []
    return [Note(_ALL_SEEN if "seen" in groups else _ALL_UNSEEN, "one-group")]


def joined_notes(shards: Sequence[Scores]) -> list[str]:
    """The notes of scores that are merged; those on totals are made anew."""
    notes = [note for shard in shards for note in shard.notes]
    groups = [k for shard in shards for k in shard.object_columns.get("group", ())]
    # These are on all scores together, and are made anew.
    notes = without_kind(without_kind(notes, "one-group"), "partly-scored")
    notes = joined_unseen(shards, joined_shared(notes, shards[0].protocol))
    notes = joined_unknown_videos(shards, notes)
    return [*notes, *_note_part(shards), *note_kinds(groups)]


def _require_one(where: str, what: str, found: Sequence[str]) -> None:
    """Refuse shards that differ in something that they must share."""
    different = list(dict.fromkeys(found))
    if len(different) > 1:
        raise InputError(
            where,
            f"{what.replace('_', ' ')}: {' and '.join(different)}",
            "shards of one run",
            "Merge shards that one command with the same options scored.",
        )
