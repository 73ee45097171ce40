"""The rules that a scoring protocol is made of: their names, and each in words.

A `Literal` lists the names of one kind of rule, so that a type checker refuses a
misspelt one; the table of the same kind says what each does.
"""

from __future__ import annotations

from typing import Literal

FrameRule = Literal[
    "all", "interior", "own-interior", "after-own-first", "after-own-first-but-last"
]
"""Which annotated frames count."""

ObjectRule = Literal[
    "foreground", "first-frame", "first-frame-gaps", "all", "from-appearance"
]
"""Which objects of the ground truth count."""

VoidRule = Literal["background", "ignored", "object", "none"]
"""What label 255 of the ground truth means."""

RegionRule = Literal["jaccard", "smoothed"]
"""How regions are compared: J."""

BoundaryRule = Literal["standard", "adaptive"]
"""How boundaries are compared: F."""

MatchingRule = Literal["by-id", "proposals", "tracks"]
"""Which predicted id is compared with which object."""

AverageRule = Literal["objects", "seen-unseen", "tracks"]
"""How the scores of objects become one number."""

TrackingRule = Literal["none", "together", "classes", "classes-by-box", "concepts"]
"""Whether and how tracking metrics are computed."""

HeadlineMetric = Literal["J", "J&F", "J&F_adaptive", "HOTA", "cgF1"]
"""The number by which methods are ranked."""

LastFramesRule = Literal["none", "quarter"]
"""Whether the last frames get a mean of their own."""

DecayRule = Literal["frames", "8-bit"]
"""How the decay over a video is computed."""

FRAME_RULES: dict[FrameRule, str] = {
    "all": "every annotated frame",
    "interior": "all annotated frames but the first and the last",
    "own-interior": "annotated frames of each object's range (given by the "
    "benchmark's meta file, else the whole video) but its first and last",
    "after-own-first": "annotated frames after the one in which the object first "
    "appears",
    "after-own-first-but-last": "annotated frames after the one in which the object "
    "first appears, without the last of the video",
}
OBJECT_RULES: dict[ObjectRule, str] = {
    "foreground": "one object: whatever is not 0",
    "first-frame": "ids up to the highest of the first annotated frame, as far as "
    "they occur; they count before they appear, too",
    "first-frame-gaps": "ids 1 to the highest of the first annotated frame, even "
    "those that never occur",
    "all": "every id that occurs in the ground truth; they count before they appear, "
    "too",
    "from-appearance": "ids that occur in a scored frame of the ground truth, from "
    "their first appearance in ground truth or prediction",
}
VOID_RULES: dict[VoidRule, str] = {
    "background": "255 in the ground truth is background",
    "ignored": "pixels with 255 in the ground truth are left out of both masks",
    "object": "255 is an object id like any other",
    "none": "no label marks void",
}
REGION_RULES: dict[RegionRule, str] = {
    "jaccard": "J = I / U, two empty masks score 1",
    "smoothed": "J = (I + 1) / (U + 1)",
}
BOUNDARY_RULES: dict[BoundaryRule, str] = {
    "standard": "F with a tolerance of ceil(0.008 of the diagonal) pixels, two empty "
    "boundaries score 1",
    "adaptive": "F with a tolerance of 0.008 of the diagonal and adaptive F with at "
    "most a tenth of the object's side",
}
MATCHING_RULES: dict[MatchingRule, str] = {
    "by-id": "predicted id k stands for object k; other predicted ids cost nothing",
    "proposals": "up to 20 proposals, matched for the largest mean of J and F",
    "tracks": "any number of tracks, matched for the largest mean J; an object left "
    "without a track is compared with empty masks",
}
AVERAGE_RULES: dict[AverageRule, str] = {
    "objects": "mean over all objects",
    "seen-unseen": "mean over objects of seen and of unseen kind apart, then the mean "
    "of the two",
    "tracks": "mean over the objects of each sequence, weighted by their number",
}
TRACKING_RULES: dict[TrackingRule, str] = {
    "none": "no tracking metrics",
    "together": "HOTA, CLEAR and identity over all objects together",
    "classes": "HOTA, CLEAR and identity class by class, then the mean over classes; "
    "a track has the class of the object with its id, other tracks do not count, nor "
    "do frames without an object",
    "classes-by-box": "the same, comparing the boxes around the masks",
    "concepts": "F1 of whole-video matches of each video and phrase with objects, "
    "times the correlation (MCC) of whether there are any",
}
HEADLINE_RULES: dict[HeadlineMetric, str] = {
    "J": "the mean of J",
    "J&F": "the mean of J and F",
    "J&F_adaptive": "the mean of J and adaptive F",
    "HOTA": "HOTA",
    "cgF1": "classification-gated F1",
}
LAST_RULES: dict[LastFramesRule, str] = {
    "none": "no mean over the last frames",
    "quarter": "J_last, the mean J over the last quarter of the scored frames",
}
DECAY_RULES: dict[DecayRule, str] = {
    "frames": "first quarter minus last quarter",
    "8-bit": "as the official code, whose 8-bit frame index wraps round after 256",
}
