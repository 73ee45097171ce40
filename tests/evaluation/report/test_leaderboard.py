"""Published figures and local runs in one ranking."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zlib import crc32

import pandas as pd
import pytest

from evaluation.errors import InputError
from evaluation.leaderboard.table import (
    LOCAL,
    MEASURES,
    LocalRun,
    leaderboard,
    published_attributes,
    published_figures,
)
from evaluation.plots import save_figure
from evaluation.protocols import get_protocol
from evaluation.report.ranking import attribute_ranking, rank_plot, ranking_table
from evaluation.runs.score_records import ScoreRecord, leave_record
from evaluation.scoring import score

DIGEST_OF_MOSE_V2_FIGURES = 1523174337


def local_run(score: float, protocol: str = "davis-2017", **facts) -> LocalRun:
    rules = get_protocol(protocol).to_dict()
    record = ScoreRecord(
        rules, {"J&F": score}, 2, 3, 90, "0123456789abcdef",
        **{"ground_truth": "davis-2017", **facts},
    )  # fmt: skip
    return LocalRun("mine", record, Path("results/mine"))


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


def test_a_conflict_stays_one_when_half_of_it_is_filtered_out():
    def disagreeing(**filters):
        table = leaderboard("davis-2017", **filters).table
        return table[table["conflict"] & (table["year"] >= 2025)]

    everything, recent = disagreeing(), disagreeing(since=2025)
    assert set(recent["source"]) == set(everything["source"])
    assert len(recent) == len(everything) > 0


def test_figures_that_contradict_their_own_parts_are_marked():
    """XMem's table prints 79.8 beside 61.4 and 68.1, whose mean is 64.8."""
    table = leaderboard("davis-2017", "test-dev").table
    (row,) = table[table["inconsistent"]].to_dict("records")
    assert (row["method"], row["J&F"], row["J"], row["F"]) == (
        "XMem-s2", 79.8, 61.4, 68.1,
    )  # fmt: skip
    shown = ranking_table(leaderboard("davis-2017", "test-dev"))
    assert "its own parts do not average to it" in shown.caption


PARTS = {
    "J&F": ["J", "F"],
    "G": ["Js", "Fs", "Ju", "Fu"],
    "J&Fdot": ["J", "Fdot"],
}
"""What each measure is the mean of."""


def test_figures_whose_parts_do_not_average_to_them_are_marked():
    """A mean of rounded figures differs from the rounded mean by 0.15 at most."""
    table = published_figures()
    off = pd.Series(False, index=table.index)
    for benchmark, measure in MEASURES.items():
        rows = table[table["benchmark"] == benchmark]
        if measure in PARTS:
            mean = rows[PARTS[measure]].mean(axis=1, skipna=False)
            off[rows.index] = (mean - rows[measure]).abs() > 0.15
    assert table.index[table["inconsistent"]].tolist() == off.index[off].tolist()
    assert off.sum() == 1


def test_filters_keep_local_runs():
    board = leaderboard(
        "davis-2017", local=[local_run(0.5)], since=2025, training_data="MOSE"
    )
    published = board.table[board.table["evidence"] != LOCAL]
    assert published["year"].min() >= 2025
    assert set(published["training_data"]) == {"LiVOS: w/ MOSE"}
    assert list(board.table.loc[board.table["evidence"] == LOCAL, "J&F"]) == [50.0]


@pytest.mark.parametrize(
    ("words", "pretraining", "training", "excluded"),
    [
        ("static+YTVOS19+DAVIS17+MOSE", "static", "YTVOS19+DAVIS17+MOSE", "others"),
        ("static+BL30K+MOSE", "static+BL30K", "MOSE", "others"),
        ("w/o MOSE", "", "", "MOSE"),
        ("LiVOS: w/ MOSE", "", "MOSE", ""),
        ("finetuned on MOSEv2", "", "MOSEv2", ""),
        ("incl. MOSEv2 train (not zero-shot)", "", "MOSEv2", ""),
        ("DAVIS17+YTVOS19 (no pretraining)", "", "DAVIS17+YTVOS19", "others"),
        ("SA-V+SA-1B+internal (released ckpt)", "", "SA-V+SA-1B+internal", "others"),
        ("SAM2.1 init", "SAM2.1", "", ""),
        ("training-free", "", "none", "others"),
        ("", "", "", ""),
    ],
)
def test_training_data_stands_in_columns(words, pretraining, training, excluded):
    table = published_figures()
    rows = table[table["training_data"] == words]
    assert set(rows["pretraining"]) == {pretraining}
    assert set(rows["training"]) == {training}
    assert set(rows["excluded"]) == {excluded}


def test_every_description_of_training_data_has_its_columns():
    table = published_figures()
    names = table["pretraining"] + table["training"] + table["excluded"]
    assert (names != "").equals(table["training_data"] != "")
    zero_shot = table[table["training_data"] == "zero-shot"]
    own = {"davis-2017": "DAVIS17", "youtube-vos-2019": "YTVOS19"}
    assert zero_shot["excluded"].tolist() == zero_shot["benchmark"].map(own).tolist()


def test_trained_with_and_without_are_told_apart():
    def kept(wanted: str) -> set[str]:
        table = leaderboard("mose-v1", training_data=wanted).table
        return set(table["training_data"])

    used, left_out = kept("mose"), kept("w/o MOSE")
    assert {"static+MOSE", "MOSE", "LiVOS: w/ MOSE"} <= used
    assert {"w/o MOSE", "static+YTVOS19+DAVIS17"} <= left_out
    assert not used & left_out
    neither = {"", "finetuned on MOSEv2"}  # what else they used, nobody says
    assert not neither & (used | left_out)


def test_training_data_nobody_names_is_explained():
    with pytest.raises(InputError, match="YTVOS19"):
        leaderboard("davis-2017", training_data="YTVOS20")


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


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"ground_truth": "synthetic-mini"}, "synthetic-mini"),
        ({"options": {"missing": "score-as-empty"}}, "score-as-empty"),
    ],
)
def test_what_keeps_a_local_run_from_comparing_is_told(facts, said):
    board = leaderboard("davis-2017", local=[local_run(0.5, **facts)])
    assert len(board.warnings) == 1 and said in board.warnings[0]


def test_a_run_on_part_of_the_split_is_told():
    board = leaderboard("davis-2017", local=[local_run(0.5)], n_sequences=30)
    assert "2 sequences" in board.warnings[0] and "30" in board.warnings[0]


@pytest.mark.parametrize(
    ("facts", "known", "said"),
    [
        (
            {"ground_truth": "/gt", "sequences": ("bear", "kite", "yo-yo")},
            {"sequences": {"bear", "goat"}},
            "2 of 3 sequences are none of davis-2017 val (kite, yo-yo)",
        ),
        ({"ground_truth": "synthetic-hard"}, {}, "is of synthetic-hard"),
        ({"ground_truth": "mose-v1"}, {}, "is of mose-v1"),
        ({"ground_truth": "vost"}, {"benchmarks": ["vost"]}, "is of vost"),
    ],
)
def test_a_run_of_another_benchmark_gets_no_rank(facts, known, said, tmp_path):
    run = local_run(0.99, **facts)
    run = replace(run, sequences=run.record.sequences)
    board = leaderboard("davis-2017", local=[run, local_run(0.98)], **known)
    others = leaderboard("davis-2017", local=[local_run(0.98)]).table
    assert board.table["rank"].tolist()[:-1] == others["rank"].tolist()
    last = ranking_table(board).data.iloc[-1]
    assert last["method"] == "mine" and last["J&F"] == 99 and pd.isna(last["rank"])
    assert last["marks"] == f"{LOCAL}, another benchmark"
    assert len(board.warnings) == 1 and said in board.warnings[0]
    titles = rank_plot(board, most=3).axes[0].get_title("left")
    assert "1 run of another benchmark" in titles
    alone = replace(board, table=board.table[board.table["other_benchmark"]])
    with pytest.raises(
        InputError, match=r"nothing to draw: 1 run .* Leave out the plot"
    ):
        rank_plot(alone)


def test_a_folder_or_a_part_of_the_split_is_no_other_benchmark():
    run = local_run(0.99, ground_truth="masks", sequences=("bear",))
    run = replace(run, sequences=run.record.sequences, benchmark="frames")
    board = leaderboard("davis-2017", local=[run], sequences={"bear", "goat"})
    assert board.table.set_index("method").loc["mine", "rank"] == 1


def test_a_local_run_needs_scores_of_the_masks_it_has(small):
    with pytest.raises(InputError, match="no scores"):
        LocalRun.load(small.pred, "davis-2017")
    scores = score(small.pred, small.gt, "davis-2017", workers=1)
    leave_record(scores, small.pred)
    run = LocalRun.load(small.pred, "davis-2017")
    assert run.record.summary["J&F"] == scores.summary["J&F"]
    small.write(small.pred, 3, "another")
    with pytest.raises(InputError, match="changed"):
        LocalRun.load(small.pred, "davis-2017")


def test_saved_scores_enter_too(small, tmp_path):
    scores = score(small.pred, small.gt, "davis-2017", workers=1)
    run = LocalRun.load(scores.save(tmp_path / "saved"), "davis-2017", name="me")
    assert run.name == "me" and run.record.fingerprint == scores.fingerprint


def test_figures_by_attribute_are_those_compared_with_their_source():
    """The digest was taken when every figure was equal to Table 10 of MOSE v2."""
    table = published_attributes()
    columns = ["method", "attribute", "J&Fdot", "J&Fdot_d", "J&Fdot_r"]
    text = table[columns].to_csv(index=False, lineterminator="\n")
    assert crc32(text.encode()) == DIGEST_OF_MOSE_V2_FIGURES


def test_attributes_are_columns_and_the_best_is_bold():
    table = attribute_ranking(published_attributes())
    row = table.data.set_index("method").loc["SAM2Long-B+"]
    assert row["all"] == 42.9 and row["KD"] == 25.7
    assert "**42.9**" in table.markdown() and "**25.7**" not in table.markdown()
    with pytest.raises(InputError, match="mose-v2"):
        published_attributes("davis-2017")


def test_every_form_of_a_ranking_tells_marks_sources_and_evidence():
    board = leaderboard("davis-2017", "test-dev", local=[local_run(0.8881)])
    table = ranking_table(board, notes=True)
    best = table.data[table.data["rank"] == 1].iloc[0]
    assert best["method"] == "mine" and best["marks"] == LOCAL
    for words in (table.markdown(), table.html()):
        assert "88.8" in words and "superseded" in words and "fingerprint" in words
        assert "https://proceedings.iclr.cc/" in words
    assert '<tr class="local">' in table.html()
    assert "0123456789ab" in table.caption
    latex = table.latex()
    assert latex.count(r"\toprule") == 1 and r"J\&F" in latex
    assert len(table.csv().splitlines()) == 1 + len(board.table)


def test_the_rank_plot_always_shows_s3_and_local_runs(tmp_path):
    board = leaderboard("davis-2017", "test-dev", local=[local_run(0.01)])
    figure = rank_plot(board, most=3)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert any(name.startswith("mine") for name in names)
    assert sum(name.startswith("S3") for name in names) == 2
    assert len(names) == 5  # the three best, one of which is S3; S3's old figure; mine
    assert save_figure(figure, tmp_path / "ranks.svg").stat().st_size > 1000
    assert f"5 of {len(board.table)} entries; left out: " in figure.axes[0].get_title(
        "left"
    )
    axes = rank_plot(leaderboard("mose-v2")).axes[0]
    assert axes.get_xlabel() == "J&Ḟ, %"


@pytest.mark.seconds
def test_a_figure_that_another_source_repeats_is_marked_and_drawn_once():
    board = leaderboard("davis-2017", "val")
    table = ranking_table(board).data
    quoted = table[(table["method"] == "STCN") & (table["J&F"] == 85.4)]
    assert len(quoted) == 3
    assert ["repeated" in marks for marks in quoted["marks"]] == [False, True, True]
    other = table[(table["method"] == "XMem") & (table["J&F"] == 86.2)]
    assert not other["marks"].str.contains("repeated").any(), "another value"
    figure = rank_plot(board, most=100)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names.count("STCN") == 1
    assert "left out: " in figure.axes[0].get_title("left")
    assert "repeated figures" in figure.axes[0].get_title("left")
