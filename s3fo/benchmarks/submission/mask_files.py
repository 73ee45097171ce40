"""The mask files of a video that is handed in, read as they are for scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from evaluation.errors import InputError
from evaluation.masks.decoder import palette_indices
from evaluation.masks.label_map import LabelMap, encode_label_map
from evaluation.masks.sequence import FileSequence, MaskSequence


class MaskFiles(Mapping[str, Path]):
    """The mask file of each frame, by the frame's name in the benchmark.

    One reader for the whole video decides whether indices or colours are ids, by the
    masks that are given, as `evaluate` does.

    Args:
        masks: the video's files.
        names: what the file of each frame is called.
        truth: the masks that are given.
    """

    def __init__(
        self, masks: FileSequence, names: Mapping[str, str], truth: MaskSequence
    ) -> None:
        masks.compare_with(truth)
        self._masks, self._names = masks, names
        self._of_names = set(masks.remarks())

    def __getitem__(self, frame: str) -> Path:
        """The file of a frame."""
        return Path(self._masks.where(self._names[frame]))

    def __iter__(self) -> Iterator[str]:
        """Names of the frames."""
        return iter(self._names)

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._names)

    def read(self, frame: str) -> LabelMap:
        """The ids [H, W] of a frame.

        Raises:
            InputError: its file is no mask.
        """
        return self._masks.read(self._names[frame])

    def remarks(self) -> list[str]:
        """What had to be decided to read the masks, so far."""
        return [one for one in self._masks.remarks() if one not in self._of_names]

    def content(self, frame: str) -> bytes:
        """A PNG whose indices are the ids, for servers that read nothing else.

        The file as it is, unless its ids had to be recovered from colours.
        """
        data = self[frame].read_bytes()
        if not self.remarks():
            return data
        ids, indices = self.read(frame), palette_indices(data, self[frame])
        as_they_are = indices is not None and np.array_equal(ids, indices)
        return data if as_they_are else encode_label_map(ids, self[frame])


VideoFiles = MaskFiles | InputError
"""The mask files of a video; an error where there cannot be any."""
