"""Temporal stability T: outlines, shape contexts and matching, against plain ways."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
from remarks import remarks
from scipy import ndimage

from evaluation import InputError
from evaluation.metrics.stability import (
    histogram_distances,
    longest_outline,
    match_in_order,
    outlines,
    resample,
    shape_change,
    shape_contexts,
    simplify,
    temporal_stability,
)
from evaluation.scoring import score
from evaluation.stability import stability


def blob(seed: int, size: int = 70) -> np.ndarray:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random((size, size)), 6)
    return noise > np.quantile(noise, 0.6)


def test_an_outline_runs_between_the_pixels():
    mask = np.zeros((6, 7), bool)
    mask[1:3, 2:5] = True
    (line,) = outlines(mask)
    corners = simplify(line, 0.05)
    assert corners.tolist() == [[1, 2], [3, 2], [3, 5], [1, 5], [1, 2]]
    assert len(line) == 11 and line[0].tolist() == line[-1].tolist()


def test_regions_that_touch_at_a_corner_and_holes_have_their_own_outlines():
    mask = np.zeros((12, 12), bool)
    mask[1:4, 1:4] = mask[4:8, 4:8] = True
    mask[5, 5] = False
    lengths = sorted(len(line) - 1 for line in outlines(mask))
    assert lengths == [4, 12, 16]


@pytest.mark.parametrize("seed", range(4))
def test_outlines_take_every_edge_once(seed):
    mask = np.random.default_rng(seed).random((15, 17)) < 0.5
    padded = np.pad(mask, 1).astype(int)
    edges = (
        np.abs(np.diff(padded, axis=0)).sum() + np.abs(np.diff(padded, axis=1)).sum()
    )
    assert sum(len(line) - 1 for line in outlines(mask)) == edges


def slow_simplify(points, tolerance):
    """Douglas and Peucker as a recursion over points already thinned."""
    if len(points) < 3:
        return points
    (y0, x0), (y1, x1) = points[0], points[-1]
    best, at = -1.0, 0
    for place, (y, x) in enumerate(points[1:-1], 1):
        dy, dx = y1 - y0, x1 - x0
        length = dy * dy + dx * dx
        share = ((y - y0) * dy + (x - x0) * dx) / length if length else 0.0
        share = min(max(share, 0.0), 1.0)
        distance = math.hypot(y - y0 - share * dy, x - x0 - share * dx)
        if distance >= best:
            best, at = distance, place
    if best <= tolerance:
        return [points[0], points[-1]]
    left = slow_simplify(points[: at + 1], tolerance)
    return left[:-1] + slow_simplify(points[at:], tolerance)


def test_lines_are_simplified_as_by_recursion():
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=(80, 2)), axis=0) * 3
    steps = np.hypot(*np.diff(walk, axis=0).T)
    assert steps.min() < 1.5
    kept = [walk[0]]
    for point in walk[1:-1]:
        if math.dist(point, kept[-1]) >= 1.5:
            kept.append(point)
    wanted = slow_simplify([*map(tuple, kept), tuple(walk[-1])], 1.5)
    assert simplify(walk, 1.5).tolist() == [list(point) for point in wanted]


def test_points_are_at_most_three_pixels_apart_and_corners_stay():
    outline = np.array([[0, 0], [10, 0], [10, 2], [0, 0]], float)
    points = resample(outline)
    assert np.hypot(*np.diff(points, axis=0).T).max() <= 3.0
    assert {tuple(point) for point in outline} <= {tuple(point) for point in points}
    assert points[:4].tolist() == [[0, 0], [2.5, 0], [5, 0], [7.5, 0]]


def slow_contexts(points):
    n = len(points)
    radii = [[math.dist(p, q) for q in points] for p in points]
    mean = sum(map(sum, radii)) / n**2
    edges = [1 / 8 * 2**k for k in range(5)]
    rows = np.zeros((n, 12, 5))
    for i, p in enumerate(points):
        for j, q in enumerate(points):
            ring = sum(radii[i][j] / mean < edge for edge in edges)
            turn = math.atan2(q[1] - p[1], q[0] - p[0]) % (2 * math.pi)
            if ring:
                rows[i, int(turn // (math.pi / 6)) % 12, ring - 1] += 1
    rows = rows.reshape(n, 60)
    return rows / rows.sum(axis=1, keepdims=True)


def test_shape_contexts_are_shares_by_direction_and_distance():
    points = resample(longest_outline(blob(1)))
    points = points + np.random.default_rng(0).normal(size=points.shape) * 1e-3
    np.testing.assert_allclose(
        shape_contexts(points), slow_contexts(points.tolist()), atol=1e-12
    )


def slow_path(costs):
    """Dijkstra over the grid of pairs, as the original program does it."""
    n, m = costs.shape
    known, before, heap = {(0, 0): 0.0}, {}, [(0.0, (0, 0))]
    while heap:
        cost, (i, j) = heapq.heappop(heap)
        for way in ((i + 1, j), (i, j + 1), (i + 1, j + 1)):
            if way[0] < n and way[1] < m:
                total = cost + costs[way]
                if total < known.get(way, math.inf):
                    known[way], before[way] = total, (i, j)
                    heapq.heappush(heap, (total, way))
    path = [(n - 1, m - 1)]
    while path[-1] != (0, 0):
        path.append(before[path[-1]])
    return path


def slow_match(costs):
    path = slow_path(costs)
    start = min(path[:-1], key=lambda pair: costs[pair])
    shift = (start[0] + 1, start[1] + 1)
    rolled = np.roll(costs, (-shift[0], -shift[1]), axis=(0, 1))
    pairs = [
        ((i + shift[0]) % costs.shape[0], (j + shift[1]) % costs.shape[1])
        for i, j in slow_path(rolled)
    ]
    for side in (0, 1):
        best = {}
        for pair in pairs:
            if pair[side] not in best or costs[pair] < costs[best[pair[side]]]:
                best[pair[side]] = pair
        pairs = [best[key] for key in sorted(best)]
    return pairs


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (9, 9), (12, 7), (20, 31)])
def test_points_are_matched_as_by_dijkstra(shape):
    costs = np.random.default_rng(sum(shape)).random(shape)
    if shape == (1, 1):
        assert match_in_order(costs).tolist() == [[0, 0]]
        return
    assert [tuple(pair) for pair in match_in_order(costs)] == slow_match(costs)


@pytest.mark.parametrize("seed", range(3))
def test_the_change_of_a_shape_is_that_of_the_plain_way(seed):
    contexts = [
        slow_contexts(resample(longest_outline(blob(k))).tolist())
        for k in (seed, seed + 10)
    ]
    eps = np.finfo(float).eps
    costs = np.array(
        [
            [0.5 * ((a - b) ** 2 / (a + b + eps)).sum() for b in contexts[1]]
            for a in contexts[0]
        ]
    )
    np.testing.assert_allclose(histogram_distances(*contexts), costs, atol=1e-12)
    pairs = slow_match(costs)
    wanted = sum(costs[pair] for pair in pairs) / len(pairs)
    found = shape_change(blob(seed), blob(seed + 10))
    assert found == pytest.approx(wanted, abs=1e-9)
    assert 0.05 < found < 1


def test_motion_is_stable_jitter_is_not():
    still = blob(3)
    moved = [np.roll(np.pad(still, 20), k, axis=1) for k in range(4)]
    assert temporal_stability(moved) == 0
    rng = np.random.default_rng(0)
    jittered = [
        ndimage.binary_dilation(still, iterations=int(k)) for k in rng.integers(1, 5, 4)
    ]
    assert temporal_stability(jittered) > 0.05


def test_frames_without_a_mask_do_not_count():
    empty, first, second = np.zeros((70, 70), bool), blob(3), blob(4)
    change = shape_change(first, second)
    frames = [empty, first, second, empty, first]
    assert temporal_stability(frames) == 5 * change
    assert math.isnan(temporal_stability([empty, first, empty]))
    assert math.isnan(shape_change(first, np.eye(70, dtype=bool)))


def test_results_are_compared_from_the_annotated_frame_on_without_the_last():
    truth = np.zeros((5, 70, 70), np.uint8)
    results = np.zeros_like(truth)
    truth[0][blob(1)], truth[1:, 20:40, 20:40] = 1, 1
    for place, seed in enumerate((7, 2, 3, 4, 8)):
        results[place][blob(seed)] = 1
    table = stability({"cat": results}, {"cat": truth})
    wanted = temporal_stability([blob(1), blob(2), blob(3), blob(4)])
    assert table.to_dict("records") == [
        {"sequence": "cat", "object": 1, "T": pytest.approx(wanted, abs=1e-12)}
    ]


def test_objects_have_their_own_and_proposals_are_refused():
    truth = np.zeros((4, 60, 60), np.uint8)
    truth[:, 5:25, 5:25], truth[:, 30:50, 30:50] = 1, 2
    results = truth.copy()
    results[2, 30:50, 30:50] = 0
    results[2, 30:36, 30:58] = 2
    table = stability({"a": results}, {"a": truth}, protocol="davis-2017")
    assert table["object"].tolist() == [1, 2]
    assert table["T"][0] == 0 < table["T"][1]
    results[2][results[2] == 1] = 0
    table = stability({"a": results}, {"a": truth}, protocol="davis-2017")
    (note,) = table.attrs["notes"]
    assert "empty in some frames (object 1 in 1 of 2), of which T says nothing" in note
    with pytest.raises(InputError, match="matches predictions by overlap"):
        stability({"a": results}, {"a": truth}, protocol="davis-2017-unsupervised")


def notes_of(results, truth, **options):
    """Notes of the stability, which must be those of the scores."""
    found = stability({"v": results}, {"v": truth}, **options).attrs["notes"]
    options = {"protocol": "davis-2016", **options}
    assert tuple(found) == remarks(score({"v": results}, {"v": truth}, **options))
    return found


def squares(values=(1, 1)) -> np.ndarray:
    truth = np.zeros((4, 60, 60), np.uint8)
    truth[:, 5:25, 5:25], truth[:, 30:50, 30:50] = values
    return truth


@pytest.mark.parametrize("value", [1, 255])
def test_inverted_masks_are_told(value):
    truth = squares((1, 0))
    inverse = (truth == 0) * np.uint8(value)
    (note,) = notes_of(inverse, truth * np.uint8(value))
    assert note.startswith("v: predicted object 1 fills all corners")
    for written in (1, 255):
        table = stability({"v": inverse}, {"v": truth * np.uint8(written)})
        assert table.attrs["notes"] == [note]
    (note,) = notes_of(truth, (truth == 0) * np.uint8(value))
    assert note.startswith("v: the only object of the ground truth fills all corners")
    assert notes_of(truth, truth) == []


def test_objects_that_are_measured_as_one_are_told():
    truth = squares((1, 2))
    merged = "v: labels 1, 2 of the ground truth were merged into one object"
    assert notes_of(truth, truth) == [f"{merged} (davis-2016)"]
    assert notes_of(truth, truth, binarize=True) == [f"{merged} (binarize)"]
    assert notes_of(truth, truth, protocol="davis-2017") == []


def test_soft_edges_are_told_with_binarize_and_refused_without():
    truth = squares((1, 0))
    soft = truth * np.uint8(255)
    for k, level in enumerate((60, 120, 180)):
        soft[:, 25 + k, 5:25] = 240 - level
    (note,) = notes_of(soft, truth, binarize=True)
    assert "4 values above 0" in note and "however faint" in note
    with pytest.raises(InputError, match="soft edges"):
        blurred = ndimage.gaussian_filter(truth[0] * 255.0, 3).astype(np.uint8)
        stability({"v": np.stack([blurred] * 4)}, {"v": truth})


def test_what_was_missing_or_matched_otherwise_is_told():
    truth = squares((1, 0))
    frames = {f"{t:05d}": mask for t, mask in enumerate(truth)}
    named = {f"frame_{name}": mask for name, mask in frames.items()}
    (note,) = notes_of(named, frames)
    assert "without a prefix" in note
    del frames["00002"]
    (note,) = notes_of(frames, truth, missing="score-as-empty")
    assert note.startswith("scored as empty: v")


def test_sequences_that_are_not_there_are_refused():
    truth = squares()
    with pytest.raises(InputError, match="w, not in arrays"):
        stability({"v": truth}, {"v": truth}, sequences=["w"])


def test_masks_of_every_few_frames_are_told():
    frames = {f"{5 * t:05d}": mask for t, mask in enumerate(squares((1, 0)))}
    named = {f"frame_{name}": mask for name, mask in frames.items()}
    for masks in (frames, named):
        (note,) = stability({"v": masks}, {"v": masks}).attrs["notes"]
        assert "masks 5 frames apart" in note
