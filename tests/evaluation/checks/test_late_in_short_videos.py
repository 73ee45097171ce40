"""Masks one frame late in videos of few frames, with errors of their own.

A box of 20 x 20 pixels moves by 4 per frame; predictions also lie off by a pixel to any
side, so that J of the right ones is below 1, and that of late ones lower by a fifth.
"""

import numpy as np
import pytest

from evaluation.results.checks import labels, scales
from evaluation.scoring import score

ERRORS = ((0, 1), (1, -1), (-1, 0), (1, 1), (0, -1), (-1, 1), (1, 0), (0, -1))


def truth(n_frames, top=10):
    video = np.zeros((n_frames, 60, 90), np.uint8)
    for t in range(n_frames):
        video[t, top : top + 20, 4 + 4 * t : 24 + 4 * t] = 1
    return video


def found(video):
    return np.stack(
        [np.roll(m, ERRORS[t % len(ERRORS)], (0, 1)) for t, m in enumerate(video)]
    )


def late(video):
    return np.concatenate([video[:1], video[:-1]])


@pytest.mark.parametrize("n_frames", [10, 12, 14, 16])
def test_late_masks_of_short_videos_are_told_and_not_as_scaled(n_frames):
    gt = truth(n_frames)
    note = score({"v": late(found(gt))}, {"v": gt}).notes[0]
    assert note.startswith("v: masks fit the ground truth better 1 frame earlier")
    assert not score({"v": found(gt)}, {"v": gt}).notes


def test_masks_that_go_to_and_fro_are_not_told_as_late():
    gt = truth(12)
    weak = np.stack([np.roll(m, (3, -3)[t % 2], 1) for t, m in enumerate(gt)])
    assert not score({"v": weak}, {"v": gt}).notes
    held = found(gt)[[0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10]]  # late in every second
    assert not score({"v": held}, {"v": gt}).notes


def test_what_looks_scaled_and_is_late_is_told_as_late(monkeypatch):
    """J of masks 4 pixels behind is 16 / 24; the test of frames finds nothing here."""
    for look in ("wrong_numbers", "given_mask_late", "other_order"):
        monkeypatch.setattr(labels, look, lambda *_, **__: [])
    monkeypatch.setattr(scales, "scaled_a_little", lambda *_: (0.9, "v: scaled"))
    gt = truth(12)
    (note,) = score({"v": late(gt)}, {"v": gt}).notes
    assert note.startswith(
        "v: masks fit the ground truth better 1 frame earlier (mean IoU 1.000 against "
        "0.66"  # 0.667, and one of six frames stands still
    )
    assert "v: scaled" in score({"v": np.roll(gt, 3, axis=1)}, {"v": gt}).notes
