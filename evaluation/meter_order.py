"""Signs that frames given to a `Meter` without their numbers are in no order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import hypot, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.counts import GT_AREA, INTERSECTION, PRED_AREA
from evaluation.counting.frame import FrameRows

Labels = NDArray[np.int64]
"""[h, w] object ids, of a part of the pixels."""

_VIDEOS = 16
"""At most so many that are given in turn are told."""

_TURNS, _FRAMES = 3, 6
"""Least frames of each video in turn, and of one in no order."""

_IN_TURN, _APART = 0.5, 0.02
"""Distance from the frame one turn before, as part of that from any between; and what
the latter is at least, as part of the diagonal."""

_UNLIKE, _DETOUR, _MOVED = 0.55, 0.55, 0.015
"""Distance at the lag where it is least, at least: as part of that of any two frames;
of the shortest way through all frames, at most: as part of the way as given; and of a
frame from the one before, at least: part of the diagonal. Objects mostly move on, or to
and fro, so that some lag is near and hardly a shorter way is left: of 345 real videos,
most at 1/2 to 1/8 of their rate, one is told; of the same shuffled 9 in 10 are."""

_AS_TEXT, _STEP, _SHORTER = 12, 0.003, 0.75
"""Frames from which the order of their numbers as text is another, the mean step from
which the way through them tells, and what it is then, as part of the way as given. Of
288 real videos at 1/1 to 1/8 of their rate none is told in order."""

_ENOUGH = 120
"""Frames that show whether any order is left."""

_FEW = 6
"""Where only the given frame equals the truth, at most one in so many does."""

_LARGE = 64
"""Pixels of objects from which a prediction hardly equals them by chance."""

_Place = tuple[float, float, float]
"""Centre (y, x) of an object and the square root of its area, parts of the diagonal."""


class Order:
    """Looks at where objects are in frames that are numbered as they come."""

    def __init__(self) -> None:
        self._places: list[dict[int, _Place]] = []
        self._equal: list[int] = []
        self._partly: list[int] = []
        self._shown: list[int] = []

    def look(self, labels: Labels, rows: FrameRows) -> None:
        """Keep the places of the true objects of a frame.

        Args:
            labels: the true masks.
            rows: counts of its objects.
        """
        areas = rows[1][:, [GT_AREA, PRED_AREA, INTERSECTION]]
        true = areas[:, 0]
        if true.any():
            self._shown.append(len(self._places))
            same = (areas == areas[:, :1]).all(axis=1)
            if true[same].sum() >= _LARGE:
                self._partly.append(len(self._places))
                if same.all():
                    self._equal.append(len(self._places))
        self._places.append(_places(labels))

    def add(self, other: Order) -> None:
        """Take over what another meter saw; its frames come after these."""
        there = len(self._places)
        self._equal += [there + place for place in other._equal]
        self._partly += [there + place for place in other._partly]
        self._shown += [there + place for place in other._shown]
        self._places += other._places

    def notes(self, video: str, *, skips: bool) -> list[str]:
        """What looks like several videos in turn, or like no order.

        Args:
            video: what to call it.
            skips: whether the first frame, which methods are given, is not scored.
        """
        table = _table(self._places)
        if n_videos := _count_in_turn(table):
            return [
                f"{video}: true masks resemble those of {n_videos} frames before far "
                f"more than any between: are frames of {n_videos} videos given in "
                "turn? Pass sequence= of each to update, then"
            ]
        signs = ["objects jump about between all frames"] * _jumps_about(table)
        if not signs and _is_sorted_as_text(table):
            signs = ["objects move on once 10 comes after 9, not after 1"]
        if skips and self._first_is_late():
            signs += [
                f"of {len(self._places)} predictions number {self._equal[0] + 1}, not "
                "the first, equals the truth as that of the given frame does"
            ]
        if not signs:
            return []
        return [
            f"{video}: {' and '.join(signs)}: are frames given in playing order? "
            "Without frame= they count as they come; pass frame= to update, then"
        ]

    def _first_is_late(self) -> bool:
        """Whether few predictions equal the truth, and not that of the first frame.

        Where single objects do in more frames, they do by chance.
        """
        few = _FEW * len(self._partly) <= len(self._shown)
        return few and bool(self._equal) and self._partly[0] != self._shown[0]


def _places(labels: Labels) -> dict[int, _Place]:
    """Object id -> its place."""
    ys, xs = labels.nonzero()
    ids, index = np.unique(labels[ys, xs], return_inverse=True)
    areas = np.bincount(index, minlength=len(ids))
    diagonal = hypot(*labels.shape) or 1.0
    centres = [np.bincount(index, side, len(ids)) / areas for side in (ys, xs)]
    return {
        key: (y / diagonal, x / diagonal, sqrt(area) / diagonal)
        for key, y, x, area in zip(
            ids.tolist(), *(c.tolist() for c in centres), areas.tolist(), strict=True
        )
    }


def _table(places: Sequence[dict[int, _Place]]) -> NDArray[np.float64]:
    """[T, n, 3] places; nan where an object is not visible."""
    ids = sorted({key for frame in places for key in frame})
    absent = (np.nan, np.nan, np.nan)
    rows = [[frame.get(key, absent) for key in ids] for frame in places]
    return np.array(rows, np.float64).reshape(len(places), len(ids), 3)


def _distances(
    table: NDArray[np.float64], lag: int, absent: float = np.nan
) -> NDArray[np.float64]:
    """[T - lag] of frames from those `lag` before, mean of the objects that both have.

    Args:
        table: [T, n, 3] places.
        lag: from 1 on.
        absent: distance of an object that one of both frames has.

    Returns:
        Distances, as parts of the diagonal; nan where no object tells.
    """
    moved = np.abs(table[lag:] - table[:-lag])
    apart = np.hypot(moved[..., 0], moved[..., 1]) + moved[..., 2]
    one_sided = np.isnan(table[lag:, :, 0]) != np.isnan(table[:-lag, :, 0])
    apart[one_sided] = absent
    known = ~np.isnan(apart)
    count = known.sum(axis=1)
    total: NDArray[np.float64] = np.where(known, apart, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _count_in_turn(table: NDArray[np.float64]) -> int:
    """Of how many videos frames come in turn; 0 where of one."""
    # By the objects that both frames have, whatever comes and goes now and then; or by
    # which objects they have. These change most pairs where they change at random, so
    # that no median would do.
    by_place = _turn(table, np.nan, np.median)
    return by_place or _turn(table, 1.0, np.mean)


def _turn(
    table: NDArray[np.float64],
    absent: float,
    centre: Callable[[NDArray[np.float64]], np.floating[Any]],
) -> int:
    """The lag at which frames are far closer than at any between its multiples."""
    most = min(_VIDEOS, len(table) // _TURNS)
    lags: dict[int, float] = {}
    for lag in range(1, min(2 * most, len(table))):
        apart = _distances(table, lag, absent)
        apart = apart[~np.isnan(apart)]
        lags[lag] = float(centre(apart)) if len(apart) else 0.0
    for turn in range(2, most + 1):
        between = min(v for k, v in lags.items() if k < 2 * turn and k % turn)
        if between >= _APART and lags[turn] < _IN_TURN * between:
            return turn
    return 0


def _jumps_about(table: NDArray[np.float64]) -> bool:
    """Whether frames are as far from any before as from others, with a shorter way."""
    n_frames = min(len(table), _ENOUGH)
    if n_frames < _FRAMES:
        return False
    apart = _all_distances(table[:n_frames])
    given = np.diagonal(apart, 1)
    given = given[~np.isnan(given)]
    if not len(given) or given.mean() < _MOVED:
        return False
    lags = [np.diagonal(apart, lag) for lag in range(1, n_frames // 2 + 1)]
    nearest = min(np.nanmean(lag) for lag in lags if not np.isnan(lag).all())
    unlike = nearest >= _UNLIKE * np.nanmean(apart)
    return bool(unlike and _short_way(apart) <= _DETOUR * given.sum())


def _is_sorted_as_text(table: NDArray[np.float64]) -> bool:
    """Whether the way is far shorter if frames were numbered and sorted as text."""
    n_frames = len(table)
    if n_frames < _AS_TEXT:
        return False
    given = _distances(table, 1)
    for first in (0, 1):
        order = np.argsort(sorted(range(first, first + n_frames), key=str))
        put_right = _distances(table[order], 1)
        if np.isnan(given).all() or np.isnan(put_right).all():
            return False
        far = np.nanmean(given)
        if far >= _STEP and np.nanmean(put_right) <= _SHORTER * far:
            return True
    return False


def _all_distances(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """[T, T] distances of any two frames; nan of a frame from itself and unknown."""
    apart = np.full((len(table), len(table)), np.nan)
    for lag in range(1, len(table)):
        row, column = np.arange(lag, len(table)), np.arange(len(table) - lag)
        apart[row, column] = apart[column, row] = _distances(table, lag)
    return apart


def _short_way(apart: NDArray[np.float64]) -> float:
    """Length of a way through all frames: from one at an end on to the nearest left."""
    apart = np.where(np.isnan(apart), np.inf, apart)
    here = int(np.where(np.isinf(apart), -1, apart).max(axis=1).argmax())
    length, left = 0.0, apart.copy()
    while True:
        left[:, here] = np.inf
        nearest = int(left[here].argmin())
        if np.isinf(left[here, nearest]):
            return length
        length += float(left[here, nearest])
        here = nearest
