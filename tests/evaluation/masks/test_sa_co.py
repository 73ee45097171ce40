"""Files of SA-Co/VEval: which phrases, objects and tracks count, by hand."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from evaluation import InputError, score
from evaluation.masks.open import read_mask_json
from s3fo.cli import app, import_commands

PROTOCOL = "sa-co-veval"


def rle(first: int, last: int) -> dict[str, Any]:
    """Columns `first` to `last` of a mask of 10 rows and 20 columns."""
    counts = [10 * first, 10 * (last - first), 10 * (20 - last)]
    return {"size": [10, 20], "counts": counts}


def track(video: str, category: int, masks: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "video_id": video, "category_id": category, "segmentations": masks, **more
    }  # fmt: skip


DOG, CAT, TREE = 7, 12, 40
TRUTH: dict[str, Any] = {
    "info": {"version": "v1"},
    "videos": [
        {
            "id": video,
            "file_names": [f"{video}/{t:05d}.jpg" for t in (0, 4)],
            "height": 10,
            "width": 20,
            "length": 2,
        }
        for video in ("sav_1", "sav_2")
    ],
    "annotations": [
        # Two dogs that overlap, one of them in one frame only; a crowd of cats.
        track("sav_1", DOG, [rle(0, 8), rle(0, 8)], id=3, iscrowd=0),
        track("sav_1", DOG, [rle(4, 10), None], id=1, iscrowd=0),
        track("sav_2", CAT, [rle(0, 20), None], id=5, iscrowd=1),
        track("sav_2", DOG, [rle(0, 4), rle(0, 4)], id=9, iscrowd=0),
    ],
    "categories": [
        {"id": DOG, "name": "a dog"},
        {"id": CAT, "name": "a cat"},
        {"id": TREE, "name": "a tree"},
    ],
    "video_np_pairs": [
        {"id": 1, "video_id": "sav_1", "category_id": DOG, "noun_phrase": "a dog"},
        {"id": 2, "video_id": "sav_1", "category_id": TREE, "noun_phrase": "a tree"},
        {"id": 3, "video_id": "sav_2", "category_id": CAT, "noun_phrase": "a cat"},
        {"id": 4, "video_id": "sav_2", "category_id": DOG, "noun_phrase": "a dog"},
    ],
}
TRACKS = [
    # IoU 130 / 160 with the first dog; the second one exactly; a third one nowhere.
    track("sav_1", DOG, [rle(0, 6), rle(1, 8)], score=0.9),
    track("sav_1", DOG, [rle(4, 10), None], score=0.5),
    track("sav_1", DOG, [None, None], score=0.8),
    # Below the threshold: the phrase has no tracks, which is right.
    track("sav_1", TREE, [rle(5, 12), rle(5, 12)], score=0.49),
    # Only a crowd is there: a false alarm.
    track("sav_2", CAT, [rle(5, 12), None], score=0.7),
    # sav_2, dog: missed.
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path / "truth.json", TRUTH), write(tmp_path / "out.json", TRACKS)


def write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


def test_every_phrase_of_a_video_is_a_sequence(files: tuple[Path, Path]) -> None:
    read = read_mask_json(files[0])
    assert list(read) == ["sav_1-7", "sav_1-40", "sav_2-12", "sav_2-7"]
    assert read["sav_1-7"].frames == ("00000", "00004")
    masks = read["sav_1-7"].read("00000")
    assert isinstance(masks, dict)
    assert {k: int(mask.sum()) for k, mask in masks.items()} == {1: 60, 2: 80}
    assert read["sav_2-12"].annotated_ids() == set(), "crowds are no objects"


def test_cgf1_of_a_hand_made_example(files: tuple[Path, Path]) -> None:
    """By hand: 2 hits up to IoU 0.80, then 1; 1 track too many; 1 dog missed."""
    truth, found = files
    numbers = score(found, truth, PROTOCOL).summary
    hits = np.array([2.0] * 7 + [1] * 3)
    recall = hits / (3 + 1e-4)
    precision = hits / (3 + 1e-4)  # of the phrases with objects: three tracks
    f1 = 2 * precision * recall / (precision + recall + 1e-4)
    # Present and found, absent and found, absent and silent, present and missed: 1.
    mcc = (1 * 1 - 1 * 1) / (16**0.5 + 1e-6)
    assert numbers["positive_micro_F1"] == pytest.approx(f1.mean(), abs=1e-12)
    assert numbers["IL_MCC"] == mcc == 0
    silent = [one for one in TRACKS if one["category_id"] != CAT]
    numbers = score(write(found, silent), truth, PROTOCOL).summary
    mcc = (1 * 2) / ((1 * 2 * 2 * 3) ** 0.5 + 1e-6)
    assert numbers["IL_MCC"] == pytest.approx(mcc, abs=1e-12)
    assert numbers["cgF1"] == pytest.approx(f1.mean() * mcc, abs=1e-12)


def test_what_is_left_out_is_told(files: tuple[Path, Path]) -> None:
    notes = score(files[1], files[0], PROTOCOL).notes
    assert any("1 of 5 tracks have a score below 0.5" in note for note in notes)


def test_no_tracks_at_all_is_a_result(files: tuple[Path, Path]) -> None:
    numbers = score(write(files[1], []), files[0], PROTOCOL).summary
    assert numbers["cgF1"] == numbers["positive_micro_F1"] == 0


def test_the_command_line_scores_it(files: tuple[Path, Path]) -> None:
    import_commands(["evaluate"])
    given = ["evaluate", str(files[1]), "--gt", str(files[0]), "--protocol", PROTOCOL]
    done = CliRunner().invoke(app, [*given, "--json", "--workers", "1", "--no-cache"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["IL_FPR"] == 1 / (2 + 1e-6)
    notes = [line for line in done.stderr.splitlines() if line.startswith("note:")]
    # Another one tells where the compiled kernels are missing.
    about = [note for note in notes if "compiled kernels" not in note]
    assert len(about) == 1, "phrases without objects are no news"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t, r: r[0].update(category_id=99), "category_id 99 at entry 0"),
        (lambda t, r: r[1]["segmentations"].pop(), "1 entries for 2 frames at entry 1"),
        (lambda t, r: r[0].pop("score"), "score"),
        (lambda t, r: r[0].update(image_id=3), "COCO results"),
        (lambda t, r: t["video_np_pairs"][1].update(video_id=0), r"pairs\[1\] of vid"),
        (lambda t, r: t["annotations"][0].update(video_id=0), "annotation 3 of video"),
        (lambda t, r: t["videos"][1].update(id="sav_1"), "two videos with the id"),
        (lambda t, r: t["video_np_pairs"][0].pop("category_id"), "video_np_pairs"),
    ],
)
def test_odd_files_are_named(files: tuple[Path, Path], change: Any, told: str) -> None:
    truth, found = deepcopy(TRUTH), deepcopy(TRACKS)
    change(truth, found)
    write(files[0], truth)
    write(files[1], found)
    with pytest.raises(InputError, match=told):
        score(files[1], files[0], PROTOCOL)
