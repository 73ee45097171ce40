"""What newly joins an object must look like it.

A network that follows an object by its place also takes what passes in front of it for
a part of it. What is new at an object, and looks far less like it than its other parts
do, is not its own. Looks are the keys by which the memory is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from s3fo.inference.engine.reach import Mask, masks_of, take_off, with_background
from s3fo.model.memory_reading import similarity

_CELL = 16
"""Side in pixels of the squares that tokens stand for."""

_TOUCHED = 0.25
"""Share of a cell that an object must cover for the cell to be asked about."""

_TOGETHER = 0.8
"""Share of the allowed gap that a whole new region may lack on average, since single
cells of what is not the object may look like it."""

_LEAST = 0.05
"""Share of an object's size below which new parts are its changing edge."""


Tokens = tuple[Tensor, Tensor]
"""Keys [Ck, N] and shrinkage [1, N] of N cells."""


class Appearance(NamedTuple):
    """What tokens of a frame look like.

    Attributes:
        key: [Ck, h, w].
        shrinkage: [1, h, w], of the tokens as memory.
        selection: [Ck, h, w], of the tokens as query.
    """

    key: Tensor
    shrinkage: Tensor
    selection: Tensor

    def tokens(self, cells: np.ndarray) -> Tokens:
        """Those of some cells, [h, w] bool."""
        chosen = torch.from_numpy(cells).to(self.key.device)
        return self.key[:, chosen].float(), self.shrinkage[:, chosen].float()


class AppearanceLimit:
    """Keeps off objects what looks unlike them, frame by frame.

    Frames must be told in order: each is compared with the one before.
    """

    def __init__(self) -> None:
        self._tokens: dict[int, Tokens] = {}
        self._last_appearance: Appearance | None = None

    def forget(self, object_ids: Iterable[int]) -> None:
        """Forget what objects looked like."""
        for object_id in object_ids:
            self._tokens.pop(object_id, None)

    def move(self, cells: Tensor) -> None:
        """Have the frame before as it is seen from now on.

        Args:
            cells: [1, h, w, 2] in -1..1 (x, y), where each cell lies among those of the
                frame before: the nearest of them stands for it.
        """
        last = self._last_appearance
        if last is None:
            return
        grid = cells.to(last.key.device, torch.float32)
        moved = (
            F.grid_sample(maps[None].float(), grid, mode="nearest", align_corners=False)
            for maps in last
        )
        self._last_appearance = Appearance(*(maps[0] for maps in moved))

    def remember(
        self, appearance: Appearance, masks: Tensor, object_ids: Sequence[int]
    ) -> None:
        """Remember what objects look like in a frame with their right masks.

        Args:
            appearance: of the frame.
            masks: [K, H, W] of the objects, in 0..1.
            object_ids: the K objects; more tokens of one that is known already are
                added to those.
        """
        self._last_appearance = appearance
        given = masks_of(with_background(masks))
        for mask, object_id in zip(given, object_ids, strict=True):
            tokens = appearance.tokens(_cells(mask) > 0.5)
            if object_id in self._tokens:
                tokens = _join(self._tokens[object_id], tokens)
            self._tokens[object_id] = tokens

    def limit(
        self,
        probabilities: Tensor,
        last: Tensor,
        object_ids: Sequence[int],
        appearance: Appearance,
        gap: float,
    ) -> Tensor:
        """Take new parts that look too unlike off the objects.

        Args:
            probabilities: [K + 1, H, W] of a frame, background first.
            last: [K, H, W] probabilities of the objects in the frame before.
            object_ids: the K objects.
            appearance: of the frame.
            gap: by how much a new part may be less similar to the object, as it was
                given or as it was in the frame before, than the middle one of its
                other parts is to it as it was given; in logits of memory reads.

        Returns:
            The probabilities. Unlike what is out of reach, what is taken off is no
            reason to memorise the frame: where objects cross, that does harm.
        """
        now, before = masks_of(probabilities), masks_of(with_background(last))
        outside = np.zeros_like(now)
        last_appearance = self._last_appearance or appearance
        self._last_appearance = appearance
        for channel, object_id in enumerate(object_ids):
            if object_id in self._tokens:
                cells = unlike_cells(
                    now[channel],
                    before[channel],
                    self._tokens[object_id],
                    last_appearance,
                    appearance,
                    gap,
                )
                if cells.any():
                    pixels = cells.repeat(_CELL, 0).repeat(_CELL, 1)
                    outside[channel] = pixels & ~before[channel]
        if not (now & outside).any():
            return probabilities
        return take_off(probabilities, outside)[0]


def unlike_cells(
    mask: Mask,
    last: Mask,
    given: Tokens,
    last_appearance: Appearance,
    appearance: Appearance,
    gap: float,
) -> np.ndarray:
    """Which cells of a frame are new in an object's mask, and look unlike it.

    None where nothing of the object is left in place: it may have changed altogether.

    Args:
        mask: [H, W] bool, the object as found.
        last: [H, W] bool, its mask in the frame before.
        given: tokens of the object as it was given.
        last_appearance: of the frame before.
        appearance: of the frame.
        gap: see `AppearanceLimit.limit`.

    Returns:
        [H / 16, W / 16] bool.
    """
    covered, before = _cells(mask), _cells(last) > 0.5
    new, old = (covered >= _TOUCHED) & ~before, (covered > 0.5) & before
    unlike = np.zeros_like(new)
    if not new.any() or not old.any() or not given[0].shape[1]:
        return unlike
    usual = np.median(_similarities(given, appearance, old))
    known = _join(given, last_appearance.tokens(before))
    similarities = np.full(new.shape, np.inf)
    similarities[new] = _similarities(known, appearance, new)
    unlike = similarities < usual - gap
    count, regions = cv2.connectedComponents(new.astype(np.uint8))
    for region in range(1, count):
        cells = regions == region
        unlike[cells] |= similarities[cells].mean() < usual - _TOGETHER * gap
    return _large(unlike, covered, _LEAST * covered[old].sum())


def _large(cells: np.ndarray, covered: np.ndarray, least: float) -> np.ndarray:
    """Those regions of cells [h, w] in which at least so many are covered."""
    count, regions = cv2.connectedComponents(cells.astype(np.uint8))
    areas = np.bincount(regions.ravel(), covered.ravel(), count)
    areas[0] = 0
    return np.asarray((areas >= least)[regions])


def _similarities(tokens: Tokens, appearance: Appearance, cells: Mask) -> np.ndarray:
    """Similarity [M] of M cells of a frame to the nearest of an object's tokens."""
    key, shrinkage = tokens
    chosen = torch.from_numpy(cells).to(key.device)
    query = appearance.key[:, chosen].float()
    selection = appearance.selection[:, chosen].float()
    similar = similarity(key[None], shrinkage[None], query[None], selection[None])
    return similar[0].amax(0).cpu().numpy()


def _join(one: Tokens, other: Tokens) -> Tokens:
    return torch.cat([one[0], other[0]], 1), torch.cat([one[1], other[1]], 1)


def _cells(mask: Mask) -> np.ndarray:
    """Share [h, w] of every cell that a mask [H, W] covers."""
    size = mask.shape[1] // _CELL, mask.shape[0] // _CELL
    return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
