"""How fast a run goes and how long it will take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW = 30.0
_FEWEST_FRAMES = 5


class Pace:
    """Frames per second and time left, from what was measured lately.

    The estimate rests on the last 30 seconds, so that it follows when videos get
    larger or objects more; before five frames there is none.

    Args:
        total: frames to do in this run (those skipped not counted).
        clock: seconds, monotonic.
    """

    def __init__(
        self, total: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._total = total
        self._clock = clock
        self._done = 0
        self._marks: deque[tuple[float, int]] = deque([(clock(), 0)])

    def frame_done(self) -> None:
        """Count one frame."""
        self._done += 1
        now = self._clock()
        self._marks.append((now, self._done))
        while len(self._marks) > 2 and now - self._marks[1][0] > _WINDOW:
            self._marks.popleft()

    def skip(self, frames: int) -> None:
        """Frames that will not come (a video failed)."""
        self._total -= frames

    @property
    def frames_per_second(self) -> float | None:
        """Of the last 30 seconds; None while too little is known."""
        (start, before), (end, after) = self._marks[0], self._marks[-1]
        if self._done < _FEWEST_FRAMES or end <= start:
            return None
        return (after - before) / (end - start)

    @property
    def seconds_left(self) -> float | None:
        """Expected; None while too little is known."""
        rate = self.frames_per_second
        return None if rate is None else max(self._total - self._done, 0) / rate

    def __str__(self) -> str:
        rate, left = self.frames_per_second, self.seconds_left
        if rate is None or left is None:
            return "measuring"
        return f"{rate:.1f} frames/s, {_duration(left)} left"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
