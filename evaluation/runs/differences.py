"""May the scores of two runs be compared at all? Notes where not."""

from __future__ import annotations

import shlex

from evaluation.protocols import ScoringProtocol
from evaluation.results.ground_truths import note_other_name
from evaluation.results.same_rules import (
    options_in_words,
    require_one_protocol,
    say_other_rules,
)
from evaluation.runs.registry import RunFolder
from evaluation.runs.score_records import ScoreRecord


def note_runs(first: RunFolder, second: RunFolder) -> tuple[str, ...]:
    """Why scores of two runs are left out, or say more than which method is better.

    Args:
        first: a run.
        second: the run that is held against it.

    Raises:
        InputError: two protocols of one name have other rules.

    Example:
        >>> note_runs(read_run("results/a"), read_run("results/b"))  # doctest: +SKIP
    """
    runs = first, second
    notes: list[str] = []
    for name in dict.fromkeys((*first.scores, *second.scores)):
        states = [run.state(name) for run in runs]
        if states == ["scored", "scored"]:
            notes += _note_scores(name, runs, (first.scores[name], second.scores[name]))
        notes += [
            _note_outdated(run, name, state)
            for run, state in zip(runs, states, strict=True)
            if state not in ("scored", "not scored")
        ]
    return tuple(notes)


def _note_outdated(run: RunFolder, protocol: str, state: str) -> str:
    place, truth = str(run.folder), run.scores[protocol].truth_place or "DIR"
    return (
        f"{place}: {state} since it was scored by {protocol}, so that its scores are "
        f"left out; score it again: s3fo evaluate {shlex.quote(place)} "
        f"--gt {shlex.quote(truth)} --protocol {protocol} --record"
    )


def _note_scores(
    name: str, runs: tuple[RunFolder, RunFolder], pair: tuple[ScoreRecord, ScoreRecord]
) -> list[str]:
    """Notes where scores were not made of one ground truth by one set of rules.

    Raises:
        InputError: two protocols of one name have other rules.
    """
    one, other = pair
    names = str(runs[0].folder), str(runs[1].folder)
    protocols = [ScoringProtocol(**record.protocol) for record in pair]
    remedy = "Score both runs again with this version."
    require_one_protocol(protocols, where=" and ".join(names), remedy=remedy)
    notes = []
    both = f"{names[0]} and {names[1]} were scored"
    if one.sequences and other.sequences and one.sequences != other.sequences:
        notes.append(
            f"{both} on different videos by {name}: {len(one.sequences)} and "
            f"{len(other.sequences)}, {len({*one.sequences} & {*other.sequences})} of "
            "them the same"
        )
    elif one.truth and other.truth and one.truth != other.truth:
        notes.append(
            f"{both} against different masks of the ground truth by {name} "
            f"({one.ground_truth} and {other.ground_truth}): the difference between "
            "them is not one between methods alone"
        )
    elif not (one.truth and one.truth == other.truth):
        labels = one.ground_truth, other.ground_truth
        notes += [f"{both} against {note}" for note in note_other_name(*labels)]
    words = [
        options_in_words(record.applied, protocol, record.told)
        for record, protocol in zip(pair, protocols, strict=True)
    ]
    return notes + say_other_rules(names, (words[0], words[1]))
