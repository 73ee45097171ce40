"""`s3fo convert` to a field of a dataset and back again."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest

import s3fo
from evaluation import score
from evaluation.masks.label_map import read_label_map
from s3fo.benchmarks import Benchmark
from s3fo.convert import convert


def same_files(ours: Path, theirs: Path) -> None:
    files = sorted(path.relative_to(theirs) for path in theirs.rglob("*.png"))
    assert files == sorted(path.relative_to(ours) for path in ours.rglob("*.png"))
    for file in files:
        np.testing.assert_array_equal(
            read_label_map(ours / file), read_label_map(theirs / file)
        )


@pytest.fixture
def moved(dataset: fo.Dataset, results: Path) -> fo.Dataset:
    there = convert(results, f"{dataset.name}:moved", "fiftyone")
    assert (there.source_format, there.target_format) == ("davis", "fiftyone")
    return dataset


def test_masks_go_through_a_field_unchanged(
    moved: fo.Dataset, results: Path, benchmark: Benchmark, tmp_path: Path
) -> None:
    back = tmp_path / "back"
    convert(f"{moved.name}:moved", back, "davis", source_format="fiftyone")
    same_files(back, results)
    scores = s3fo.evaluate(moved, "moved", workers=1)
    assert scores.summary == score(results, benchmark, scores.protocol).summary


def test_labels_of_others_are_written_as_they_are(
    moved: fo.Dataset, results: Path, tmp_path: Path
) -> None:
    for sample in moved:
        for frame in sample.frames.values():
            frame["theirs"] = frame["moved"]
        sample.save()
    back = tmp_path / "back"
    convert(f"{moved.name}:theirs", back, "davis", source_format="fiftyone")
    same_files(back, results)


def test_the_ground_truth_is_a_field_too(
    dataset: fo.Dataset, benchmark: Benchmark, tmp_path: Path
) -> None:
    back = tmp_path / "back"
    convert(f"{dataset.name}:ground_truth", back, "davis", source_format="fiftyone")
    for sequence in benchmark:
        for frame in sequence.annotated_frames:
            np.testing.assert_array_equal(
                read_label_map(back / sequence.name / f"{frame}.png"),
                sequence.read_annotation(frame),
            )


def test_labels_that_were_edited_are_written_as_they_are(
    moved: fo.Dataset, results: Path, tmp_path: Path
) -> None:
    """Of two fields that came from files, one frame was emptied in the App."""
    sample = moved.first()
    frame = sample.frames[2]
    for field in ("moved", "ground_truth"):
        frame[field] = fo.Detections()
    sample.save()
    for field in ("moved", "ground_truth"):
        done = convert(f"{moved.name}:{field}", tmp_path / field, "davis")
        assert any(f"labels of {field} were edited" in note for note in done.notes)
        files = sorted((tmp_path / field / sample["sequence"]).glob("*.png"))
        shown = [bool(read_label_map(path).any()) for path in files[:3]]
        assert shown == [True, False, True]
