"""Masks that lie on other objects, or in other videos, than they are named after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.counts import GT_AREA, INTERSECTION, PRED_AREA
from evaluation.counting.video import SequenceCounts
from evaluation.errors import InputError
from evaluation.masks.label_map import Mask
from evaluation.masks.numbering import mask_iou
from evaluation.masks.pairs import Masks, SequencePair
from evaluation.protocols import VOID
from evaluation.results.checks.masks import foreground, predicted_frames, spread

_CLEAR = 0.2
"""IoU by which masks must fit other objects, or other videos, better."""

_MOST = 0.7
"""Share of frames in which they must, the first frame looked at being one of them; and
in which ids that count objects in sight are as many on both sides."""

_POOR = 0.5
"""IoU below which a video is compared with others."""

_FITS = 0.65
"""IoU with the ground truth of another video that is no chance."""

_ANEW = 2
"""Frames in which ids must be others than those of the objects in sight."""

_MOVED = 3
"""Masks on other objects, in `_ANEW` frames, from which ids count what was found."""

_HARDLY = 5
"""A mask hardly lies on its object if one in so many pixels of each is shared."""

_VIDEOS = 40
"""Videos with so poor masks that are compared with each other."""


def exchanged_ids(pair: SequencePair, counts: SequenceCounts) -> list[str]:
    """A note where some objects lie under each other's ids, from the first frame on.

    A method that confuses objects begins right, as the first masks are given.

    Args:
        pair: the video.
        counts: of it; objects well covered by masks of their ids are not looked at.
    """
    suspects = _badly_covered(counts)
    if len(suspects) < 2:
        return []
    votes: list[dict[int, int]] = []
    for frame in spread(predicted_frames(pair)):
        true, own = pair.read(frame)
        if own is not None:
            votes.append(_better_ids(_by_id(true, suspects), _by_id(own, suspects)))
    found = {
        k: other
        for k in suspects
        if (other := _common([one[k] for one in votes if k in one])) not in (None, k)
    }
    exchanged = {k: v for k, v in found.items() if v in found}
    if len(exchanged) < 2 or set(exchanged) != set(exchanged.values()):
        return []
    told = ", ".join(f"object {k} under id {v}" for k, v in sorted(exchanged.items()))
    return [
        f"{pair.name}: predicted masks lie on the objects under other ids from the "
        f"first frame on ({told}); are ids exchanged?"
    ]


def _badly_covered(counts: SequenceCounts) -> list[int]:
    """Objects of which masks of their ids cover less than half."""
    area = counts.counts[:, :, GT_AREA].sum(axis=1, dtype=np.int64)
    shared = counts.counts[:, :, INTERSECTION].sum(axis=1, dtype=np.int64)
    poor = (area > 0) & (2 * shared < area)
    return [k for k in counts.object_ids[poor].tolist() if k != VOID]


def _by_id(masks: Masks, ids: Iterable[int]) -> dict[int, Mask]:
    """Masks of some objects that are visible in a frame."""
    if isinstance(masks, dict):
        found = {k: masks[k] for k in ids if k in masks}
    else:
        found = {k: masks == k for k in ids}
    return {k: mask for k, mask in found.items() if mask.any()}


def _better_ids(true: Mapping[int, Mask], own: Mapping[int, Mask]) -> dict[int, int]:
    """The id under which each object lies: its own, unless another fits far better."""
    found = {}
    for k, mask in true.items():
        fits = {other: mask_iou(mask, there) for other, there in own.items()}
        if not fits:
            continue
        best = max(fits, key=lambda other: fits[other])
        found[k] = best if fits[best] > fits.get(k, 0.0) + _CLEAR else k
    return found


def _common(votes: Sequence[int]) -> int | None:
    """The id in the first frame, if it is that in most; None if it is not."""
    if not votes or votes.count(votes[0]) < _MOST * len(votes):
        return None
    return votes[0]


def numbered_anew(counts: SequenceCounts) -> list[str]:
    """A note where ids only count the objects in sight, in one of both sides.

    Objects after one that is away then have the ids of others, and do not fit them.

    Args:
        counts: of a video whose objects go by their ids.
    """
    ids = counts.object_ids[counts.object_ids != VOID]
    if len(ids) < 2 or ids.tolist() != [*range(1, len(ids) + 1)]:
        return []
    areas = counts.counts[: len(ids)].astype(np.int64)
    true, own = areas[:, :, GT_AREA] > 0, areas[:, :, PRED_AREA] > 0
    as_many = true.sum(axis=0) == own.sum(axis=0)
    others = as_many & (true != own).any(axis=0)
    shared = areas[:, others, INTERSECTION].sum()
    apart = 2 * shared < areas[:, others, GT_AREA].sum()
    if np.count_nonzero(others) < _ANEW or as_many.mean() < _MOST or not apart:
        return []
    return [
        f"{counts.name}: in every frame {word} masks have the ids 1 to as many as "
        "objects are visible, whichever these are: are masks numbered anew in each "
        "frame? Then give each object one id in all frames"
        for word, side in (("predicted", own), ("true", true))
        if (side == (ids[:, None] <= side.sum(axis=0))).all()
    ]


def numbered_by_found(pair: SequencePair, counts: SequenceCounts) -> list[str]:
    """A note where predicted ids only count what a method found in each frame.

    The objects after one that it lost have the ids of those before them there, in the
    same order, and are right in the frames before and after in which it found all.
    Masks are read only where pixel counts show that much.

    Args:
        pair: the video, compared by ids.
        counts: its pixel counts.
    """
    ids = counts.object_ids[counts.object_ids != VOID].tolist()
    off = _off_where_fewer(counts)
    among = np.flatnonzero(off.any(axis=0))
    if len(among) < _ANEW or off.sum() < _MOVED:
        return []
    looked = spread(tuple(counts.frames[t] for t in among))
    moved = [n for n in (_moved_on(*pair.read(frame), ids) for frame in looked) if n]
    if len(moved) < max(_ANEW, _MOST * len(looked)) or sum(moved) < _MOVED:
        return []
    own = counts.counts[: len(ids), :, PRED_AREA] > 0
    found = own.sum(axis=0)
    fewer = int(np.count_nonzero((found > 0) & (found < len(ids))))
    # A method may let one mask jump onto an object whose own it loses, but not two.
    if max(moved) < 2 and 2 * len(among) < fewer:
        return []
    return [
        f"{pair.name}: in {len(among)} of the {fewer} frames in which some of its "
        f"{len(ids)} objects are not found, predicted masks have the first ids and lie "
        "on objects of later ones, and are right where all are found: are masks "
        "numbered anew in each frame? Then give each object one id in all frames"
    ]


def _off_where_fewer(counts: SequenceCounts) -> NDArray[np.bool_]:
    """[n, T]: masks that hardly lie on their objects, where there are fewer than these.

    Nowhere if they have other ids than the first ones in any frame. They must lie on
    their objects in the frames next to these that have masks of all.
    """
    n = int(np.count_nonzero(counts.object_ids != VOID))
    areas = counts.counts[:n].astype(np.int64)
    true, own, shared = (areas[:, :, k] for k in (GT_AREA, PRED_AREA, INTERSECTION))
    there, found = own > 0, (own > 0).sum(axis=0)
    nowhere = np.zeros_like(there)
    whole = np.flatnonzero(found == n)
    if n < 2 or not len(whole) or (there != (np.arange(n)[:, None] < found)).any():
        return nowhere
    # All of an object may be shared by a mask that grew over another one, too.
    missed = (true == 0) | (_HARDLY * shared < true)
    off = there & missed & (_HARDLY * shared < own)
    places = np.searchsorted(whole, np.arange(len(found)))
    before, after = (
        off[:, whole[np.clip(at, 0, len(whole) - 1)]] for at in (places - 1, places)
    )
    return np.asarray(off & ~before & ~after & (found < n))


def _moved_on(true: Masks, own: Masks | None, ids: Sequence[int]) -> int:
    """How many masks lie on objects of later ids; 0 if others are out of order."""
    if own is None:
        return 0
    places = _better_ids(_by_id(own, ids), _by_id(true, ids))
    lie = [places[k] for k in sorted(places)]
    if any(a >= b for a, b in pairwise(lie)):
        return 0
    return sum(k != at for k, at in places.items())


def exchanged_videos(
    pairs: Sequence[SequencePair], fits: Mapping[str, float]
) -> list[str]:
    """Notes where the masks of videos fit the ground truth of other videos.

    Args:
        pairs: all videos of one set of results.
        fits: mean J of each video, by name.
    """
    poor = [p for p in pairs if p.pred is not None and fits.get(p.name, 1.0) < _POOR]
    if not poor or len(pairs) < 2:
        return []
    looked = {p.name: _masks_of(p, own=True) for p in poor[:_VIDEOS]}
    rest = (p for p in pairs if p.name not in looked)
    compared = [*poor[:_VIDEOS], *rest][: 2 * _VIDEOS]
    truth = {p.name: _masks_of(p, own=False) for p in compared}
    notes = []
    for name, own in looked.items():
        here = _fit(truth[name], own)
        there = {k: _fit(masks, own) for k, masks in truth.items() if k != name}
        best = max(there, key=lambda k: there[k], default="")
        if best and there[best] > max(here + _CLEAR, _FITS):
            notes.append(
                f"{name}: its masks fit the ground truth of {best} far better (mean "
                f"IoU {there[best]:.2f} against {here:.2f}); are they those of {best}?"
            )
    return notes


_Looked = tuple[Mask | None, ...]
"""All that is not background, in a few frames."""

_FRAMES = 4
"""How many frames of a video are compared with those of others, and how far apart."""

_STEP = 3


def _masks_of(pair: SequencePair, *, own: bool) -> _Looked:
    """Masks of a few frames; what lies at equal places in two videos is compared."""
    found: list[Mask | None] = []
    for frame in predicted_frames(pair)[::_STEP][:_FRAMES]:
        try:
            true, predicted = pair.read(frame)
        except InputError:
            return ()
        mask = foreground(predicted if own else true)
        found.append(None if mask is None else mask[::2, ::2])
    return tuple(found)


def _fit(true: _Looked, own: _Looked) -> float:
    """Mean IoU of masks of equal frames; 0 where there are none to compare."""
    both = [
        mask_iou(a, b)
        for a, b in zip(true, own, strict=False)
        if a is not None and b is not None and a.any()
    ]
    return float(np.mean(both)) if both else 0.0
