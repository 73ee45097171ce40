"""SeCVOS by number of scene changes: from its own file to the figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from evaluation import InputError, object_attributes, score
from evaluation.breakdown import breakdown
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import open_benchmark
from s3fo.benchmarks.layouts.scenes import FILE, read_scene_counts, stratum

# Columns of the 20 that a predicted mask of 10 misses, by video.
MISSED = {"bird": 0, "car": 5, "dog": 2, "elk": 1}
SCENES: dict[str, Any] = {
    "bird": 1,
    "car": [[0, 1], [2, 3]],
    "dog": {"scenes": 4},
    "elk": {"scene_num": 3, "scenes": [[0, 0], [1, 1], [2, 3]]},
}


def mask(missed: int) -> np.ndarray:
    label_map = np.zeros((10, 20), np.uint8)
    label_map[:, missed:10] = 1
    return label_map


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("secvos")
    for name, missed in MISSED.items():
        for t in range(4):
            write_label_map(root / "Annotations" / name / f"{t:05d}.png", mask(0))
            write_label_map(root / "out" / name / f"{t:05d}.png", mask(missed))
            image = root / "JPEGImages" / name / f"{t:05d}.jpg"
            image.parent.mkdir(parents=True, exist_ok=True)
            image.touch()
    (root / FILE).write_text(json.dumps(SCENES))
    return root


def test_videos_have_the_stratum_of_their_scenes(root: Path) -> None:
    benchmark = open_benchmark("secvos", root)
    assert {video.name: video.attributes for video in benchmark} == {
        "bird": ("no scene change",),
        "car": ("single scene change",),
        "dog": ("multiple scene changes",),
        "elk": ("multiple scene changes",),
    }
    assert any("1 with no scene change" in note for note in benchmark.notes)


def test_the_breakdown_has_the_strata(root: Path) -> None:
    benchmark = open_benchmark("secvos", root)
    scores = score(root / "out", benchmark, "sa-v", workers=1)
    attributes = object_attributes(benchmark, images=False, workers=1)
    rows = breakdown(scores, attributes, metric="J_mean", resamples=20).groups
    several = rows[rows["attribute"] == "official_multiple scene changes"]
    means = dict(zip(several["group"], several["mean"], strict=True))
    assert means == pytest.approx({"yes": (0.8 + 0.9) / 2, "no": (1 + 0.5) / 2})


def test_evaluate_tells_the_strata(root: Path) -> None:
    from s3fo.cli import app, import_commands

    import_commands(["evaluate"])
    words = ["evaluate", str(root / "out"), "--benchmark", "secvos"]
    words += ["--root", str(root), "--workers", "1", "--no-cache"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    lines = [line.split() for line in told.stdout.splitlines()]
    assert ["single", "scene", "change", "1", "1"] in [line[:5] for line in lines]
    document = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    several = document["strata"]["multiple scene changes"]
    assert (several["videos"], several["objects"]) == (2, 2)
    assert several["J"] == pytest.approx(0.85)


@pytest.mark.parametrize(
    ("document", "counts"),
    [
        ({"a": 3, "b": 1}, {"a": 3, "b": 1}),
        ({"videos": {"a": [{"start": 0}, {"start": 9}]}}, {"a": 2}),
        ([{"video_id": "a", "num_scenes": 2}], {"a": 2}),
        ({"a": {"scenes": [[0, 9]]}}, {"a": 1}),
    ],
)
def test_forms_that_say_how_many_scenes(
    tmp_path: Path, document: Any, counts: dict[str, int]
) -> None:
    (tmp_path / FILE).write_text(json.dumps(document))
    assert read_scene_counts(tmp_path / FILE) == counts


@pytest.mark.parametrize(
    "document",
    [
        {"a": [0, 41, 90]},
        {"a": 0},
        {"a": True},
        {"a": []},
        {"a": {"frames": 3}},
        {"a": {"scene_num": 3, "scenes": [[0, 1]]}},
        [{"scenes": 3}],
        [{"video": "a", "scenes": 3}, {"video": "a", "scenes": 3}],
        "a",
    ],
)
def test_what_could_mean_two_things_is_refused(tmp_path: Path, document: Any) -> None:
    (tmp_path / FILE).write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"scene_info\.json"):
        read_scene_counts(tmp_path / FILE)


def test_without_the_file_a_note_says_so(root: Path, tmp_path: Path) -> None:
    for folder in ("Annotations", "JPEGImages"):
        (tmp_path / folder).symlink_to(root / folder)
    benchmark = open_benchmark("secvos", tmp_path)
    assert benchmark.strata == ()
    assert any("no figures by number of scene" in note for note in benchmark.notes)


def test_strata_by_number_of_scenes() -> None:
    assert [stratum(n) for n in (1, 2, 3, 9)] == [
        "no scene change", "single scene change", *["multiple scene changes"] * 2
    ]  # fmt: skip
