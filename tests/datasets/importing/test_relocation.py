"""Data that moved, and datasets of relative paths: told where they are, once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from small_benchmark import VIDEOS, own_name, write_results
from typer.testing import CliRunner

import s3fo
from evaluation.errors import InputError
from s3fo.benchmarks import open_benchmark, write_synthetic
from s3fo.cli import app, data
from s3fo.datasets import load_benchmark_info, load_predictions_info
from s3fo.datasets.schema import remember, remembered


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with a benchmark in the folder ``data``."""
    monkeypatch.chdir(tmp_path)
    write_synthetic(Path("data"), videos=VIDEOS, size=(61, 93), textures="procedural")
    return tmp_path


def loaded(masks):
    name = own_name(f"relocation-{masks}")
    return s3fo.load_benchmark("synthetic", "data", dataset_name=name, masks=masks)


@pytest.fixture(params=["instances", "reference"])
def moved(place, request, monkeypatch):
    """A dataset that was loaded by a relative path, seen from another folder."""
    dataset = loaded(request.param)
    benchmark = open_benchmark("synthetic", place / "data")
    write_results(benchmark, place / "shifted")
    s3fo.add_predictions(dataset, "shifted", "shifted")
    (place / "elsewhere").mkdir()
    monkeypatch.chdir(place / "elsewhere")
    yield dataset
    dataset.delete()


def paths(dataset):
    found = dataset.values("frames.filepath", unwind=True)
    for field in ("ground_truth_mask", "shifted_mask"):
        if dataset.has_frame_field(field):
            found += dataset.values(f"frames.{field}.mask_path", unwind=True)
    return [Path(path) for path in found if path]


def test_relative_paths_become_absolute_on_the_way_in(moved, place):
    assert all(path.is_absolute() and path.is_file() for path in paths(moved))
    assert load_benchmark_info(moved).root == place / "data"
    scores = s3fo.evaluate(moved, "shifted", workers=1)
    assert 0 < scores.summary["J&F"] < 1


def make_relative(dataset, place):
    """Store what early versions stored."""
    for field in ("filepath", "ground_truth_mask.mask_path"):
        if not dataset.has_frame_field(field.split(".")[0]):
            continue
        stored = dataset.values(f"frames.{field}")
        relative = [
            [path and os.path.relpath(path, place) for path in column]
            for column in stored
        ]
        dataset.set_values(f"frames.{field}", relative)
    remember(dataset, root="data")
    run = dataset.load_run_results("s3fo_benchmark")
    for record in run.sequences:
        for kind in ("images", "annotations"):
            record[kind]["folder"] = os.path.relpath(record[kind]["folder"], place)
    dataset.save_run_results("s3fo_benchmark", run, overwrite=True)


def test_a_dataset_of_relative_paths_says_how_to_heal_it(moved, place):
    make_relative(moved, place)
    with pytest.raises(InputError, match="relocate"):
        load_benchmark_info(moved)
    done = s3fo.relocate(moved, place / "data")
    assert done.frames == moved.count("frames") and not done.missing
    assert all(path.is_absolute() and path.is_file() for path in paths(moved))
    assert s3fo.evaluate(moved, "shifted", workers=1).summary["J&F"] > 0


def test_loading_again_heals_a_dataset_and_keeps_what_was_computed(moved, place):
    scores = s3fo.evaluate(moved, "shifted", workers=1)
    make_relative(moved, place)
    ids = moved.values("id")
    form = remembered(moved)["masks"]
    s3fo.load_benchmark(
        "synthetic", place / "data", dataset_name=moved.name, masks=form
    )
    moved.reload()
    assert moved.values("id") == ids
    assert all(path.is_absolute() and path.is_file() for path in paths(moved))
    assert moved.mean("shifted_objects.detections.JF") == pytest.approx(
        scores.objects["J&F"].mean()
    )


def test_data_that_moved_are_found_with_the_command(moved, place):
    shutil.move(place / "data", place / "new")
    shutil.move(place / "shifted", place / "masks")
    assert data.relocate  # registered with the app
    lost = CliRunner().invoke(app, ["relocate", moved.name])
    assert lost.exit_code == 1
    done = CliRunner().invoke(
        app,
        [
            *("relocate", moved.name, "--root", "../new"),
            *("--predictions", f"shifted={place / 'masks'}"),
        ],
    )
    assert done.exit_code == 0, done.output
    moved.reload()
    assert all(path.is_file() for path in paths(moved))
    assert load_predictions_info(moved)["shifted"].folder == place / "masks"
    assert load_benchmark_info(moved).root.samefile(place / "new")


def test_other_data_are_refused_and_nothing_changes(moved, place):
    before = paths(moved)
    (place / "wrong").mkdir()
    with pytest.raises(InputError, match="files missing"):
        s3fo.relocate(moved, place / "wrong")
    shutil.copytree(place / "shifted", place / "other")
    benchmark = open_benchmark("synthetic", place / "data")
    write_results(benchmark, place / "other", shift=3)
    with pytest.raises(InputError, match="other masks"):
        s3fo.relocate(moved, predictions={"shifted": place / "other"})
    with pytest.raises(InputError, match="'nobody'"):
        s3fo.relocate(moved, predictions={"nobody": place / "other"})
    assert paths(moved) == before


def test_videos_that_the_cache_lost_are_made_again(moved, place):
    for path in moved.values("filepath"):
        Path(path).unlink()
    assert s3fo.relocate(moved).videos == len(moved)
    assert all(Path(path).is_file() for path in moved.values("filepath"))
