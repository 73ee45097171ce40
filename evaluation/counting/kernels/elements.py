"""Structuring elements as recipes for dilating bit planes.

A dilation by an element is the OR over its rows dy of the picture moved by dy and
smeared over that row's run. Where the runs lie inside each other, as in a disk, it
can be done outside in (Horner's scheme): take the picture moved by the row with the
longest run, smear that by what this run is longer than the next, OR the next row, and
so on. So all rows together are smeared no more than the longest alone.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.boundaries import (
    TOLERANCE,
    Element,
    adaptive_radii,
    diagonal,
    disk,
)
from evaluation.counting.kernels.buffers import Buffer, filled

ADD_ROW, GROW, MOVE = range(3)  # as in csrc/words.h

_LONGEST_STEP = 63

Step = tuple[int, int]
"""What to do, and with which row, or by how many pixels to the east."""


class Elements(NamedTuple):
    """One structuring element or several.

    Attributes:
        steps: [n, 2] the steps of all elements.
        table: [m, 4] per element: its first step, how many it has, how far it reaches
            in pixels, whether it moves pixels (else it only grows around them).
    """

    steps: Buffer
    table: Buffer


class Tolerance(NamedTuple):
    """How far apart matching boundary pixels may be.

    Attributes:
        elements: structuring elements.
        use: [pairs] which of them each pair of masks takes.
    """

    elements: Elements
    use: Buffer


def fixed_tolerance(radius: int, pairs: int) -> Tolerance:
    """The same disk for all pairs of masks."""
    return Tolerance(disks(radius), _zeros(pairs))


def adaptive_tolerances(
    gt_areas: NDArray[np.int64], shape: tuple[int, int]
) -> list[Tolerance]:
    """The two tolerances of MOSE v2, see `boundaries.adaptive_radii`.

    Every object is compared both ways round, so there are twice as many pairs.

    Args:
        gt_areas: [n] pixels of each ground-truth mask.
        shape: (H, W) of the frame.
    """
    usual = TOLERANCE * diagonal(shape)
    radii = (*range(math.ceil(usual) + 1), usual)
    number = {radius: i for i, radius in enumerate(radii)}
    chosen = [adaptive_radii(int(area), shape) for area in gt_areas]
    uses = [filled([number[pair[i]] for pair in chosen] * 2) for i in range(2)]
    return [Tolerance(disks(*radii), use) for use in uses]


@lru_cache(maxsize=64)
def disks(*radii: float) -> Elements:
    """Disks as `boundaries.disk` makes them, one per radius in pixels."""
    elements = [disk(radius) for radius in radii]
    recipes = [recipe(element) for element in elements]
    counts = [len(steps) for steps in recipes]
    starts = np.cumsum([0, *counts[:-1]])
    moves = [any(kind == MOVE for kind, _ in steps) for steps in recipes]
    # Where pixels move, they may be as far as the element is wide on their way.
    reaches = [
        max(element.shape) // (1 if moving else 2)
        for element, moving in zip(elements, moves, strict=True)
    ]
    table = np.stack([starts, counts, reaches, moves], axis=1)
    steps = [step for steps in recipes for step in steps]
    return Elements(filled(steps), filled(table))


def recipe(element: Element) -> list[Step]:
    """The steps that dilate by an element.

    Args:
        element: [n, m] of 0 and 1, anchored at (n // 2, m // 2), with one run per row,
            the runs inside each other.

    Raises:
        ValueError: if the runs are not like that.
    """
    rows = _runs(element)
    steps: list[Step] = []
    for row, inner in zip(rows, [*rows[1:], None], strict=True):
        dy, first, last = row
        steps.append((ADD_ROW, dy))
        if inner is None:
            steps += _smear(first, last)
        elif first <= inner[1] and inner[2] <= last:
            steps += _smear(first - inner[1], last - inner[2])
        else:
            raise ValueError(f"the runs of rows {dy} and {inner[0]} cross")
    return steps


def _runs(element: Element) -> list[tuple[int, int, int]]:
    """Rows as (dy, first dx, last dx) relative to the anchor, longest first."""
    element = element.copy()
    if not element.any():
        # MOSE v2 in tiny frames; OpenCV, which its scorer uses, then takes a corner.
        element[0, 0] = 1
    rows = []
    for y, row in enumerate(element):
        columns = np.flatnonzero(row) - element.shape[1] // 2
        if columns.size:
            first, last = int(columns[0]), int(columns[-1])
            if last - first + 1 != columns.size:
                raise ValueError(f"row {y} of the element has gaps")
            rows.append((y - element.shape[0] // 2, first, last))
    return sorted(rows, key=lambda row: row[1] - row[2])


def _smear(first: int, last: int) -> list[Step]:
    """The steps that OR a picture moved by first..last pixels to the west."""
    if first > 0:
        return [*_pieces(MOVE, -first), *_grow(first - last)]
    if last < 0:
        return [*_pieces(MOVE, -last), *_grow(last - first)]
    return [*_grow(-first), *_grow(-last)]


def _pieces(operation: int, pixels: int) -> list[Step]:
    """One step in several, as columns of words are 64 pixels wide."""
    sign = 1 if pixels > 0 else -1
    whole, rest = divmod(abs(pixels), _LONGEST_STEP)
    return [(operation, sign * n) for n in [_LONGEST_STEP] * whole + [rest] if n]


def _grow(pixels: int) -> list[Step]:
    """Growing steps, each at most what is covered already, lest there be gaps."""
    steps, done, sign = [], 0, 1 if pixels > 0 else -1
    while done < abs(pixels):
        step = min(done + 1, abs(pixels) - done, _LONGEST_STEP)
        steps.append((GROW, sign * step))
        done += step
    return steps


@lru_cache(maxsize=256)
def _zeros(count: int) -> Buffer:
    return Buffer(count)
