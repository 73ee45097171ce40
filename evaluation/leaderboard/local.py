"""Local runs: what lets one's own scores stand beside published figures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from evaluation.errors import InputError
from evaluation.results.scores import Scores
from evaluation.runs.registry import read_run, saved_scores_outdated
from evaluation.runs.score_records import ScoreRecord
from evaluation.runs.split_check import other_benchmark, say_foreign

LOCAL = "local run"
"""`evidence` of a local run in a leaderboard."""

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


@dataclass(frozen=True)
class LocalRun:
    """A run of one's own that enters a leaderboard: scores with their protocol.

    Attributes:
        name: of the method.
        record: what an evaluation of its masks came to, with protocol and fingerprint.
        folder: where that is written; the evidence that is shown.
        training_data: what the method was trained on.
        frames_per_second: as its prediction recorded it; None if unknown.
        sequences: names of its videos; empty if unknown.
        benchmark: what its prediction calls them; empty if unknown.
        outdated: what changed since the scores were saved; empty for nothing.
    """

    name: str
    record: ScoreRecord
    folder: Path
    training_data: str = ""
    frames_per_second: float | None = None
    sequences: tuple[str, ...] = ()
    benchmark: str = ""
    outdated: str = ""

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
            InputError: there are no scores, or masks or ground truth changed since.
        """
        folder = Path(folder)
        if (folder / "scores.json").is_file():
            scores = Scores.load(folder)
            record = ScoreRecord.of(scores, options=scores.options)
            return cls(
                name or folder.name,
                record,
                folder,
                training_data,
                sequences=record.sequences,
                outdated=saved_scores_outdated(folder),
            )
        run = read_run(folder)
        known = sorted(
            run.scores, key=lambda protocol: protocol not in _PROTOCOLS[benchmark]
        )
        outdated = run.outdated(run.scores[known[0]]) if known else ""
        if not known or outdated:
            raise InputError(
                folder,
                f"scores of other masks: {outdated} since" if known else "no scores",
                "a results folder with the record of its evaluation",
                f"Score it: s3fo evaluate {folder} --benchmark NAME --root DIR "
                "--record, or name the folder that `s3fo evaluate --out` saved.",
            )
        record = run.scores[known[0]]
        made = run.record
        return cls(
            name or folder.resolve().name,
            record,
            folder,
            training_data,
            run.frames_per_second,
            record.sequences or (tuple(made.videos()) if made else ()),
            (made.benchmark or "") if made else "",
        )


def local_row(run: LocalRun, measure: str) -> dict[str, object]:
    """The row of a run in a leaderboard ranked by `measure`, scores in percent."""
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
        "conflict": False,
        "inconsistent": False,
        "source": str(run.folder),
        "url": "",
        "notes": f"protocol {record.protocol_name}, {record.n_sequences} sequences "
        f"of {record.ground_truth or 'unnamed ground truth'}, "
        f"fingerprint {record.fingerprint[:12]}",
    }


@dataclass(frozen=True)
class RankedSplit:
    """What is known of the split that figures are ranked on.

    Attributes:
        benchmark: its catalog name.
        split: e.g. ``"val"``.
        n_sequences: how many videos it has; None if unknown.
        sequences: their names; empty if unknown.
        benchmarks: names of benchmarks, which tell runs of another one.
    """

    benchmark: str
    split: str
    n_sequences: int | None = None
    sequences: Collection[str] = ()
    benchmarks: Collection[str] = ()

    def why_not(self, run: LocalRun) -> str:
        """Why a run is not of this split and gets no rank; empty if it may be."""
        title = f"{self.benchmark} {self.split}"
        if self.sequences and (
            foreign := say_foreign(run.sequences, self.sequences, title)
        ):
            return foreign
        recorded = (run.record.ground_truth, run.benchmark)
        known = {*_PROTOCOLS, *self.benchmarks}
        other = other_benchmark(recorded, self.benchmark, known)
        return f"its record says that it is of {other}" if other else ""


def local_warnings(split: RankedSplit, local: Sequence[LocalRun]) -> list[str]:
    """Why figures of local runs and published ones may not compare."""
    benchmark, n_sequences = split.benchmark, split.n_sequences
    accepted = _PROTOCOLS[benchmark]
    found: list[str] = []
    for run in local:
        if reason := split.why_not(run):
            found.append(
                f"{run.name} has no rank among figures of {benchmark} {split.split}: "
                f"{reason}."
            )
            continue
        record = run.record
        if run.outdated:
            found.append(
                f"{run.name}: {run.outdated} since its scores were saved in "
                f"{run.folder}; score it again."
            )
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
            changed = ", ".join(
                f"{key} {value}" for key, value in record.options.items()
            )
            found.append(
                f"{run.name} was scored with non-default preprocessing: {changed}."
            )
        if n_sequences is not None and record.n_sequences != n_sequences:
            found.append(
                f"{run.name} was scored on {record.n_sequences} sequences; the split "
                f"has {n_sequences}."
            )
    return found
