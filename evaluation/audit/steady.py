"""Errors that one object's own course shows: presence, jumps, copies, fragments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.audit.kinds import AuditEvent, ErrorKind, confidence
from evaluation.audit.tracks import LONGEST, Exchange, Track

ALIKE = 0.5
"""IoU on both sides of a short gap from which the object should have been there."""

MOVES = 0.03
"""1 - IoU from frame to frame from which an object moves: a copy shows."""

LEAVES, STAYS = 0.2, 0.9
"""1 - IoU with where the object would have moved from which a copied outline leaves the
edges of the image, and the strength of edges under it, as part of that around, where it
does not: the object rests."""

CLEAR = 0.3
"""IoU with another object's mask of the frame before that tells of an exchange."""

FAINT = 0.1
"""The same for the second one of two exchanges, of which one is clear."""

SPECKS = 4
"""Small parts in one frame from which they are no detail of the object."""

HOLES = 2
"""The same of small holes."""

HOLE_WEIGHT = 1.7
"""What these must weigh together, as some tell less (`unsupported_holes`)."""

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
        if alike < ALIKE or shrank(track, start, end):
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


def shrank(track: Track, start: int, end: int) -> bool:
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


def copies(
    track: Track, edges: NDArray[np.float64] | None = None
) -> Iterator[AuditEvent]:
    """Masks equal to those of the frame before while the object moves.

    Args:
        track: of the object.
        edges: [T] mean strength of edges under its outline, NaN where not known.
    """
    change = 1 - track.iou[1]
    equal = np.nan_to_num(change, nan=1.0) == 0
    for start, end in runs(equal):
        around = np.r_[change[max(1, start - 4) : start], change[end : end + 4]]
        around = around[~np.isnan(around)]
        if len(around) < 2 or track.area[start] < 50 or (around == 0).any():
            continue
        usual = float(np.median(around))
        if usual < MOVES or _rests(edges, start, end, usual):
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


def _rests(
    edges: NDArray[np.float64] | None, start: int, end: int, usual: float
) -> bool:
    """Whether an outline stays on edges that a copy would have left by then."""
    if edges is None or usual * (end - start) < LEAVES:
        return False
    around = np.r_[edges[max(0, start - 4) : start], edges[end : end + 4]]
    if np.isnan(edges[start:end]).any() or np.isnan(around).all():
        return False
    return bool(edges[start:end].min() >= STAYS * np.nanmedian(around))


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
