"""Tell predicted masks that overlap where the official tool reads label maps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evaluation._utils.names import counted
from evaluation.counting.video import SequenceCounts
from evaluation.protocols import ScoringProtocol

_TOLD = re.compile(
    r"predicted masks overlap in (\d+) frames? of (\d+) videos?, first objects (\d+) "
    r"and (\d+) of (.*) in frame (.*)(: the official tool of .*)",
    re.DOTALL,
)
"""What `_sentence` writes, so that merged scores can count it together."""


@dataclass(frozen=True, order=True)
class SharedPixels:
    """Frames whose predicted masks overlap though the true ones do not.

    Attributes:
        name: the first video that has any.
        frame: its first such frame.
        objects: ids of the first two masks that overlap in it.
        n_frames: how many such frames there are.
        n_videos: in how many videos.
    """

    name: str
    frame: str
    objects: tuple[int, int]
    n_frames: int
    n_videos: int = 1

    @classmethod
    def of(cls, counts: SequenceCounts) -> SharedPixels | None:
        """Those of one video; None where it has none."""
        if not len(counts.shared):
            return None
        t, one, other = counts.shared[0].tolist()
        n_frames = len(counts.shared)
        return cls(counts.name, counts.frames[t], (one, other), n_frames)


def note_shared(found: Sequence[SharedPixels], rules: ScoringProtocol) -> list[str]:
    """One note for all videos with predicted masks that overlap.

    >>> ant = SharedPixels("ant", "00001", (1, 2), 8)
    >>> note_shared([ant], ScoringProtocol("mine", "Mine", "us"))[0][:60]
    'predicted masks overlap in 8 frames of 1 video, first object'

    Args:
        found: of each video that has any; none where overlaps are allowed.
        rules: of the scores.
    """
    reason = (
        f": the official tool of {rules.name} reads label maps, one object per pixel, "
        "and cannot give this number. Give every pixel to one object, best to the most "
        "probable one, and score that; for files `s3fo convert RESULTS OUT --to davis "
        "--on-overlap smaller-on-top` does so by area. Without that option `convert` "
        "refuses these masks, and so does `submit`"
    )
    return [_sentence(found, reason)] if found else []


def joined_shared(notes: Iterable[str]) -> list[str]:
    """Notes of scores that are merged, with one on all masks that overlap.

    Args:
        notes: of all of them.
    """
    kept: list[str] = []
    told: dict[str, list[SharedPixels]] = {}
    for note in notes:
        match = _TOLD.fullmatch(note)
        if match is None:
            kept.append(note)
            continue
        frames, videos, one, other, name, frame, reason = match.groups()
        objects = int(one), int(other)
        part = SharedPixels(name, frame, objects, int(frames), int(videos))
        told.setdefault(reason, []).append(part)
    return kept + [_sentence(parts, reason) for reason, parts in told.items()]


def _sentence(found: Sequence[SharedPixels], reason: str) -> str:
    first = min(found)
    n_frames = sum(part.n_frames for part in found)
    n_videos = sum(part.n_videos for part in found)
    return (
        f"predicted masks overlap in {counted(n_frames, 'frame')} of "
        f"{counted(n_videos, 'video')}, first objects {first.objects[0]} and "
        f"{first.objects[1]} of {first.name} in frame {first.frame}{reason}"
    )
