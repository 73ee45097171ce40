"""Which annotated frames a protocol scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evaluation.protocols import ScoringProtocol

if TYPE_CHECKING:
    from evaluation.masks.sequence import MaskSequence

Ranges = Mapping[int, tuple[int, int]]
"""Object id -> first frame number and the number to stop before."""


def object_frames(
    gt: MaskSequence,
    object_id: int,
    protocol: ScoringProtocol,
    ranges: Ranges | None = None,
) -> set[str]:
    """Frames of one object that are scored, before its appearance is looked at."""
    own = gt.object_frames(object_id)
    listed = [frame for frame in gt.frames if frame in own]
    if protocol.frames == "own-interior" and ranges and object_id in ranges:
        first, stop = ranges[object_id]
        wanted = set(range(first, stop, protocol.range_step))
        listed = [frame for frame in listed if int(frame) in wanted]
    return set(select_frames(listed, protocol))


def select_frames(frames: Sequence[str], protocol: ScoringProtocol) -> Sequence[str]:
    """Apply a protocol's frame rule to the annotated frames of a video."""
    if protocol.frames == "all":
        return frames
    if protocol.frames == "after-own-first":
        return frames[1:]
    return frames[1:-1]


def sequence_frames(
    gt: MaskSequence, protocol: ScoringProtocol, ranges: Ranges | None = None
) -> tuple[str, ...]:
    """Frames of a video in which any object may be scored, in playing order."""
    ids = gt.annotated_ids() | set(ranges or ())
    # Where there is no object, every track is a false alarm, and having none is right.
    tracks_alone = gt.overlapping and not ids and protocol.tracking != "none"
    if tracks_alone or (not gt.overlapping and not ranges):
        return tuple(select_frames(gt.frames, protocol))
    wanted: set[str] = set()
    for object_id in ids:
        wanted |= object_frames(gt, object_id, protocol, ranges)
    return tuple(frame for frame in gt.frames if frame in wanted)
