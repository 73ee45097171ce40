"""Masks in memory: label maps, or object id -> mask."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluation.errors import InputError
from evaluation.masks.encoding import object_mask
from evaluation.masks.label_map import LabelMap, plain_array
from evaluation.masks.sequence.base import MaskSequence, ObjectMasks


class ArraySequence(MaskSequence):
    """Label maps, or object id -> mask, in memory.

    Attributes:
        reused: whether all frames, or all but the first, are one array.
    """

    def __init__(self, name: str, frames: Mapping[str, Any]) -> None:
        super().__init__(name, frames)
        self._binarize = False
        self._masks = {
            frame: _by_id(masks, self.where(frame)) if _is_mapping(masks) else masks
            for frame, masks in self._masks.items()
        }
        self.overlapping = any(map(_is_mapping, self._masks.values()))
        self.reused = is_one_array([*self._masks.values()])

    def binarized(self) -> ArraySequence:
        """The same masks; soft masks of objects are thresholded at half."""
        return self._with_masks(self._masks, _binarize=True)

    def where(self, frame: str, object_id: int | None = None) -> str:
        """Where the mask comes from."""
        return f"array of sequence {self.name}, frame {frame}"

    def read(self, frame: str) -> LabelMap | ObjectMasks:
        """The masks as they were given."""
        masks = self._masks[frame]
        if isinstance(masks, Mapping):
            return {
                k: object_mask(
                    plain_array(mask, self.where(frame, k)),
                    f"{self.where(frame)}, object {k}",
                    binarize=self._binarize,
                    notice=self.remark,
                )
                for k, mask in masks.items()
            }
        label_map = plain_array(masks, self.where(frame))
        if label_map.dtype == bool:
            label_map = label_map.astype(np.uint8)
        if label_map.ndim != 2 or label_map.dtype.kind not in "iu":
            raise InputError(
                self.where(frame),
                f"shape {label_map.shape}, type {label_map.dtype}",
                "an integer label map [H, W]",
                "Give object ids, one two-dimensional array per frame.",
            )
        return _as_unsigned(label_map, self.where(frame))

    def _content(self, frame: str) -> bytes:
        masks = self.read(frame)
        if isinstance(masks, dict):
            parts = [
                bytes(f"{k}{m.shape}", "ascii") + m.tobytes() for k, m in masks.items()
            ]
            return b"".join(parts)
        return bytes(f"{masks.shape}{masks.dtype}", "ascii") + masks.tobytes()


def is_one_array(masks: Sequence[Any]) -> bool:
    """Whether the masks of several frames are one array in memory, or views of it.

    The first may be another: it is often the given mask.

    >>> one = np.zeros((2, 2), np.uint8)
    >>> is_one_array([one, one[:], one]), is_one_array([one, one, one.copy()])
    (True, False)
    """
    places = [_place(mask) for mask in masks]
    return len(set(places if len(places) < 3 else places[1:])) == 1 < len(places)


def _place(mask: Any) -> object:
    """What tells an array from others that are there at the same time."""
    if isinstance(mask, Mapping):
        return tuple((key, _place(own)) for key, own in mask.items())
    if isinstance(mask, np.ndarray):
        start = mask.__array_interface__["data"][0]
        return start, mask.shape, mask.strides, mask.dtype.str
    try:  # tensors, too, may be views of one memory
        return mask.data_ptr(), tuple(mask.shape), tuple(mask.stride())
    except (AttributeError, RuntimeError):  # or have none, such as sparse ones
        return id(mask)


def remark_reused(masks: MaskSequence, truth: MaskSequence) -> None:
    """Remark predictions that are one array, where true masks change, or vice versa.

    A loop that writes each mask into the same array, and keeps the array, keeps the
    last mask in all frames.
    """
    for own, other, word in ((masks, truth, "predicted"), (truth, masks, "true")):
        if _is_reused(own) and not _is_reused(other) and _changes(other):
            masks.remark(_REUSED.format(word))


def _is_reused(masks: MaskSequence) -> bool:
    return isinstance(masks, ArraySequence) and masks.reused


_REUSED = (
    "the {} masks that were passed for its frames are one array in memory, which has "
    "the mask that was written last, while masks on the other side change: unless that "
    "is meant (to repeat one mask, as a baseline), pass a copy of each (mask.copy())"
)


def _changes(masks: MaskSequence) -> bool:
    """Whether masks differ between frames; what cannot be read is told elsewhere."""
    try:
        first = masks.digest(masks.frames[0])
        return any(masks.digest(frame) != first for frame in masks.frames[1:])
    except InputError:
        return False


def _is_mapping(masks: object) -> bool:
    return isinstance(masks, Mapping)


def _by_id(masks: Mapping[Any, Any], where: str) -> dict[int, Any]:
    """Masks by object id.

    Raises:
        InputError: a key is no id, or two keys are one id.
    """
    try:
        found = {
            int(k) if isinstance(k, str) else operator.index(k): mask
            for k, mask in masks.items()
        }
    except (TypeError, ValueError):
        found = {}
    if len(found) == len(masks) and all(k >= 0 for k in found):
        return found
    raise InputError(
        where,
        f"masks of {', '.join(map(repr, list(masks)[:5]))}",
        "masks by object id: integers from 0 on, each once",
        "Pass {object id: mask} with the ids of the ground truth.",
    )


def _as_unsigned(label_map: np.ndarray[Any, Any], where: str) -> LabelMap:
    if label_map.dtype in (np.uint8, np.uint16):
        return np.ascontiguousarray(label_map)
    low, high = (label_map.min(), label_map.max()) if label_map.size else (0, 0)
    if low < 0 or high > 65535:
        raise InputError(
            where, f"ids {low}..{high}", "ids in 0..65535", "Renumber the objects."
        )
    return np.ascontiguousarray(label_map, np.uint8 if high <= 255 else np.uint16)
