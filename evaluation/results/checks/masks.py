"""Look at masks again where their labels look odd: soft edges, inverted masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.masks.encoding import (
    AS_OBJECT,
    background_as_object,
    fills_corners,
    is_blended,
    refuse_soft,
)
from evaluation.masks.label_map import Mask
from evaluation.masks.pairs import Masks, SequencePair
from evaluation.masks.sequence import MaskSequence
from evaluation.protocols import VOID

HIGH = 64
"""Ids above this, of many objects or of few, are worth a look at the mask."""

BINARIZE = "take whatever is not 0 as object 1 (binarize=True, --binarize)"

_LOOKED_AT = 8
"""Frames of a video, evenly spread, that are looked at."""


def is_suspicious(labels: set[int]) -> bool:
    """Whether labels may be grey levels."""
    return len(labels) >= 4 and max(labels - {VOID}, default=0) >= HIGH


def refuse_soft_edges(pair: SequencePair, gt: set[int], pred: set[int]) -> None:
    """Refuse label maps whose many high labels are grey levels.

    Args:
        pair: the video.
        gt: labels in the ground truth.
        pred: labels in the prediction.

    Raises:
        InputError: a mask has soft edges.
    """
    refuse_soft_sequence(pair.gt, gt)
    if is_suspicious(pred - gt) and pair.pred is not None:
        for frame in spread(tuple(pair.predicted())):
            _refuse_soft(pair.pred.read(frame), pair.pred.where(frame))


def refuse_soft_sequence(masks: MaskSequence, labels: set[int]) -> None:
    """Refuse the label maps of one video if its many high labels are grey levels.

    Args:
        masks: the video.
        labels: that occur in it.

    Raises:
        InputError: a mask has soft edges.
    """
    if is_suspicious(labels):
        for frame in spread(masks.frames):
            _refuse_soft(masks.read(frame), masks.where(frame))


def _refuse_soft(masks: Masks, where: str) -> None:
    if not isinstance(masks, dict):  # masks of one object are checked when read
        refuse_soft(masks, where)


def inverted(pair: SequencePair, *, merged: bool = False) -> list[str]:
    """Notes where one object fills the frame, as it does in inverted masks.

    Args:
        pair: the video.
        merged: whether all objects of a label map count as one.
    """
    found: dict[int, bool] = {}
    true: set[int] = set()
    full, true_background = not merged, False
    for frame in spread(predicted_frames(pair)):
        gt, own = pair.read(frame)
        filling = filling_objects(gt, merged)
        true |= set(filling) if _is_alone(gt, merged) else set()
        if own is None:
            continue
        for key, whole in filling_objects(own, merged).items() if not filling else ():
            found[key] = found.get(key, False) or whole
        full = full and not isinstance(own, dict) and bool(own.all())
        true_background |= isinstance(gt, dict) or not gt.all()
    notes = []
    if full and true_background:
        notes.append(
            f"{pair.name}: no pixel of the prediction is 0, so that every pixel "
            "belongs to an object; is one of its ids the background?"
        )
    if found:
        notes.append(f"{pair.name}: {describe_filling(found)}")
    if true:
        notes.append(
            f"{pair.name}: the only object of the ground truth fills all corners and "
            "most of the frame; are its masks inverted?"
        )
    return notes


def look_inverted(masks: MaskSequence, frames: Sequence[str]) -> bool:
    """Whether most of some masks that are not empty fill all corners of the frame.

    Args:
        masks: of one object.
        frames: names of the frames to choose from.
    """
    looked = [masks.read(frame) for frame in spread(tuple(frames))]
    found = [bool(filling_objects(own, merged=True)) for own in looked if _some(own)]
    return 2 * sum(found) > len(found)


def _some(masks: Masks) -> bool:
    return bool(masks) if isinstance(masks, dict) else bool(masks.any())


FROM_ZERO = "np.where(mask == 255, 0, mask + 1)"
"""What ids from 0 on with 255 for the background, and inverted masks, are to become."""

INVERTED = "np.where(mask == 0, 1, 0)"
"""The same of inverted masks where every video has one object."""


def white_background(pair: SequencePair | None, extra: set[int]) -> list[str]:
    """A note where a prediction has 255 around everything, and objects from 0 on.

    That is so where 255 fills all corners, and 0 lies on objects rather than elsewhere.

    Args:
        pair: the video; None where it cannot be looked at.
        extra: labels of the prediction that the ground truth does not have.
    """
    if pair is None or VOID not in extra:
        return []
    zeros = on_objects = 0
    for frame in spread(predicted_frames(pair), most=4):
        gt, own = pair.read(frame)
        if isinstance(gt, dict) or own is None or isinstance(own, dict):
            return []
        outside = own == VOID
        if gt.shape != own.shape or not (outside.all() or fills_corners(outside)):
            return []
        zeros += int((own == 0).sum())
        on_objects += int(((own == 0) & (gt > 0)).sum())
    if 2 * on_objects <= zeros:
        return []
    return [
        f"{pair.name}: 255 fills all corners of the prediction, and 0 lies on objects; "
        "if ids are from 0 on and 255 is the background, write every id one higher and "
        f"0 for the background: {FROM_ZERO}"
    ]


def surrounded_by_void(pair: SequencePair) -> list[str]:
    """A note where 255 lies around everything on both sides, and 0 within.

    So write those who have 255 for the background and objects from 0 on.
    """
    for frame in spread(predicted_frames(pair), most=2):
        for masks in pair.read(frame):
            if masks is None or isinstance(masks, dict) or not (masks == 0).any():
                return []
            if not fills_corners(masks == VOID):
                return []
    return [
        f"{pair.name}: 255 fills all corners of ground truth and prediction, and 0 "
        "lies within; if 255 is the background, object 0 is not scored: write every "
        "id one higher and 0 for the background"
    ]


def describe_filling(found: Mapping[int, bool]) -> str:
    """What to say of predicted objects that fill frames, see `filling_objects`."""
    which = f"predicted object {min(found)} fills"
    if len(found) > 1:
        which = f"predicted objects {', '.join(map(str, sorted(found)))} fill"
    what = "whole frames" if any(found.values()) else "most of the frame"
    return (
        f"{which} all corners and {what}; are the masks inverted, or the background an "
        "object?"
    )


def exchanged(pair: SequencePair) -> list[str]:
    """A note where objects are covered well, but under other ids.

    Args:
        pair: a video in which objects share nothing with predictions of their ids.
    """
    shared = predicted = right = 0
    for frame in spread(predicted_frames(pair)):
        gt, own = pair.read(frame)
        one, other = foreground(gt), foreground(own)
        if one is None or other is None or one.shape != other.shape:
            continue
        shared += int((one & other).sum())
        predicted += int(other.sum())
        if not (isinstance(gt, dict) or isinstance(own, dict)):
            right += int((one & (gt == own)).sum())
    # Where a method lost all objects, the little it has may be under the right ids.
    if 2 * shared <= predicted or not predicted or 2 * right > shared:
        return []
    return [
        f"{pair.name}: predicted masks lie on the objects, but under other ids; are "
        "ids exchanged, or counted from another number?"
    ]


def background_on_both(pair: SequencePair) -> list[str]:
    """A note where both sides have an object where the background should be."""
    found: set[int | None] = set()
    for frame in spread(predicted_frames(pair), most=3):
        for masks in pair.read(frame):
            if masks is None or isinstance(masks, dict):
                return []
            found.add(background_as_object(masks))
    if len(found) != 1 or None in found:
        return []
    return [f"{pair.name}: {AS_OBJECT.format(*found)}"]


def blended(pair: SequencePair) -> list[str]:
    """Notes where ids between two others lie around an object, as after blurring."""
    found = set()
    for frame in spread(predicted_frames(pair), most=2):
        both = zip(("ground truth", "prediction"), pair.read(frame), strict=True)
        for side, masks in both:
            if masks is not None and not isinstance(masks, dict) and is_blended(masks):
                found.add(side)
    return [
        f"{pair.name}: in the {side}, lower ids lie like a rim around objects; were "
        "its masks resized with interpolation?"
        for side in sorted(found)
    ]


def are_crumbs(pair: SequencePair, extra: set[int]) -> bool:
    """Whether ids without an object are few thin pixels that touch other objects.

    What JPEG or interpolation makes of ids is; an object too many is not.
    """
    import cv2  # takes longer to load than most benchmarks take to score

    square = np.ones((3, 3), np.uint8)
    crumbs = thick = touching = whole = 0
    for frame in spread(predicted_frames(pair)):
        _, own = pair.read(frame)
        if own is None or isinstance(own, dict):
            continue
        odd = np.isin(own, list(extra)).astype(np.uint8)
        others = ((own > 0) & (odd == 0)).astype(np.uint8)
        crumbs += int(odd.sum())
        thick += int(cv2.erode(odd, square).sum())
        near = cv2.dilate(others, np.ones((5, 5), np.uint8)) > 0
        touching += int(odd[near].sum())
        whole += int((own > 0).sum())
    return 4 * thick < crumbs and 5 * crumbs < whole and 10 * touching > 9 * crumbs


def predicted_frames(pair: SequencePair) -> tuple[str, ...]:
    """The scored frames that have a prediction."""
    return tuple(frame for frame in pair.frames if frame in pair.pred_frames)


def foreground(masks: Masks | None) -> Mask | None:
    """All that is not background, [H, W]; None where there is no mask."""
    if masks is None or (isinstance(masks, dict) and not masks):
        return None
    if isinstance(masks, dict):
        return np.asarray(np.logical_or.reduce(list(masks.values())))
    return np.asarray(masks != 0)


def filling_objects(masks: Masks, merged: bool = False) -> dict[int, bool]:
    """Objects that fill all corners and most of a frame; whether they fill all."""
    if isinstance(masks, dict):
        objects = masks
    else:
        key = 1 if merged else int(masks[0, 0])
        objects = {key: masks != 0 if merged else masks == key} if key else {}
    return {
        k: bool(mask.all())
        for k, mask in objects.items()
        if mask.all() or fills_corners(mask)
    }


def _is_alone(masks: Masks, merged: bool) -> bool:
    """Whether there is one object only."""
    if isinstance(masks, dict):
        return len(masks) == 1
    return merged or len(np.unique(masks[masks != 0])) == 1


def spread(frames: tuple[str, ...], most: int = _LOOKED_AT) -> tuple[str, ...]:
    """The first, the last, and some between."""
    places = np.linspace(0, len(frames) - 1, min(most, len(frames))).astype(int)
    return tuple(frames[k] for k in dict.fromkeys(places.tolist()))
