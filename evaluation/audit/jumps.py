"""Frames in which an object is unlike itself before and after."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evaluation.audit.kinds import AuditEvent, ErrorKind, confidence
from evaluation.audit.steady import ALIKE, shrank
from evaluation.audit.tracks import LONGEST, Track

JUMP_RATIO = 2.2
"""How many times as much as its neighbours differ from each other a frame has to
differ from both of them."""

JUMP_CHANGE = 0.15
"""1 - IoU with both neighbours from which a frame can be a jump."""

PLACE = 0.3
"""Object sizes (square roots of area) off its way from which a mask can be a jump."""

SAME_SIZE = 0.85
"""Least area over largest one, for a mask to be the same one at another place."""

PLACE_RATIO = 4.0
"""How many times as far off its way it has to be as around that time."""

SIZE_CHANGE = 0.3
"""Change of the logarithm of the area to both frames beside from which a frame can be
a jump: times 0.74 or 1.35."""

SIZE_RATIO = 3.5
"""How many times as far off its way the area has to be as around that time."""

STEADY_SIZE = 0.05
"""Changes of the logarithm of the area that every object makes."""

FAINT_EDGES = 0.77
"""Share of the edge that lies under the outline in the frames around, below which a
mask is not on the object."""

EDGES_CHANGE = 0.25
"""1 - IoU with both neighbours from which edges tell of a jump."""

COMES_OR_GOES = 0.5
"""Least area over largest one, below which an object is coming into view or leaving."""

_FEWEST_EDGES = 4
"""Frames around that must have edges to compare with."""


def jumps(
    track: Track, edges: NDArray[np.float64] | None = None
) -> Iterator[AuditEvent]:
    """Frames unlike both neighbours that are like each other, in shape or place.

    Args:
        track: of the object.
        edges: [T] mean strength of edges under its outline, NaN where not known.
    """
    found: list[AuditEvent] = []
    for length in range(1, LONGEST + 1):
        for start in range(1, len(track.area) - length):
            end = start + length
            if not track.visible[start - 1 : end + 1].all():
                continue
            for words, sure in (
                _differs(track, start, end),
                _is_off(track, start, end),
                _changes_size(track, start, end),
                _leaves_edges(track, start, end, edges),
            ):
                if _hides(track, start, end):
                    continue
                if sure >= 0.5:
                    kind = ErrorKind.JUMP
                    found.append(
                        AuditEvent(track.object_id, kind, start, end, words, sure)
                    )
    taken = np.zeros(len(track.area) + 1, dtype=bool)
    # Beside a frame that is off, right ones seem to be off as well, by less.
    for event in sorted(found, key=lambda one: -one.confidence):
        if not taken[event.start : event.end].any():
            taken[max(0, event.start - 2) : event.end + 2] = True
            yield event


def _differs(track: Track, start: int, end: int) -> tuple[str, float]:
    """Whether masks overlap neither neighbour as these overlap each other."""
    best = "", 0.0
    for iou, what in ((track.iou, "IoU"), (track.shape_iou, "IoU of shapes")):
        change = 1 - iou
        outer = float(change[end - start + 1, end])
        inner = min(float(change[1, start]), float(change[1, end]))
        ratio = inner / max(outer, _usual(change[1], start, end), 0.02)
        if inner >= JUMP_CHANGE and ratio >= JUMP_RATIO and ratio > best[1]:
            words = (
                f"area times {_area_ratio(track, start, end):.2f}, {what} "
                f"{1 - inner:.2f} with the frames beside, which have {1 - outer:.2f} "
                "with each other"
            )
            best = words, ratio
    return best[0], confidence(best[1], JUMP_RATIO)


def _is_off(track: Track, start: int, end: int) -> tuple[str, float]:
    """Whether masks lie far from the way between their neighbours."""
    part = track.area[start - 1 : end + 1]
    alike = min(track.shape_iou[1, start], track.shape_iou[1, end])
    if part.min() < SAME_SIZE * part.max() or alike < ALIKE:
        return "", 0.0  # partly hidden: its centre is that of what is seen
    size = float(np.sqrt(part.mean()))
    off = _bends(track.centre, start, end) / size
    around = [
        _bends(track.centre, place, place + end - start) / size
        for place in (*range(start - 6, start - 1), *range(end + 1, end + 6))
        if 0 < place < len(track.area) - (end - start)
    ]
    known = [one for one in around if not np.isnan(one)]
    usual = max(float(np.median(known)) if known else np.inf, PLACE / PLACE_RATIO)
    if np.isnan(off) or off < PLACE or off < PLACE_RATIO * usual:
        return "", 0.0
    words = (
        f"centre {off * size:.0f} pixels off the way between the frames beside "
        f"({off:.2f} object sizes, otherwise {usual:.2f})"
    )
    return words, confidence(off / usual, PLACE_RATIO)


def _changes_size(track: Track, start: int, end: int) -> tuple[str, float]:
    """Whether areas lie far from the way between those of the frames beside.

    Fast objects change their shape from frame to frame, but seldom their area.
    """
    log = np.log(np.maximum(track.area, 1))
    inner = min(abs(log[start] - log[start - 1]), abs(log[end - 1] - log[end]))
    off = _size_off(log, start, end)
    if inner < SIZE_CHANGE or off < 1.5 * abs(log[start - 1] - log[end]):
        return "", 0.0
    length = end - start
    around = [
        _size_off(log, place, place + length)
        for place in (*range(start - 6, start - 1), *range(end + 1, end + 6))
        if 0 < place < len(log) - length
        and track.visible[place - 1 : place + length + 1].all()
    ]
    usual = max(float(np.quantile(around, 0.75)) if around else np.inf, STEADY_SIZE)
    words = (
        f"area times {_area_ratio(track, start, end):.2f} that of the frames beside, "
        f"otherwise within {np.exp(usual):.2f}"
    )
    return words, confidence(off / usual, SIZE_RATIO)


def _leaves_edges(
    track: Track, start: int, end: int, edges: NDArray[np.float64] | None
) -> tuple[str, float]:
    """Whether masks that change leave the edges on which those around them lie.

    However fast an object moves, its masks stay on it. One that comes into view or
    leaves it has other edges bit by bit: nothing is said of it.
    """
    inner = 1 - max(float(track.iou[1, start]), float(track.iou[1, end]))
    usual_change = _usual(1 - track.iou[1], start, end)
    if edges is None or inner < max(EDGES_CHANGE, usual_change):
        return "", 0.0
    part = track.area[start - 1 : end + 1]
    if part.min() < COMES_OR_GOES * part.max():
        return "", 0.0
    around = np.r_[edges[max(0, start - 4) : start], edges[end : end + 4]]
    around = around[~np.isnan(around)]
    if len(around) < _FEWEST_EDGES or np.isnan(edges[start:end]).any():
        return "", 0.0
    usual = float(np.median(around))
    share = float(edges[start:end].max()) / max(usual, 1e-6)
    words = (
        f"edges under the outline {share:.2f} times as strong as in the frames around, "
        f"IoU {1 - inner:.2f} with the frames beside"
    )
    return words, confidence(1 - share, 1 - FAINT_EDGES)


def _size_off(log: NDArray[np.float64], start: int, end: int) -> float:
    """Least distance of a run's log areas from the straight way past them.

    0 where they lie on both sides of it, or differ among each other: an error of some
    frames is much the same in all, while what hides an object comes and goes.
    """
    share = np.arange(1, end - start + 1) / (end - start + 1)
    way = log[start - 1] * (1 - share) + log[end] * share
    apart = log[start:end] - way
    one_side = (apart > 0).all() or (apart < 0).all()
    if one_side and np.ptp(apart) < SIZE_CHANGE:
        return float(np.abs(apart).min())
    return 0.0


def _hides(track: Track, start: int, end: int) -> bool:
    """Whether a run is where an object passes behind something: smaller, bit by bit."""
    smaller = track.area[start:end].max() < track.area[[start - 1, end]].min()
    return bool(smaller) and shrank(track, start, end)


def _bends(centre: NDArray[np.float64], start: int, end: int) -> float:
    """Least distance of a run's centres from the straight way past them, pixels."""
    share = np.arange(1, end - start + 1)[:, None] / (end - start + 1)
    way = centre[start - 1] * (1 - share) + centre[end] * share
    return float(np.hypot(*(centre[start:end] - way).T).min())


def _usual(change: NDArray[np.float64], start: int, end: int) -> float:
    """Median change from frame to frame around a run, without its two ends."""
    around = np.r_[change[max(1, start - 5) : start], change[end + 1 : end + 6]]
    around = around[~np.isnan(around)]
    return float(np.median(around)) if len(around) else 0.0


def _area_ratio(track: Track, start: int, end: int) -> float:
    return float(track.area[start:end].mean() / track.area[[start - 1, end]].mean())
