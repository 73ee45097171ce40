"""`MaskSequence`: what the masks of one video have in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from copy import copy
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from evaluation._utils.fingerprint import digest_bytes
from evaluation._utils.names import note_odd_names
from evaluation.masks.ignored import find_ignored
from evaluation.masks.label_map import LabelMap, Mask

ObjectMasks = dict[int, Mask]
"""Masks that may overlap: object id -> [H, W] bool."""

Own = TypeVar("Own", bound="MaskSequence")


class MaskSequence(ABC):
    """The masks of one video, frame by frame, by frame name.

    Attributes:
        name: name of the video.
        frames: names of the frames that have masks, in natural order.
        overlapping: whether frames are `ObjectMasks` rather than label maps.
        classes: object id -> class and group of the class, where the source says so.
        size: (H, W), where the source says so without reading masks.
        video_id: what result files call the video, where the source says so.
        listed: names of the frames in the order in which the source lists them.
        identified: whether object ids say which object of the ground truth each is.
        of_files: whether masks are files of their own.
        ignores: label of regions that are to be ignored, where the source says so.
        is_void: whether its folder holds no file at all, as if it were missing.
        remedy: what to do where no mask fits a frame.
        annotation_ids: annotation id -> object id, where the source's file has both.
    """

    overlapping = False
    classes: Mapping[int, tuple[str, str]] | None = None
    size: tuple[int, int] | None = None
    video_id: object = None
    listed: tuple[str, ...] = ()
    identified = True
    of_files = False
    ignores: int | None = None
    is_void = False
    annotation_ids: Mapping[int, int] = MappingProxyType({})
    remedy = "Rename the masks after the frames."

    def __init__(self, name: str, frames: Mapping[str, Any]) -> None:
        note_odd_names(name, *frames)
        self.name = name
        self._masks = {frame: frames[frame] for frame in sorted(frames, key=natural)}
        self.frames = tuple(self._masks)
        self._digests: dict[str, bytes] = {}
        self._remarks: list[str] = []

    @abstractmethod
    def where(self, frame: str, object_id: int | None = None) -> str:
        """What to name in an error about this frame."""

    @abstractmethod
    def read(self, frame: str) -> LabelMap | ObjectMasks:
        """The masks of one frame."""

    @property
    def folder(self) -> str | None:
        """The folder of the video's own files; None where it has none."""
        return None

    folder_offset = 0
    """What makes an object's id of the number of its folder: 1 where folders count from
    0 but ids, as in label maps, from 1 (as a benchmark may say)."""

    usual_offset = 0
    """The same of results that may count from either number, if ids leave it open."""

    @abstractmethod
    def _content(self, frame: str) -> bytes:
        """Bytes that change whenever the masks of the frame do."""

    def digest(self, frame: str) -> bytes:
        """Fingerprint of the frame's content; 16 bytes."""
        if frame not in self._digests:
            self._digests[frame] = digest_bytes(self._content(frame))
        return self._digests[frame]

    def object_frames(self, object_id: int) -> set[str]:
        """Frames in which this object is annotated (empty masks included)."""
        return set(self.frames)

    def check_declared_sizes(self, frame: str, limit: int) -> None:  # noqa: B027
        """Refuse masks that declare more than `limit` pixels, before decoding any.

        Raises:
            InputError: a size is too large.
        """

    @cached_property
    def ignored(self) -> int | None:
        """Label of the regions that MOTS ignores, as ground truth; None for none.

        Raises:
            InputError: a mask cannot be read.
        """
        return find_ignored(self) if self.ignores is None else self.ignores

    def labels_in(self, frames: Iterable[str]) -> set[int]:
        """Labels above 0 that occur in some frames."""
        labels: set[int] = set()
        for frame in frames:
            masks = self.read(frame)
            if isinstance(masks, dict):
                labels |= {key for key, mask in masks.items() if mask.any()}
            else:
                labels |= set(np.unique(masks).tolist())
        return labels - {0}

    def remark(self, sentence: str) -> None:
        """Keep something odd about the source to tell along with the scores."""
        self._remarks.append(sentence)

    def remarks(self) -> list[str]:
        """What was odd so far, each remark once."""
        return list(dict.fromkeys(self._remarks))

    def annotated_ids(self) -> set[int]:
        """Ids of the objects, as far as they are known without reading masks."""
        masks = self._masks.values()
        ids = {k for m in masks if isinstance(m, Mapping) for k in m}
        return ids - {self.ignores}

    def binarized(self) -> MaskSequence:
        """The same masks, read so that whatever is not 0 belongs to the object."""
        return self

    def renumbered(self: Own, offset: int, drop: int | None = None) -> Own:
        """The same masks object by object, `offset` added to every id.

        Args:
            offset: what to add.
            drop: an id to leave out.
        """
        return self._with_masks(
            {
                frame: {k + offset: m for k, m in masks.items() if k != drop}
                if isinstance(masks, Mapping)
                else masks
                for frame, masks in self._masks.items()
            }
        )

    def _with_masks(self: Own, masks: Mapping[str, Any], **changes: object) -> Own:
        """A sequence like this one with other masks by frame, or attributes."""
        other = copy(self)
        kept = {"_masks": dict(masks), "_digests": {}, "_remarks": [*self._remarks]}
        vars(other).update(kept | changes)
        vars(other).pop("_decoder", None)  # it tells its remarks to this one
        vars(other).pop("ignored", None)
        return other


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts ``frame10`` after ``frame9``, and ``-1`` before ``0``."""
    if name[:1] == "-" and name[1:].isdecimal():
        return [(0, int(name), "")]
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]
