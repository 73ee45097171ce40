"""What a `Meter` takes for a frame, and what it keeps of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.frame import FrameRows, Ids, PairGrid, Sizes
from evaluation.counting.overlaps import FrameOverlaps
from evaluation.counting.video import Seen
from evaluation.errors import InputError
from evaluation.masks.encoding import are_ids
from evaluation.masks.label_map import plain_array
from evaluation.masks.names import frame_number
from evaluation.masks.run_lengths import decode_rle
from evaluation.masks.sequence import ArraySequence
from evaluation.meter_stacks import Stack, refuse_background, refuse_channels_last


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
    merged: bool = False
    """Whether all objects are counted as one."""
    ids: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())
    """Of true and predicted objects in sight; none where masks do not go by ids."""
    stacks: tuple[Stack | None, Stack | None] = (None, None)
    """True and predicted masks that were given as [K, H, W]."""
    named: bool = True
    """Whether the caller said which frame it is."""


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


@dataclass(frozen=True)
class Given:
    """Masks of one side of a frame, as they were given.

    Attributes:
        masks: in a form that `ArraySequence` reads; None where there are none.
        stack: what they show, where they are [K, H, W].
    """

    masks: object
    stack: Stack | None


def read_sides(pred: object, gt: object) -> tuple[Given, Given]:
    """Predicted and true masks of a frame.

    Raises:
        InputError: they are no masks, or not [K, H, W] of the objects 1 to K.
    """
    plain = [_plain(masks) for masks in (pred, gt)]
    arrays = [None if isinstance(masks, dict) else masks for masks in plain]
    refuse_channels_last(arrays, [_size(masks) for masks in plain])
    first, second = (_given(masks) for masks in plain)
    return first, second


def _plain(masks: object) -> dict[object, object] | NDArray[np.generic] | None:
    if masks is None:
        return None
    if isinstance(masks, Mapping):
        if {"size", "counts"} <= masks.keys():
            return {1: _mask(masks)}
        return {k: _mask(mask) for k, mask in masks.items()}
    return plain_array(masks, "masks")


def _size(masks: dict[object, object] | NDArray[np.generic] | None) -> tuple[int, ...]:
    """Height and width; of a stack they are unknown, as its axes may be exchanged."""
    if isinstance(masks, dict):
        masks = next((np.asarray(mask) for mask in masks.values()), None)
    return () if masks is None or masks.ndim != 2 else masks.shape


def _given(masks: dict[object, object] | NDArray[np.generic] | None) -> Given:
    if masks is None or isinstance(masks, dict) or masks.ndim != 3:
        return Given(masks, None)
    if len(masks) == 1 and are_ids(masks[0]):
        ids = ", ".join(map(str, np.unique(masks[0]).tolist()[:5]))
        raise InputError(
            f"masks of shape {[*masks.shape]}",
            f"a single mask with the values {ids}, which looks like a label map [H, W] "
            "in a batch of one",
            "a label map [H, W], or one mask per object [K, H, W]",
            "Pass masks[0] (or masks.squeeze(0)).",
        )
    refuse_background(masks)
    return Given(dict(enumerate(masks, 1)), Stack.of(masks))


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
