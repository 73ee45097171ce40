from __future__ import annotations

import numpy as np
import torch

from s3fo.model import build_network
from s3fo.training.data.sources import TrainingVideo
from s3fo.training.validation import PropagationScore


def test_masks_have_the_size_and_the_ids_of_the_video(videos) -> None:
    torch.manual_seed(0)
    network = build_network("tiny_r18").eval()
    video: TrainingVideo = videos[0].shortened(3)
    for size in (None, 64):
        masks = PropagationScore([video], size).segment(network, video)
        assert masks.shape == (3, 96, 128)
        assert set(np.unique(masks)) <= {0, 1, 2}
        # The given mask survives but for the border that shrinking blurs.
        assert (masks[0] == video.read_labels(0)).mean() > 0.97


def test_perfect_masks_score_one(videos, monkeypatch) -> None:
    def repeat_truth(self, network, video):
        return np.stack([video.read_labels(i) for i in range(len(video.frames))])

    monkeypatch.setattr(PropagationScore, "segment", repeat_truth)
    assert PropagationScore(videos)(None) == {"J&F": 1.0, "J": 1.0, "F": 1.0}
