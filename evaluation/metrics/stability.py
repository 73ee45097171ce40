"""Temporal (in)stability T of DAVIS-2016: how much a mask's outline changes its shape.

The outlines of two consecutive masks are turned into points about three pixels apart;
a histogram around each point (a shape context) describes where the others lie; the
points are matched in order, and T is the mean difference of matched histograms. Motion
and smooth deformation cost little, jitter costs much: lower is better. Five times the
mean over a video is what DAVIS publishes.

Source: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object
Segmentation", CVPR 2016, section 4, and the constants of its Matlab code; shape
contexts: Belongie et al., PAMI 2002.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""[n, 2] rows and columns, in pixels."""

SCALE = 5.0
"""Factor of the published means, to bring them into the range of J and F."""

_TOLERANCE = 1.5
"""Pixels by which a simplified outline may differ from the true one."""

_STRAIGHT = 0.05
"""The same of a first simplification, which only drops points within lines."""

_STEP = 3.0
"""Largest distance of neighbouring points, in pixels."""

_ANGLES = 12
_RADII = np.logspace(np.log10(1 / 8), np.log10(2), 5)
"""Upper ends of the rings, in mean distances between points."""

_EPS = float(np.finfo(np.float64).eps)

_STEPS = ((1, 0), (-1, 0), (0, 1), (0, -1))
"""Down, up, right, left: the order in which an outline is followed."""


def shape_change(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> float:
    """How much the longest outline changes from one mask to the next.

    >>> import numpy as np
    >>> square = np.zeros((40, 40), bool)
    >>> square[5:25, 5:25] = True
    >>> shape_change(square, np.roll(square, 6, axis=1))
    0.0

    Args:
        before: [H, W] mask of a frame.
        after: [H, W] mask of the next frame.

    Returns:
        Mean chi-squared distance of matched points, 0 (same shape) to 1; NaN if a
        mask has no outline, because it is empty or of single pixels.
    """
    return _difference(_describe(before), _describe(after))


def temporal_stability(masks: Iterable[NDArray[np.bool_]]) -> float:
    """T of one object in one video: five times the mean change of its shape.

    Frames without a mask do not count.

    Args:
        masks: [H, W] of each frame in order: by DAVIS the annotation of the first
            frame, then the predictions of all others but the last.

    Returns:
        0 (stable) upwards; NaN if no two consecutive frames have masks.
    """
    shapes = [_describe(mask) for mask in masks]
    changes = np.array([_difference(*pair) for pair in pairwise(shapes)])
    known = changes[~np.isnan(changes)]
    return SCALE * float(known.mean()) if known.size else float("nan")


def _describe(mask: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    outline = longest_outline(mask)
    return None if outline is None else shape_contexts(resample(outline))


def _difference(
    before: NDArray[np.float64] | None, after: NDArray[np.float64] | None
) -> float:
    if before is None or after is None:
        return float("nan")
    costs = histogram_distances(before, after)
    pairs = match_in_order(costs)
    return float(costs[pairs[:, 0], pairs[:, 1]].mean())


def longest_outline(mask: NDArray[np.bool_]) -> Points | None:
    """The simplified outline with the most points, outer or of a hole.

    Returns:
        Its corners, the first again at the end; None if there is no outline of more
        than three points.
    """
    longest: Points | None = None
    lines = outlines(mask)
    for line in sorted(lines, key=len, reverse=True):
        if longest is not None and len(line) <= len(longest):
            break  # Simplifying makes no line longer.
        simple = simplify(simplify(line, _STRAIGHT), _TOLERANCE)
        if len(simple) > 3 and (longest is None or len(simple) > len(longest)):
            longest = simple
    if longest is not None and not _is_clockwise(longest):
        longest = longest[::-1]
    return longest


def outlines(mask: NDArray[np.bool_]) -> list[Points]:
    """Closed lines between the pixels of a mask and the others.

    Regions that touch at a corner only have outlines of their own.

    Returns:
        Each from its topmost, leftmost vertical edge on; all grid points, the first
        again at the end.
    """
    padded = np.pad(np.asarray(mask, bool), 1)
    # Vertical edges: between a pixel and its right neighbour; horizontal: below it.
    vertical = padded[1:-1, :-1] != padded[1:-1, 1:]
    horizontal = padded[:-1, 1:-1] != padded[1:, 1:-1]
    left = {("v", int(r), int(c)) for r, c in np.argwhere(vertical)}
    left |= {("h", int(r), int(c)) for r, c in np.argwhere(horizontal)}
    found = []
    for row, column in np.argwhere(vertical):
        if ("v", int(row), int(column)) in left:
            found.append(_follow(left, (int(row), int(column)), padded))
    return found


def _follow(
    left: set[tuple[str, int, int]], start: tuple[int, int], padded: NDArray[np.bool_]
) -> Points:
    """Take the edges of one outline out of those that are left."""
    here, step = start, (1, 0)
    points = [start]
    while True:
        left.discard(_edge(here, step))
        here = (here[0] + step[0], here[1] + step[1])
        points.append(here)
        if here == start:
            return np.array(points, np.float64)
        step = _turn(left, here, step, padded)


def _edge(point: tuple[int, int], step: tuple[int, int]) -> tuple[str, int, int]:
    row, column = point
    if step[0]:
        return "v", row if step[0] > 0 else row - 1, column
    return "h", row, column if step[1] > 0 else column - 1


def _turn(
    left: set[tuple[str, int, int]],
    point: tuple[int, int],
    step: tuple[int, int],
    padded: NDArray[np.bool_],
) -> tuple[int, int]:
    """Where an outline goes on; around one region where two touch at a corner."""
    ways = [way for way in _STEPS if _edge(point, way) in left]
    if len(ways) == 1:
        return ways[0]
    row, column = point
    # The pixel inside that the edge just taken belongs to stays the one beside it.
    for way in ways:
        if way[0] * step[0] + way[1] * step[1]:
            continue
        corner = (
            row + (way[0] - step[0] + 1) // 2,
            column + (way[1] - step[1] + 1) // 2,
        )
        if padded[corner]:
            return way
    return ways[0]


def simplify(points: Points, tolerance: float) -> Points:
    """Points that keep a line within a tolerance (Douglas and Peucker).

    Points nearer to the last kept one than the tolerance are dropped before.

    Args:
        points: [n, 2]; the ends are always kept.
        tolerance: in the unit of the points.
    """
    if len(points) < 3:
        return points
    points = _thin(points, tolerance)
    keep = np.zeros(len(points), bool)
    keep[[0, -1]] = True
    parts = [(0, len(points) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        distances = _squared_distances(points[first + 1 : last], points[[first, last]])
        # The last of equals, as the original program takes it.
        at = len(distances) - 1 - int(np.argmax(distances[::-1]))
        if distances[at] > tolerance**2:
            key = first + 1 + at
            keep[key] = True
            parts += [(key, last), (first, key)]
    return points[keep]


def _thin(points: Points, tolerance: float) -> Points:
    kept = [points[0]]
    for point in points[1:-1]:
        if ((point - kept[-1]) ** 2).sum() >= tolerance**2:
            kept.append(point)
    return np.array([*kept, points[-1]])


def _squared_distances(points: Points, ends: Points) -> NDArray[np.float64]:
    """Squared distances of points from the segment between two ends."""
    along = ends[1] - ends[0]
    length = float(along @ along)
    share = ((points - ends[0]) @ along) / length if length else np.zeros(len(points))
    nearest = ends[0] + np.clip(share, 0, 1)[:, None] * along
    return np.asarray(((points - nearest) ** 2).sum(axis=1))


def _is_clockwise(points: Points) -> bool:
    after = np.roll(points, -1, axis=0)
    doubled = (after[:, 0] - points[:, 0]) * (after[:, 1] + points[:, 1])
    return float(doubled.sum()) > 0


def resample(outline: Points) -> Points:
    """Put points into segments that are longer than three pixels, evenly."""
    parts = []
    for start, end in pairwise(outline):
        length = float(np.hypot(*(end - start)))
        count = int(np.ceil(length / _STEP)) if length > _STEP else 1
        parts.append(start + np.arange(count)[:, None] * (end - start) / count)
    return np.concatenate([*parts, outline[-1:]])


def shape_contexts(points: Points) -> NDArray[np.float64]:
    """Where the other points lie, seen from each: by direction and distance.

    Args:
        points: [n, 2].

    Returns:
        [n, 60] shares of the points in 12 directions x 5 rings up to two mean
        distances; each row sums to 1.
    """
    offsets = points[None, :, :] - points[:, None, :]
    radii = np.hypot(offsets[..., 0], offsets[..., 1])
    ring = (radii[..., None] / radii.mean() < _RADII).sum(axis=-1)
    turns = np.mod(np.arctan2(offsets[..., 1], offsets[..., 0]), 2 * np.pi)
    angle = np.floor(turns / (2 * np.pi / _ANGLES)).astype(int) % _ANGLES
    bins = angle * (len(_RADII) + 1) + ring
    size = _ANGLES * (len(_RADII) + 1)
    flat = bins + size * np.arange(len(points))[:, None]
    counts = np.bincount(flat.ravel(), minlength=size * len(points))
    counts = counts.reshape(len(points), _ANGLES, len(_RADII) + 1)[..., 1:]
    rows = counts.reshape(len(points), -1).astype(np.float64)
    return np.asarray(rows / (rows.sum(axis=1, keepdims=True) + _EPS))


def histogram_distances(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Chi-squared distances [n, m], 0 to 1, of histograms [n, b] and [m, b]."""
    total = np.zeros((len(first), len(second)))
    for one, other in zip(first.T, second.T, strict=True):
        total += np.subtract.outer(one, other) ** 2 / (np.add.outer(one, other) + _EPS)
    return 0.5 * total


def match_in_order(costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """Match two closed lines of points, keeping their order.

    A first match from the first points on finds the pair that is most alike; the lines
    are opened there and matched again; then every point keeps its best partner.

    Args:
        costs: [n, m] of matching each two points.

    Returns:
        [k, 2] indices, none twice on either side.
    """
    path = _cheapest_path(costs)
    inner = path[:-1] if len(path) > 1 else path
    best = inner[int(np.argmin(costs[inner[:, 0], inner[:, 1]]))]
    shift = best + 1
    path = _cheapest_path(np.roll(costs, -shift, axis=(0, 1)))
    pairs = np.asarray((path + shift) % costs.shape, np.int64)
    for side in (0, 1):
        pairs = pairs[_best_per_point(pairs, costs, side)]
    return pairs


def _best_per_point(
    pairs: NDArray[np.int64], costs: NDArray[np.float64], side: int
) -> NDArray[np.int64]:
    """The cheapest pair of each point of one side; the first of equals."""
    order = np.lexsort((np.arange(len(pairs)), costs[pairs[:, 0], pairs[:, 1]]))
    _, first = np.unique(pairs[order, side], return_index=True)
    return np.asarray(order[first])


def _cheapest_path(costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """Path of least cost from the first pair to the last, one step on either side.

    Returns:
        [k, 2] indices from the last pair back to the first.
    """
    total = _accumulate(costs)
    row, column = costs.shape[0] - 1, costs.shape[1] - 1
    path = [(row, column)]
    while row or column:
        ways: Sequence[tuple[int, int]] = [
            (row - up, column - back)
            for up, back in ((1, 1), (1, 0), (0, 1))
            if row >= up and column >= back
        ]
        row, column = min(ways, key=lambda way: total[way])
        path.append((row, column))
    return np.array(path)


def _accumulate(costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least cost of reaching each pair; the first is free.

    All pairs of one anti-diagonal are computed at once: they need the two before.
    """
    n, m = costs.shape
    total = np.full((n + 1, m + 1), np.inf)
    total[1, 1] = 0.0
    for diagonal in range(1, n + m - 1):
        rows = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        columns = diagonal - rows
        best = np.minimum(total[rows, columns], total[rows, columns + 1])
        best = np.minimum(best, total[rows + 1, columns])
        total[rows + 1, columns + 1] = best + costs[rows, columns]
    return total[1:, 1:]
