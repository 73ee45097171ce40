"""One video's masks, wherever they come from: files, folders, JSON or memory."""

from __future__ import annotations

import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from copy import copy
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np

from evaluation._utils.fingerprint import digest_bytes, encoded
from evaluation._utils.input_files import read_input
from evaluation._utils.names import check_names, note_odd_names, safe_name
from evaluation.errors import InputError
from evaluation.masks.decoder import MaskDecoder
from evaluation.masks.encoding import object_mask
from evaluation.masks.ignored import find_ignored
from evaluation.masks.label_map import (
    FilePath,
    LabelMap,
    Mask,
    plain_array,
)
from evaluation.masks.run_lengths import MAX_PIXELS, decode_rle, rle_size

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


class FileSequence(MaskSequence):
    """One label-map PNG per frame.

    Args:
        name: name of the video.
        frames: mask file by frame name.
    """

    of_files = True

    def __init__(self, name: str, frames: Mapping[str, FilePath]) -> None:
        super().__init__(name, frames)
        self._binarize = False

    @cached_property
    def _decoder(self) -> MaskDecoder:
        return MaskDecoder(self._masks, self.remark, binarize=self._binarize)

    def binarized(self) -> FileSequence:
        """The same masks, in which any colour will do for object 1."""
        return self._with_masks(self._masks, _binarize=True)

    def compare_with(self, truth: MaskSequence) -> None:
        """Understand colours by the ids of the ground truth, should there be any."""
        self._decoder.expected_ids = partial(_first_ids, truth)

    def where(self, frame: str, object_id: int | None = None) -> str:
        """The file."""
        return str(self._masks[frame])

    def read(self, frame: str) -> LabelMap:
        """The label map."""
        path = self._masks[frame]
        data = _bytes(path)
        if frame not in self._digests:
            self._digests[frame] = digest_bytes(data)
        return self._decoder.decode(data, path)

    def _content(self, frame: str) -> bytes:
        return _bytes(self._masks[frame])


class ObjectFolderSequence(MaskSequence):
    """One folder per object, in it one binary PNG per frame.

    Attributes:
        left_out: folders beside them that hold masks, and are called like no object.
    """

    overlapping = True
    of_files = True
    left_out: tuple[str, ...] = ()

    def __init__(self, name: str, files: Mapping[int, Mapping[str, FilePath]]) -> None:
        frames: dict[str, dict[int, FilePath]] = {}
        for object_id, paths in sorted(files.items()):
            for frame, path in paths.items():
                frames.setdefault(frame, {})[object_id] = path
        super().__init__(name, frames)
        self._binarize = False

    @cached_property
    def _decoder(self) -> MaskDecoder:
        return MaskDecoder(notice=self.remark, binarize=True)

    def binarized(self) -> ObjectFolderSequence:
        """The same masks, of which soft ones are thresholded at half."""
        return self._with_masks(self._masks, _binarize=True)

    def where(self, frame: str, object_id: int | None = None) -> str:
        """The file."""
        paths: dict[int, FilePath] = self._masks[frame]
        return str(paths.get(object_id, next(iter(paths.values()))))  # type: ignore[arg-type]

    def read(self, frame: str) -> ObjectMasks:
        """The masks of the objects annotated in this frame."""
        paths: dict[int, FilePath] = self._masks[frame]
        files = {object_id: _bytes(path) for object_id, path in paths.items()}
        if frame not in self._digests:
            self._digests[frame] = digest_bytes(self._join_files(files))
        return {
            object_id: object_mask(
                self._decoder.decode(data, paths[object_id]),
                str(paths[object_id]),
                binarize=self._binarize,
                notice=self.remark,
            )
            for object_id, data in files.items()
        }

    def _content(self, frame: str) -> bytes:
        paths: dict[int, FilePath] = self._masks[frame]
        return self._join_files({k: _bytes(path) for k, path in paths.items()})

    @staticmethod
    def _join_files(files: Mapping[int, bytes]) -> bytes:
        return b"".join(
            k.to_bytes(8, "little") + digest_bytes(d) for k, d in files.items()
        )

    def object_frames(self, object_id: int) -> set[str]:
        """Frames for which the object's folder has a file."""
        return {frame for frame in self.frames if object_id in self._masks[frame]}


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


class ArraySequence(MaskSequence):
    """Label maps, or object id -> mask, in memory."""

    def __init__(self, name: str, frames: Mapping[str, Any]) -> None:
        super().__init__(name, frames)
        self._binarize = False
        self._masks = {
            frame: _by_id(masks, self.where(frame)) if _is_mapping(masks) else masks
            for frame, masks in self._masks.items()
        }
        self.overlapping = any(map(_is_mapping, self._masks.values()))

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


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts ``frame10`` after ``frame9``, and ``-1`` before ``0``."""
    if name[:1] == "-" and name[1:].isdecimal():
        return [(0, int(name), "")]
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]


def _first_ids(masks: MaskSequence) -> set[int]:
    """Ids in the first and the last frame."""
    return masks.labels_in({masks.frames[0], masks.frames[-1]})


def _bytes(path: FilePath) -> bytes:
    """The bytes of a mask file.

    Raises:
        InputError: it cannot be read.
    """
    return read_input(path, "a PNG file that can be read")


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
