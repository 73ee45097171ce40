"""Errors that one object's own course shows: presence, jumps, copies, fragments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.audit.kinds import AuditEvent, ErrorKind, confidence
from evaluation.audit.tracks import LONGEST, Exchange, Track

ALIKE = 0.5
"""IoU on both sides of a short gap from which the object should have been there."""

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

MOVES = 0.03
"""1 - IoU from frame to frame from which an object moves: a copy shows."""

CLEAR = 0.3
"""IoU with another object's mask of the frame before that tells of an exchange."""

FAINT = 0.1
"""The same for the second one of two exchanges, of which one is clear."""

SPECKS = 4
"""Small parts in one frame from which they are no detail of the object."""

HOLES = 3
"""The same of small holes."""

HOLE_WEIGHT = 1.6
"""What these must weigh together, as large ones tell less (`hole_weight`)."""

ORDINARY_PARTS = 20
"""Small parts beside the specks above which an object is made of parts, as lines."""

DETAIL = 0.2
"""Specks more per small part above that: some of its parts come and go."""


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of True as [start, end)."""
    padded = np.concatenate([[False], flags, [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def vanishes(track: Track) -> Iterator[AuditEvent]:
    """Short gaps with the same mask on both sides."""
    for start, end in runs(~track.visible):
        length = end - start
        if start == 0 or end == len(track.area) or length > LONGEST:
            continue
        alike = float(track.shape_iou[length + 1, end])
        if alike < ALIKE or _shrank(track, start, end):
            continue
        yield AuditEvent(
            track.object_id,
            ErrorKind.VANISHES,
            start,
            end,
            f"gone for {length} frame(s), IoU {alike:.2f} between the shapes before "
            "and after",
            confidence(alike, ALIKE),
        )


def _shrank(track: Track, start: int, end: int) -> bool:
    """Whether the object was on its way out, as behind something: no error."""
    before = track.area[max(0, start - 4) : start]
    after = track.area[end : end + 4]
    return any(
        side[0 if late else -1] < 0.7 * np.median(side[side > 0])
        for side, late in ((before, False), (after, True))
        if (side > 0).sum() > 1
    )


def appears(track: Track, prompt: int) -> Iterator[AuditEvent]:
    """Short appearances, and prompts after which there is nothing.

    Args:
        track: of the object.
        prompt: index of the first annotated frame of the video with any object.
    """
    length = len(track.area)
    found = runs(track.visible)
    for start, end in found:
        if end - start > LONGEST or end == length or length <= 2 * LONGEST:
            continue
        kind, words = ErrorKind.APPEARS, "visible for {} frame(s) between absences"
        if len(found) == 1:
            words = "visible for {} frame(s) of the video"
            if start == prompt:
                kind = ErrorKind.PROMPT_WITHOUT_OBJECT
                words = "visible for {} frame(s), from its prompt on, and never again"
        elif start == 0 or track.border[start:end].any():
            continue
        yield AuditEvent(
            track.object_id, kind, start, end, words.format(end - start),
            confidence(LONGEST + 1, end - start),
        )  # fmt: skip


def jumps(track: Track) -> Iterator[AuditEvent]:
    """Frames unlike both neighbours that are like each other, in shape or place."""
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
    return bool(smaller) and _shrank(track, start, end)


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


def copies(track: Track) -> Iterator[AuditEvent]:
    """Masks equal to those of the frame before while the object moves."""
    change = 1 - track.iou[1]
    equal = np.nan_to_num(change, nan=1.0) == 0
    for start, end in runs(equal):
        around = np.r_[change[max(1, start - 4) : start], change[end : end + 4]]
        around = around[~np.isnan(around)]
        if len(around) < 2 or track.area[start] < 50 or (around == 0).any():
            continue
        usual = float(np.median(around))
        if usual < MOVES:
            continue
        yield AuditEvent(
            track.object_id,
            ErrorKind.COPIED,
            start,
            end,
            f"same mask as in the frame before, while masks around change by "
            f"{usual:.2f} per frame (1 - IoU)",
            confidence(usual, MOVES),
        )


def fragments(track: Track) -> Iterator[AuditEvent]:
    """More specks or pinholes than the object has otherwise."""
    detail = DETAIL * np.maximum(0, track.n_parts - track.n_specks - ORDINARY_PARTS)
    specks = (track.n_specks, track.n_specks, track.specks, SPECKS + detail)
    weight = np.where(track.n_holes >= HOLES, track.hole_weight, 0)
    holes = (weight, track.n_holes, track.holes, HOLE_WEIGHT + 0 * detail)
    for kind, word, (weights, counts, pixels, least) in (
        (ErrorKind.SPECKS, "part(s)", specks),
        (ErrorKind.PINHOLES, "hole(s)", holes),
    ):
        shown = weights[track.visible]
        usual = float(np.quantile(shown, 0.75)) if len(shown) else 0.0
        beside = np.convolve(track.visible, [1, 0, 1], mode="same")
        # One frame beside instead of two supports less of what is right.
        limits = (least + 2 * usual) * np.where(beside == 2, 1, 1.5)
        for start, end in runs(weights >= limits):
            place = start + int(np.argmax(weights[start:end]))
            yield AuditEvent(
                track.object_id,
                kind,
                start,
                end,
                f"{int(counts[place])} small {word} of "
                f"{int(pixels[start:end].max())} pixels that the frames beside do not "
                "have",
                confidence(float(weights[place]), float(limits[place])),
            )


def exchanged(exchanges: Sequence[Exchange], length: int) -> Iterator[AuditEvent]:
    """Stretches in which two ids are exchanged.

    Between two exchanges of one pair the stretch in between is exchanged; after one
    alone, the shorter side of the video.
    """
    by_pair: dict[tuple[int, int], list[Exchange]] = {}
    for one in exchanges:
        if one.across >= FAINT and one.across > 2 * one.same:
            by_pair.setdefault((one.first, one.second), []).append(one)
    for pair, found in by_pair.items():
        for place in range(0, len(found), 2):
            both = found[place : place + 2]
            most = max(both, key=lambda one: one.across)
            if most.across < CLEAR:
                continue
            start, end = both[0].index, both[-1].index
            if len(both) == 1:
                start, end = (0, start) if start < length - start else (start, length)
            words = (
                f"IoU {most.across:.2f} with the other object in the frame before, "
                f"{most.same:.2f} with itself"
            )
            sure = confidence(most.across, CLEAR)
            for own, other in (pair, pair[::-1]):
                yield AuditEvent(
                    own, ErrorKind.IDS_EXCHANGED, start, end, words, sure, other
                )
