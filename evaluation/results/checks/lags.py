"""Masks that fit one or two frames earlier or later: paired tests over frames.

Results whose numbers are off by one have the names of the ground truth, and lose a
little in every frame. Each frame says which of its neighbours a mask fits best; errors
of a method fall to either side alike, a wrong number to one and the same.

Masks that stay behind more and more, as those of a method that follows slowly, fit ever
better the farther back one looks. A wrong number has a peak: the frames beyond it fit
worse again, and that is asked for as well. Nor is it one number where a method falls
back now and then: it is the same in every part of the video.

Masks that are all too large fit a frame better in which the object is larger. So masks
must fit better, too, when each object is brought to the size that it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb, erfc, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

from evaluation._utils.names import counted
from evaluation.counting.counts import GT_AREA, INTERSECTION, PRED_AREA
from evaluation.counting.video import SequenceCounts
from evaluation.errors import InputError
from evaluation.masks.label_map import label_iou
from evaluation.masks.numbering import NUMBERED_FROM_ANOTHER
from evaluation.masks.pairs import Masks, SequencePair
from evaluation.notes import Note
from evaluation.results.checks.nearby import (
    Kept,
    Objects,
    Reading,
    agreements,
    frames_with_neighbours,
    inner,
    nearby_masks,
    of_true_size,
    thinned,
)

_FEWEST = 6
"""Frames from which the test can tell anything."""

_TESTED = 30
"""Frames of a video, evenly spread, that are tested."""

_PARTS = ((1.0, 0.001), (0.75, 0.0003), (0.6, 0.0003), (0.45, 0.0003))
"""Shares of the frames, to the end, that are tested, each with the chance at which one
without fault is told: frames may be off from one of them on."""

_BEYOND = 0.05
"""Chance at which the frames beyond the peak may fit worse without fault."""

_GAIN = 0.02
"""Mean agreement that a wrong number must cost to be told."""

_CLOSE = 0.06
"""IoU by which another reading may fit better, with its scales and moves to choose."""

_THIRDS = 3
"""Parts of a video in each of which masks must be off by the same number."""

_OTHERS = 0.1
"""Part of the objects' pixels whose objects may fit worse there."""

_SURE_OF_SIZE = 1 / 64
"""Chance at which objects brought to one size may fit better without fault."""


def wrong_numbers(pair: SequencePair, *, by_id: bool) -> list[str]:
    """A note where masks fit frames nearby better than those that they are named after.

    Args:
        pair: the video.
        by_id: whether objects are compared by their ids, or as one.
    """
    if pair.pred is None:
        return []
    reach = 3 if len(pair.frames) >= 14 else 2
    frames = frames_with_neighbours(pair, reach)
    if len(frames) < _FEWEST:
        return []
    kept: Kept = {}
    try:
        # A look at a few frames spares nearly all videos without fault the rest.
        for few in (3, 9):
            near = agreements(pair, inner(frames, few), (-1, 0, 1), by_id, kept)
            if not len(near) or all(
                part.mean(axis=0).argmax() == 1
                for part in (near, near[len(near) // 2 :])
            ):
                return []
        looked = inner(frames, _TESTED)
        lags = range(-reach, reach + 1)
        table = agreements(pair, looked, lags, by_id, kept, pixels=100_000)
        for share, chance in _PARTS:
            first = len(table) - round(share * len(table))
            part = table[first:]
            lag = _best_lag(part, chance) if len(part) >= _FEWEST else 0
            checked = (pair, looked[-len(part) :], lag, by_id, kept)
            if lag and _all_gain(*checked) and _fits_by_size(*checked):
                since = looked[first] if first else ""
                here, there = part.mean(axis=0)[[reach, reach + lag]].tolist()
                return [_tell(pair.name, lag, (there, here), len(part), since)]
    except InputError:
        pass  # a frame that is not scored cannot be read
    return []


def nearby_or(
    pair: SequencePair,
    looked: Mapping[str, tuple[Masks, Masks | None]],
    reading: Reading,
) -> list[str]:
    """What to tell of masks that fit in another reading: that, or a frame nearby.

    Masks that stay behind look as if they were scaled and moved, too. What fits better
    is told, and both where that is close.

    Args:
        pair: the video.
        looked: true and predicted masks of some frames, by name.
        reading: mean IoU of all objects as one that it gives, and the note on it.
    """
    if reading is None:
        return []
    fit, told = reading
    names = pair.gt.frames
    place = {name: k for k, name in enumerate(names)}
    lags = (0, -1, 1, -2, 2)
    read = {frame: thinned(gt, False, 1) for frame, (gt, _) in looked.items()}
    rows = []
    for frame, (_, own) in looked.items():
        there = [names[min(max(place[frame] + lag, 0), len(names) - 1)] for lag in lags]
        for name in there:
            if name not in read:
                read[name] = thinned(pair.gt.read(name), False, 1)
        if own is not None:
            alone = thinned(own, False, 1)
            rows.append([label_iou(read[name], alone) for name in there])
    fits = [_mean(column) for column in zip(*rows, strict=True)] or [0.0] * len(lags)
    here, best = fits[0], fit - _CLOSE
    nearest = 0
    for lag, mean in zip(lags[1:], fits[1:], strict=True):
        if mean >= best:
            best, nearest = mean, -lag
    if not nearest or best < here + _GAIN:
        return [told]
    note = _tell(pair.name, nearest, (best, here), len(looked))
    return [note] if best >= fit else [note, told]


def _mean(fits: Sequence[float | None]) -> float:
    """Of those that are known; 0 without any."""
    known = [fit for fit in fits if fit is not None]
    return float(np.mean(known)) if known else 0.0


def given_mask_late(
    pair: SequencePair, counts: SequenceCounts, *, by_id: bool
) -> list[str]:
    """A note where the second frame has the given mask of the first, to the pixel.

    However little objects move, a method that goes on from there does not return it;
    one that holds it does so for longer, and one that holds every mask does it again.

    Args:
        pair: the video.
        counts: its pixel counts.
        by_id: whether objects are compared by their ids, or as one.
    """
    given, *following = pair.gt.frames[:4]
    if len(following) < 3 or not set(following) <= pair.pred_frames.keys():
        return []
    if following[0] not in pair.frames:
        return []
    row = counts.counts[:, pair.frames.index(following[0])].sum(axis=0, dtype=np.int64)
    if row[GT_AREA] == row[INTERSECTION] == row[PRED_AREA]:
        return []
    try:
        true = thinned(pair.gt.read(given), by_id, 1)
        # No prediction is read where areas, or what they share, tell that masks differ.
        if np.count_nonzero(true) != row[PRED_AREA] or not row[PRED_AREA]:
            return []
        nearest = thinned(pair.gt.read(following[0]), by_id, 1)
        if nearest.shape != true.shape or row[INTERSECTION] != np.count_nonzero(
            (nearest == true) & (true != 0)
        ):
            return []
        read = [pair.read(name)[1] for name in following]
    except InputError:
        return []  # a frame that is not scored cannot be read
    late, then, later = (
        None if masks is None else thinned(masks, by_id, 1) for masks in read
    )
    if not _equal(true, late) or _equal(late, then) or _equal(then, later):
        return []
    return [
        f"{pair.name}: the mask of {following[0]} is to the pixel that of the ground "
        f"truth of {given}, a frame earlier: is every mask named a frame late? They "
        "were scored as they are named"
    ]


def _equal(one: Objects | None, other: Objects | None) -> bool:
    return one is not None and other is not None and np.array_equal(one, other)


def _tell(
    name: str, lag: int, fits: tuple[float, float], n_looked: int, since: str = ""
) -> Note:
    """The note on a video whose masks are off, perhaps since some frame.

    Args:
        name: of the video.
        lag: frames by which masks are late; below 0 if early.
        fits: mean IoU there and here.
        n_looked: frames looked at.
        since: name of the first frame that is off; empty for all.
    """
    where = f" from about {since} on" if since else ""
    what = (
        "is a frame left out or doubled there, and the rest numbered without it?"
        if since
        else NUMBERED_FROM_ANOTHER
    )
    there, here = fits
    text = (
        f"masks fit the ground truth better {counted(abs(lag), 'frame')} "
        f"{'later' if lag < 0 else 'earlier'}{where} (mean IoU {there:.3f} against "
        f"{here:.3f} in {counted(n_looked, 'frame')} looked at): {what} They were "
        "scored as they are named"
    )
    return Note(text, "" if since else "wrong-numbers").about(name)


def _best_lag(table: NDArray[np.float64], chance: float) -> int:
    """By how many frames masks are off; 0 where they are not, or nothing is sure.

    Args:
        table: [n, 2 * reach + 1] agreement of each frame with its neighbours.
        chance: at which a video without fault may be told.
    """
    reach = table.shape[1] // 2
    means = table.mean(axis=0)
    best = int(means.argmax())
    lag = best - reach
    if lag == 0 or abs(lag) == reach or means[best] - means[reach] < _GAIN:
        return 0
    if any(part.mean(axis=0).argmax() != best for part in _parts(table)):
        return 0
    beyond = best + (1 if lag > 0 else -1)
    gains = table[:, best] - table[:, reach]
    sure = min(_chance(gains), _chance_of_mean(gains)) <= chance
    return lag if sure and _chance(table[:, best] - table[:, beyond]) <= _BEYOND else 0


def _parts(table: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Rows of the beginning, the middle and the end."""
    return np.array_split(table, _THIRDS)


def _fits_by_size(
    pair: SequencePair, frames: Sequence[str], lag: int, by_id: bool, kept: Kept
) -> bool:
    """Whether masks are as far off when all objects are brought to their true size."""
    beyond = lag + (1 if lag > 0 else -1)
    table = agreements(pair, frames, (0, lag, beyond), by_id, kept, of_true_size)
    if len(table) < _FEWEST:  # the others are empty, as are their neighbours
        return False
    if any(part.mean(axis=0).argmax() != 1 for part in _parts(table)):
        return False
    here, there = table[:, 0], table[:, 1]
    gain = float(there.mean() - here.mean())
    return gain >= _GAIN / 2 and _chance(there - here) <= _SURE_OF_SIZE


def _chance(differences: NDArray[np.float64]) -> float:
    """Sign test: chance of as many gains or more, were gains and losses as likely."""
    gains, losses = int((differences > 0).sum()), int((differences < 0).sum())
    n = gains + losses
    return float(sum(comb(n, k) for k in range(gains, n + 1)) / 2**n)


def _chance_of_mean(differences: NDArray[np.float64]) -> float:
    """Student's test: chance of as high and even a mean, were it 0.

    It says more of few frames than their signs do, where all gain about as much.
    Quantiles of t are taken to those of the normal distribution as Wallace (1959,
    Annals of Mathematical Statistics 30) does, to 0.1 % from 5 values on.
    """
    freedom = len(differences) - 1
    if freedom < _FEWEST - 1 or differences.mean() <= 0:
        return 1.0
    spread = float(differences.std(ddof=1))
    t = float(differences.mean()) * sqrt(freedom + 1) / max(spread, 1e-9)
    z = (8 * freedom + 1) / (8 * freedom + 3) * sqrt(freedom * log1p(t * t / freedom))
    return erfc(z / sqrt(2)) / 2


def _all_gain(
    pair: SequencePair, frames: Sequence[str], lag: int, by_id: bool, kept: Kept
) -> bool:
    """Whether the objects that fit worse in frames nearby are a small part of all.

    A wrong number is that of all objects. Of masks that are moved, those of objects
    that go that way fit better in another frame, and those of others worse.
    """
    # Area in truth; shared pixels and union here, and the same nearby.
    sums: dict[int, NDArray[np.int64]] = {}
    for true, nearby in nearby_masks(pair, frames, (0, lag), by_id, kept):
        for key in np.unique(true[true != 0]).tolist():
            mask = true == key
            total = sums.setdefault(key, np.zeros(5, np.int64))
            total[0] += mask.sum()
            for k, own in enumerate(nearby):
                if own.shape == mask.shape:
                    total[1 + 2 * k] += (mask & (own == key)).sum()
                    total[2 + 2 * k] += (mask | (own == key)).sum()
    table = np.array(list(sums.values())).reshape(-1, 5)
    fits = table[:, [1, 3]] / np.maximum(table[:, [2, 4]], 1)
    worse = fits[:, 1] < fits[:, 0] - _GAIN
    return bool(table[worse, 0].sum() <= _OTHERS * table[:, 0].sum())
