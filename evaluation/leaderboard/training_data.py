"""Which data sets a published figure says its method was trained on.

Sources say it in their own words: ``static+YTVOS19+DAVIS17``, ``w/o MOSE``,
``finetuned on MOSEv2``, ``incl. MOSEv2 train (not zero-shot)``. These are kept as they
are; here the names are taken out of them, so that "w/o MOSE" is not found as "MOSE".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.errors import InputError

_REMARK = re.compile(r"\(.*?\)")
_NAMED = re.compile(
    r"(?:.*?(?P<how>w/o|w/|incl\.|finetuned on) )?(?P<name>[\w.-]+)"
    r"(?P<step> train| init)?"
)
_WITHOUT = re.compile(r"(?:w/o|without) +", re.IGNORECASE)


@dataclass(frozen=True)
class TrainingData:
    """What a description says.

    Attributes:
        used: data sets that were used.
        left_out: data sets that were not.
        complete: whether `used` lists them all, rather than one of several steps.
    """

    used: frozenset[str]
    left_out: frozenset[str]
    complete: bool

    @classmethod
    def read(cls, words: str) -> TrainingData:
        """Understand a description; an empty one says nothing.

        >>> TrainingData.read("w/o MOSE").left_out
        frozenset({'MOSE'})
        """
        parts = [
            match
            for part in _REMARK.sub("", words).split("+")
            if (match := _NAMED.fullmatch(part.strip()))
        ]
        return cls(
            frozenset(part["name"] for part in parts if part["how"] != "w/o"),
            frozenset(part["name"] for part in parts if part["how"] == "w/o"),
            bool(parts) and not any(part["how"] or part["step"] for part in parts),
        )

    def lacks(self, name: str) -> bool:
        """Whether it says that a data set was not used."""
        return name in self.left_out or (self.complete and name not in self.used)


def trained_on(descriptions: Sequence[str], wanted: str) -> list[bool]:
    """Whether each description says that a data set was used.

    Args:
        descriptions: in the words of the sources; empty where they say nothing.
        wanted: name of a data set as a whole (``MOSE`` is not ``MOSEv2``), in any
            case. ``"w/o NAME"`` asks for the opposite: descriptions that say it was
            left out, or list others only. Who says nothing fulfils neither.

    Raises:
        InputError: no description has this name.
    """
    bare, n_negations = _WITHOUT.subn("", wanted.strip(), count=1)
    said = [TrainingData.read(words) for words in descriptions]
    names = {name.lower(): name for data in said for name in data.used | data.left_out}
    if bare.lower() not in names:
        raise InputError(
            f"training data {wanted!r}",
            "no entry that names it",
            f"one of: {', '.join(sorted(names.values())) or '(no entry names any)'}",
            "Give one of these names, or 'w/o NAME'.",
        )
    name = names[bare.lower()]
    return [data.lacks(name) if n_negations else name in data.used for data in said]
