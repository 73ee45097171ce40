"""Occlusion from masks alone, in three parts, and when an object is away.

None of the parts needs a model. Box overlap and contact say how far other annotated
objects are in the way; the visibility dip also sees occluders without annotation.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.attributes.geometry import contour
from evaluation.attributes.regions import Region, union

CONTACT_REACH = 0.002
"""Objects touch within this share of the frame diagonal: 2 pixels at 854 x 480."""

_REACH = 1.0
"""The envelope of the visible area looks this many seconds back and ahead."""

_ENVELOPE_SHARE = 0.2
"""On either side it is the median of this largest share of the areas."""

LEAVING_CONTACT = 0.1
"""An object last seen with at least this share of its contour on the frame's border
left the frame; with less it was hidden. (Where it returns says nothing: what was
hidden may come back near the border.)"""

_BORDER_SLACK = 0.02
"""More border contact than this above the fullest frames' explains a dip."""


def box_overlap(region: Region, others: Sequence[Region]) -> float:
    """Share of the object's box covered by the boxes of others, 0..1.

    The OVIS box occlusion rate with the object as subject: |B & union of B_j| / |B|.
    """
    if not others:
        return 0.0
    covered = np.zeros((region.box.height, region.box.width), dtype=bool)
    for other in others:
        part = region.box.intersection(other.box)
        if part.area:
            covered[
                part.top - region.box.top : part.bottom - region.box.top,
                part.left - region.box.left : part.right - region.box.left,
            ] = True
    return float(np.count_nonzero(covered)) / covered.size


def contact(region: Region, others: Sequence[Region], diagonal: float) -> float:
    """Share of the object's contour pixels that lie next to another object, 0..1.

    Args:
        region: the object.
        others: the other visible objects.
        diagonal: of the frame, pixels.
    """
    reach = max(1, round(CONTACT_REACH * diagonal))
    window = region.box.grown(reach)
    near = [other for other in others if other.box.intersection(window).area]
    if not near:
        return 0.0
    neighbours = union(near, window).astype(np.uint8)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    touched = cv2.dilate(neighbours, disk)[reach:-reach, reach:-reach] > 0
    outline = contour(region.mask)
    return np.count_nonzero(outline & touched) / np.count_nonzero(outline)


def visibility_dip(
    areas: NDArray[np.float64],
    border: NDArray[np.float64],
    times: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How much of the object is missing against its own size nearby in time.

    1 - area / envelope, at least 0. The envelope is the smaller of the areas the
    object has shortly before and shortly after, so that an object that comes closer
    all the time does not count as occluded. On a side where it vanishes the envelope
    is that of the other side: it is about to be, or was just, completely hidden.
    A frame in which more of the contour lies on the frame's border than in the
    frames of the envelope is cut by the border, not occluded: its dip is 0.

    Args:
        areas: [n] visible area, any unit; 0 where absent.
        border: [n] share of the contour on the border.
        times: [n] seconds, increasing.

    Returns:
        [n] in 0..1; NaN where the object is absent.
    """
    dips = np.full(len(areas), np.nan)
    seen = np.flatnonzero(areas > 0)
    starts = np.searchsorted(times, times - _REACH)
    ends = np.searchsorted(times, times + _REACH, side="right")
    for index in seen.tolist():
        before = _envelope(areas, border, max(starts[index], seen[0]), index + 1)
        after = _envelope(areas, border, index, ends[index])
        # A side on which the object vanishes only counts if it does so on both.
        _, envelope, edge = min(before, after)
        cut_by_border = border[index] > edge + _BORDER_SLACK
        dips[index] = 0.0 if cut_by_border else max(0.0, 1 - areas[index] / envelope)
    return dips


def _envelope(
    areas: NDArray[np.float64], border: NDArray[np.float64], start: int, end: int
) -> tuple[bool, float, float]:
    """Whether the object vanishes, its full area and border contact, start to end."""
    here = areas[start:end]
    shown = np.count_nonzero(here)
    count = -int(-_ENVELOPE_SHARE * shown // 1)
    fullest = np.argsort(here)[len(here) - count :]
    return (
        bool(shown < len(here)),
        float(np.median(here[fullest])),
        float(np.median(border[start:end][fullest])),
    )


def absences(
    visible: NDArray[np.bool_], border: NDArray[np.float64], cut: NDArray[np.bool_]
) -> list[tuple[int, int, str]]:
    """Runs of frames in which an object that has appeared is not to be seen.

    Args:
        visible: [n] whether the object has pixels, in annotated frames.
        border: [n] share of the contour on the frame's border.
        cut: [n] whether a new shot began since the annotated frame before.

    Returns:
        (first, last + 1, why) per run: `"new shot"` when it begins with a cut,
        `"left frame"` when the border cut the object where it was last seen
        (`LEAVING_CONTACT`), else `"hidden"`.
    """
    seen = np.flatnonzero(visible)
    if not len(seen):
        return []
    runs = []
    for before, after in zip(seen, [*seen[1:], len(visible)], strict=True):
        if after - before > 1:
            why = "left frame" if border[before] >= LEAVING_CONTACT else "hidden"
            why = "new shot" if cut[before + 1] else why
            runs.append((int(before) + 1, int(after), why))
    return runs
