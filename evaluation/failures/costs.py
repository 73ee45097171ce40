"""What every frame costs: its share of what a benchmark's J&F lacks to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from evaluation.scoring import Scores

KEYS = ["sequence", "object"]


def frame_costs(scores: Scores) -> pd.DataFrame:
    """Loss and cost of every counted frame.

    J&F is a weighted mean over objects of means over frames, so the part of 1 - J&F
    that a frame is to blame for is its loss times its object's weight over the
    object's number of frames. Costs of all frames add up to 1 - J&F.

    Returns:
        `scores.frames` with `J&F`, `loss` = 1 - (J + F) / 2 and `cost`.
        `F` is the adaptive F where the protocol's J&F is made of it; `J&F` is that of
        J and the plain F, by which frames are told apart.
    """
    frames = scores.frames.copy()
    frames["J&F"] = (frames["J"] + frames["F"]) / 2
    frames["F"] = frames[scores.protocol.boundary_column]
    weights = object_weights(scores)
    counts = frames.groupby(KEYS)["J"].transform("size")
    weight = frames.merge(weights, on=KEYS, how="left")["weight"].to_numpy()
    frames["loss"] = 1 - (frames["J"] + frames["F"]) / 2
    frames["cost"] = frames["loss"] * weight / counts
    return frames


def headline(scores: Scores) -> float:
    """The J&F that the benchmark publishes."""
    return scores.summary[scores.protocol.object_metric]


def object_weights(scores: Scores) -> pd.DataFrame:
    """Weight of each object in the benchmark's J&F; they add up to 1."""
    objects = scores.objects
    groups = pd.Series("all", index=objects.index)
    if scores.protocol.average == "seen-unseen":
        groups = objects["group"]
    sizes = groups.map(groups.value_counts())
    weight = 1 / sizes / groups.nunique()
    return objects[KEYS].assign(weight=weight.to_numpy(np.float64))
