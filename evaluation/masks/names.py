"""Which of the names that are there stands for which that is wanted.

Frames and sequences are called alike in ground truth and results, or nearly: padded
otherwise, with a prefix or suffix, in another Unicode form. One rule is used for all
names of a folder, and told unless the names are equal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from evaluation._utils.names import printable
from evaluation.errors import InputError

_NUMBER = re.compile(r"\d+")
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
"""A name that is a number; a minus within a longer name is a hyphen."""


class Match(NamedTuple):
    """Names that stand for others.

    Attributes:
        names: the name that is there, by the name that is wanted.
        rule: how they were matched; empty where they are equal.
    """

    names: Mapping[str, str]
    rule: str


def match_names(wanted: Sequence[str], available: Collection[str]) -> Match:
    """Match names that are equal; failing that, by the first rule that fits.

    Args:
        wanted: names of the ground truth.
        available: names that are there.

    Returns:
        The names matched; none if no rule fits any.

    >>> match_names(["00000", "00001"], ["frame_0000", "frame_0001"]).names
    {'00000': 'frame_0000', '00001': 'frame_0001'}
    """
    there = set(available)
    equal = {name: name for name in wanted if name in there}
    if len(equal) < len(wanted):
        same_text = _by_key(wanted, there - set(equal), _normal, skip=equal)
        if equal or same_text:
            rule = "by Unicode form" if same_text else ""
            order = {**equal, **same_text}
            return Match({n: order[n] for n in wanted if n in order}, rule)
        rules = (
            ("by number", _plain_number),
            ("by the names without a prefix or suffix", _without_affix(wanted, there)),
            ("by the last number in the names", _last_number),
        )
        for rule, key in rules:
            found = _by_key(wanted, there, key)
            if found:
                return Match(found, rule)
    return Match(equal, "")


def match_sequences(wanted: Collection[str], available: Collection[str]) -> Match:
    """Match names of videos: equal, or equal but for the Unicode form.

    macOS spells accented letters as letter and accent, other systems as one character.
    Names that differ by upper and lower case, or by spaces around them, come next.
    """
    there = set(available)
    equal = {name: name for name in wanted if name in there}
    rest = [name for name in wanted if name not in equal]
    free = there - set(equal.values())
    rules = (("by Unicode form", _normal), ("but for upper and lower case", fold_name))
    for rule, key in rules if rest and free else ():
        alike = _by_key(rest, free, key)
        if alike:
            found = {**equal, **alike}
            return Match({n: found[n] for n in wanted if n in found}, rule)
    return Match(equal, "")


def numbers_of(names: Sequence[str]) -> dict[int, str]:
    """The names by the last number in each; none if one has none, or two the same.

    >>> numbers_of(["frame_00001", "frame_00002"])
    {1: 'frame_00001', 2: 'frame_00002'}
    """
    numbers = [_last_number(name) for name in names]
    found = {k: name for k, name in zip(numbers, names, strict=True) if k is not None}
    return found if len(found) == len(names) else {}


def number_at_end(name: str) -> int | None:
    """The number in which a name ends; None if it ends in none.

    >>> number_at_end("run2_00005"), number_at_end("00005_overlay")
    (5, None)
    """
    digits = name[len(name.rstrip("0123456789")) :]
    return int(digits) if digits else None


def frame_number(frame: object, where: str) -> int:
    """The number of a frame that is given as a number.

    Args:
        frame: an integer of any library, or a number without a fraction.
        where: what to call its source in an error.

    Raises:
        InputError: it is no whole number.

    >>> frame_number(3.0, "array")
    3
    """
    try:
        number = int(frame)  # type: ignore[call-overload]
        whole = bool(number == frame)
    except (TypeError, ValueError, OverflowError):
        whole = False
    if whole:
        return int(number)
    raise InputError(
        where,
        f"frame {printable(frame)}",
        "frame names (text), or whole numbers",
        "Name frames by text, or number them in playing order: 0, 1, 2.",
    )


def shown(names: Collection[str], most: int = 3) -> str:
    """The first few names, for a message."""
    first = sorted(names)[:most]
    return ", ".join(first) + (", ..." if len(names) > most else "")


_Key = Callable[[str], str | int | None]


def _by_key(
    wanted: Sequence[str],
    there: Collection[str],
    key: _Key,
    skip: Collection[str] = (),
) -> dict[str, str]:
    """Names with equal keys; none at all if two names that are there share a key."""
    keyed: dict[str | int, str] = {}
    for name in there:
        own = key(name)
        if own is None:
            continue
        if own in keyed:
            return {}
        keyed[own] = name
    found = {name: keyed.get(k) for name in wanted if (k := key(name)) is not None}
    return {n: other for n, other in found.items() if other and n not in skip}


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def fold_name(name: str) -> str:
    """A name without what upper and lower case, spaces or Unicode form make of it."""
    return _normal(name).casefold().strip()


def unlike(names: Collection[str], there: Collection[str]) -> list[str]:
    """Names that are there and that none of some names is like, see `fold_name`."""
    folded = {fold_name(name) for name in names}
    return sorted(name for name in there if fold_name(name) not in folded)


def _plain_number(name: str) -> int | None:
    return int(name) if _WHOLE_NUMBER.fullmatch(name) else None


def _last_number(name: str) -> int | None:
    if _WHOLE_NUMBER.fullmatch(name):
        return int(name)
    numbers = _NUMBER.findall(name)
    return int(numbers[-1]) if numbers else None


def _without_affix(wanted: Sequence[str], there: Collection[str]) -> _Key:
    """Strips what all names that are there have around the wanted ones."""
    first = wanted[0] if wanted else ""
    around = {name.partition(first)[::2] for name in there if first and first in name}
    fitting = [
        (before, after)
        for before, after in around
        if all(before + other + after in there for other in wanted)
    ]
    if len(fitting) != 1:
        return lambda text: None
    return partial(_strip, *fitting[0], frozenset(wanted))


def _strip(before: str, after: str, known: Collection[str], text: str) -> str | None:
    """A wanted name as it is, of another one what prefix and suffix leave."""
    if text in known:
        return text
    if len(text) < len(before) + len(after):
        return None
    inside = text.startswith(before) and text.endswith(after)
    return text[len(before) : len(text) - len(after)] if inside else None
