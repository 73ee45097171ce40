"""Speed and deformation: what an object did in the last second."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.attributes.geometry import canvas_of
from evaluation.attributes.regions import Region

SPEED_LAG = 1 / 12
"""Seconds over which speed is taken: two frames at 24 fps, so that jitter of the
masks matters less and 24 and 12 fps give the same value."""

DEFORMATION_LAGS = (0.5, 1.0)
"""Seconds between two shapes that deformation compares; the less alike pair counts.
With one second alone, a walker whose step takes a second would look rigid."""

_TOLERANCE = 0.25
"""A shape may be older or younger than that by this share."""

_MEMORY = 1.5
"""Seconds that are remembered."""


@dataclass(frozen=True)
class _Moment:
    time: float
    centroid: tuple[float, float]
    area: int
    canvas: NDArray[np.bool_]


class Motion:
    """The recent past of every object of a video."""

    def __init__(self) -> None:
        self._past: dict[int, deque[_Moment]] = defaultdict(deque)

    def step(
        self, object_id: int, region: Region, time: float, shape: tuple[int, int]
    ) -> dict[str, float]:
        """Take in one more frame of an object.

        Args:
            object_id: the object.
            region: where it is now.
            time: seconds, increasing from call to call.
            shape: (height, width) of the frame.

        Returns:
            `speed` of the centroid in frame diagonals per second, `relative_speed` in
            square roots of the object's area per second, `deformation` 0..1; what
            needs a past that the object does not have is left out.
        """
        past = self._past[object_id]
        while past and past[0].time < time - _MEMORY:
            past.popleft()
        now = _Moment(time, region.centroid, region.area, canvas_of(region.normalised))
        row: dict[str, float] = {}
        if past:
            before = min(past, key=lambda then: abs(time - then.time - SPEED_LAG))
            row |= _speed(before, now, float(np.hypot(*shape)))
            changes = [_change(past, now, lag) for lag in DEFORMATION_LAGS]
            known = [change for change in changes if change is not None]
            if known:
                row["deformation"] = max(known)
        past.append(now)
        return row


def _change(past: Iterable[_Moment], now: _Moment, lag: float) -> float | None:
    """1 - IoU with the shape `lag` seconds ago; None where there is no such shape."""
    before = min(past, key=lambda then: abs(now.time - then.time - lag))
    if abs(now.time - before.time - lag) > _TOLERANCE * lag:
        return None
    shared = np.count_nonzero(now.canvas & before.canvas)
    either = np.count_nonzero(now.canvas | before.canvas)
    return 1 - shared / either


def _speed(before: _Moment, now: _Moment, diagonal: float) -> dict[str, float]:
    way = float(np.hypot(*np.subtract(now.centroid, before.centroid)))
    pace = way / (now.time - before.time)
    size = float(np.sqrt((now.area + before.area) / 2))
    return {"speed": pace / diagonal, "relative_speed": pace / size}
