"""Check our numbers against the CSV that an official tool wrote."""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluation._utils.names import counted
from evaluation.errors import InputError
from evaluation.masks.names import shown
from evaluation.results.scores import Scores

_FINEST = 1e-12
"""Numbers printed in full are compared this closely."""

_DAVIS_METRICS = {
    "J&F-Mean": "J&F",
    "J-Mean": "J",
    "J-Recall": "J_recall",
    "J-Decay": "J_decay",
    "F-Mean": "F",
    "F-Recall": "F_recall",
    "F-Decay": "F_decay",
}
_PERCENT_METRICS = ("J&F", "J", "F")
_COLUMNS = {"J&F": "J&F", "J": "J_mean", "F": "F_mean"}


@dataclass(frozen=True)
class Check:
    """One number of the official tool beside ours.

    Attributes:
        name: ``"global"``, or ``"sequence_object"``.
        metric: which score.
        official: as printed.
        ours: fraction or percent, as the official tool has it; NaN if we have none.
        agrees: whether ours rounds to what was printed.
    """

    name: str
    metric: str
    official: str
    ours: float
    agrees: bool


@dataclass(frozen=True)
class Agreement:
    """All numbers of an official CSV beside ours.

    Attributes:
        checks: the numbers.
        unchecked: objects that we scored, and a CSV of other objects does not have.
    """

    checks: tuple[Check, ...]
    unchecked: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether all numbers of the CSV agree."""
        return all(check.agrees for check in self.checks)

    def __str__(self) -> str:
        wrong = [check for check in self.checks if not check.agrees]
        lines = [
            f"{len(self.checks) - len(wrong)} of {len(self.checks)} numbers agree "
            "with the official tool"
        ]
        for check in wrong:
            numbers = f"official {check.official}, ours {check.ours}"
            lines.append(f"  {check.name} {check.metric}: {numbers}")
        if self.unchecked:
            lines.append(
                f"  the official CSV has no numbers of {shown(self.unchecked)} "
                f"({counted(len(self.unchecked), 'object')} that we scored)"
            )
        return "\n".join(lines)


def compare_with_official(scores: Scores, official_csv: str | Path) -> Agreement:
    """Compare every number of an official tool's CSV with ours, as printed there.

    Reads `global_results*.csv` and `per-sequence_results*.csv` of the DAVIS
    evaluation and `results.csv` of vos-benchmark and SA-V.

    >>> import numpy as np
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from evaluation import score
    >>> truth = np.zeros((5, 20, 20), np.uint8)
    >>> truth[:, 5:15, 5:15] = 1
    >>> scores = score({"cat": truth}, {"cat": truth})
    >>> lines = ["J&F-Mean,J-Mean,F-Mean", "1.000,1.000,0.999"]
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "global_results-val.csv")
    ...     _ = file.write_text(chr(10).join(lines))
    ...     print(compare_with_official(scores, file))
    2 of 3 numbers agree with the official tool
      global F: official 0.999, ours 1.0

    Raises:
        InputError: the file is none of these.
    """
    path = Path(official_csv)
    if not path.is_file():
        raise InputError(path, "no such file", "an official CSV", "Check the path.")
    with path.open(newline="") as file:
        rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    numbers = list(_numbers(rows)) if rows else []
    if not numbers or not all(_is_number(value) for _, _, value in numbers):
        raise InputError(
            path,
            f"columns {', '.join(rows[0])}" if rows else "an empty file",
            "results.csv of vos-benchmark or SA-V, or global or per-sequence results "
            "of the DAVIS evaluation",
            "Give a CSV that one of these tools wrote.",
        )
    percent = rows[0][0].lower() == "sequence" and rows[0][1] == "obj"
    return Agreement(
        tuple(_check(scores, *number, percent=percent) for number in numbers),
        _list_unchecked(scores, {name for name, _, _ in numbers} - {"global"}),
    )


def _list_unchecked(scores: Scores, names: Collection[str]) -> tuple[str, ...]:
    """Scored objects that are not among those of a CSV; none where it names none."""
    table = scores.object_columns
    own = zip(table["sequence"], table["object"], strict=True)
    return tuple(
        n for n in (f"{seq}_{k}" for seq, k in own) if names and n not in names
    )


def _numbers(rows: list[list[str]]) -> Iterator[tuple[str, str, str]]:
    """(name, metric, number as printed) for all numbers of a CSV."""
    heading = rows[0]
    if heading[:2] == ["sequence", "obj"]:
        for sequence, object_id, *values in rows[1:]:
            name = f"{sequence}_{int(object_id)}" if object_id else "global"
            yield from _rename_columns(name, _PERCENT_METRICS, values)
    elif heading[0] == "Sequence" and set(heading[1:]) <= set(_DAVIS_METRICS):
        metrics = [_DAVIS_METRICS[column] for column in heading[1:]]
        for name, *values in rows[1:]:
            yield from _rename_columns(name, metrics, values)
    elif len(rows) == 2 and set(heading) <= set(_DAVIS_METRICS):
        metrics = [_DAVIS_METRICS[column] for column in heading]
        yield from _rename_columns("global", metrics, rows[1])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _rename_columns(
    name: str, metrics: list[str] | tuple[str, ...], values: list[str]
) -> Iterator[tuple[str, str, str]]:
    for metric, value in zip(metrics, values, strict=False):
        yield name, metric, value


def _check(
    scores: Scores, name: str, metric: str, official: str, *, percent: bool
) -> Check:
    if name == "global":
        ours = (scores.summary_percent if percent else scores.summary)[metric]
    else:
        ours = _object_score(scores, name, metric) * (100 if percent else 1)
    decimals = len(official.partition(".")[2])
    tolerance = max(0.5 * 10.0**-decimals, _FINEST) + _FINEST
    both_missing = math.isnan(ours) and math.isnan(float(official))
    agrees = both_missing or abs(ours - float(official)) <= tolerance
    return Check(name, metric, official, ours, agrees)


def _object_score(scores: Scores, name: str, metric: str) -> float:
    table = scores.object_columns
    names = zip(
        table["sequence"], table["object"], table[_COLUMNS[metric]], strict=True
    )
    found = [value for seq, k, value in names if f"{seq}_{k}" == name]
    return found[0] if found else float("nan")
