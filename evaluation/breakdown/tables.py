"""Scores by attribute: which objects a method is good at, and how sure that is.

Every number is a mean over objects. Objects of one video share scene and camera, so
intervals come from resampling videos, not objects (cluster bootstrap, 95 %
percentile). Attributes overlap: a group is compared with all objects outside it, and
no group's effect is claimed to be its own. Nothing here is a p-value.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation._utils.names import any_name_in_tables, as_names
from evaluation.attributes import ATTRIBUTES, OFFICIAL, Attributes
from evaluation.attributes.tables import of_other_objects
from evaluation.breakdown.groups import Group, groups_of
from evaluation.breakdown.rows import difference_rows, group_rows, trend_rows
from evaluation.errors import InputError
from evaluation.metrics.aggregate import LOWER_IS_BETTER, NO_SCORES
from evaluation.results.bootstrap import RESAMPLES, SEED, Bootstrap
from evaluation.results.ground_truths import note_ground_truths, note_other_masks
from evaluation.results.same_rules import note_rules, require_one_protocol
from evaluation.results.scores import SavedScores, Scores, as_scores

EVERYTHING = "all"
"""Attribute and group under which all objects are listed."""


@dataclass(frozen=True)
class Breakdown:
    """Scores by attribute.

    Attributes:
        groups: per method, attribute and group: `n_objects`, `n_videos`, `mean` with
            `low` and `high`; `rest`, the mean of all other objects whose value is
            known; `delta` = mean - rest with `delta_low` and `delta_high`; `few`.
        trends: per method and continuous attribute: rank correlation `spearman` with
            `low` and `high`, and `change`, the score difference that a straight line
            gives between the attribute's lower and upper quartile, with
            `change_low` and `change_high`.
        differences: per pair of methods (`a` before `b`), attribute and group: the
            mean `b_minus_a` over objects both have, with interval `low` to `high`, and
            `b_wins`, the share of objects where b is better (ties count half).
        metric: column of the scores that was broken down.
        notes: what a reader should know, e.g. objects without attributes.
    """

    groups: pd.DataFrame
    trends: pd.DataFrame
    differences: pd.DataFrame
    metric: str
    notes: tuple[str, ...] = ()

    @property
    def lower_is_better(self) -> bool:
        """Whether the metric counts what goes wrong, such as the decay."""
        return self.metric in LOWER_IS_BETTER


@any_name_in_tables()
def breakdown(
    scores: SavedScores | Mapping[str, SavedScores],
    attributes: Attributes,
    names: Sequence[str] | None = None,
    *,
    metric: str = "J&F",
    resamples: int = RESAMPLES,
    seed: int = SEED,
    compare: bool = True,
) -> Breakdown:
    """Break scores down by attributes.

    >>> import numpy as np
    >>> from evaluation import object_attributes, score
    >>> truth = np.zeros((5, 40, 40), np.uint8)
    >>> truth[:, 2:22, 2:22], truth[:, 30:34, 30:34] = 1, 2
    >>> scores = score({"cat": np.roll(truth, 1, axis=2)}, {"cat": truth})
    >>> attributes = object_attributes({"cat": truth})
    >>> table = breakdown(scores, attributes, names=["size"], resamples=20)
    >>> sorted(set(table.groups["attribute"]))
    ['all', 'size']

    Args:
        scores: of one method, or of several by name, on the same benchmark; or the
            folders they were saved in.
        attributes: of that benchmark's objects.
        names: columns of the attributes' objects table, official tags included;
            None takes all that set objects apart.
        metric: column of the scores' objects table.
        resamples: of the bootstrap.
        seed: of the bootstrap; the same seed gives the same intervals.
        compare: whether every two methods are compared; without, `differences` is
            empty. The function `differences` gives these alone.

    Raises:
        InputError: unknown attribute or metric, no object in common, or methods that
            were scored under different protocols.
    """
    given = scores if isinstance(scores, Mapping) else {"": scores}
    methods = {name: as_scores(one) for name, one in given.items()}
    split = _Split.of(methods, attributes, names, metric, resamples, seed)
    return Breakdown(
        groups=split.groups(),
        trends=split.trends(),
        differences=split.differences() if compare else pd.DataFrame(),
        metric=metric,
        notes=split.notes,
    )


@any_name_in_tables()
def differences(
    scores: Mapping[str, SavedScores],
    attributes: Attributes,
    names: Sequence[str] | None = None,
    *,
    metric: str = "J&F",
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> pd.DataFrame:
    """Only the differences between methods, in a fraction of the time.

    Args:
        scores: of two methods or more by name, on the same benchmark.
        attributes: of that benchmark's objects.
        names: as of `breakdown`.
        metric: as of `breakdown`.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        The very `Breakdown.differences` of `breakdown`.

    Raises:
        InputError: as of `breakdown`.
    """
    methods = {name: as_scores(one) for name, one in scores.items()}
    return _Split.of(methods, attributes, names, metric, resamples, seed).differences()


@dataclass(frozen=True)
class _Split:
    """The objects of some methods with their groups: what all tables are made of.

    Attributes:
        table: one row per object: attributes.
        score: method -> [n] scores of these objects.
        parts: every group, all objects first.
        continuous: attributes that trends are of.
        draws: the bootstrap.
        notes: what a reader should know.
        lower_is_better: whether the metric counts what goes wrong.
    """

    table: pd.DataFrame
    score: Mapping[str, NDArray[np.float64]]
    parts: Sequence[Group]
    continuous: Sequence[str]
    draws: _Draws
    notes: tuple[str, ...]
    lower_is_better: bool

    @classmethod
    def of(
        cls,
        methods: Mapping[str, Scores],
        attributes: Attributes,
        names: Sequence[str] | None,
        metric: str,
        resamples: int,
        seed: int,
    ) -> _Split:
        """Join scores and attributes."""
        table, notes = _join(methods, attributes, metric)
        chosen = choose_columns(attributes.objects, names)
        everything = np.ones(len(table), bool)
        parts = [(EVERYTHING, EVERYTHING, everything, everything)]
        for name in chosen:
            parts += groups_of(table, name)
        return cls(
            table,
            {method: table[_column(method)].to_numpy() for method in methods},
            parts,
            [name for name in chosen if _is_continuous(name)],
            _Draws(table["sequence"], resamples, seed),
            notes,
            metric in LOWER_IS_BETTER,
        )

    def groups(self) -> pd.DataFrame:
        """As of `Breakdown.groups`."""
        rows: list[dict[str, object]] = []
        for method, values in self.score.items():
            own, bootstrap = self.draws.of(values)
            masks = [(member[own], known[own]) for _, _, member, known in self.parts]
            found = group_rows(values[own], masks, bootstrap)
            rows += [
                {"method": method, "attribute": name, "group": group} | row
                for (name, group, _, _), row in zip(self.parts, found, strict=True)
            ]
        return pd.DataFrame(rows)

    def trends(self) -> pd.DataFrame:
        """As of `Breakdown.trends`."""
        rows: list[dict[str, object]] = []
        for method, values in self.score.items():
            own, bootstrap = self.draws.of(values)
            given = [self.table[name].to_numpy(float)[own] for name in self.continuous]
            found = trend_rows(given, values[own], bootstrap)
            rows += [
                {"method": method, "attribute": name} | row
                for name, row in zip(self.continuous, found, strict=True)
            ]
        return pd.DataFrame(rows)

    def differences(self) -> pd.DataFrame:
        """As of `Breakdown.differences`."""
        rows: list[dict[str, object]] = []
        for a, b in itertools.combinations(self.score, 2):
            gain = self.score[b] - self.score[a]
            own, bootstrap = self.draws.of(gain)
            members = [member[own] for _, _, member, _ in self.parts]
            found = difference_rows(
                gain[own], members, bootstrap, lower_is_better=self.lower_is_better
            )
            rows += [
                {"a": a, "b": b, "attribute": name, "group": group} | row
                for (name, group, _, _), row in zip(self.parts, found, strict=True)
            ]
        return pd.DataFrame(rows)


class _Draws:
    """The bootstrap over those objects that have a score.

    What is said of one method, or of two, then does not depend on which others are
    looked at beside them.
    """

    def __init__(self, videos: pd.Series, resamples: int, seed: int) -> None:
        self._videos, self._settings = videos, (resamples, seed)
        self._known: dict[bytes, Bootstrap] = {}

    def of(self, values: NDArray[np.float64]) -> tuple[NDArray[np.bool_], Bootstrap]:
        """Which objects have a value, and the bootstrap over them."""
        own = ~np.isnan(values)
        key = own.tobytes()
        if key not in self._known:
            self._known[key] = Bootstrap(self._videos[own], *self._settings)
        return own, self._known[key]


def two_way(
    scores: SavedScores,
    attributes: Attributes,
    rows: str,
    columns: str,
    *,
    metric: str = "J&F",
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> pd.DataFrame:
    """Scores by two attributes at once.

    Args:
        scores: of one method.
        attributes: of that benchmark's objects.
        rows: an attribute.
        columns: another one.
        metric: column of the scores' objects table.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        One row per combination that occurs: `row`, `column`, `n_objects`,
        `n_videos`, `mean`, `low`, `high`, `few`.

    Raises:
        InputError: unknown attribute or metric, or no object in common.
    """
    choose_columns(attributes.objects, [rows, columns])
    table, _ = _join({"": as_scores(scores)}, attributes, metric)
    bootstrap = Bootstrap(table["sequence"], resamples, seed)
    values = table[_column("")].to_numpy()
    cells = []
    for _, row, in_row, _ in groups_of(table, rows):
        for _, column, in_column, _ in groups_of(table, columns):
            member = in_row & in_column
            if member.any():
                [cell] = group_rows(values, [(member, member)], bootstrap)
                kept = ("n_objects", "n_videos", "mean", "low", "high", "few")
                cells.append(
                    {"row": row, "column": column} | {key: cell[key] for key in kept}
                )
    return pd.DataFrame(cells)


def _column(method: str) -> str:
    """Column of a method's scores: methods may be called like attributes."""
    return f"score of {method}"


def _join(
    methods: Mapping[str, Scores], attributes: Attributes, metric: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Attributes of the objects that any method has scores of, scores by method."""
    require_one_protocol([scores.protocol for scores in methods.values()])
    keys = ["sequence", "object"]
    table: pd.DataFrame | None = None
    for method, scores in methods.items():
        known = [str(name) for name in scores.objects if name not in NO_SCORES]
        if metric not in known:
            raise InputError(
                "metric",
                repr(metric),
                f"a score of the objects: {', '.join(known)}",
                "Try 'J&F'.",
            )
        own = scores.objects[[*keys, metric]].rename(columns={metric: _column(method)})
        table = own if table is None else table.merge(own, on=keys, how="outer")
    assert table is not None
    _refuse_twice("scores", table)
    _refuse_twice("attributes", attributes.objects)
    joined = table.merge(attributes.objects, on=keys, how="inner")
    if joined.empty:
        raise of_other_objects()
    lost = len(table) - len(joined)
    notes = [f"{lost} scored objects without attributes left out"] if lost else []
    for method in methods:
        unscored = int(joined[_column(method)].isna().sum())
        if unscored:
            notes.append(
                f"{method or 'the method'} has no score of {unscored} of "
                f"{len(joined)} objects: its means are over the others, differences "
                "over those both methods have"
            )
        notes += note_other_masks(
            methods[method], attributes.frames, method or "the scores", "attributes"
        )
    average = next(iter(methods.values())).protocol.average
    if average == "seen-unseen":
        notes.append(
            "means are over all objects alike; the protocol averages objects of seen "
            "and of unseen kind apart"
        )
    return joined, (*notes, *note_ground_truths(methods), *note_rules(methods))


def _refuse_twice(where: str, table: pd.DataFrame) -> None:
    """Refuse tables that have rows of an object twice, or ids of another type.

    Raises:
        InputError: they would be counted twice, or fit no object.
    """
    if table["object"].dtype.kind not in "iu":
        raise InputError(
            where,
            f"object ids of the type {table['object'].dtype}",
            "whole numbers",
            "Convert the column: table['object'].astype(int).",
        )
    twice = table[table.duplicated(["sequence", "object"])]
    if len(twice):
        first = twice.iloc[0]
        raise InputError(
            where,
            f"{len(twice)} rows of objects that are there twice, such as "
            f"{first['sequence']}, object {first['object']}",
            "one row per object",
            "Leave out what is there twice: table.drop_duplicates(['sequence', "
            "'object']).",
        )


def choose_columns(objects: pd.DataFrame, names: Sequence[str] | None) -> list[str]:
    """The attribute columns that are wanted.

    Args:
        objects: an attributes' objects table.
        names: of columns; None takes all that set objects apart.

    Raises:
        InputError: there is no such attribute.
    """
    available = [
        str(name)
        for name in objects
        if name in ATTRIBUTES or str(name).startswith(OFFICIAL)
    ]
    if names is None:
        return [name for name in available if objects[name].nunique() > 1]
    names = as_names(names)
    unknown = [name for name in names if name not in available]
    if unknown:
        raise InputError(
            "attribute",
            ", ".join(unknown),
            "a known one",
            f"Have {', '.join(available)}.",
        )
    return list(dict.fromkeys(names))


def _is_continuous(name: str) -> bool:
    return name in ATTRIBUTES and ATTRIBUTES[name].kind in ("number", "count")
