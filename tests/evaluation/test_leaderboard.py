"""Published figures and local runs in one ranking."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from evaluation.errors import InputError
from evaluation.leaderboard import (
    LOCAL,
    MEASURES,
    LocalRun,
    leaderboard,
    published_figures,
)
from evaluation.protocols import get_protocol


@dataclass
class SavedScores:
    """What a leaderboard looks at in `Scores`."""

    summary: dict[str, float]
    protocol: object
    frames: pd.DataFrame
    fingerprint: str = "0123456789abcdef"


def local_run(score: float, protocol: str = "davis-2017") -> LocalRun:
    frames = pd.DataFrame({"sequence": ["dog", "dog", "cows"]})
    scores = SavedScores({"J&F": score}, get_protocol(protocol), frames)
    return LocalRun("mine", scores, Path("scores/mine"))  # type: ignore[arg-type]


def test_every_figure_has_a_source_and_is_a_percentage():
    table = published_figures()
    assert (table["source"].str.len() > 0).all()
    assert (table["url"].str.startswith("https://")).all()
    for benchmark, measure in MEASURES.items():
        values = table.loc[table["benchmark"] == benchmark, measure].dropna()
        assert len(values) and values.between(1, 100).all()


@pytest.mark.parametrize(
    ("benchmark", "split", "accepted", "replaced"),
    [
        ("davis-2017", "test-dev", 87.8, 89.1),
        ("youtube-vos-2019", "val", 88.1, 88.5),
        ("mose-v1", "val", 74.0, 75.1),
        ("lvos-v1", "test", 73.0, 73.0),
    ],
)
def test_s3_is_ranked_by_its_final_paper(benchmark, split, accepted, replaced):
    board = leaderboard(benchmark, split)
    s3 = board.table[board.table["method"] == "S3"]
    final, first = s3[~s3["superseded"]], s3[s3["superseded"]]
    assert list(final[board.measure]) == [accepted]
    assert final["rank"].notna().all()
    assert list(first[board.measure]) == [replaced]
    assert first["rank"].isna().all()


def test_ranks_follow_the_measure_and_ties_share_one():
    table = leaderboard("davis-2017").table
    ranked = table[table["rank"].notna()]
    assert ranked["J&F"].is_monotonic_decreasing
    assert (ranked.groupby("J&F")["rank"].nunique() == 1).all()


def test_disagreeing_sources_are_shown_as_a_conflict():
    table = leaderboard("mose-v1").table
    conflict = table[table["conflict"]]
    assert set(conflict["method"]) >= {"SAM2.1-L"}
    assert set(conflict.loc[conflict["method"] == "SAM2.1-L", "J&F"]) == {77.9, 74.5}


def test_filters_keep_local_runs():
    board = leaderboard(
        "davis-2017", local=[local_run(0.5)], since=2025, training_data="MOSE"
    )
    published = board.table[board.table["evidence"] != LOCAL]
    assert published["year"].min() >= 2025
    assert published["training_data"].str.contains("MOSE").all()
    assert list(board.table.loc[board.table["evidence"] == LOCAL, "J&F"]) == [50.0]


def test_a_local_run_shows_protocol_and_fingerprint():
    board = leaderboard("davis-2017", local=[local_run(0.5)])
    notes = board.table.loc[board.table["method"] == "mine", "notes"].item()
    assert "davis-2017" in notes and "0123456789ab" in notes and "2 sequences" in notes
    assert board.warnings == ()


def test_comparing_across_protocols_warns():
    board = leaderboard("davis-2017", local=[local_run(0.5, "vos-benchmark")])
    assert len(board.warnings) == 1 and "vos-benchmark" in board.warnings[0]


def test_unknown_names_are_explained():
    with pytest.raises(InputError, match="davis-2017"):
        leaderboard("davis")
    with pytest.raises(InputError, match="test-dev"):
        leaderboard("davis-2017", "train")
