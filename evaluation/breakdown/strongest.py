"""The one trend or split that a headline names, if any is beyond chance."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation._utils.names import counted
from evaluation.attributes import attribute_title
from evaluation.breakdown.groups import conditions
from evaluation.breakdown.rows import FEW
from evaluation.breakdown.tables import EVERYTHING, Breakdown

LEVEL = 0.05
"""Share of false ones that is accepted among what is called beyond chance."""

MIN_VIDEOS = 3
"""Two videos agree by chance half the time, whatever resamples of them say."""

CORRECTION = "Benjamini-Hochberg"

_NORMAL = 1.959964
"""Standard errors from a mean to the end of its 95 % interval."""


@dataclass(frozen=True)
class Candidate:
    """A trend or a split that was looked at.

    Attributes:
        attribute: name of the attribute.
        group: of the objects that are held against all others; "" for a trend.
        effect: difference of the score: between the attribute's quartiles (trend), or
            of the group from the rest (split); a fraction.
        estimate: rank correlation (trend), or the effect (split).
        low: end of the 95 % interval of the estimate, uncorrected.
        high: the other one.
        n_objects: with the attribute (trend), or in the group (split).
        n_videos: of these.
        p: two-sided probability of an estimate so far from 0 by chance, uncorrected.

    """

    attribute: str
    group: str
    effect: float
    estimate: float
    low: float
    high: float
    n_objects: int
    n_videos: int
    p: float

    @property
    def title(self) -> str:
        """The attribute, and the group of a split, for people."""
        title = attribute_title(self.attribute)
        return f"{title}: {self.group}" if self.group else title


@dataclass(frozen=True)
class Strongest:
    """What a headline about attributes may say of one method.

    Attributes:
        found: what lowers the score most of all that is beyond chance; None if nothing
            is.
        closest: the smallest `p` of all that lower the score; None if nothing does.
        n_tested: how many trends and splits were looked at, and corrected for.
        n_beyond: how many of them are beyond chance.
        lower_is_better: whether the score counts what goes wrong; it is then raised,
            wherever "lowers" is said here.
    """

    found: Candidate | None
    closest: Candidate | None
    n_tested: int
    n_beyond: int
    lower_is_better: bool = False

    def headline(self, score: str = "J&F") -> str:
        """In a few words.

        Args:
            score: name of the score for people.
        """
        one = self.found
        if one is None:
            return "No attribute is beyond chance"
        if one.group:
            return f"Hardest: {one.title}"
        return f"{one.title}: {self._trend(one, score)}"

    def _trend(self, one: Candidate, score: str) -> str:
        """In which direction of an attribute the score gets worse."""
        worse = "higher" if self.lower_is_better else "lower"
        return f"the {_direction(one, self.lower_is_better)}, the {worse} {score}"

    def text(
        self, method: str, shown: Callable[[float], str], score: str = "J&F"
    ) -> str:
        """With the numbers, and how many were looked at.

        Args:
            method: name of the method.
            shown: writes a difference of the score, with its sign.
            score: name of the score for people.
        """
        looked = (
            f"{self.n_tested} trends and splits were looked at ({CORRECTION}, "
            f"{100 * LEVEL:g} %)"
        )
        if not self.n_tested:
            return (
                f"No attribute of {method} could be tested: that takes groups of at "
                f"least {FEW} objects in {MIN_VIDEOS} videos."
            )
        if self.found is None:
            text = (
                f"Of {method}, {looked}, and none that "
                f"{'raises' if self.lower_is_better else 'lowers'} {score} is beyond "
                "chance: where so many are looked at, the intervals of some leave 0 "
                "out by chance."
            )
            if self.closest is None:
                return text
            numbers = _numbers(self.closest, shown)
            which = ""
            if not self.closest.group:
                which = f" ({self._trend(self.closest, score)})"
            return f"{text} {self.closest.title} comes closest{which}: {numbers}."
        return (
            f"{_numbers(self.found, shown)}, {score} of {method}. {looked}; "
            f"{self.n_beyond} are beyond chance. Attributes overlap: none is claimed "
            f"to be the cause."
        )


def _direction(one: Candidate, lower_is_better: bool = False) -> str:
    """Which values of an attribute go with a worse score."""
    return "higher" if (one.estimate < 0) != lower_is_better else "smaller"


def _numbers(one: Candidate, shown: Callable[[float], str]) -> str:
    objects = counted(one.n_objects, "object")
    where = f"{objects} in {counted(one.n_videos, 'video')}"
    if one.group:
        ends = f"{shown(one.low)} to {shown(one.high)}"
        return f"{shown(one.effect)} ({ends}) against all other objects, {where}"
    return (
        f"rank correlation {one.estimate:.2f} ({one.low:.2f} to {one.high:.2f}), "
        f"{shown(one.effect)} from the lower to the upper quartile, {where}"
    )


def strongest(result: Breakdown, method: str) -> Strongest:
    """The strongest trend or split of a method that is beyond chance.

    One trend per continuous attribute, and one split per group of at least `FEW`
    objects of the others, are tested: Student's t with the standard error of the
    bootstrap over videos and a degree of freedom less than there are videos, then
    Benjamini-Hochberg over all of them. A trend counts in either direction; of splits
    only groups that are worse than the rest, which have what their attribute is about.

    Args:
        result: a breakdown.
        method: name of a method in it.
    """
    every = [*_trends(result, method), *_splits(result, method)]
    found = [one for one in every if one is not None]
    beyond = _benjamini_hochberg(np.array([one.p for one in found]))
    sure = [one for one, yes in zip(found, beyond, strict=True) if yes]
    sign = -1 if result.lower_is_better else 1
    worse = [one for one in found if _is_worse(one, sign)]
    best = max(
        (one for one in worse if one in sure),
        key=lambda one: abs(one.effect),
        default=None,
    )
    closest = min(worse, key=lambda one: one.p, default=None)
    return Strongest(best, closest, len(found), len(sure), result.lower_is_better)


def _is_worse(one: Candidate, sign: int) -> bool:
    """Whether a split, or a trend in its own direction, makes the score worse.

    Where most objects share a value there is nothing between the quartiles.
    """
    return sign * one.effect < 0 if one.group else one.effect * one.estimate > 0


def _trends(result: Breakdown, method: str) -> list[Candidate | None]:
    table = _of(result.trends, method)
    table = table[table["low"].notna()] if len(table) else table
    return [
        _test(row, "", float(row["change"]), ("spearman", "low", "high"))
        for row in table.to_dict("records")
    ]


def _splits(result: Breakdown, method: str) -> list[Candidate | None]:
    table = _of(result.groups, method)
    trends = set(_of(result.trends, method).get("attribute", ()))
    own = ~table["few"] & table["delta_low"].notna()
    table = conditions(table[own & ~table["attribute"].isin([EVERYTHING, *trends])])
    return [
        _test(
            row, str(row["group"]), row["delta"], ("delta", "delta_low", "delta_high")
        )
        for row in table.to_dict("records")
    ]


def _of(table: pd.DataFrame, method: str) -> pd.DataFrame:
    return table[table["method"] == method] if len(table) else table


def _test(
    row: Mapping[Hashable, float],
    group: str,
    effect: float,
    columns: tuple[str, str, str],
) -> Candidate | None:
    from scipy.special import stdtr

    estimate, low, high = (float(row[name]) for name in columns)
    # The half of the interval that points at 0 says how far chance reaches.
    error = (estimate - low if estimate > 0 else high - estimate) / _NORMAL
    n_videos = int(row["n_videos"])
    if n_videos < MIN_VIDEOS:
        return None
    t = abs(estimate) / error if error > 0 else np.inf if estimate else 0.0
    p = 2 * float(stdtr(n_videos - 1, -t))
    return Candidate(
        str(row["attribute"]), group, effect, estimate, low, high,
        int(row["n_objects"]), n_videos, p,
    )  # fmt: skip


def _benjamini_hochberg(p: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the p-values [n] are beyond chance at `LEVEL`."""
    order = np.argsort(p)
    below = p[order] <= LEVEL * np.arange(1, len(p) + 1) / max(1, len(p))
    last = int(np.flatnonzero(below)[-1]) + 1 if below.any() else 0
    found = np.zeros(len(p), bool)
    found[order[:last]] = True
    return found
