"""Files for model hubs, read by the hub's own library, and the board's age."""

import re

import pytest

from evaluation import InputError
from evaluation.leaderboard.export import export_hub
from evaluation.leaderboard.table import leaderboard, published_figures


def test_files_are_read_by_the_hubs_own_library(tmp_path):
    yaml = pytest.importorskip("yaml")
    hub = pytest.importorskip("huggingface_hub")
    board = leaderboard("mose-v2")
    paths = export_hub(board, tmp_path)
    assert len(paths) == len(set(paths)) > 5
    found = {}
    for path in paths:
        assert path.parent.name == ".eval_results"
        entries = hub.parse_eval_result_entries(yaml.safe_load(path.read_text()))
        assert entries == hub.parse_eval_result_entries(
            hub.eval_result_entries_to_yaml(entries)
        )
        found[path.parent.parent.name] = entries
    (entry,) = found["SAM-3.1"]
    assert (entry.dataset_id, entry.value) == ("FudanCVL/MOSEv2", 62.3)
    assert (entry.task_id, entry.date) == ("val_j_fdot", "2026-03-27")
    assert entry.source_url.startswith("https://github.com/facebookresearch/sam3")
    assert "J&Fdot in percent" in entry.notes


def test_a_benchmark_without_a_known_data_set_wants_one(tmp_path):
    board = leaderboard("davis-2017")
    with pytest.raises(InputError, match="hub-dataset"):
        export_hub(board, tmp_path)
    with pytest.raises(InputError, match="OWNER/NAME"):
        export_hub(board, tmp_path, dataset="not an id")
    assert not list(tmp_path.iterdir())
    assert export_hub(board, tmp_path, dataset="me/davis")


def test_the_age_of_the_newest_row_is_told():
    assert leaderboard("mose-v2").newest.startswith("SAM 3.1, 2026-03-27 (")
    assert re.search(r" \(\d+ years? old\)$", leaderboard("burst", "test").newest)


def test_rows_of_2026_have_a_source_and_a_date():
    table = published_figures()
    new = table[table["year"] == 2026]
    assert {"SAM 3.1"} <= set(new["method"])
    assert new["url"].str.startswith("https://").all()
    # The day, or where no text tells it, at least the month: arXiv's numbers do.
    dated = new["date"].str.match(r"2026-\d\d-\d\d")
    assert (dated | new["url"].str.contains(r"arxiv\.org/abs/26\d\d\.")).all()
    assert dated.sum() > 5


def test_figures_over_fewer_videos_are_told_beside_the_figures():
    (warning,) = leaderboard("lvos-v2").warnings
    assert "136 of the 140 videos of val" in warning
    assert leaderboard("davis-2017").warnings == ()
