"""What a `Meter` takes for a frame, and what it keeps of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.frame import FrameRows, Ids, PairGrid, Sizes
from evaluation.counting.overlaps import FrameOverlaps
from evaluation.counting.video import Seen
from evaluation.errors import InputError
from evaluation.masks.label_map import plain_array
from evaluation.masks.names import frame_number
from evaluation.masks.numbering import mask_iou
from evaluation.masks.run_lengths import decode_rle
from evaluation.masks.sequence import ArraySequence


@dataclass(frozen=True)
class CountedFrame:
    """What is kept of one frame: counts, labels, and fingerprints of its masks."""

    rows: FrameRows
    grid: PairGrid | None
    overlaps: FrameOverlaps | None
    end_ids: Ids
    end_labels: set[int]
    seen: Seen
    digests: Mapping[int, int]
    remarks: tuple[str, ...]
    gt_ids: tuple[int, ...] | None
    gt_digest: bytes
    pred_digest: bytes | None
    by_object: bool = False
    """Whether both sides have a mask per object, of which none are merged."""
    stacked: tuple[int, ...] | None = None
    """Shapes [K, H, W] of stacks whose frame the caller did not name."""
    covering: bool = False
    """Whether the true masks of the stack cover each other, as those of a clip do."""


class CountedVideo(ArraySequence):
    """The frames of a video whose masks are counted and gone."""

    def __init__(self, name: str, frames: Mapping[str, tuple[int, ...] | None]) -> None:
        masks = {
            k: None if ids is None else dict.fromkeys(ids) for k, ids in frames.items()
        }
        super().__init__(name, masks)

    def remember(self, digests: Mapping[str, bytes]) -> None:
        """Keep the fingerprints of the masks."""
        self._digests.update(digests)


def combine_seen(ends: Sequence[CountedFrame], chosen: Sequence[CountedFrame]) -> Seen:
    """What the masks of a video showed, from its frames."""
    every = [frame.seen for frame in chosen]
    resized: Counter[Sizes] = Counter()
    for one in every:
        resized.update(one.resized)
    return Seen(
        set().union(*(f.end_labels for f in ends), *(one.gt_labels for one in every)),
        set().union(*(one.pred_labels for one in every)),
        _combine_flags(one.background for one in every),
        _combine_flags(one.large for one in every),
        resized,
        {name: pair for one in every for name, pair in one.shared.items()},
    )


def _combine_flags(pairs: Iterable[tuple[bool, bool]]) -> tuple[bool, bool]:
    gt, pred = zip(*pairs, strict=True)
    return any(gt), any(pred)


def two_writings(sequence: str) -> InputError:
    """The error about ground truth written in two ways within one video."""
    return InputError(
        f"sequence {sequence}",
        "ground truth of 0 and 255 in its first and last frame, and other labels "
        "between them",
        "one way of writing masks",
        "Pass object ids in every frame, or make the meter with binarize=True.",
    )


def name_frame(frame: str | int | None, count: int, sequence: str) -> str:
    """The name of a frame; of its number, padded with zeros.

    Raises:
        InputError: it is no whole number, or below 0.
    """
    if isinstance(frame, str):
        return frame
    number = count if frame is None else frame_number(frame, f"sequence {sequence}")
    if number < 0:
        raise InputError(
            f"sequence {sequence}",
            f"frame number {number}",
            "frame numbers from 0 on",
            "Number frames in playing order from 0 on (frame=0, 1, 2), or pass names.",
        )
    return f"{number:05d}"


def as_masks(masks: object) -> object:
    """Masks in a form that `ArraySequence` reads; None stays as it is."""
    if masks is None:
        return None
    if isinstance(masks, Mapping):
        if {"size", "counts"} <= masks.keys():
            return {1: _mask(masks)}
        return {k: _mask(mask) for k, mask in masks.items()}
    array = plain_array(masks, "masks")
    if array.ndim == 3:
        _refuse_background(array)
        return {k + 1: mask for k, mask in enumerate(array)}
    return array


def stack_shape(gt: object, pred: object) -> tuple[int, ...] | None:
    """Shape of true masks that may be a video; None if they are of one frame.

    They are where the other side has one label map, and a stack of one mask is, too.
    """
    given = [masks for masks in (gt, pred) if masks is not None]
    shapes = [tuple(getattr(masks, "shape", ())) for masks in given]
    if not shapes or any(len(shape) != 3 for shape in shapes) or shapes[0][0] == 1:
        return None
    return tuple(int(n) for n in shapes[0])


def cover_each_other(gt: object) -> bool:
    """Whether each of several masks shares most of its pixels with the one before.

    Objects of one frame hardly do; one object in frames that follow each other does.

    Args:
        gt: true masks [K, H, W].
    """
    masks = plain_array(gt, "masks") != 0
    # `all` ends at the first pair of objects apart, which is nearly always the first.
    return bool(masks.any()) and all(
        mask_iou(one, other) > 0.5
        for one, other in pairwise(masks)
        if one.any() or other.any()
    )


def note_clips(sequence: str, frames: Collection[CountedFrame]) -> list[str]:
    """A note on stacks of masks that cover each other, as the frames of a clip do.

    Args:
        sequence: name of the video.
        frames: of it.
    """
    covering = sum(frame.covering for frame in frames)
    if 2 * covering <= len(frames):
        return []
    return [
        f"{sequence}: in {covering} of {len(frames)} frames, true masks [K, H, W] of "
        "different objects cover each other: are these clips of K frames? Then call "
        "update once per frame (masks[t])"
    ]


def refuse_unsure_stacks(
    sequence: str, frames: Mapping[str, tuple[int, ...] | None]
) -> None:
    """Refuse stacks of which nothing says that they are objects, not frames.

    Objects of a frame have further frames with as many. A stack that is alone in its
    video, or beside others of another length, may as well be a whole video.

    Args:
        sequence: name of the video.
        frames: shape of the stack in each frame; None where there is none, or where
            the caller named the frame.

    Raises:
        InputError: there are such stacks.
    """
    stacks = dict.fromkeys(shape for shape in frames.values() if shape)
    if not stacks or (len(frames) > 1 and len({shape[0] for shape in stacks}) == 1):
        return
    listed = " and ".join(str(list(shape)) for shape in [*stacks][:3])
    raise InputError(
        f"sequence {sequence}",
        f"masks of shape {listed}"
        + (", and no other frame" if len(frames) == 1 else ", in one video")
        + ": objects of one frame, or frames of one object?",
        "[K, H, W] with one mask per object, once per frame",
        "Of a video, call update once per frame (masks[t]). Of objects 1 to K in one "
        "frame, name it: update(..., frame=0).",
    )


def _refuse_background(masks: NDArray[np.generic]) -> None:
    """Refuse a stack of which one mask must be the background.

    Raises:
        InputError: every pixel belongs to exactly one of several masks.
    """
    if len(masks) > 1 and bool((np.count_nonzero(masks, axis=0) == 1).all()):
        raise InputError(
            f"masks [{', '.join(map(str, masks.shape))}]",
            "a stack that has every pixel in exactly one mask",
            "masks of the objects 1 to K, without the background",
            "Leave the background out (masks[1:] if it comes first), or pass "
            "{object id: mask}.",
        )


def _mask(mask: object) -> object:
    if isinstance(mask, Mapping):
        return decode_rle(mask, "run lengths")
    return plain_array(mask, "masks")


def given_twice(sequence: str, frame: str) -> InputError:
    """The error about a frame that was given before."""
    return InputError(
        f"sequence {sequence}, frame {frame}",
        "masks that were given before",
        "each frame once",
        "Pass another frame= or sequence=, or call reset() before a new round.",
    )
