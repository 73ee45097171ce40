"""Several results folders in one evaluation: each as alone, the truth read once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from evaluation import Scores, score, score_folders
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.masks.sequence import FileSequence

VIDEOS = {"ant": 5, "bat": 3}


def drawn(t: int, shift: int) -> np.ndarray:
    """[40, 64] label map: square 1 and bar 2, moved along by `shift` pixels."""
    masks = np.zeros((40, 64), np.uint8)
    masks[5:20, 4 + 3 * t + shift : 18 + 3 * t + shift] = 1
    masks[25 + shift : 31 + shift, 10:50] = 2
    return masks


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Ground truth ``gt``, and results off by 0, 1 and 3 pixels."""
    for name, shift in {"gt": 0, "same": 0, "one": 1, "three": 3}.items():
        for video, length in VIDEOS.items():
            for t in range(length):
                path = tmp_path / name / video / f"{t:05d}.png"
                write_label_map(path, drawn(t, shift))
    return {path.name: path for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    "protocol", ["davis-2017", "trackeval-davis", "davis-2017-unsupervised", "mose-v2"]
)
def test_each_folder_scores_as_alone(folders, protocol):
    results = [folders[name] for name in ("three", "same", "one")]
    together = score_folders(results, folders["gt"], protocol)
    for folder, scores in zip(results, together, strict=True):
        alone = score(folder, folders["gt"], protocol)
        assert scores.frames.equals(alone.frames)
        assert scores.objects.equals(alone.objects)
        assert scores.fingerprint == alone.fingerprint
        assert (scores.notes, scores.inputs) == (alone.notes, alone.inputs)
        assert scores.summary == pytest.approx(alone.summary, abs=0, nan_ok=True)


def test_a_frame_of_the_ground_truth_is_read_once(folders):
    read: Counter[str] = Counter()
    original = FileSequence.read

    def count(self, frame):
        read[self.where(frame)] += 1
        return original(self, frame)

    # Masks as far off as those of "three" are held against other videos, too.
    results = [folders[name] for name in ("same", "one", "same")]
    with mock.patch.object(FileSequence, "read", count):
        score_folders(results, folders["gt"], workers=1)
    # How objects are numbered is decided per folder, by a few frames of each video.
    inner = [n for path, n in read.items() if "/gt/" in path and "00001" in path]
    assert 1 in inner and max(inner) <= 1 + len(results)
    assert read[str(folders["one"] / "ant" / "00001.png")] <= 3, "counted, looked at"


def test_counts_that_are_kept_are_taken_up(folders, tmp_path):
    cache = tmp_path / "cache"
    first = score(folders["one"], folders["gt"], cache=cache)
    results = [folders["three"], folders["one"]]
    again = score_folders(results, folders["gt"], cache=cache)
    assert again[1].frames.equals(first.frames)
    assert again[0].frames.equals(score(results[0], folders["gt"]).frames)


def test_results_that_do_not_fit_are_named(folders):
    (folders["one"] / "bat" / "00001.png").unlink()
    with pytest.raises(InputError, match=r"one: .*bat: 00001"):
        score_folders([folders["same"], folders["one"]], folders["gt"])


def test_one_table_with_the_best_first(cli, folders, tmp_path):
    words = ["evaluate", folders["three"], folders["same"], folders["one"]]
    words += ["--gt", folders["gt"], "--out", tmp_path / "out", "--record"]
    code, text, _ = cli(*words)
    assert code == 0
    lines = [line.split()[:2] for line in text.splitlines() if line.strip()]
    names = [cells[0] for cells in lines if cells[0] in folders]
    assert names == ["same", "one", "three"] and ["same", "1.000"] in lines
    rows = (tmp_path / "out" / "summary.csv").read_text().splitlines()
    assert rows[0].startswith("results,J&F,J,F") and rows[1].startswith("same,1.0,1.0")
    saved = Scores.load(tmp_path / "out" / "one")
    assert saved.summary == score(folders["one"], folders["gt"]).summary
    assert (folders["three"] / "scores" / "davis-2017.json").is_file()
    words = ["leaderboard", "davis-2017", "--json", "--local", folders["three"]]
    code, text, _ = cli(*words, "--local", tmp_path / "out" / "one")
    assert code == 0 and '"one"' in text and '"three"' in text


def test_json_of_several_folders(cli, folders):
    code, text, _ = cli(
        "evaluate", folders["same"], folders["one"], "--gt", folders["gt"], "--json"
    )
    found = json.loads(text)
    assert code == 0 and list(found) == ["same", "one"] and found["same"]["J&F"] == 1.0


def test_one_folder_twice_and_numbers_for_several_are_refused(cli, folders):
    words = ["evaluate", folders["one"], folders["one"], "--gt", folders["gt"]]
    code, _, errors = cli(*words)
    assert code == 2 and "twice" in errors
    words[2] = folders["same"]
    code, _, errors = cli(*words, "--against", folders["gt"])
    assert code == 2 and "several results folders" in errors
