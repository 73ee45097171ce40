"""Published figures and local runs, ranked together.

The published figures are in ``published/leaderboard.csv``, each row with its source,
training data and conditions; all values are percent. Nothing is averaged or silently
dropped: where two sources disagree, both rows stay and are marked as a conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from os import PathLike
from pathlib import Path

import pandas as pd

from evaluation.errors import InputError
from evaluation.runs import ScoreRecord, read_run
from evaluation.scores import Scores
from evaluation.training_data import trained_on

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
        record: what an evaluation of its masks came to, with protocol and fingerprint.
        folder: where that is written; the evidence that is shown.
        training_data: what the method was trained on.
        frames_per_second: as its prediction recorded it; None if unknown.
    """

    name: str
    record: ScoreRecord
    folder: Path
    training_data: str = ""
    frames_per_second: float | None = None

    @classmethod
    def load(
        cls,
        folder: str | PathLike[str],
        benchmark: str,
        *,
        name: str = "",
        training_data: str = "",
    ) -> LocalRun:
        """Read a results folder that was evaluated, or a folder of saved scores.

        Where it was evaluated by several protocols, the benchmark's own counts.

        Raises:
            InputError: there are no scores, or the masks changed since.
        """
        folder = Path(folder)
        if (folder / "scores.json").is_file():
            record = ScoreRecord.of(Scores.load(folder))
            return cls(name or folder.name, record, folder, training_data)
        run = read_run(folder)
        known = sorted(
            run.scores, key=lambda protocol: protocol not in _PROTOCOLS[benchmark]
        )
        if not known or not run.is_current(run.scores[known[0]]):
            raise InputError(
                folder,
                "masks that changed since they were scored" if known else "no scores",
                "a results folder with the record of its evaluation",
                "Score it: s3fo evaluate RESULTS --benchmark NAME --root DIR.",
            )
        return cls(
            name or folder.resolve().name,
            run.scores[known[0]],
            folder,
            training_data,
            run.frames_per_second,
        )


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
    table = _read("leaderboard.csv")
    text = ["variant", "training_data", "hardware", "notes", "url"]
    table[text] = table[text].fillna("")
    return table


def published_attributes(benchmark: str = "mose-v2") -> pd.DataFrame:
    """Published figures by attribute: one row per method and attribute, percent.

    Columns: method, attribute (``"all"`` for all objects), definition, J&Fdot, and
    J&Fdot_d and J&Fdot_r of disappearance and reappearance; evidence, source, url.

    Raises:
        InputError: nobody published any for this benchmark.
    """
    table = _read("mosev2_attributes.csv")
    if benchmark not in set(table["benchmark"]):
        raise InputError(
            benchmark, "no figures by attribute", "mose-v2", "Leave attributes out."
        )
    return table[table["benchmark"] == benchmark].reset_index(drop=True)


def _read(name: str) -> pd.DataFrame:
    with (resources.files("evaluation") / "published" / name).open(
        encoding="utf-8"
    ) as file:
        return pd.read_csv(file)


def leaderboard(
    benchmark: str,
    split: str = "val",
    *,
    local: Sequence[LocalRun] = (),
    training_data: str | None = None,
    since: int | None = None,
    superseded: bool = True,
    n_sequences: int | None = None,
) -> Leaderboard:
    """Rank published figures and local runs on one benchmark split.

    Args:
        benchmark: one of `MEASURES`.
        split: the split the figures are for.
        local: own runs; each must carry its protocol.
        training_data: keep entries that say they used this data set (``"MOSE"``), or
            did not (``"w/o MOSE"``); see `evaluation.training_data`.
        since: keep entries of this year or later (local runs always stay).
        superseded: keep figures that their authors replaced; they get no rank.
        n_sequences: how many the split has, to warn of runs on a part of them.

    Raises:
        InputError: unknown benchmark, a split without figures and local runs, or
            training data that no entry names.
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
        table = table[trained_on(table["training_data"].tolist(), training_data)]
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
        tuple(_warnings(benchmark, local, n_sequences)),
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
    record = run.record
    row: dict[str, object] = {
        column: 100 * value
        for column, key in _LOCAL_KEYS.items()
        if (value := record.summary.get(key)) is not None
        and not (column == "G" and measure != "G")
    }
    return row | {
        "method": run.name,
        "variant": "",
        "training_data": run.training_data,
        "fps": run.frames_per_second,
        "evidence": LOCAL,
        "superseded": False,
        "source": str(run.folder),
        "url": "",
        "notes": f"protocol {record.protocol_name}, {record.n_sequences} sequences "
        f"of {record.ground_truth or 'unnamed ground truth'}, "
        f"fingerprint {record.fingerprint[:12]}",
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


def _warnings(
    benchmark: str, local: Sequence[LocalRun], n_sequences: int | None
) -> list[str]:
    """Why figures of local runs and published ones may not compare."""
    accepted = _PROTOCOLS[benchmark]
    found: list[str] = []
    for run in local:
        record = run.record
        if record.protocol_name not in accepted:
            own = " or ".join(sorted(accepted)) or "the official tool"
            found.append(
                f"{run.name} was scored by {record.protocol_name}, not by {own}: "
                f"its figures and the published ones do not compare."
            )
        named = "/" not in record.ground_truth and record.ground_truth not in (
            "", "arrays", benchmark,
        )  # fmt: skip
        if named:
            found.append(
                f"{run.name} was scored on {record.ground_truth}, not on {benchmark}."
            )
        if record.options:
            mended = ", ".join(
                f"{key} {value}" for key, value in record.options.items()
            )
            found.append(f"{run.name} was scored with masks mended: {mended}.")
        if n_sequences is not None and record.n_sequences != n_sequences:
            found.append(
                f"{run.name} was scored on {record.n_sequences} sequences; the split "
                f"has {n_sequences}."
            )
    return found
