"""Masks as COCO's run lengths, from a JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluation._utils.fingerprint import encoded
from evaluation._utils.names import check_names, safe_name
from evaluation.masks.run_lengths import MAX_PIXELS, decode_rle, rle_size
from evaluation.masks.sequence.base import MaskSequence, ObjectMasks


class RleSequence(MaskSequence):
    """One COCO run-length encoding per object and frame, from a JSON file."""

    overlapping = True

    def __init__(
        self, name: str, frames: Mapping[str, Mapping[int, Any]], source: str
    ) -> None:
        safe_name(name, "sequence", source)
        check_names(frames, "frame", f"{source}, sequence {name}", ".png")
        super().__init__(name, frames)
        self._source = source

    def where(self, frame: str, object_id: int | None = None) -> str:
        """Where the mask comes from."""
        place = f"{self._source}, sequence {self.name}, frame {frame}"
        return place if object_id is None else f"{place}, object {object_id}"

    def read(self, frame: str) -> ObjectMasks:
        """The masks of the objects encoded for this frame."""
        masks: Mapping[int, Any] = self._masks[frame]
        return {
            object_id: decode_rle(rle, self.where(frame, object_id))
            for object_id, rle in masks.items()
        }

    def check_declared_sizes(self, frame: str, limit: int = MAX_PIXELS) -> None:
        """Refuse masks that declare more than `limit` pixels, before decoding any.

        Raises:
            InputError: a size is missing or too large.
        """
        for object_id, rle in self._masks[frame].items():
            rle_size(rle, self.where(frame, object_id), limit)

    def _content(self, frame: str) -> bytes:
        return encoded(repr(sorted(self._masks[frame].items())))
