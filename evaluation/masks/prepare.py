"""`prepare`: the masks that are compared, from those that were read.

What counts as the compared mask is decided here and nowhere else. Steps, in order:

1. a missing prediction is empty;
2. predictions of another size are resized, or refused;
3. void pixels are left out of both masks;
4. where there is one foreground object, whatever is not 0 is object 1;
5. a ground-truth label that the protocol calls background is no object.

:mod:`evaluation.counting.video` fuses some of these steps; a test holds it equal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError
from evaluation.formats.mots import IGNORED_REGION
from evaluation.masks.ignored import may_ignore
from evaluation.masks.label_map import Mask
from evaluation.masks.pairs import Masks, SequencePair
from evaluation.masks.sequence import MaskSequence
from evaluation.options import DEFAULT_OPTIONS, InputOptions
from evaluation.protocols import VOID, ScoringProtocol

Places = tuple[str, str]
"""What to call the prediction and the ground truth of a frame in an error."""

_UNNAMED: Places = ("prediction", "the ground truth")


@dataclass(frozen=True)
class MaskRules:
    """What a protocol and input options come to for the masks of a frame.

    Attributes:
        void: ground-truth label whose pixels are left out of both masks.
        background: ground-truth label that is background, and no object.
        merge: whether whatever is not 0 is object 1, in both masks.
        resize: whether predictions of another size are resized.
    """

    void: int | None
    background: int | None
    merge: bool
    resize: bool

    @property
    def no_track(self) -> int | None:
        """Predicted label that is no object: where MOTS ignores regions, theirs."""
        return self.void if self.void == IGNORED_REGION else None

    @classmethod
    def of(
        cls, protocol: ScoringProtocol, options: InputOptions = DEFAULT_OPTIONS
    ) -> MaskRules:
        """The rules of a protocol under some input options.

        An option that is set wins over the protocol. Where objects are merged and
        no `void` is set, 255 is foreground: it is how binary masks are written.
        """
        merge = options.binarize or protocol.objects == "foreground"
        void = options.void
        if void is None and protocol.void == "ignored" and not merge:
            void = VOID
        background = VOID if protocol.void == "background" and not merge else None
        return cls(void, background, merge, options.resize == "nearest")


def video_options(
    gt_labels: Collection[int],
    protocol: ScoringProtocol,
    options: InputOptions,
    pair: SequencePair | None = None,
) -> InputOptions:
    """The options of one video, by what its ground truth is.

    Where 255 marks void, a video that has no other label would have no object; there
    255 is how the one object is written, and whatever is not 0 is object 1. The regions
    that MOTS ignores are void under every protocol. Masks of one object each are
    binarized one by one when they are read, and stay what they are.

    Args:
        gt_labels: labels in the first and last annotated frame.
        protocol: says what void is.
        options: those of all videos.
        pair: the video, to look for ignored regions, and whether it keeps masks object
            by object.
    """
    if pair is not None:
        options = ignore_regions(options, pair.gt, gt_labels)
        if options.binarize and keeps_objects(pair.gt, pair.pred):
            return replace(options, binarize=False)
    binary = set(gt_labels) == {VOID} and protocol.void_label == VOID
    by_id = protocol.matching == "by-id" and protocol.objects != "foreground"
    if binary and by_id and options.void is None:
        return replace(options, binarize=True)
    return options


def keeps_objects(gt: MaskSequence, pred: MaskSequence | None) -> bool:
    """Whether masks are kept object by object, so that binarizing merges none.

    It does where the prediction is a label map, of which nobody knows whether its
    values are ids; where the ground truth is a mask of 0 and 255; and where both sides
    have one object, whatever its id.

    Args:
        gt: the ground truth of a video.
        pred: its prediction; None where it is missing.
    """
    if pred is None or not pred.overlapping:
        return pred is None and gt.overlapping
    if gt.overlapping:
        labels = gt.annotated_ids()
    else:
        labels = gt.labels_in(dict.fromkeys((gt.frames[0], gt.frames[-1])))
    own = pred.annotated_ids()
    return (gt.overlapping or labels != {VOID}) and not (
        len(labels) == len(own) == 1 and labels != own
    )


def ignore_regions(
    options: InputOptions, gt: MaskSequence, gt_labels: Collection[int]
) -> InputOptions:
    """The options with regions that MOTS ignores as void, if no void is given.

    Args:
        options: those of all videos.
        gt: ground truth of the video.
        gt_labels: labels in some frames, which tell whether to look at all.
    """
    if options.void is not None or not (gt.overlapping or may_ignore(gt_labels)):
        return options
    return replace(options, void=gt.ignored)


def prepare(
    gt: Masks,
    pred: Masks | None,
    protocol: ScoringProtocol,
    options: InputOptions = DEFAULT_OPTIONS,
    places: Places = _UNNAMED,
) -> tuple[Masks, Masks]:
    """Make the two masks that are compared for scoring out of those of one frame.

    Args:
        gt: ground truth, [H, W] label map or object id -> [H, W] bool.
        pred: prediction likewise; None if there is none.
        protocol: says what void and foreground are.
        options: how masks are preprocessed.
        places: what to call prediction and ground truth in an error.

    Returns:
        Ground truth and prediction, of one size. Inputs are not changed, and are
        handed back as they are where there is nothing to do.

    Raises:
        InputError: the sizes differ and may not be resized.

    Example:
        >>> from evaluation.protocols import get_protocol
        >>> gt = np.array([[1, 255, 0]], np.uint8)
        >>> pred = np.array([[1, 1, 2]], np.uint8)
        >>> prepare(gt, pred, get_protocol("davis-2017"), InputOptions(void=255))
        (array([[1, 0, 0]], dtype=uint8), array([[1, 0, 2]], dtype=uint8))
    """
    rules = MaskRules.of(protocol, options)
    pred = fit_prediction(gt, pred, rules.resize, places)
    pred = without_label(pred, rules.no_track)
    gt, pred = without_void(gt, pred, rules.void)
    if rules.merge:
        return merge_objects(gt), merge_objects(pred)
    return without_label(gt, rules.background), pred


def fit_prediction(
    gt: Masks, pred: Masks | None, resize: bool, places: Places = _UNNAMED
) -> Masks:
    """The prediction in the size of the ground truth; empty where there is none.

    Raises:
        InputError: it has another size, and `resize` is off; or the objects of the
            ground truth have several sizes.
    """
    _refuse_several_sizes(gt, places[1])
    if pred is None:
        return {} if isinstance(gt, dict) else np.zeros_like(gt)
    shape = next(iter(sizes(gt)), None)
    if shape is None or not sizes(pred) - {shape}:
        return pred
    if resize and shape[::-1] not in sizes(pred) - {shape}:
        if isinstance(pred, dict):
            return {key: resize_nearest(mask, shape) for key, mask in pred.items()}
        return resize_nearest(pred, shape)
    others = sizes(pred) - {shape}
    found = shape[::-1] if shape[::-1] in others else min(others)
    turned = " (width and height swapped?)" if found == shape[::-1] else ""
    fix = "Write the masks in the size of the ground truth, or allow nearest resizing "
    fix += "(resize='nearest', --resize nearest)"
    if turned:
        fix = "Write the masks with rows and columns in the order of the ground truth"
    elif has_other_aspect(found, shape):
        fix += " if they were stretched to this size, not cropped or padded"
    raise InputError(
        places[0],
        f"a mask of {found[1]}x{found[0]} pixels{turned}",
        f"{shape[1]}x{shape[0]} as in {places[1]}",
        f"{fix}.",
    )


def has_other_aspect(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether one size is no other size in smaller or larger, but for rounding.

    Args:
        one: height and width.
        other: height and width.
    """
    scaled = one[1] * other[0] / one[0]
    return abs(scaled - other[1]) > max(2, 2 * other[0] / one[0])


def _refuse_several_sizes(masks: Masks, place: str) -> None:
    found = sizes(masks)
    if len(found) > 1:
        listed = ", ".join(f"{shape[1]}x{shape[0]}" for shape in sorted(found))
        raise InputError(
            place,
            f"masks of {listed} pixels in one frame",
            "one size for all objects of a frame",
            "Write the masks of all objects in the size of the frame.",
        )


def without_void(gt: Masks, pred: Masks, void: int | None) -> tuple[Masks, Masks]:
    """Both masks with the ground truth's void pixels as background."""
    unclear = _pixels_of(gt, void)
    if unclear is None or not unclear.any():
        return gt, pred
    return _clear(without_label(gt, void), unclear), _clear(pred, unclear)


def without_label(masks: Masks, label: int | None) -> Masks:
    """The masks without one label."""
    if label is None:
        return masks
    if isinstance(masks, dict):
        return {key: mask for key, mask in masks.items() if key != label}
    pixels = masks == label
    return np.where(pixels, masks.dtype.type(0), masks) if pixels.any() else masks


def merge_objects(masks: Masks) -> Masks:
    """Whatever is not 0 as object 1."""
    if isinstance(masks, dict):
        parts = list(masks.values())
        return {1: np.asarray(np.logical_or.reduce(parts))} if parts else {}
    merged: NDArray[np.uint8] = (masks != 0).view(np.uint8)
    return merged


def resize_nearest(mask: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Bring a label map or mask to `shape`: nearest pixel, pixel centres aligned."""
    rows = ((np.arange(shape[0]) + 0.5) * mask.shape[0] / shape[0]).astype(np.int64)
    columns = ((np.arange(shape[1]) + 0.5) * mask.shape[1] / shape[1]).astype(np.int64)
    return np.ascontiguousarray(mask[np.ix_(rows, columns)])


def sizes(masks: Masks) -> set[tuple[int, ...]]:
    """Shapes [H, W] of the masks; none where there is no mask."""
    if isinstance(masks, dict):
        return {mask.shape for mask in masks.values()}
    return {masks.shape}


def _pixels_of(masks: Masks, label: int | None) -> Mask | None:
    """The pixels of one label; None where the label map or mask has none."""
    if label is None:
        return None
    if isinstance(masks, dict):
        return masks.get(label)
    pixels: Mask = masks == label
    return pixels


def _clear(masks: Masks, pixels: Mask) -> Masks:
    """The masks with some pixels as background."""
    if isinstance(masks, dict):
        return {key: mask & ~pixels for key, mask in masks.items()}
    return np.where(pixels, masks.dtype.type(0), masks)
