"""Images beside masks: read small, and held against the size of the masks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.masks.pictures import (
    compare_sizes,
    note_few_bits,
    read_picture,
    refuse_turned,
)

_FIX = "Repair the file, or compute attributes from masks alone."


class ImageReader:
    """Reads images of one video, reduced while decoding.

    Attributes:
        notes: on sizes of images that are not those of the masks, and on images of 16
            bits that use few of them, each once.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._known: set[tuple[int, ...]] = set()
        self._opened = False

    def read(
        self, path: Path, shape: tuple[int, int], side: int, grey: bool = False
    ) -> NDArray[np.uint8]:
        """Read an image, reduced so that its short side is about `side`.

        Args:
            path: image file.
            shape: (height, width) of the masks.
            side: wanted length of the shorter side, pixels; never enlarged.
            grey: leave out the colours.

        Returns:
            [h, w, 3] RGB uint8; [h, w] where grey.

        Raises:
            InputError: the file cannot be read as an image, has other sides than
                masks, or is the first and turned by viewers.
        """
        if not self._opened:
            refuse_turned(path, shape)
            self._opened = True
            few = note_few_bits(path)
            if few:
                self.notes.append(few)
        factor = max(1, min(shape) // side)
        reduced = next(step for step in (8, 4, 2, 1) if step <= factor)
        image = read_picture(path, _FIX, reduced=reduced, grey=grey)
        self._compare(path, image.shape[:2], shape, reduced)
        short = min(image.shape[:2])
        if short > side:
            size = (
                round(image.shape[1] * side / short),
                round(image.shape[0] * side / short),
            )
            resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            image = np.asarray(resized, dtype=np.uint8)
        return image if grey else _rgb(image)

    def _compare(
        self, path: Path, found: tuple[int, ...], shape: tuple[int, int], reduced: int
    ) -> None:
        """Note a size that is not that of the masks; refuse other sides.

        A reduced image tells its size but for what rounding hides.
        """
        key = (*found, *shape, reduced)
        near = all(
            abs(have - want / reduced) < 1
            for have, want in zip(found, shape, strict=True)
        )
        if near or key in self._known:
            return
        self._known.add(key)
        whole = found if reduced == 1 else read_picture(path, _FIX).shape[:2]
        note = compare_sizes(path, whole, shape)
        if note and note not in self.notes:
            self.notes.append(note)


def _rgb(image: cv2.typing.MatLike) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
