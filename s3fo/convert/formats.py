"""The formats that `convert` reads and writes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """One way of keeping the masks of videos.

    Attributes:
        name: as used on the command line.
        about: what it is, in words.
        overlaps: whether masks of one frame may overlap.
        is_file: whether it is one file rather than a folder.
    """

    name: str
    about: str
    overlaps: bool = False
    is_file: bool = False


FORMATS: dict[str, Format] = {
    item.name: item
    for item in (
        Format("davis", "<sequence>/<frame>.png, one index mask per frame"),
        Format(
            "object-folders",
            "<sequence>/<object>/<frame>.png, one binary mask per object (SA-V)",
            overlaps=True,
        ),
        Format(
            "youtube-vis",
            "one JSON of videos and of run lengths per object (YouTube-VIS, OVIS)",
            overlaps=True,
            is_file=True,
        ),
        Format(
            "burst",
            "one JSON of run lengths per frame (BURST)",
            overlaps=True,
            is_file=True,
        ),
        Format(
            "sa-v",
            "<video>_manual.json, run lengths per frame (SA-V train)",
            overlaps=True,
        ),
        Format("mots", "<sequence>.txt, one line per mask (MOTS, KITTI MOTS)"),
        Format("mots-png", "<sequence>/<frame>.png, 16 bit, class * 1000 + object"),
        Format(
            "coco",
            "one JSON of images and run lengths per object and frame (COCO)",
            overlaps=True,
            is_file=True,
        ),
        Format(
            "json",
            "one JSON {sequence: {frame: {object id: run lengths}}}",
            overlaps=True,
            is_file=True,
        ),
        Format("fiftyone", "a field of a FiftyOne dataset: DATASET:FIELD"),
    )
}
"""By name."""
