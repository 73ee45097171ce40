"""Stacks of masks [K, H, W] given to a `Meter`, whose layers have no names.

Nothing but its place says which object a layer is. So places must mean one thing in
all frames of a video: stacks where they cannot are refused, those where they may not
are told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluation._utils.names import counted
from evaluation.errors import InputError
from evaluation.masks.background import may_surround, surrounds
from evaluation.masks.label_map import has_channels_last

if TYPE_CHECKING:
    from evaluation.meter_frames import CountedFrame

_SIDES = "true", "predicted"

_COVERING, _TOUCHING = 0.5, 0.1
"""IoU of layers that follow each other, from which they may be one object in frames
that do; the second where frames are numbered as if they were."""


@dataclass(frozen=True)
class Stack:
    """What is kept of a stack of masks.

    Attributes:
        shape: K, H and W.
        closeness: least IoU of layers that follow each other.
        grounds: which of the layers 0 and K - 1 must be the background of the others.
        large: which of them may be.
        telling: whether the frame shows enough to tell a background.
    """

    shape: tuple[int, int, int]
    closeness: float
    grounds: tuple[int, ...]
    large: tuple[int, ...]
    telling: bool

    @classmethod
    def of(cls, masks: NDArray[np.generic] | None) -> Stack | None:
        """Look at masks [K, H, W]; None for what is no stack of any."""
        if masks is None or masks.ndim != 3 or not len(masks):
            return None
        count, height, width = masks.shape
        layers: NDArray[np.bool_] = masks.astype(np.bool_, copy=False)
        telling = sum(bool(layer.any()) for layer in layers) > 1
        ends = (0, int(count) - 1) if telling else ()
        large = tuple(k for k in ends if may_surround(layers, k))
        grounds = tuple(k for k in large if surrounds(layers, k))
        shape = int(count), int(height), int(width)
        return cls(shape, _closeness(layers), grounds, large, telling)


def refuse_channels_last(
    sides: Sequence[NDArray[np.generic] | None], sizes: Sequence[tuple[int, ...]]
) -> None:
    """Refuse stacks that have the objects last.

    Args:
        sides: masks of both sides that were given as arrays.
        sizes: height and width of each, () where they are stacks or nothing.

    Raises:
        InputError: [H, W, K] by the size of the other side, or by so many objects in
            frames so narrow.
    """
    for i, masks in enumerate(sides):
        if masks is None or masks.ndim != 3:
            continue
        shape, other, facing = masks.shape, sizes[1 - i], sides[1 - i]
        if not other and facing is not None and facing.ndim == 3:
            other = () if facing.shape == shape else facing.shape[1:]
        # More than twice as many objects as a frame is wide: hardly, however small.
        narrow = has_channels_last(shape, ratio=2, least=1)
        if shape[1:] != other and (narrow or shape[:2] == other):
            raise _channels_last(shape)


def _channels_last(shape: tuple[int, ...]) -> InputError:
    """The error about a stack [H, W, K]."""
    height, width, count = map(int, shape)
    return InputError(
        f"masks of shape [{height}, {width}, {count}]",
        f"{height} masks [{width}, {count}], if the first number counts objects: are "
        f"these {counted(count, 'mask')} [{height}, {width}]?",
        "[K, H, W], objects first, or a label map [H, W]",
        "Pass masks[..., 0] of one mask, else masks.transpose(2, 0, 1) of an array or "
        "masks.permute(2, 0, 1) of a tensor.",
    )


def refuse_background(masks: NDArray[np.generic]) -> None:
    """Refuse a stack of which one mask must be the background.

    Raises:
        InputError: every pixel belongs to exactly one of several masks.
    """
    if len(masks) > 1 and bool((np.count_nonzero(masks, axis=0) == 1).all()):
        raise _with_background(
            f"masks [{', '.join(map(str, masks.shape))}]",
            "a stack that has every pixel in exactly one mask",
        )


def _with_background(where: str, found: str) -> InputError:
    return InputError(
        where,
        found,
        "masks of the objects 1 to K, without the background",
        "Leave the background out (masks[1:] if it comes first), or pass "
        "{object id: mask}.",
    )


def refuse_stacks(sequence: str, frames: Mapping[str, CountedFrame]) -> None:
    """Refuse stacks of which nothing says what their layers are.

    Args:
        sequence: name of the video.
        frames: all of it.

    Raises:
        InputError: there are such stacks.
    """
    refuse_lengths(sequence, frames.values())
    _refuse_unsure(sequence, [*frames.values()])
    for side, word in enumerate(_SIDES):
        _refuse_other_ids(sequence, [*frames.values()], side, word)
        _refuse_rims(sequence, [f.stacks[side] for f in frames.values()], word)


def refuse_lengths(sequence: str, frames: Collection[CountedFrame]) -> None:
    """Refuse stacks of several lengths in one video.

    An object that leaves, or comes, moves all later ones to another layer, or does
    not: a layer may be any object.

    Args:
        sequence: name of the video.
        frames: some of it.

    Raises:
        InputError: there are stacks of two lengths on one side.
    """
    if any(frame.merged for frame in frames):
        return
    for side, word in enumerate(_SIDES):
        stacks = [stack for frame in frames if (stack := frame.stacks[side])]
        if len({stack.shape[0] for stack in stacks}) < 2:
            continue
        shapes = [*dict.fromkeys(str([*stack.shape]) for stack in stacks)]
        raise _changed_lengths(
            f"sequence {sequence}",
            f"{word} masks of shape {' and '.join(shapes[:3])}",
            unsure=any(_on_both_sides(frame) for frame in frames),
        )


def _changed_lengths(where: str, found: str, *, unsure: bool) -> InputError:
    """The error about stacks of several lengths, which may be videos if `unsure`."""
    question = (
        "objects of one frame, or frames of one object?"
        if unsure
        else "which object is each mask?"
    )
    clips = "; of a video, call update once per frame (masks[t])" if unsure else ""
    return InputError(
        where,
        f"{found}, in one video: {question}",
        "[K, H, W] with one mask per object, also of those out of sight, once per "
        "frame",
        f"Pass {{object id: mask}}, or label maps of object ids{clips}.",
    )


def _refuse_unsure(sequence: str, frames: Sequence[CountedFrame]) -> None:
    """Refuse a stack that is alone in its video, and may as well be a whole one.

    Objects of a frame have further frames with as many.

    Raises:
        InputError: there is such a stack.
    """
    shape = _unsure_shape(frames[0]) if len(frames) == 1 else None
    if shape is None:
        return
    raise InputError(
        f"sequence {sequence}",
        f"masks of shape {list(shape)}, and no other frame: objects of one frame, or "
        "frames of one object?",
        "[K, H, W] with one mask per object, once per frame",
        "Of a video, call update once per frame (masks[t]). Of objects 1 to K in one "
        "frame, name it: update(..., frame=0).",
    )


def _unsure_shape(frame: CountedFrame) -> tuple[int, int, int] | None:
    """Shape of true masks that may be a video; None if they are of one frame.

    They are where the other side has one label map, or the caller named the frame,
    and a stack of one mask is, too.
    """
    stack = _on_both_sides(frame)
    return None if stack is None or frame.named else stack.shape


def _on_both_sides(frame: CountedFrame) -> Stack | None:
    """The true stack of several masks; None where the prediction is no stack."""
    truth, found = frame.stacks
    one_sided = found is None and frame.pred_digest is not None
    return None if truth is None or truth.shape[0] == 1 or one_sided else truth


def _refuse_other_ids(
    sequence: str, frames: Sequence[CountedFrame], side: int, word: str
) -> None:
    """Refuse stacks of as many masks as the other side has ids, which are not 1 to K.

    Raises:
        InputError: the layers cannot have these ids.
    """
    ids = _ids_of_other(frames, side)
    lengths = {stack.shape[0] for f in frames if (stack := f.stacks[side])}
    if len(ids) < 2 or lengths != {len(ids)} or max(ids) == len(ids):
        return
    raise InputError(
        f"sequence {sequence}",
        f"{len(ids)} {word} masks per frame without ids, which are taken for objects 1 "
        f"to {len(ids)}; the other side has objects {', '.join(map(str, sorted(ids)))}",
        "masks with the same ids on both sides",
        "Pass {object id: mask}, or label maps of object ids.",
    )


def _ids_of_other(frames: Sequence[CountedFrame], side: int) -> set[int]:
    """Ids of objects on the other side; none if that has stacks, too."""
    if any(frame.stacks[1 - side] for frame in frames):
        return set()
    return set().union(*(frame.ids[1 - side] for frame in frames))


def _refuse_rims(sequence: str, stacks: Sequence[Stack | None], word: str) -> None:
    """Refuse stacks whose first or last layer is the background, but for thin gaps.

    Raises:
        InputError: it is in every frame that tells.
    """
    telling = _telling(stacks)
    for place in _ends_in(telling, [stack.grounds for stack in telling]):
        raise _with_background(
            f"sequence {sequence}",
            f"{word} masks [K, H, W] whose {place} one surrounds the others, but for "
            "thin gaps, up to the border of the frame",
        )


def _telling(stacks: Sequence[Stack | None]) -> list[Stack]:
    """Stacks that tell a background, if most do."""
    given = [stack for stack in stacks if stack is not None]
    telling = [stack for stack in given if stack.telling]
    return telling if 2 * len(telling) >= len(given) else []


def _ends_in(stacks: Sequence[Stack], layers: Sequence[tuple[int, ...]]) -> list[str]:
    """Which of the ends of stacks, "first" or "last", are among some layers of each."""
    if not stacks:
        return []
    ends = ("first", 0), ("last", stacks[0].shape[0] - 1)
    return [place for place, k in ends if all(k in own for own in layers)]


def note_stacks(
    sequence: str, frames: Mapping[str, CountedFrame], *, alone: bool
) -> list[str]:
    """Notes on stacks that look like frames, or like the background and objects.

    Args:
        sequence: name of the video.
        frames: all of it.
        alone: whether there is no other video.
    """
    # Of a single stack the caller was asked, and has answered by naming its frame.
    answered = alone and len(frames) == 1 and all(f.named for f in frames.values())
    notes = [] if answered else _note_clips(sequence, frames)
    every = [*frames.values()]
    for side, word in enumerate(_SIDES):
        telling = _telling([frame.stacks[side] for frame in every])
        notes += [
            f"{sequence}: the {place} of the {word} masks [K, H, W] covers most of the "
            "frame and of its border in all frames: is it the background? Then leave "
            "it out (masks[1:] if it comes first)"
            for place in _ends_in(telling, [stack.large for stack in telling])
        ]
    return notes


def _note_clips(sequence: str, frames: Mapping[str, CountedFrame]) -> list[str]:
    """A note on stacks of masks that cover each other, as the frames of a clip do."""
    stacks = [_on_both_sides(frame) for frame in frames.values()]
    lengths = {stack.shape[0] for stack in stacks if stack}
    numbers = sorted(int(name) for name in frames if name.isdecimal())
    steps = {later - before for before, later in pairwise(numbers)}
    limit = _TOUCHING if lengths == steps else _COVERING
    covering = sum(stack is not None and stack.closeness > limit for stack in stacks)
    if 2 * covering <= len(frames):
        return []
    return [
        f"{sequence}: in {covering} of {len(frames)} frames, true masks [K, H, W] of "
        "different objects cover each other: are these clips of K frames? Then call "
        "update once per frame (masks[t])"
    ]


def _closeness(layers: NDArray[np.bool_]) -> float:
    """Least IoU of layers that follow each other, two empty ones aside; 0 if low.

    Objects of one frame hardly share pixels; one object in frames that follow each
    other does.
    """
    least = 1.0
    for one, other in pairwise(layers):
        # Of objects the first two are nearly always apart.
        shared = np.count_nonzero(one & other)
        if shared or one.any() or other.any():
            least = min(least, shared / np.count_nonzero(one | other))
        if least <= _TOUCHING:
            return 0.0
    return least if len(layers) > 1 and layers.any() else 0.0
