"""Signs that frames given to a `Meter` are of several videos, or given twice."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError
from evaluation.masks.pairs import Masks

_ROUND = 3
"""Frames from which a second round over a video can be told from masks that repeat."""

_JUMP = 0.25
"""Agreement of masks with those of the frame before, below which they jump."""

_STEADY = 0.5
"""Median agreement of a video from which jumps mean something."""

_PIXELS = 10_000
"""Of a frame that are compared, about."""

_Labels = NDArray[np.int64]


class OneVideo:
    """Looks at frames that were given without the name of their video."""

    def __init__(self) -> None:
        self._last: tuple[str, tuple[int, ...], _Labels] | None = None
        self._agreements: dict[str, float] = {}
        self._odd: dict[str, str] = {}

    def look(self, frame: str, masks: Masks) -> None:
        """Compare the true masks of a frame with those of the frame before.

        Args:
            frame: its name.
            masks: the true ones.

        Raises:
            InputError: they are of another size.
        """
        size, labels = _as_labels(masks)
        if self._last is not None and labels.size:
            last, other_size, before = self._last
            if other_size != size:
                raise _two_sizes(last, other_size, frame, size)
            if frame < last:
                self._odd.setdefault(frame, f"frame {frame} comes after {last}")
            ids, others = set(np.unique(labels)) - {0}, set(np.unique(before)) - {0}
            if ids and others and ids.isdisjoint(others):
                self._odd.setdefault(frame, f"at frame {frame} all ids change")
            union = np.count_nonzero(labels | before)
            if ids and others and union:
                shared = np.count_nonzero((labels == before) & (labels != 0))
                self._agreements[frame] = shared / union
        if labels.size:
            self._last = frame, size, labels

    def __getstate__(self) -> dict[str, object]:
        """Without masks: meters of several processes are put together."""
        return {**vars(self), "_last": None}

    def notes(self) -> list[str]:
        """What looks like several videos in one."""
        values = list(self._agreements.values())
        odd = dict(self._odd)
        if values and float(np.median(values)) >= _STEADY:
            for frame, value in self._agreements.items():
                if value < _JUMP:
                    odd.setdefault(frame, f"at frame {frame} the true masks jump")
        if not odd:
            return []
        signs = list(odd.values())
        more = f" and {len(signs) - 3} more" if len(signs) > 3 else ""
        return [
            f"video: {'; '.join(signs[:3])}{more}: are these frames of several videos? "
            "Pass sequence= to update, then"
        ]

    def add(self, other: OneVideo) -> None:
        """Take over what another meter saw."""
        self._agreements |= other._agreements
        self._odd |= other._odd


class Rounds:
    """Looks whether frames without names are given a second time."""

    def __init__(self) -> None:
        self._digests: dict[str, list[bytes]] = {}

    def look(self, sequence: str, digest: bytes) -> None:
        """Refuse frames whose true masks were all given before, in the same order.

        Args:
            sequence: name of the video.
            digest: fingerprint of the true masks of the frame that comes.

        Raises:
            InputError: with this frame, all are given twice.
        """
        there = self._digests.setdefault(sequence, [])
        there.append(digest)
        length, rest = divmod(len(there), 2)
        if rest or length < _ROUND or there[0] != there[length]:
            return
        first = there[:length]
        if first != there[length:] or len(set(first)) < _ROUND:
            return
        raise InputError(
            f"sequence {sequence}",
            f"the same {length} true masks twice, one after the other",
            "each frame once",
            "Call reset() before a new round, or make a new Meter; pass frame= if they "
            "are frames of their own.",
        )


def _as_labels(masks: Masks) -> tuple[tuple[int, ...], _Labels]:
    """Size, and one id per pixel of a part of them; no pixels for no masks."""
    whole = next(iter(masks.values()), None) if isinstance(masks, dict) else masks
    if whole is None:
        return (0, 0), np.zeros((0, 0), np.int64)
    step = max(1, round(sqrt(whole.size / _PIXELS)))
    if not isinstance(masks, dict):
        return whole.shape, masks[::step, ::step].astype(np.int64)
    labels = np.zeros(whole[::step, ::step].shape, np.int64)
    for key in sorted(masks):
        labels[masks[key][::step, ::step]] = key + 1
    return whole.shape, labels


def _two_sizes(
    last: str, before: tuple[int, ...], frame: str, now: tuple[int, ...]
) -> InputError:
    """The error about a video whose frames change their size."""
    return InputError(
        f"frame {frame}",
        f"true masks of {now[1]}x{now[0]} after {before[1]}x{before[0]} in frame "
        f"{last}, and no name of a video",
        "frames of one size in one video",
        "Pass the name of the video to update: sequence=...",
    )
