"""Masks of frames that were written in another order, or at another frame rate.

Names read as 0, 1, 10, 11, 2, frames shared out among workers, or a video decoded at
another rate give masks as many and of the same names as they should be, each of which
is the good mask of another frame.

A method may stay behind, hold its masks or run ahead, and its masks then fit other
frames, too: but later masks fit later frames. So masks must fit frames far better than
any such course through the video would allow, some of them later ones. Those of a video
twice or half as fast fit along one straight course, and hardly better anywhere else.

Masks that are all too large fit a frame better in which the object is larger. So masks
must fit better, too, when each object is brought to the size that it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.counts import GT_AREA, INTERSECTION, PRED_AREA
from evaluation.counting.video import SequenceCounts
from evaluation.errors import InputError
from evaluation.masks.label_map import label_iou
from evaluation.masks.pairs import SequencePair, pixels_of
from evaluation.results.checks.masks import predicted_frames
from evaluation.results.checks.nearby import (
    Objects,
    inner,
    of_true_size,
    thinned,
)

_FEWEST = 8
"""Frames from which an order can be told from chance."""

_LOOKED, _TRUE = 30, 100
"""Predictions, evenly spread, that are compared, with so many frames of the truth."""

_AT_FIRST, _TRUE_AT_FIRST = 4, 12
"""The same of a first look at masks that do not fit: half of them must fit elsewhere.
It spares nearly all videos without fault the rest."""

_PIXELS = 4_000
"""About so many pixels of a frame are compared."""

_POOR = 0.85
"""IoU of all objects from which a mask is that of its frame."""

_SHARE = 1 / 3
"""Share of the masks that must fit another frame."""

_GAIN = 0.05
"""IoU to be gained in another frame."""

_OFF_COURSE = 0.03
"""Mean IoU to be gained over any course."""

_FITS, _GOOD = 0.75, 0.8
"""IoU of a mask with the frame that it is of, and of all looked at on average. Weaker
masks may fit some frame as well by chance."""

_AHEAD = 1 / 8
"""Share of the masks that must fit later frames better than any up to their own: a
method may return to what it had, in any order; it has not seen what is to come."""

_DISTINCT = 0.4
"""How many frames they must fit, per mask; one mask held for long fits one."""

_BACK, _AWAY = 1 / 4, 2
"""Share of steps from mask to mask that may go back, and by how many frames masks must
be away on average: lists put together otherwise go on from most frames to the next;
masks that tremble go to and fro beside their own."""

_BACKWARDS, _RUN = 0.5, 3
"""Share of steps that go back so many times in a row: of a video, or of its parts, that
were written backwards."""

_FAR = 1 / 5
"""Share of a video that masks must be away where they go back more often than that."""

_RATES = {
    Fraction(1, 4): "a quarter as fast",
    Fraction(1, 3): "a third as fast",
    Fraction(1, 2): "half as fast",
    Fraction(2): "twice as fast",
    Fraction(3): "three times as fast",
}
"""How fast a video may run against the one that was annotated."""

_STRAIGHT = 0.03
"""Mean IoU by which masks of another rate may fit other frames still better."""

_Table = NDArray[np.float64]


def other_order(
    pair: SequencePair, counts: SequenceCounts, *, by_id: bool
) -> list[str]:
    """A note where masks of a video are good masks of other frames than their own.

    Args:
        pair: the video.
        counts: its pixel counts; nothing is read where most masks fit.
        by_id: whether objects are compared by their ids, or as one.
    """
    frames = predicted_frames(pair)
    poor = _poor_frames(pair, counts)
    if len(frames) < _FEWEST or len(poor) < max(2, _SHARE * len(frames)):
        return []
    look = _Look(pair, by_id)
    try:
        first = look.compare(inner(poor, _AT_FIRST), _TRUE_AT_FIRST)
        if first is None or np.median(first.gains()) <= _GAIN / 2:
            return []
        found = look.compare(inner(frames, _LOOKED), _TRUE)
    except InputError:
        return []  # a frame that is not scored cannot be read
    told = found.tell() if found is not None else ""
    if found is None or not told or not look.fits_by_size(found):
        return []
    return [f"{pair.name}: {told} They were scored as they are named"]


def _poor_frames(pair: SequencePair, counts: SequenceCounts) -> list[str]:
    """Frames with objects on both sides that do not agree well."""
    sums = counts.counts.sum(axis=0, dtype=np.int64)
    true, own, shared = (sums[:, k] for k in (GT_AREA, PRED_AREA, INTERSECTION))
    poor = (true > 0) & (own > 0) & (shared < _POOR * (true + own - shared))
    return [f for f, is_poor in zip(pair.frames, poor, strict=True) if is_poor]


class _Compared:
    """How well masks of some frames fit frames of the ground truth.

    Args:
        fits: [n, m] IoU.
        rows: [n] places of the predicted frames in the video.
        columns: [m] places of the true ones, ascending; all `rows` are among them.
        names: of all frames, by place.
    """

    def __init__(
        self,
        fits: _Table,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        names: Sequence[str],
    ) -> None:
        self.fits, self.rows, self.columns, self.names = fits, rows, columns, names
        at = np.searchsorted(columns, rows)
        self.own = fits[np.arange(len(rows)), at]
        self.best = fits.argmax(axis=1)

    def gains(self) -> _Table:
        """[n] IoU to be gained in another frame."""
        return np.asarray(self.fits.max(axis=1) - self.own)

    def _leads(self) -> _Table:
        """[n] IoU by which later frames fit better than all up to that of the mask."""
        later = self.columns[None] > self.rows[:, None]
        fits = self.fits
        best = np.where(later, fits, 0.0).max(axis=1)
        return np.asarray(best - np.where(later, 0.0, fits).max(axis=1))

    def tell(self) -> str:
        """What is told of the order or the rate of the frames; empty if nothing is."""
        highest = self.fits.max(axis=1)
        moved = (self.gains() >= _GAIN) & (highest >= _FITS)
        if len(moved) < _FEWEST or moved.sum() < max(2, _SHARE * len(moved)):
            return ""
        free, here = float(highest.mean()), float(self.own.mean())
        if free < _GOOD:
            return ""
        if rate := self._rate(free, here):
            return (
                f"masks fit the ground truth better as those of a video {rate} (mean "
                f"IoU {free:.2f} against {here:.2f}): are they of another frame rate?"
            )
        other = self.best[moved]
        ahead = int((self._leads() >= _GAIN).sum())
        if len(set(other.tolist())) < max(2, _DISTINCT * len(other)):
            return ""
        if ahead < max(2, _AHEAD * len(moved)):
            return ""
        if free - _best_course(self.fits) < _OFF_COURSE or not self._is_order(moved):
            return ""
        places = np.flatnonzero(moved)[:: -(-int(moved.sum()) // 4)]
        told = ", ".join(
            f"{self.names[self.rows[k]]} that of "
            f"{self.names[self.columns[self.best[k]]]}"
            for k in places.tolist()
        )
        return (
            f"{moved.sum()} of {len(moved)} masks looked at fit other frames of the "
            f"ground truth better, in another order ({told}; mean IoU {free:.2f} "
            f"against {here:.2f}): were frames sorted by name as text, or put together "
            "in another order?"
        )

    def _is_order(self, moved: NDArray[np.bool_]) -> bool:
        """Whether frames lie as in a list, not to and fro beside their own.

        Args:
            moved: [n] masks that fit other frames; the others are in their places.
        """
        places = np.where(moved, self.columns[self.best], self.rows)
        away = float(np.abs(places - self.rows).mean())
        steps = np.diff(places)
        if _share_in_runs(steps < 0) >= _BACKWARDS and away >= _AWAY:
            return True
        back = float((steps < 0).mean())
        enough = _AWAY if back <= _BACK else _FAR * len(self.names)
        return away >= enough

    def _rate(self, free: float, here: float) -> str:
        """The rate at which masks fit about as well as they can anywhere."""
        one_frame = float(self.fits.mean(axis=0).max())
        for rate, told in _RATES.items():
            places = np.minimum(
                self.rows * rate.numerator // rate.denominator, self.columns[-1]
            )
            at = np.searchsorted(self.columns, places)
            near = np.stack([at, np.maximum(at - 1, 0)])
            fit = float(self.fits[np.arange(len(at)), near].max(axis=0).mean())
            if fit >= max(_GOOD, free - _STRAIGHT, _GAIN + max(here, one_frame)):
                return told
        return ""


def _share_in_runs(flags: NDArray[np.bool_]) -> float:
    """Share of flags that lie in runs of three or more that are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    lengths = np.diff(edges.reshape(-1, 2), axis=1)
    return float(lengths[lengths >= _RUN].sum()) / max(len(flags), 1)


def _best_course(fits: _Table) -> float:
    """Mean IoU along the best course on which later masks fit later frames.

    Args:
        fits: [n, m] IoU, masks and frames by time.
    """
    total = np.zeros(fits.shape[1])
    for row in fits:
        total = row + np.maximum.accumulate(total)
    return float(total.max() / len(fits))


class _Look:
    """Masks of a video, read when they are first compared."""

    def __init__(self, pair: SequencePair, by_id: bool) -> None:
        self.pair, self.by_id = pair, by_id
        self.names = pair.gt.frames
        self.place = {name: k for k, name in enumerate(self.names)}
        self.true: dict[str, Objects] = {}
        self.own: dict[str, Objects] = {}

    def compare(self, frames: Sequence[str], most: int) -> _Compared | None:
        """Predictions of frames against `most` frames of the truth, and their own.

        Args:
            frames: that have predictions.
            most: frames of the truth, evenly spread.

        Raises:
            InputError: a mask cannot be read.
        """
        spread = inner(self.names, most)
        self._read(frames, {*frames, *spread})
        rows = [f for f in frames if self.own[f].any() and self.true[f].any()]
        kept = {*rows, *spread}
        columns = [f for f in self.names if f in kept and self.true[f].any()]
        if not rows:
            return None
        fits = [
            [label_iou(self.true[t], self.own[f]) or 0.0 for t in columns] for f in rows
        ]
        predicted, true = (
            np.array([self.place[f] for f in some], np.intp) for some in (rows, columns)
        )
        return _Compared(np.array(fits), predicted, true, self.names)

    def fits_by_size(self, found: _Compared) -> bool:
        """Whether masks fit other frames better, too, if brought to the true sizes."""
        gains = []
        for row, best in zip(found.rows, found.columns[found.best], strict=True):
            own = self.own[self.names[row]]
            here, there = (self.true[self.names[k]] for k in (row, best))
            if here.shape == own.shape == there.shape:
                fits = [
                    label_iou(t, of_true_size(t, own)) or 0.0 for t in (here, there)
                ]
                gains.append(fits[1] - fits[0])
        better = sum(gain >= _GAIN / 2 for gain in gains)
        return better >= max(2, _SHARE * len(found.rows))

    def _read(self, frames: Sequence[str], true: set[str]) -> None:
        for name in sorted(true, key=self.place.__getitem__):
            if name in self.true and (name not in frames or name in self.own):
                continue
            gt = self.pair.gt.read(name)
            step = max(1, round(sqrt(pixels_of(gt) / _PIXELS)))
            self.true[name] = thinned(gt, self.by_id, step)
            if name in frames:
                own = self.pair.read_named(self.pair.pred_frames[name], gt)
                self.own[name] = thinned(own, self.by_id, step)
