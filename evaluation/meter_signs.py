"""Signs that frames given to a `Meter` are of several videos, or given twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from itertools import pairwise
from math import sqrt

import numpy as np

from evaluation._utils.names import counted
from evaluation.errors import InputError
from evaluation.masks.label_map import label_iou
from evaluation.masks.pairs import Masks
from evaluation.meter_order import Labels

_ROUND = 3
"""Frames from which a second round over a video can be told from masks that repeat."""

_JUMP = 0.25
"""Agreement of masks with those of the frame before, below which they jump."""

_STEADY = 0.5
"""Median agreement of a video from which jumps mean something."""

_PIXELS, _PIXELS_NAMED = 10_000, 2_500
"""Of a frame that are compared, about; fewer where there may be many videos."""


class OneVideo:
    """Looks at frames that were given without the name of their video, or their own.

    Args:
        named: whether the video has a name; its frames have none, then.
    """

    def __init__(self, *, named: bool = False) -> None:
        self.named = named
        self._last: tuple[str, tuple[int, ...], Labels] | None = None
        self._agreements: dict[str, float] = {}
        self._odd: dict[str, str] = {}
        self._n_frames = 0

    def look(self, frame: str, masks: Masks) -> Labels:
        """Compare the true masks of a frame with those of the frame before.

        Args:
            frame: its name.
            masks: the true ones.

        Returns:
            Their ids, of a part of the pixels.

        Raises:
            InputError: they are of another size, and the video has no name.
        """
        self._n_frames += 1
        size, labels = _as_labels(masks, _PIXELS_NAMED if self.named else _PIXELS)
        if self._last is not None and labels.size:
            last, other_size, before = self._last
            if other_size != size and not self.named:
                raise _two_sizes(last, other_size, frame, size)
            if other_size != size:
                before = np.zeros_like(labels)
            if frame < last:
                self._odd.setdefault(frame, f"frame {frame} comes after {last}")
            ids, others = set(np.unique(labels)) - {0}, set(np.unique(before)) - {0}
            if ids and others and ids.isdisjoint(others):
                self._odd.setdefault(frame, f"at frame {frame} all ids change")
            if ids and others:
                self._agreements[frame] = label_iou(labels, before) or 0.0
        if labels.size:
            self._last = frame, size, labels
        return labels

    def __getstate__(self) -> dict[str, object]:
        """Without masks: meters of several processes are put together."""
        return {**vars(self), "_last": None}

    def notes(self, video: str) -> list[str]:
        """What looks like several videos, or several objects, in one.

        Args:
            video: what to call it.
        """
        values = list(self._agreements.values())
        steady = bool(values) and float(np.median(values)) >= _STEADY
        jumps = [k for k, v in self._agreements.items() if steady and v < _JUMP]
        if self.named:
            return self._in_turn(video, jumps)
        signs = [
            *self._odd.values(),
            *(f"at frame {k} the true masks jump" for k in jumps if k not in self._odd),
        ]
        if not signs:
            return []
        more = f" and {len(signs) - 3} more" if len(signs) > 3 else ""
        return [
            f"{video}: {'; '.join(signs[:3])}{more}: are these frames of several "
            "videos? Pass sequence= to update, then"
        ]

    def _in_turn(self, video: str, jumps: list[str]) -> list[str]:
        """A note where masks jump every so many frames, and nowhere else.

        A cut jumps, too, but hardly where the halves of a video meet.
        """
        length = int(jumps[0]) if jumps else 0
        rounds, rest = divmod(self._n_frames, max(length, 1))
        at = [length * k for k in range(1, rounds)]
        if length < _ROUND or rest or [int(k) for k in jumps] != at:
            return []
        return [
            f"{video}: the true masks jump every {length} frames: were its {rounds} "
            "objects, or videos, given one after the other? Pass all objects of a "
            "frame at once (object id -> mask), and sequence= of each video"
        ]

    def add(self, other: OneVideo) -> None:
        """Take over what another meter saw."""
        self._agreements |= other._agreements
        self._odd |= other._odd
        self._n_frames += other._n_frames


class Rounds:
    """Looks whether frames without names are given a second time."""

    def __init__(self) -> None:
        self._digests: dict[str, list[bytes]] = {}
        self._predicted: dict[str, list[bytes | None]] = {}
        self._empty: set[bytes] = set()

    def look(
        self,
        sequence: str,
        digest: bytes,
        predicted: bytes | None,
        *,
        empty: bool = False,
    ) -> None:
        """Refuse frames whose true masks were all given before, in the same order.

        Args:
            sequence: name of the video.
            digest: fingerprint of the true masks of the frame that comes.
            predicted: that of the predicted ones.
            empty: whether there is no object in the true ones.

        Raises:
            InputError: with this frame, all are given twice.
        """
        if empty:
            self._empty.add(digest)
        self._predicted.setdefault(sequence, []).append(predicted)
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

    def add(self, other: Rounds) -> None:
        """Take over what another meter saw; its frames come after these."""
        self._empty |= other._empty
        for sequence, digests in other._digests.items():
            self._digests.setdefault(sequence, []).extend(digests)
            predicted = other._predicted[sequence]
            self._predicted.setdefault(sequence, []).extend(predicted)

    def notes(self) -> list[str]:
        """Notes on videos of which each frame came twice at once, or some in clips."""
        again = {
            name: _given_again(there, self._empty)
            for name, there in self._digests.items()
        }
        clips = [
            f"{sequence}: {n} true masks came before, in the same order: do clips "
            "overlap? Their frames count twice; pass frame=, and each once"
            for sequence, n in again.items()
            if n
        ]
        repeated = [
            f"{sequence}: the true masks of {counted(n, 'frame')} equal those of the "
            "frame before, and all others change: do clips share their border frames, "
            "or is the last frame repeated to fill a batch? They count twice; pass "
            "frame=, and each once"
            for sequence, there in self._digests.items()
            if not (again[sequence] or self._empty.intersection(there))
            and (n := _repeats(there, self._predicted[sequence]))
        ]
        return [*clips, *repeated] + [
            f"{sequence}: all {len(there) // 2} pairs of frames have the same masks on "
            "both sides: was each frame given twice?"
            for sequence, there in self._digests.items()
            if _in_pairs([*zip(there, self._predicted[sequence], strict=True)])
        ]


def _given_again(digests: list[bytes], empty: Collection[bytes]) -> int:
    """How many masks lie in runs, of masks unlike each other, that came before.

    Of runs of two, each mask must come twice only: a few masks that take turns do more.
    """
    first: dict[tuple[bytes, ...], int] = {}
    again: set[int] = set()
    times = Counter(digests)
    twice = {mask for mask, n in times.items() if n == 2} - set(empty)
    for length in (_ROUND, 2):
        for i in range(len(digests) - length + 1):
            run = tuple(digests[i : i + length])
            if len(set(run)) < length or (length == 2 and not twice.issuperset(run)):
                continue
            if first.setdefault(run, i) != i:
                again.update(range(i, i + length))
    return len(again)


def _repeats(digests: list[bytes], predicted: list[bytes | None]) -> int:
    """How many masks repeat those just before as clips make them; 0 if otherwise.

    Of clips that share a frame each, masks repeat once every so many frames; where the
    last frame fills a batch, to the end, and so do predictions. Elsewhere masks repeat
    where objects stand still.
    """
    again = [k for k in range(1, len(digests)) if digests[k] == digests[k - 1]]
    if not again or 3 * len(again) > len(digests) or len(set(digests)) < 2 * _ROUND:
        return 0
    if again == list(range(again[0], len(digests))):
        fills = len(set(predicted[again[0] - 1 :])) == 1
        return len(again) if fills else 0
    gaps = {later - before for before, later in pairwise(again)}
    apart = not gaps or (len(gaps) == 1 and min(gaps) >= _ROUND)
    return len(again) if apart else 0


def _in_pairs(masks: list[tuple[bytes, bytes | None]]) -> bool:
    """Whether masks come in pairs, each unlike that before it."""
    first, second = masks[::2], masks[1::2]
    changes = all(one != other for one, other in pairwise(first))
    return len(second) >= _ROUND and first == second and changes


def _as_labels(masks: Masks, pixels: int) -> tuple[tuple[int, ...], Labels]:
    """Size, and one id per pixel of a part of them; no pixels for no masks."""
    whole = next(iter(masks.values()), None) if isinstance(masks, dict) else masks
    if whole is None:
        return (0, 0), np.zeros((0, 0), np.int64)
    step = max(1, round(sqrt(whole.size / pixels)))
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
