"""The rules under which published numbers were made, one entry per benchmark.

A protocol says which frames and objects count, how masks are compared and how
scores are averaged. A new benchmark is a new entry of `PROTOCOLS`: the rules it may
name stand in `evaluation.scoring_rules`; `print(get_protocol(name))` reads them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any

from evaluation._utils.former_names import present_name
from evaluation.errors import InputError
from evaluation.scoring_rules import (
    AVERAGE_RULES,
    BOUNDARY_RULES,
    DECAY_RULES,
    FRAME_RULES,
    HEADLINE_RULES,
    LAST_RULES,
    MATCHING_RULES,
    OBJECT_RULES,
    REGION_RULES,
    TRACKING_RULES,
    VOID_RULES,
    AverageRule,
    BoundaryRule,
    DecayRule,
    FrameRule,
    HeadlineMetric,
    LastFramesRule,
    MatchingRule,
    ObjectRule,
    RegionRule,
    TrackingRule,
    VoidRule,
)

VOID = 255
"""DAVIS ignore label."""


@dataclass(frozen=True)
class ScoringProtocol:
    """How one benchmark scores; fields are keys of rule tables, but texts and a step.

    >>> protocol = ScoringProtocol("mine", "My rules", "us", frames="all")
    >>> protocol.rules()["frames"]
    'every annotated frame'

    Attributes:
        name: short name, as used on the command line.
        title: name for people.
        source: who defined it.
        frames: key of `FRAME_RULES`.
        objects: key of `OBJECT_RULES`.
        void: key of `VOID_RULES`.
        region: key of `REGION_RULES`.
        boundary: key of `BOUNDARY_RULES`.
        matching: key of `MATCHING_RULES`.
        average: key of `AVERAGE_RULES`.
        decay: key of `DECAY_RULES`.
        last: key of `LAST_RULES`.
        range_step: every how many frames of an object's given range count, from its
            first on (`frames="own-interior"`).
        tracking: key of `TRACKING_RULES`.
        headline: key of `HEADLINE_RULES`: the number by which methods are ranked.
        remark: what else a reader of the numbers should know.
    """

    name: str
    title: str
    source: str
    frames: FrameRule = "interior"
    objects: ObjectRule = "first-frame"
    void: VoidRule = "background"
    region: RegionRule = "jaccard"
    boundary: BoundaryRule = "standard"
    matching: MatchingRule = "by-id"
    average: AverageRule = "objects"
    decay: DecayRule = "frames"
    last: LastFramesRule = "none"
    range_step: int = 1
    tracking: TrackingRule = "none"
    headline: HeadlineMetric = "J&F"
    remark: str = ""

    def __post_init__(self) -> None:
        for rule, table in _RULE_TABLES.items():
            if getattr(self, rule) not in table:
                raise ValueError(f"{rule}={getattr(self, rule)!r} is not a rule")
        if not (isinstance(self.range_step, int) and self.range_step > 0):
            raise ValueError(f"range_step={self.range_step!r} is no positive integer")

    @property
    def void_label(self) -> int | None:
        """Label of the ground truth that is no object; None if there is none."""
        return VOID if self.void in ("background", "ignored") else None

    @property
    def headline_metric(self) -> str:
        """The metric of a summary that the benchmark publishes and ranks by."""
        return self.headline

    @property
    def object_metric(self) -> str:
        """The J&F that objects and frames are looked at by: a mean over objects.

        It is the headline where that is a J&F; HOTA and its like are no means.
        """
        return "J&F_adaptive" if self.boundary == "adaptive" else "J&F"

    @property
    def boundary_column(self) -> str:
        """The boundary score of frames of which `object_metric` is made."""
        return "F_adaptive" if self.boundary == "adaptive" else "F"

    @property
    def reads_label_maps(self) -> bool:
        """Whether the official tool reads label maps, in which no masks overlap."""
        return self.name in _OF_LABEL_MAPS

    def rules(self) -> dict[str, str]:
        """The rules in words, rule name -> sentence."""
        return {
            rule: table[getattr(self, rule)] for rule, table in _RULE_TABLES.items()
        }

    def __str__(self) -> str:
        lines = [f"{self.title} ({self.name})", f"  source    {self.source}"]
        lines += [f"  {rule:9} {words}" for rule, words in self.rules().items()]
        if self.remark:
            lines.append(f"  remark    {self.remark}")
        return "\n".join(lines)

    def describe(self) -> str:
        """Short form to print beside numbers."""
        return (
            f"{self.title}: {FRAME_RULES[self.frames]}; {VOID_RULES[self.void]}; "
            f"{AVERAGE_RULES[self.average]}"
        )

    def to_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


_RULE_TABLES: dict[str, Mapping[Any, str]] = {
    "frames": FRAME_RULES,
    "objects": OBJECT_RULES,
    "void": VOID_RULES,
    "region": REGION_RULES,
    "boundary": BOUNDARY_RULES,
    "matching": MATCHING_RULES,
    "average": AVERAGE_RULES,
    "decay": DECAY_RULES,
    "last": LAST_RULES,
    "tracking": TRACKING_RULES,
    "headline": HEADLINE_RULES,
}

_DAVIS_2017 = ScoringProtocol(
    "davis-2017",
    "DAVIS-2017 semi-supervised",
    "davis2017-evaluation, Pont-Tuset et al. 2017",
)
_DAVIS_2017_UNSUPERVISED = ScoringProtocol(
    "davis-2017-unsupervised",
    "DAVIS-2017 unsupervised",
    "davis2017-evaluation, Caelles et al. 2019",
    frames="all",
    void="ignored",
    matching="proposals",
)
_TRACKEVAL = ScoringProtocol(
    "trackeval-davis",
    "DAVIS as TrackEval scores it",
    "TrackEval, Luiten and Hoffhues 2020",
    frames="all",
    objects="all",
    void="ignored",
    matching="tracks",
    average="tracks",
    tracking="together",
)
_VOS_BENCHMARK = ScoringProtocol(
    "vos-benchmark",
    "vos-benchmark",
    "vos-benchmark, Cheng 2023",
    objects="from-appearance",
    void="object",
)
_SA_V = replace(
    _VOS_BENCHMARK,
    name="sa-v",
    title="SA-V",
    source="sav_evaluator of SAM 2, Ravi et al. 2024",
    remark="objects may overlap (one mask per object); each object has its own frames",
)
_YOUTUBE_VOS = ScoringProtocol(
    "youtube-vos",
    "YouTube-VOS",
    "Xu et al. 2018; the server's code is not public",
    frames="after-own-first",
    objects="all",
    average="seen-unseen",
    remark="whether the server counts the last frame is not known: "
    "youtube-vos-skip-last leaves it out",
)
_BURST = ScoringProtocol(
    "burst",
    "BURST, exemplar-guided",
    "evaluation code of BURST, Athar et al. 2023 (TrackEval)",
    frames="all",
    objects="all",
    void="object",
    tracking="classes-by-box",
    headline="HOTA",
    remark="HOTA_common and HOTA_uncommon are means over the common and the other "
    "classes; the official code compares boxes, burst-masks compares masks; J and F "
    "are not official, they compare masks of equal ids",
)
_8_BIT = "reproduces the 8-bit frame index of the official code"

PROTOCOLS: dict[str, ScoringProtocol] = {
    protocol.name: protocol
    for protocol in (
        ScoringProtocol(
            "davis-2016",
            "DAVIS-2016",
            "Perazzi et al. 2016",
            objects="foreground",
            void="none",
        ),
        _DAVIS_2017,
        replace(
            _DAVIS_2017,
            name="davis-2017-official",
            title="DAVIS-2017 semi-supervised, bugs of the official tool included",
            objects="first-frame-gaps",
            decay="8-bit",
            remark=f"{_8_BIT}, and its scoring of ids that no frame contains as "
            "perfect objects",
        ),
        replace(
            _DAVIS_2017,
            name="vost",
            title="VOST",
            source="evaluation code of VOST, Tokmakov et al. 2023",
            last="quarter",
            headline="J",
            remark="VOST publishes J and J_last (J_tr in its paper); F is not official",
        ),
        replace(
            _DAVIS_2017,
            name="visor",
            title="VISOR semi-supervised",
            source="evaluation code of VISOR-VOS, Darkhalil et al. 2022",
            frames="after-own-first",
            void="background",
            remark="as davis-2017, and the last frame counts, too",
        ),
        _DAVIS_2017_UNSUPERVISED,
        replace(
            _DAVIS_2017_UNSUPERVISED,
            name="davis-2017-unsupervised-official",
            title="DAVIS-2017 unsupervised, bugs of the official tool included",
            objects="first-frame-gaps",
            decay="8-bit",
            remark=f"{_8_BIT}, and its scoring of ids that no frame contains",
        ),
        _YOUTUBE_VOS,
        replace(
            _YOUTUBE_VOS,
            name="youtube-vos-skip-last",
            title="YouTube-VOS without the last frame",
            frames="after-own-first-but-last",
        ),
        ScoringProtocol(
            "mose-v1",
            "MOSE v1",
            "Ding et al. 2023; the server's code is not public",
            remark="scored like DAVIS-2017",
        ),
        ScoringProtocol(
            "mose-v2",
            "MOSE v2",
            "scoring program of the MOSE v2 challenge, Ding et al. 2025",
            objects="all",
            void="object",
            region="smoothed",
            boundary="adaptive",
            headline="J&F_adaptive",
            remark="the published J&F is J&F_adaptive",
        ),
        ScoringProtocol(
            "lvos",
            "LVOS semi-supervised",
            "lvos-evaluation, Hong et al. 2023",
            frames="own-interior",
            range_step=5,
            objects="all",
            average="seen-unseen",
            remark="every fifth frame of a range counts, from its first on",
        ),
        _SA_V,
        replace(_SA_V, name="sa-v-all-frames", title="SA-V, all frames", frames="all"),
        _VOS_BENCHMARK,
        replace(
            _VOS_BENCHMARK,
            name="vos-benchmark-all-frames",
            title="vos-benchmark, all frames",
            frames="all",
        ),
        ScoringProtocol(
            "mevis",
            "MeViS",
            "evaluation code of MeViS, Ding et al. 2023",
            frames="all",
            objects="all",
            void="object",
            remark="every sentence is an object; all its frames count, also those "
            "without it",
        ),
        _TRACKEVAL,
        replace(
            _TRACKEVAL,
            name="trackeval-davis-official",
            title="DAVIS as TrackEval scores it, bugs included",
            decay="8-bit",
            remark=_8_BIT,
        ),
        replace(
            _TRACKEVAL,
            name="trackeval-hota",
            title="HOTA as TrackEval scores it",
            headline="HOTA",
            remark="J and F beside it are those of trackeval-davis",
        ),
        _BURST,
        replace(
            _BURST,
            name="burst-masks",
            title="BURST, exemplar-guided, by masks",
            source="BURST, Athar et al. 2023, with masks in the place of boxes",
            tracking="classes",
        ),
        ScoringProtocol(
            "sa-co-veval",
            "SA-Co/VEval, promptable concepts in video",
            "evaluation code of SAM 3, Carion et al. 2025",
            frames="all",
            objects="all",
            void="object",
            matching="tracks",
            tracking="concepts",
            headline="cgF1",
            remark="one sequence per video and phrase, phrases without objects "
            "included; J and F are not official, they compare matched tracks",
        ),
    )
}
"""All protocols by name."""


_OF_LABEL_MAPS = frozenset(
    {
        "davis-2017", "davis-2017-official", "vost", "visor", "youtube-vos",
        "youtube-vos-skip-last", "mose-v1", "mose-v2", "lvos", "vos-benchmark",
        "vos-benchmark-all-frames", "trackeval-davis", "trackeval-davis-official",
    }
)  # fmt: skip
"""Protocols whose official tool reads one PNG of object ids per frame. DAVIS-2016 has
one object, unsupervised proposals that overlap are refused; SA-V and MeViS keep a mask
per object, BURST, SA-Co and TrackEval's HOTA of YouTube-VIS and OVIS run lengths."""


def get_protocol(protocol: str | ScoringProtocol) -> ScoringProtocol:
    """Find a protocol by name; a `ScoringProtocol` is handed back as it is.

    >>> get_protocol("mose-v2").headline_metric
    'J&F_adaptive'

    Raises:
        InputError: no protocol has this name.
    """
    if isinstance(protocol, ScoringProtocol):
        return protocol
    name = protocol.lower().replace("_", "-")
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    near = get_close_matches(name, PROTOCOLS, n=1)
    raise InputError(
        "protocol",
        repr(protocol),
        f"one of {', '.join(PROTOCOLS)}",
        f"Did you mean {near[0]}?" if near else "Pass one of these names.",
    )


def __getattr__(name: str) -> object:
    """Serve the former name of `ScoringProtocol` for one version."""
    if present_name(__name__, name, {"Protocol": "ScoringProtocol"}) == name:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return ScoringProtocol
