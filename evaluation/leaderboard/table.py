"""Published figures and local runs, ranked together.

The published figures are in ``published/leaderboard.csv``, each row with its source,
training data and conditions; all values are percent. Nothing is averaged or silently
dropped: where two sources disagree, both rows stay and are marked as a conflict.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import resources

import pandas as pd

from evaluation.errors import InputError
from evaluation.leaderboard.csv_tables import read_csv
from evaluation.leaderboard.local import (
    LOCAL,
    LocalRun,
    RankedSplit,
    local_row,
    local_warnings,
)
from evaluation.leaderboard.subsets import subset_note

__all__ = [
    "LOCAL",
    "MEASURES",
    "Leaderboard",
    "LocalRun",
    "leaderboard",
    "published_attributes",
    "published_figures",
]

MEASURES = {
    "davis-2016": "J&F",
    "davis-2017": "J&F",
    "youtube-vos-2018": "G",
    "youtube-vos-2019": "G",
    "mose-v1": "J&F",
    "mose-v2": "J&Fdot",
    "lvos-v1": "J&F",
    "lvos-v2": "J&F",
    "sa-v": "J&F",
    "burst": "HOTA_all",
}
"""What each benchmark ranks by. G is the mean of J and F over seen and unseen
categories; J&Fdot is the mean of J and the adaptive F of MOSE v2."""

_TRAINING = ["training_data", "pretraining", "training", "excluded"]
_OTHERS = "others"
"""`excluded` of entries whose source lists all data that was used."""

_WITHOUT = re.compile(r"(?:w/o|without) +", re.IGNORECASE)

_COLUMNS = ("method", "variant", "training_data", "year", "evidence", "source")


@dataclass(frozen=True)
class Leaderboard:
    """A ranking.

    Attributes:
        benchmark: its catalog name.
        split: e.g. ``"val"``.
        measure: what is ranked by.
        table: one row per entry, best first: ``rank``, method, variant, training data,
            scores in percent, fps, year, evidence (``authors``, ``second-hand``,
            ``reproduction``, ``local run``), source, url, notes, ``superseded``,
            ``conflict`` (sources disagree), ``inconsistent`` (the parts that a source
            gives do not average to its figure), ``other_benchmark`` (a local run that
            is not of this split; these come last). Superseded entries and those of
            another benchmark have no rank (NA).
        warnings: what a reader must know before comparing.
        newest: the newest published row and its age, in words.
    """

    benchmark: str
    split: str
    measure: str
    table: pd.DataFrame
    warnings: tuple[str, ...] = ()
    newest: str = ""


def published_figures() -> pd.DataFrame:
    """All published figures: one row per method, benchmark, split and source.

    Next to scores in percent: ``training_data`` in the words of the source, the same
    as names of data sets joined by ``+`` in ``pretraining``, ``training`` (``none``
    for methods without any) and ``excluded`` (``others`` where the source lists all
    that was used), and ``inconsistent``: the parts that the source gives do not
    average to its figure.

    >>> table = published_figures()
    >>> rows = table[table["training_data"] == "static+MOSE"]
    >>> rows[["pretraining", "training", "excluded"]].iloc[0].tolist()
    ['static', 'MOSE', 'others']
    """
    table = _read("leaderboard.csv")
    text = [*_TRAINING, "variant", "hardware", "notes", "url", "date"]
    table[text] = table[text].fillna("")
    return table


def published_attributes(benchmark: str = "mose-v2") -> pd.DataFrame:
    """Published figures by attribute: one row per method and attribute, percent.

    Columns: method, attribute (``"all"`` for all objects), definition, J&Fdot, and
    J&Fdot_d and J&Fdot_r of disappearance and reappearance; evidence, source, url.

    Raises:
        InputError: there are none for this benchmark.
    """
    table = _read("mosev2_attributes.csv")
    if benchmark not in set(table["benchmark"]):
        raise InputError(
            benchmark, "no figures by attribute", "mose-v2", "Leave attributes out."
        )
    return table[table["benchmark"] == benchmark].reset_index(drop=True)


def _read(name: str) -> pd.DataFrame:
    with (resources.files(__package__) / "published" / name).open(
        encoding="utf-8"
    ) as file:
        return read_csv(file)


def leaderboard(
    benchmark: str,
    split: str = "val",
    *,
    local: Sequence[LocalRun] = (),
    training_data: str | None = None,
    since: int | None = None,
    superseded: bool = True,
    n_sequences: int | None = None,
    sequences: Collection[str] = (),
    benchmarks: Collection[str] = (),
) -> Leaderboard:
    """Rank published figures and local runs on one benchmark split.

    Args:
        benchmark: one of `MEASURES`.
        split: the split the figures are for.
        local: own runs; each must carry its protocol.
        training_data: keep entries that say they used this data set (``"MOSE"``, as
            a whole: not ``MOSEv2``; in any case), or say they did not (``"w/o MOSE"``).
            Entries that say neither are left out of both.
        since: keep entries of this year or later (local runs always stay).
        superseded: keep figures that their authors replaced; they get no rank.
        n_sequences: how many the split has, to warn of runs on a part of them.
        sequences: their names, where they are known: a run that has others is not of
            the split and gets no rank.
        benchmarks: names of further benchmarks than `MEASURES`; a run whose record
            names another one gets no rank, either.

    Raises:
        InputError: unknown benchmark, a split without figures and local runs, or
            training data that no entry names.
    """
    if benchmark not in MEASURES:
        raise InputError(
            benchmark,
            "no leaderboard",
            f"one of {', '.join(MEASURES)}",
            "Pass the name of one of these benchmarks.",
        )
    measure = MEASURES[benchmark]
    table = published_figures()
    here = (table["benchmark"] == benchmark) & table[measure].notna()
    _check_split(benchmark, split, sorted(table.loc[here, "split"].unique()), local)
    table = table[here & (table["split"] == split)].copy()
    newest = _newest(table)
    # Before anything is filtered out: a conflict stays one when half of it is hidden.
    table["conflict"] = _conflicts(table, measure)
    if training_data:
        table = table[_trained_on(table, training_data)]
    if since:
        table = table[table["year"] >= since]
    if not superseded:
        table = table[~table["superseded"]]
    ranked = RankedSplit(benchmark, split, n_sequences, sequences, benchmarks)
    rows = [
        local_row(run, measure) | {"other_benchmark": bool(ranked.why_not(run))}
        for run in local
    ]
    table["other_benchmark"] = False
    if rows:
        table = pd.concat([table, pd.DataFrame(rows)], ignore_index=True)
    return Leaderboard(
        benchmark,
        split,
        measure,
        _rank(table, measure),
        (
            *local_warnings(ranked, local),
            *filter(None, [subset_note(benchmark, split)]),
        ),
        newest,
    )


def _newest(table: pd.DataFrame) -> str:
    """The newest of the published rows and its age, in words; empty without rows."""
    if table.empty:
        return ""
    order = table.assign(sort=table["date"].where(table["date"] != "", "0000"))
    row = order.sort_values(["year", "sort"], kind="stable").iloc[-1]
    today = datetime.date.today()
    if row["date"]:
        age = (today - datetime.date.fromisoformat(row["date"])).days
        return f"{row['method']}, {row['date']} ({age} days old)"
    years = today.year - int(row["year"])
    age_in_words = f"{years} year{'' if years == 1 else 's'} old"
    # The year is that of the table, which may list methods of earlier years.
    return f"{row['method']}, in {row['source']} of {row['year']} ({age_in_words})"


def _check_split(
    benchmark: str, split: str, splits: list[str], local: Sequence[LocalRun]
) -> None:
    if split not in splits and not local:
        raise InputError(
            f"{benchmark} {split}",
            "no published figure",
            f"a split with figures: {', '.join(splits)}",
            "Pass one of these splits, or a local run.",
        )


def _rank(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    marks = ["superseded", "conflict", "inconsistent", "other_benchmark"]
    table[marks] = table[marks].astype(bool)
    order = ["other_benchmark", measure]
    table = table.sort_values(order, ascending=[True, False], kind="stable")
    unranked = table["superseded"] | table["other_benchmark"]
    ranks = table[measure].where(~unranked).rank(ascending=False, method="min")
    table.insert(0, "rank", ranks.astype("Int64"))
    scores = [
        column
        for column in ("J&F", "G", "J&Fdot", "J", "F", "Js", "Fs", "Ju", "Fu", "fps")
        if column in table and column != measure and table[column].notna().any()
    ]
    columns = [
        "rank",
        *_COLUMNS[:3],
        measure,
        *scores,
        *_COLUMNS[3:],
        *marks,
        "url",
        "notes",
        *(["date"] if "date" in table else []),
    ]
    return table[columns].reset_index(drop=True)


def _conflicts(table: pd.DataFrame, measure: str) -> pd.Series:
    """True where sources give different values for the same thing."""
    same = [table[name].fillna("") for name in ("method", "variant", "training_data")]
    current = table[measure].where(~table["superseded"])
    return current.groupby(same).transform("nunique") > 1


def _trained_on(table: pd.DataFrame, wanted: str) -> pd.Series:
    """Whether each entry says that a data set was used; see `leaderboard`.

    Raises:
        InputError: no entry names this data set.
    """
    bare, n_negations = _WITHOUT.subn("", wanted.strip(), count=1)
    used = (table["pretraining"] + "+" + table["training"]).map(_names)
    excluded = table["excluded"].map(_names)
    names = {name.lower(): name for own in (*used, *excluded) for name in own}
    names.pop(_OTHERS, None)
    if bare.lower() not in names:
        raise InputError(
            f"training data {wanted!r}",
            "no entry that names it",
            f"one of: {', '.join(sorted(names.values())) or '(no entry names any)'}",
            "Pass one of these names, or 'w/o NAME'.",
        )
    name = names[bare.lower()]
    is_used = used.map(lambda own: name in own)
    if not n_negations:
        return is_used
    return ~is_used & excluded.map(lambda own: name in own or _OTHERS in own)


def _names(joined: str) -> frozenset[str]:
    """Names of data sets joined by ``+``."""
    return frozenset(filter(None, joined.split("+")))
