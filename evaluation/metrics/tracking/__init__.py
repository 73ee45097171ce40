"""Tracking metrics over masks: HOTA, CLEAR and identity, and SA-Co's concept F1.

All of them are computed from :class:`Overlaps`, the pixels that objects and tracks
share in each frame. Names and numbers are those of TrackEval 1.3.

    overlaps = overlaps_from_masks(ground_truth, tracks)
    hota(overlaps)["HOTA"].mean()

Sources: Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object
Tracking", IJCV 2021; Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking
Performance: The CLEAR MOT Metrics", 2008; Ristani et al., "Performance Measures and a
Data Set for Multi-Target, Multi-Camera Tracking", 2016; TrackEval 1.3, metrics hota,
clear, identity.
"""

from evaluation.metrics.tracking.clear import clear, combine_clear
from evaluation.metrics.tracking.hota import ALPHAS, combine_hota, hota
from evaluation.metrics.tracking.identity import combine_identity, identity
from evaluation.metrics.tracking.objects import object_tracking

__all__ = [
    "ALPHAS",
    "clear",
    "combine_clear",
    "combine_hota",
    "combine_identity",
    "hota",
    "identity",
    "object_tracking",
]
