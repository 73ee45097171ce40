"""What one correction at the onset of a failure event regains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evaluation.corrections import regained, with_regain
from evaluation.failures import find_failures
from evaluation.scoring import Scores
from s3fo.inference.correcting.method import Prompting
from s3fo.inference.correcting.plans import Planned

if TYPE_CHECKING:
    from s3fo.inference.correcting.task import Task


def measure_onsets(
    task: Task, before: Scores, number: int | None, prompting: Prompting
) -> pd.DataFrame:
    """Correct each of the costliest events at its first frame, one at a time.

    Events of different videos share a pass: they do not touch each other.

    Args:
        task: videos, method and rules.
        before: scores without corrections.
        number: of events to look at, the costliest; None takes all.
        prompting: how they are corrected.

    Returns:
        All events, with `regain` of those that were looked at, see `with_regain`.
    """
    failures = find_failures(
        task.out / "corrections-0",
        task.benchmark,
        before,
        workers=task.workers,
        progress=task.progress,
    )
    found = failures.events
    table = task.candidates(before, visible_only=prompting.kind == "box")
    known = set(zip(table["sequence"], table["object"], table["frame"], strict=True))
    keys = zip(found["sequence"], found["object"], found["start"], strict=True)
    chosen = found[[key in known for key in keys]].iloc[:number]
    regain: dict[int, float] = {}
    turns = (chosen.groupby("sequence").cumcount() + 1).to_numpy()
    for turn in range(1, max(turns, default=0) + 1):
        rows = chosen[turns == turn]
        names = rows["sequence"].tolist()
        plan = _plan(rows, before, turn)
        after, _ = task.run(f"onsets-{turn}", plan, prompting, names)
        for event, name in zip(rows["event"].tolist(), names, strict=True):
            one = after.objects["sequence"] == name
            regain[event] = regained(before, after.objects[one])
    return with_regain(found, regain)


def _plan(events: pd.DataFrame, before: Scores, turn: int) -> Planned:
    """One event per video."""
    keys = zip(events["sequence"], events["start"], events["object"], strict=True)
    frames = {name: {start: (int(object_id),)} for name, start, object_id in keys}
    settings = {"policy": "onset of an event", "turn": turn}
    return Planned(frames, before.fingerprints, settings)
