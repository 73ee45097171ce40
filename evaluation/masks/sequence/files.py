"""Masks in files of their own: label maps, or one folder per object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from evaluation._utils.fingerprint import digest_bytes
from evaluation._utils.input_files import read_input
from evaluation.masks.decoder import MaskDecoder
from evaluation.masks.encoding import object_mask
from evaluation.masks.label_map import FilePath, LabelMap, join_objects
from evaluation.masks.sequence.base import MaskSequence, ObjectMasks


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
        """Understand colours by the ids and first masks of the ground truth, if any."""
        self._decoder.expected_ids = partial(_first_ids, truth)
        self._decoder.given = partial(_true_masks, truth, self._masks)

    def where(self, frame: str, object_id: int | None = None) -> str:
        """The file."""
        return str(self._masks[frame])

    @property
    def folder(self) -> str | None:
        """The folder of the first file; None where there is no file."""
        return _folder_of(self, 1)

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

    @property
    def folder(self) -> str | None:
        """The folder around those of the objects; None where there is no file."""
        return _folder_of(self, 2)

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


def _folder_of(masks: MaskSequence, levels: int) -> str | None:
    """What lies so many levels above the first file."""
    if not masks.frames:
        return None
    return str(Path(masks.where(masks.frames[0])).parents[levels - 1])


def _first_ids(masks: MaskSequence) -> set[int]:
    """Ids in the first and the last frame."""
    return masks.labels_in({masks.frames[0], masks.frames[-1]})


def _true_masks(
    truth: MaskSequence, files: Mapping[str, FilePath]
) -> Iterator[tuple[FilePath, Callable[[], LabelMap]]]:
    """Files of predictions, and what reads the true masks of their frames.

    After the last of these, files of the next frames, in which objects are near where
    they were: the first masks may be copies of what was given. Where no names are the
    same, the first of either side.
    """
    if not truth.frames or not files:
        return
    names = [frame for frame in truth.frames if frame in files]
    if not names:
        yield next(iter(files.values())), partial(_label_map, truth, truth.frames[0])
        return
    for frame in names:
        yield files[frame], partial(_label_map, truth, frame)
    later = list(files)[list(files).index(names[-1]) + 1 :]
    for frame in later[:_LATER]:
        yield files[frame], partial(_label_map, truth, names[-1])


_LATER = 3
"""Frames after the last true masks in which objects hardly moved."""


def _label_map(truth: MaskSequence, frame: str) -> LabelMap:
    """True masks as one label map."""
    masks = truth.read(frame)
    if not isinstance(masks, dict):
        return masks
    return join_objects(masks) if masks else np.zeros((0, 0), np.uint8)


def _bytes(path: FilePath) -> bytes:
    """The bytes of a mask file.

    Raises:
        InputError: it cannot be read.
    """
    return read_input(path, "a PNG file that can be read")
