"""Scores in JSON are not looked at, which is told where some are low."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation import score
from evaluation.masks.run_lengths import encode_rle

T = 4


def mask(left: int) -> np.ndarray:
    drawn = np.zeros((20, 40), bool)
    drawn[4:12, left : left + 8] = True
    return drawn


TRUE = [encode_rle(mask(2 + t)) for t in range(T)]
LATE = [encode_rle(mask(6 + t)) for t in range(T)]
SIZES = {"height": 20, "width": 40}
TRUTH = {"cat": np.stack([mask(2 + t).astype(np.uint8) for t in range(T)])}


def vis(name: str, **more: Any) -> dict[str, Any]:
    return {
        "videos": [{"id": 7, "file_names": [f"cat/{t:05d}.jpg" for t in range(T)]}],
        "annotations": [{"id": 1, "video_id": 7, name: TRUE} | more],
    }


def result_list(low: float) -> list[dict[str, Any]]:
    return [
        {"video_id": 7, "category_id": 1, "score": s, "segmentations": masks}
        for s, masks in ((0.9, LATE), (low, TRUE))
    ]


def coco(low: float) -> dict[str, Any]:
    return {
        "images": [
            {"id": t, "file_name": f"cat/{t:05d}.jpg"} | SIZES for t in range(T)
        ],
        "annotations": [
            {"id": t, "image_id": t, "track_id": 1, "segmentation": TRUE[t]}
            | {"score": low if t == 2 else 0.9}
            for t in range(T)
        ],
    }


def burst(low: float) -> dict[str, Any]:
    entry = SIZES | {
        "dataset": "TAO",
        "seq_name": "cat",
        "annotated_image_paths": [f"{t:05d}.jpg" for t in range(T)],
        "segmentations": [{"1": {"rle": rle["counts"], "score": low}} for rle in TRUE],
    }
    return {"sequences": [entry]}


def nested(low: float) -> dict[str, Any]:
    masks = {f"{t:05d}": {"1": rle | {"score": low}} for t, rle in enumerate(TRUE)}
    return {"cat": masks}


def youtube_vis(low: float) -> dict[str, Any]:
    return vis("segmentations", score=low)


def write(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("form", [coco, burst, nested, youtube_vis, result_list])
@pytest.mark.parametrize(("low", "is_told"), [(0.49, True), (0.5, False)])
def test_low_scores_are_told_in_every_form(form, low, is_told, tmp_path):
    truth: Any = TRUTH
    if form is result_list:
        truth = write(tmp_path / "gt.json", vis("segmentations"))
    results = write(tmp_path / "pred.json", form(low))
    scores = score(results, truth, "trackeval-davis")
    told = [note for note in scores.notes if "score below 0.5" in note]
    assert bool(told) == is_told
    assert all(
        note.startswith("cat: some tracks or masks have a score") for note in told
    )
    assert scores.summary["J"] == 1  # the low track is the one that fits
