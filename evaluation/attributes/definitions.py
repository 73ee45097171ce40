"""Every attribute in words: what it is, in which unit, and when its tag is set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Attribute:
    """One column of the objects table that scores can be broken down by.

    Attributes:
        name: column name.
        title: as shown to people.
        kind: `"number"`, `"bucket"` (ordered names), `"count"` or `"tag"`.
        unit: of the values; empty for tags and buckets.
        definition: one sentence.
        buckets: names in their order, for kind `"bucket"`.
        official: tag of the benchmarks that a computed tag answers to.
        pictures: whether it needs images and not only masks.
    """

    name: str
    title: str
    kind: Literal["number", "count", "bucket", "tag"]
    unit: str
    definition: str
    buckets: tuple[str, ...] = ()
    official: str = ""
    pictures: bool = False


OFFICIAL = "official_"
"""Prefix of columns with a benchmark's own tags. They describe whole sequences, so
every object of a sequence carries them, also those they are not true of."""

LENGTH_BUCKETS = ("1-50", "51-100", "101-300", "over 300")
SIZE_BUCKETS = ("tiny", "small", "medium", "large")
PIXEL_BUCKETS = ("small", "medium", "large")

FAST_SPEED = 0.009 * 24
"""Diagonals per second: 20 pixels a frame in DAVIS' original 1080p at 24 fps."""

LONG_GAP_SECONDS = 100 / 6
"""LVOS: away for 100 frames or more at 6 frames per second."""

LONG_SECONDS = 60.0
"""MOSE v2: in the video for over a minute."""

SMALL_BOX = 0.1
"""DAVIS: mean box area below this share of the frame is low resolution."""

SCALE_BOX_RATIO = 0.2
"""Smallest / largest box below this is scale variation. DAVIS prints 0.5, which
would tag 17 of its 20 validation sequences; 0.2 reproduces its own tags."""

OCCLUDED_DIP, OCCLUDED_SHARE = 0.5, 0.1
"""Occluded: at least this share of frames with at least this visibility dip while
in contact with another object (or while no other object is annotated), or in which
the object is in several parts: bars and branches cut it up before they hide much."""

BORDER_SHARE = 0.1
"""Out of view (DAVIS' sense): touches the border in more than this share of frames."""


def _number(name: str, title: str, unit: str, text: str) -> Attribute:
    return Attribute(name, title, "number", unit, text)


def _picture(name: str, title: str, unit: str, text: str) -> Attribute:
    return Attribute(name, title, "number", unit, text, pictures=True)


def _count(name: str, title: str, unit: str, text: str) -> Attribute:
    return Attribute(name, title, "count", unit, text)


def _tag(name: str, title: str, text: str, official: str) -> Attribute:
    return Attribute(name, title, "tag", "", text, official=official)


ATTRIBUTES: dict[str, Attribute] = {
    attribute.name: attribute
    for attribute in [
        _number(
            "occlusion",
            "Occlusion",
            "0..1",
            "mean over frames of the largest of box overlap, contact and visibility "
            "dip; 1 while hidden, not by a cut, between two appearances",
        ),
        _number(
            "box_overlap",
            "Box overlap",
            "0..1",
            "mean share of the object's box under the boxes of other objects",
        ),
        _number(
            "contact",
            "Contact",
            "0..1",
            "mean share of the contour within 0.2 % of the diagonal of another object",
        ),
        _number(
            "visibility_dip",
            "Visibility dip",
            "0..1",
            "mean of 1 - area / its envelope within a second, where the border does "
            "not explain it",
        ),
        _number(
            "disappearance",
            "Absent share",
            "0..1",
            "share of annotated frames after the first appearance without the object",
        ),
        _count("absences", "Absences", "runs", "runs of absent frames"),
        _count("reappearances", "Reappearances", "times", "returns after an absence"),
        _number("longest_gap", "Longest absence", "s", "longest run of absence"),
        _count("left_frame", "Left the frame", "times", "absences through the border"),
        _number(
            "length",
            "Length",
            "frames",
            "frames of the video from the first to the last appearance",
        ),
        _number("duration", "Duration", "s", "length in seconds"),
        Attribute(
            "length_bucket",
            "Length class",
            "bucket",
            "",
            "length in frames",
            buckets=LENGTH_BUCKETS,
        ),
        _number("size", "Size", "share of frame", "mean visible area / frame area"),
        Attribute(
            "size_bucket",
            "Size class",
            "bucket",
            "",
            "size: tiny < 0.001 <= small < 0.01 <= medium < 0.1 <= large",
            buckets=SIZE_BUCKETS,
        ),
        Attribute(
            "pixel_bucket",
            "Size in pixels",
            "bucket",
            "",
            "mean visible area: small < 32^2 <= medium < 96^2 <= large (SA-V)",
            buckets=PIXEL_BUCKETS,
        ),
        _number(
            "scale_change",
            "Scale change",
            "octaves",
            "log2 of the 95th over the 5th percentile of the square root of area, "
            "frames at the border left out",
        ),
        _number("speed", "Speed", "diagonals/s", "median speed of the centroid"),
        _number("peak_speed", "Peak speed", "diagonals/s", "90th percentile of speed"),
        _number(
            "relative_speed",
            "Relative speed",
            "object sizes/s",
            "median speed of the centroid over the square root of area",
        ),
        _number(
            "border_touch",
            "Touches border",
            "0..1",
            "share of visible frames in which the object touches the frame's border",
        ),
        _number(
            "complexity",
            "Outline complexity",
            "",
            "mean contour length^2 / (4 pi area); a disk has 1",
        ),
        _number("solidity", "Solidity", "0..1", "mean area / convex hull area"),
        _number(
            "components", "Parts", "parts", "mean connected parts of >= 1 % of the area"
        ),
        _number(
            "thinness",
            "Thinness",
            "",
            "mean of 1 - 6 x mean depth / sqrt(area): 0 a square, towards 1 threads",
        ),
        _number(
            "deformation",
            "Deformation",
            "0..1",
            "mean 1 - IoU of the centred, scale-free shapes half a second or a second "
            "apart, whichever differ more",
        ),
        _number(
            "crowdedness",
            "Crowdedness",
            "",
            "mean summed box area of others inside the doubled box / its area",
        ),
        _count("n_objects", "Objects in video", "objects", "annotated objects"),
        _count(
            "same_category",
            "Same category",
            "objects",
            "other objects of the video with the same category",
        ),
        _picture(
            "similarity",
            "Similarity to others",
            "cosine",
            "largest mean similarity to another object, over frames showing both",
        ),
        _picture(
            "similarity_apart",
            "Similarity apart",
            "cosine",
            "largest similarity to an object that is never in view together with it",
        ),
        _picture(
            "background_similarity",
            "Similarity to background",
            "cosine",
            "mean over frames of the largest similarity to a background patch",
        ),
        _picture(
            "appearance_change",
            "Appearance change",
            "0..1",
            "mean of 1 - similarity to the object's own first frame",
        ),
        Attribute(
            "scene_cuts",
            "Scene cuts",
            "count",
            "cuts",
            "cuts while the object is in the video",
            pictures=True,
        ),
        _tag(
            "auto_OCC",
            "Occluded",
            "hidden inside the frame, or in 10 % of frames a visibility dip of half or "
            "in several parts",
            "OCC",
        ),
        _tag("auto_DR", "Disappears, returns", "at least one reappearance", "DR"),
        _tag("auto_LRA", "Long-gap return", "returns after 100 frames at 6 fps", "LRA"),
        _tag("auto_LD", "Long", "duration over one minute", "LD"),
        _tag("auto_FM", "Fast motion", "mean speed over 0.009 diagonals/frame", "FM"),
        _tag("auto_LR", "Low resolution", "mean box below a tenth of the frame", "LR"),
        _tag("auto_SV", "Scale variation", "smallest / largest box below 0.2", "SV"),
        _tag("auto_OV", "At the border", "touches the border in 10 % of frames", "OV"),
        _tag("auto_OUT", "Out of view", "leaves the frame completely", ""),
        _tag("auto_MS", "Several shots", "at least one scene cut", "MS"),
    ]
}
"""Name -> attribute, in the order people read them."""


def attribute_title(name: str) -> str:
    """What people call a column of the objects table: an attribute, an official tag."""
    if name in ATTRIBUTES:
        return ATTRIBUTES[name].title
    return name.replace(OFFICIAL, "official tag ")
