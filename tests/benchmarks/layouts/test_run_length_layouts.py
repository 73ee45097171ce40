"""SA-V and BURST."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from evaluation.errors import InputError
from evaluation.scoring import score
from s3fo.benchmarks import open_benchmark, write_burst_predictions
from s3fo.inference import predict
from tests.benchmarks.benchmark_trees import (
    ANNOTATED,
    BIG,
    SMALL,
    burst,
    masklets,
    sa_v,
    write_clip,
    write_json,
)


@pytest.mark.parametrize("split", ["val", "test"])
def test_sa_v_folders(tmp_path: Path, split: str) -> None:
    benchmark = open_benchmark("sa-v", sa_v(tmp_path, split), split=split)
    sequence = benchmark["sav_000001"]
    assert len(sequence.frames) == 9
    assert sequence.annotated_frames == tuple(ANNOTATED)
    assert sequence.prompt_frames() == {"00000": (1,), "00004": (3,)}
    masks = sequence.read_object_masks("00004")
    np.testing.assert_array_equal(masks[1], BIG)
    np.testing.assert_array_equal(masks[3], SMALL)
    label_map = sequence.read_annotation("00004")
    np.testing.assert_array_equal(label_map == 3, SMALL)  # it lies on top
    assert set(np.unique(sequence.read_prompt("00004"))) == {0, 3}


@pytest.mark.parametrize("given", [".", "sav_val", "sav_val/JPEGImages_24fps"])
def test_sa_v_root_at_any_level(tmp_path: Path, given: str) -> None:
    assert len(open_benchmark("sa-v", sa_v(tmp_path) / given, split="val")) == 2


def test_sa_v_says_what_is_missing(tmp_path: Path) -> None:
    root = sa_v(tmp_path) / "sav_val"
    (root / "sav_val.txt").write_text("sav_000001\nsav_000002\nsav_000003\n")
    for path in sorted((root / "Annotations_6fps/sav_000002").rglob("*"))[::-1]:
        path.unlink() if path.is_file() else path.rmdir()
    with pytest.raises(InputError) as caught:
        open_benchmark("sa-v", root)
    assert "no masks of sav_000002" in str(caught.value)
    assert "no frames of sav_000003" in str(caught.value)


def test_sa_v_scores_with_its_protocol(tmp_path: Path) -> None:
    benchmark = open_benchmark("sa-v", sa_v(tmp_path))
    run = predict(benchmark, tmp_path / "out", method="copy")
    assert run.failures == {}
    scores = score(tmp_path / "out", benchmark, benchmark.protocol)
    objects = scores.objects.set_index(["sequence", "object"])["J_mean"]
    assert objects["sav_000001", 3] == 1
    assert objects["sav_000002", 1] == 1
    assert objects["sav_000001", 1] < 1, "the small one was cut out of the big one"


def test_sa_v_results_in_object_folders_are_of_the_same_objects(tmp_path: Path) -> None:
    root = sa_v(tmp_path)
    benchmark = open_benchmark("sa-v", root)
    folders = next(root.rglob("Annotations_6fps"))
    scores = score(folders, benchmark, "sa-v")
    assert scores.summary["J&F"] == 1.0
    by_folder = score(folders, folders, "sa-v").objects
    assert (scores.objects["object"] == by_folder["object"] + 1).all()


def test_sa_v_train(tmp_path: Path) -> None:
    for name in ("sav_000001", "sav_000002"):
        write_clip(tmp_path / "sav_000" / f"{name}.mp4")
    folder = tmp_path / "sav_000"
    write_json(folder / "sav_000001_manual.json", masklets("sav_000001"))
    write_json(folder / "sav_000001_auto.json", {"not": "looked at"})
    write_json(folder / "sav_000002_auto.json", masklets("sav_000002"))
    benchmark = open_benchmark("sa-v", tmp_path, split="train")
    assert any("1 videos have automatic" in note for note in benchmark.notes)
    sequence = benchmark["sav_000001"]
    assert sequence.video == folder / "sav_000001.mp4"
    assert len(sequence.frames) == 9
    assert sequence.prompt_frames() == {"00000": (1,), "00004": (2,)}
    assert sequence.objects[1].attributes == {
        "size_bucket": "small",
        "visibility_changes": 2,
        "type": "manual",
    }
    np.testing.assert_array_equal(sequence.read_object_masks("00008")[2], SMALL)
    run = predict(sequence, tmp_path / "out", method="copy")
    assert run.failures == {}


def test_sa_v_train_wants_its_json(tmp_path: Path) -> None:
    write_clip(tmp_path / "sav_000001.mp4")
    with pytest.raises(InputError, match=r"sav_000001_manual\.json"):
        open_benchmark("sa-v", tmp_path, split="train")


@pytest.mark.parametrize("annotations", ["all", "first-frame"])
def test_burst(tmp_path: Path, annotations: str) -> None:
    benchmark = open_benchmark(
        "burst", burst(tmp_path), split="val", annotations=annotations
    )
    (sequence,) = benchmark
    assert sequence.name == "LaSOT_-_zebra-17"
    assert len(sequence.frames) == 6
    assert sequence.listed_frames == ("frame0002", "frame0005")
    assert sequence.prompt_frames() == {"frame0002": (4,), "frame0005": (9,)}
    assert [item.category for item in sequence.objects] == ["zebra", "tree"]
    assert set(np.unique(sequence.read_prompt("frame0005"))) == {0, 9}
    assert sequence.fps == 6


def test_burst_scores_with_its_protocol(tmp_path: Path) -> None:
    benchmark = open_benchmark("burst", burst(tmp_path))
    run = predict(benchmark, tmp_path / "out", method="copy", frames="listed")
    assert run.failures == {}
    scores = score(tmp_path / "out", benchmark, benchmark.protocol)
    assert set(scores.objects["object"]) == {4, 9}
    assert scores.objects.set_index("object")["J_mean"][9] == 1


def test_burst_says_what_is_missing(tmp_path: Path) -> None:
    root = burst(tmp_path)
    (root / "frames/val/LaSOT/zebra-17/frame0005.jpg").unlink()
    with pytest.raises(InputError, match="1 annotated frame of LaSOT_-_zebra-17"):
        open_benchmark("burst", root)
    with pytest.raises(InputError, match=r"annotations/train/all_classes\.json"):
        open_benchmark("burst", root, split="train")
    (root / "annotations/val/all_classes.json").write_text(json.dumps({"x": 1}))
    with pytest.raises(InputError, match=r"all_classes\.json"):
        open_benchmark("burst", root)


def test_burst_predictions_are_in_the_format_of_its_ground_truth(
    tmp_path: Path,
) -> None:
    root = burst(tmp_path / "data")
    benchmark = open_benchmark("burst", root)
    predict(benchmark, tmp_path / "out", method="copy")
    path = write_burst_predictions(tmp_path / "out", benchmark, tmp_path / "p.json")
    truth = json.loads((root / "annotations/val/all_classes.json").read_text())
    found = json.loads(path.read_text())
    first, second = found["sequences"][0]["segmentations"]
    assert set(first) == {"4"}, "track 9 is not there yet"
    assert set(second) == {"4", "9"}
    true_masks = truth["sequences"][0]["segmentations"]
    assert first["4"]["rle"] == true_masks[0]["4"]["rle"]
    assert second["9"]["rle"] == true_masks[1]["9"]["rle"]
    # Read as annotations again, they are what was predicted.
    write_json(root / "annotations/val/all_classes.json", found)
    again = open_benchmark("burst", root)
    assert score(tmp_path / "out", again, again.protocol).summary["J"] == 1


def test_burst_predictions_want_every_annotated_frame(tmp_path: Path) -> None:
    benchmark = open_benchmark("burst", burst(tmp_path / "data"))
    predict(benchmark, tmp_path / "out", method="copy")
    (tmp_path / "out/LaSOT_-_zebra-17/frame0005.png").unlink()
    with pytest.raises(InputError, match=r"zebra-17: 1 frames missing \(frame0005\)"):
        write_burst_predictions(tmp_path / "out", benchmark, tmp_path / "p.json")


def test_sequences_travel_to_other_processes(tmp_path: Path) -> None:
    for benchmark in (
        open_benchmark("sa-v", sa_v(tmp_path / "a")),
        open_benchmark("burst", burst(tmp_path / "b")),
    ):
        twin = pickle.loads(pickle.dumps(benchmark))
        first = benchmark.sequences[0]
        frame = first.annotated_frames[0]
        np.testing.assert_array_equal(
            twin.sequences[0].read_annotation(frame), first.read_annotation(frame)
        )
