"""`Video`: what every format is read into and written from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from evaluation.errors import InputError
from evaluation.masks.label_map import LabelMap, Mask
from evaluation.masks.sequence import MaskSequence
from evaluation.results.checks.masks import refuse_soft_sequence

MAX_ID = 2**16 - 1
"""The highest id that a label map keeps."""

Masks = dict[int, Mask]
"""Object id -> [H, W] bool; objects that are not there are left out."""


@dataclass(frozen=True)
class Video:
    """One video's masks, read frame by frame.

    Attributes:
        name: of the video.
        frames: names of the frames, in playing order.
        size: (H, W) of all of them.
        object_ids: ids that occur, ascending.
        read: gives the masks of one frame, without empty ones.
    """

    name: str
    frames: tuple[str, ...]
    size: tuple[int, int]
    object_ids: tuple[int, ...]
    read: Callable[[str], Masks]


def as_video(masks: MaskSequence) -> Video:
    """Look through a sequence of masks once, and describe it.

    Raises:
        InputError: a mask cannot be read or has soft edges, the sizes differ, or none
            is known.
    """
    ids: set[int] = set()
    size = masks.size
    for frame in masks.frames:
        content = masks.read(frame)
        shapes = (
            {content.shape}
            if not isinstance(content, dict)
            else {mask.shape for mask in content.values()}
        )
        for shape in shapes:
            size = size or (int(shape[0]), int(shape[1]))
            if tuple(shape) != size:
                raise InputError(
                    masks.where(frame),
                    f"a mask of {shape[1]}x{shape[0]} pixels",
                    f"{size[1]}x{size[0]} as in the frames before",
                    "Make all masks of a video one size.",
                )
        ids.update(_visible(content))
    refuse_soft_sequence(masks, ids)
    if size is None:
        raise InputError(
            f"sequence {masks.name}",
            "no mask in any frame, and no size",
            "a video whose size is known",
            "Leave this video out, or give a format that tells its size.",
        )
    return Video(
        masks.name,
        masks.frames,
        size,
        tuple(sorted(ids)),
        lambda frame: _visible(masks.read(frame)),
    )


def label_map(video: Video, frame: str, on_overlap: str) -> LabelMap:
    """The masks of a frame as one label map.

    Args:
        video: the masks.
        frame: which frame.
        on_overlap: ``"error"``, or ``"smaller-on-top"``.

    Raises:
        InputError: masks overlap, and may not.
    """
    masks = video.read(frame)
    top = max(masks, default=0)
    if top > MAX_ID:
        raise InputError(
            f"sequence {video.name}, frame {frame}",
            f"object {top}",
            f"ids up to {MAX_ID}, as the format keeps them in 16 bits per pixel",
            "Renumber the objects, or choose a format with a mask per object, such as "
            "object-folders or json.",
        )
    labels = np.zeros(video.size, np.uint8 if top <= 255 else np.uint16)
    for object_id in sorted(masks, key=lambda k: -int(masks[k].sum())):
        mask = masks[object_id]
        if on_overlap == "error" and labels[mask].any():
            other = int(labels[mask].max())
            raise InputError(
                f"sequence {video.name}, frame {frame}",
                f"objects {other} and {object_id} overlap",
                "masks that do not overlap: the format keeps one object per pixel",
                "Choose a format with a mask per object, or let the smaller object lie "
                "on top (on_overlap='smaller-on-top', --on-overlap smaller-on-top).",
            )
        labels[mask] = object_id
    return labels


def _visible(masks: LabelMap | Mapping[int, Mask]) -> Masks:
    if isinstance(masks, Mapping):
        return {k: mask for k, mask in masks.items() if mask.any()}
    ids = np.unique(masks)
    return {int(k): masks == k for k in ids.tolist() if k}
