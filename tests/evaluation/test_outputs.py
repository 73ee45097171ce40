"""Commands write nothing into what they read, nor over files of others."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from remarks import remarks

from evaluation import report, score
from evaluation._utils.claims import JOURNAL, Claims, videos_in_progress
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.runs.outputs import folders_read
from s3fo.benchmarks import open_folders

COPY = "byte for byte the files of the ground truth"


@pytest.fixture
def tree(tmp_path) -> Path:
    """Folders `gt`, `one`, `two` and `images` of the videos ant and bat."""
    for name in ("gt", "one", "two", "images"):
        for video in ("ant", "bat"):
            for t in range(4):
                drawn = np.zeros((20, 30), np.uint8)
                drawn[5:15, 5 + t : 15 + t] = 1
                path = tmp_path / name / video / f"{t:05d}"
                if name == "images":
                    path.parent.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(drawn * 200).save(f"{path}.jpg")
                else:
                    write_label_map(f"{path}.png", drawn)
    return tmp_path


def snapshot(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}


VERBS = {
    "evaluate": ("evaluate", "one", "--gt", "gt"),
    "several": ("evaluate", "one", "two", "--gt", "gt"),
    "failures": ("failures", "one", "--gt", "gt", "--images", "images"),
    "attributes": ("attributes", "--gt", "gt", "--images", "images"),
    "report": ("report", "one", "--gt", "gt", "--images", "images"),
    "audit": ("audit", "--gt", "gt", "--images", "images", "--method", "one"),
    "predict": ("predict", "--images", "images", "--masks", "gt", "--method", "copy"),
}
READ = {
    verb: [word for word in words if word in ("gt", "one", "images")]
    for verb, words in VERBS.items()
}


@pytest.mark.parametrize("inside", ["", "ant", "ant/deeper"])
@pytest.mark.parametrize(
    ("verb", "source"), [(verb, name) for verb, own in READ.items() for name in own]
)
def test_no_verb_writes_into_what_it_reads(
    cli, tree, monkeypatch, verb, source, inside
):
    monkeypatch.chdir(tree)
    before = snapshot(tree)
    code, _, errors = cli(*VERBS[verb], "--out", Path(source, inside))
    assert code == 2 and "apart from" in errors, errors
    assert snapshot(tree) == before


def test_masks_may_lie_beside_the_images_of_one_video(cli, tree):
    """`--out` is in the folder that holds both, which nobody reads as a whole."""
    (tree / "clip").mkdir()
    for name in ("images", "gt"):
        (tree / name / "ant").rename(tree / "clip" / name)
    words = ["predict", "--images", tree / "clip/images", "--masks", tree / "clip/gt"]
    code, _, errors = cli(*words, "--method", "copy", "--out", tree / "clip/out")
    assert code == 0, errors


@pytest.mark.seconds
def test_links_lead_to_no_input_either(cli, tree, monkeypatch):
    monkeypatch.chdir(tree)
    os.symlink("gt", tree / "link")
    code, _, errors = cli(*VERBS["evaluate"], "--out", "link/scores")
    assert code == 2 and "apart from" in errors


def test_scores_of_several_folders_never_land_in_these(cli, tree, monkeypatch):
    """`--out .` would save those of `one` in the folder `one`."""
    monkeypatch.chdir(tree)
    before = snapshot(tree)
    code, _, errors = cli(*VERBS["several"], "--out", ".")
    assert code == 2 and "masks or images are read" in errors
    assert snapshot(tree) == before


def test_a_report_is_not_drawn_into_its_inputs(tree):
    (tree / "gt").rename(tree / "figures")
    with pytest.raises(InputError, match="masks or images are read"):
        report(tree / "one", tree / "figures", tree)


def test_folders_of_a_benchmark_are_known(tree):
    found = folders_read(open_folders(tree / "images", tree / "gt"))
    names = {str(path.relative_to(tree)) for path in found}
    assert {"images", "images/ant", "gt", "gt/bat"} <= names
    alone = folders_read(open_folders(tree / "images/ant", tree / "gt/ant"))
    assert tree / "images" not in alone


@pytest.mark.parametrize(
    ("verb", "name"),
    [
        ("evaluate", "frames.parquet"),
        ("failures", "failure_events.parquet"),
        ("attributes", "attributes_objects.parquet"),
        ("audit", "audit_events.parquet"),
        ("several", "summary.csv"),
        ("several", "one/objects.parquet"),
        ("report", "report.html"),
        ("report", "tables/mine.csv"),
    ],
)
def test_files_of_others_are_not_written_over(cli, tree, monkeypatch, verb, name):
    monkeypatch.chdir(tree)
    mine = tree / "out" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    before = snapshot(tree)
    code, _, errors = cli(*VERBS[verb], "--out", "out")
    assert code == 2 and ("another program" in errors or "no report" in errors), errors
    assert snapshot(tree) == before


@pytest.mark.seconds
@pytest.mark.parametrize("verb", ["evaluate", "several", "failures", "report"])
def test_our_own_outputs_are_replaced(cli, tree, monkeypatch, verb):
    monkeypatch.chdir(tree)
    for _ in range(2):
        code, _, errors = cli(*VERBS[verb], "--out", "out")
        assert code == 0, errors


def test_videos_in_progress_are_told(tree):
    with Claims(tree / "one" / JOURNAL) as claims:
        assert claims.take("bat")
        notes = [n for n in remarks(score(tree / "one", tree / "gt")) if COPY not in n]
        assert [note.partition(" ")[0] for note in notes] == ["bat"]
        assert "is being predicted at this moment (process " in notes[0]
    (note,) = remarks(score(tree / "one", tree / "gt"))
    assert COPY in note


def test_claims_of_the_dead_are_no_progress(tree):
    journal = tree / "one" / JOURNAL
    claims = Claims(journal)
    with claims:
        claims.take("bat")
        files = {path.name: path.read_text() for path in journal.iterdir()}
    journal.mkdir(exist_ok=True)
    for name, text in files.items():
        dead = text.replace(f'"pid": {os.getpid()}', '"pid": 999999999')
        (journal / name).write_text(dead)
    before = snapshot(tree)
    assert videos_in_progress(tree / "one", ["ant", "bat"]) == {}
    assert snapshot(tree) == before
