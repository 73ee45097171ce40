"""`Segmentation` -> label map: pixel values are object ids."""

from __future__ import annotations

import fiftyone as fo
import numpy as np

from evaluation.errors import InputError
from evaluation.masks.colours import join_equal_channels
from evaluation.masks.label_map import LabelMap, decode_label_map
from s3fo.datasets.fields.masks import read_mask_file

_LARGEST_ID = 2**16 - 1


def segmentation_map(label: fo.Segmentation, where: str, notes: list[str]) -> LabelMap:
    """Object ids of a frame; of palette files the indices, not the colours.

    Args:
        label: with `mask` or `mask_path`.
        where: the frame, to name in an error.
        notes: gets what was decided about colours.

    Returns:
        [H, W], at the resolution that the mask has.

    Raises:
        InputError: no mask, a file that is not there, or values that are no ids.
    """
    if label.mask is not None:
        return _as_ids(np.asarray(label.mask), where)
    if label.mask_path is None:
        raise InputError(
            where,
            "a segmentation without mask",
            "its `mask` or `mask_path`",
            "Set one, or set the frame's field to None where nothing was predicted.",
        )

    def tell(text: str) -> None:
        note = text.removeprefix(f"{label.mask_path}: ")
        if note not in notes:
            notes.append(note)

    data = read_mask_file(label.mask_path, where)
    return decode_label_map(data, label.mask_path, tell)


def _as_ids(mask: np.ndarray, where: str) -> LabelMap:
    mask = join_equal_channels(mask)
    if mask.ndim != 2 or not mask.size:
        raise InputError(
            where,
            f"a mask of shape {mask.shape}",
            "object ids in rows and columns",
            "Write the object's id into every pixel: a mask of two dimensions.",
        )
    whole = mask.dtype.kind in "biu" or (
        mask.dtype.kind == "f" and bool((mask == np.floor(mask)).all())
    )
    if not whole or mask.min() < 0 or mask.max() > _LARGEST_ID:
        raise InputError(
            where,
            f"a mask of {mask.dtype} from {mask.min()} to {mask.max()}",
            f"object ids, whole numbers in 0..{_LARGEST_ID}",
            "Say from where on it is the object (mask > 0.5 of probabilities, mask > 0 "
            "of logits), and give objects ids.",
        )
    return mask.astype(np.uint8 if mask.max() < 256 else np.uint16)
