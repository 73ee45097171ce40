"""Published figures and local runs, ranked together.

The published figures are in ``published/leaderboard.csv``, each row with its source,
training data and conditions; all values are percent. Nothing is averaged or silently
dropped: where two sources disagree, both rows stay and are marked as a conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.errors import InputError

if TYPE_CHECKING:
    from evaluation.scoring import Scores

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

_PROTOCOLS = {
    "davis-2016": {"davis-2016"},
    "davis-2017": {"davis-2017", "davis-2017-official"},
    "youtube-vos-2018": {"youtube-vos", "youtube-vos-skip-last"},
    "youtube-vos-2019": {"youtube-vos", "youtube-vos-skip-last"},
    "mose-v1": {"mose-v1", "davis-2017"},
    "mose-v2": {"mose-v2"},
    "lvos-v1": {"lvos"},
    "lvos-v2": {"lvos"},
    "sa-v": {"sa-v"},
    "burst": set[str](),
}
# Published column -> key of a local summary.
_LOCAL_KEYS = {
    "J&F": "J&F",
    "G": "J&F",
    "J&Fdot": "J&F_adaptive",
    "J": "J",
    "F": "F",
    "Js": "J_seen",
    "Ju": "J_unseen",
    "Fs": "F_seen",
    "Fu": "F_unseen",
}
_COLUMNS = ("method", "variant", "training_data", "year", "evidence", "source")
LOCAL = "local run"


@dataclass(frozen=True)
class LocalRun:
    """A run of one's own that enters a leaderboard: scores with their protocol.

    Attributes:
        name: of the method.
        scores: as saved by the evaluation, with protocol and input fingerprint.
        folder: where they are saved; the evidence that is shown.
        training_data: what the method was trained on.
    """

    name: str
    scores: Scores
    folder: Path
    training_data: str = ""

    @classmethod
    def load(cls, folder: Path, name: str, training_data: str = "") -> LocalRun:
        """Read saved scores.

        Raises:
            InputError: the folder holds no saved scores.
        """
        from evaluation.scoring import Scores

        return cls(name, Scores.load(folder), Path(folder), training_data)


@dataclass(frozen=True)
class Leaderboard:
    """A ranking.

    Attributes:
        benchmark: its catalogue name.
        split: e.g. ``"val"``.
        measure: what is ranked by.
        table: one row an entry, best first: ``rank``, method, variant, training data,
            scores in percent, fps, year, evidence (``authors``, ``second-hand``,
            ``reproduction``, ``local run``), source, url, notes, ``superseded``,
            ``conflict``. Superseded entries have no rank (NA).
        warnings: what a reader must know before comparing.
    """

    benchmark: str
    split: str
    measure: str
    table: pd.DataFrame
    warnings: tuple[str, ...] = ()


def published_figures() -> pd.DataFrame:
    """All published figures: one row per method, benchmark, split and source."""
    source = resources.files("evaluation") / "published" / "leaderboard.csv"
    with source.open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    text = ["variant", "training_data", "hardware", "notes", "url"]
    table[text] = table[text].fillna("")
    return table


def leaderboard(
    benchmark: str,
    split: str = "val",
    *,
    local: Sequence[LocalRun] = (),
    training_data: str | None = None,
    since: int | None = None,
    superseded: bool = True,
) -> Leaderboard:
    """Rank published figures and local runs on one benchmark split.

    Args:
        benchmark: one of `MEASURES`.
        split: the split the figures are for.
        local: own runs; each must carry its protocol.
        training_data: keep entries whose training data contain this text.
        since: keep entries of this year or later (local runs always stay).
        superseded: keep figures that their authors replaced; they get no rank.

    Raises:
        InputError: unknown benchmark, or a split without figures and local runs.
    """
    if benchmark not in MEASURES:
        raise InputError(
            benchmark, "no leaderboard", ", ".join(MEASURES), "Choose one of them."
        )
    measure = MEASURES[benchmark]
    table = published_figures()
    here = (table["benchmark"] == benchmark) & table[measure].notna()
    _check_split(benchmark, split, sorted(table.loc[here, "split"].unique()), local)
    table = table[here & (table["split"] == split)]
    if training_data:
        kept = table["training_data"].str.contains(training_data, case=False)
        table = table[kept]
    if since:
        table = table[table["year"] >= since]
    if not superseded:
        table = table[~table["superseded"]]
    rows = [_local_row(run, measure) for run in local]
    if rows:
        table = pd.concat([table, pd.DataFrame(rows)], ignore_index=True)
    return Leaderboard(
        benchmark,
        split,
        measure,
        _rank(table, measure),
        tuple(_warnings(benchmark, local)),
    )


def _check_split(
    benchmark: str, split: str, splits: list[str], local: Sequence[LocalRun]
) -> None:
    if split not in splits and not local:
        raise InputError(
            f"{benchmark} {split}",
            "no published figure",
            f"a split with figures: {', '.join(splits)}",
            "Choose one, or give a local run.",
        )


def _local_row(run: LocalRun, measure: str) -> dict[str, object]:
    summary = run.scores.summary
    row: dict[str, object] = {
        column: 100 * summary[key]
        for column, key in _LOCAL_KEYS.items()
        if key in summary and not (column == "G" and measure != "G")
    }
    return row | {
        "method": run.name,
        "variant": "",
        "training_data": run.training_data,
        "evidence": LOCAL,
        "superseded": False,
        "source": str(run.folder),
        "url": "",
        "notes": f"protocol {run.scores.protocol.name}, "
        f"{run.scores.frames['sequence'].nunique()} sequences, "
        f"fingerprint {run.scores.fingerprint[:12]}",
    }


def _rank(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    table = table.sort_values(measure, ascending=False, kind="stable")
    table["superseded"] = table["superseded"].astype(bool)
    ranks = (
        table[measure].where(~table["superseded"]).rank(ascending=False, method="min")
    )
    table.insert(0, "rank", ranks.astype("Int64"))
    table["conflict"] = _conflicts(table, measure)
    scores = [
        column
        for column in ("J&F", "G", "J&Fdot", "J", "F", "Js", "Fs", "Ju", "Fu", "fps")
        if column in table and column != measure and table[column].notna().any()
    ]
    tail = ("superseded", "conflict", "url", "notes")
    order = ["rank", *_COLUMNS[:3], measure, *scores, *_COLUMNS[3:], *tail]
    return table[order].reset_index(drop=True)


def _conflicts(table: pd.DataFrame, measure: str) -> pd.Series:
    """True where sources give different values for the same thing."""
    same = [table[name].fillna("") for name in ("method", "variant", "training_data")]
    current = table[measure].where(~table["superseded"])
    return current.groupby(same).transform("nunique") > 1


def _warnings(benchmark: str, local: Sequence[LocalRun]) -> list[str]:
    accepted = _PROTOCOLS[benchmark]
    return [
        f"{run.name} was scored by {run.scores.protocol.name}, not by "
        f"{' or '.join(sorted(accepted)) or 'the official tool'}: "
        f"its figures and the published ones do not compare."
        for run in local
        if run.scores.protocol.name not in accepted
    ]
