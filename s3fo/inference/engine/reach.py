"""Where an object can be: parts of a mask far from its last place are not its own.

A network that looks for an object in the whole frame also finds it in whatever comes
into view and stands out, such as a person who walks into the picture. What is new and
far away is rarely a part of an object that is still where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

Mask = np.ndarray

_FOUND = 0.2
"""Share of an object's size that must be near its last place. Where less of it is, it
is hidden or has jumped, and may be anywhere."""

_SPECK = 0.05
"""Share of an object's size below which a part of it is a speck..."""

_SPECK_REACH = 0.4
"""...and the share of the reach within which specks are taken for parts of it."""

_SHRINKING = 0.98
"""By which the remembered size of an object falls from frame to frame, at most."""

_LEAST = 8
"""Pixels that are within reach of any object, however small."""

_EDGE = 9
"""Side in pixels of the square round a kept part, for its soft edge."""


class Reach:
    """Keeps objects near their last place, frame by frame."""

    def __init__(self) -> None:
        self._areas: dict[int, float] = {}

    def forget(self, object_ids: Iterable[int]) -> None:
        """Forget how large objects were."""
        for object_id in object_ids:
            self._areas.pop(object_id, None)

    def rescale(self, factor: float) -> None:
        """Take it that the areas of all objects are `factor` times what they were."""
        for object_id in self._areas:
            self._areas[object_id] *= factor

    def limit(
        self,
        probabilities: Tensor,
        last: Tensor,
        object_ids: Sequence[int],
        factor: float,
    ) -> tuple[Tensor, bool]:
        """Take parts out of reach off the objects.

        Args:
            probabilities: [K + 1, H, W] of a frame, background first.
            last: [K, H, W] probabilities of the objects in the frame before.
            object_ids: the K objects.
            factor: largest distance between an object's last mask and a part of the
                next, in multiples of its size (the square root of its area).

        Returns:
            The probabilities, and whether anything that was out of reach is background
            now (rather than another object's).
        """
        now, before = masks_of(probabilities), masks_of(with_background(last))
        outside = np.zeros_like(now)
        for channel, object_id in enumerate(object_ids):
            old = before[channel]
            area = max(int(old.sum()), _SHRINKING * self._areas.get(object_id, 0))
            self._areas[object_id] = area
            outside[channel] = out_of_reach(now[channel], old, area, factor)
        if not outside.any():
            return probabilities, False
        kept, lost = take_off(probabilities, outside)
        return kept, bool(lost.any())


def out_of_reach(mask: Mask, last: Mask, area: float, factor: float) -> Mask:
    """Where an object cannot be.

    Args:
        mask: [H, W] bool, the object as found.
        last: [H, W] bool, its mask in the frame before.
        area: of the object when it was last seen well, in pixels.
        factor: of its size, how far from `last` its parts may be.

    Returns:
        [H, W] bool: all False where the mask is one part, where all its parts are
        within reach, or where too little is.

    Example:
        >>> last = np.arange(30)[None] < 4
        >>> mask = last | (np.arange(30)[None] == 20)
        >>> out_of_reach(mask, last, 4, 1.0)[0, [0, 20]]
        array([False,  True])
    """
    nowhere = np.zeros_like(mask)
    count, parts, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count <= 2 or not last.any():
        return nowhere
    distance = cv2.distanceTransform((~last).astype(np.uint8), cv2.DIST_L2, 3)
    limit = max(factor * np.sqrt(area), _LEAST)
    areas = facts[:, cv2.CC_STAT_AREA]
    close = np.isin(np.arange(count), parts[distance <= _SPECK_REACH * limit])
    within = np.isin(np.arange(count), parts[distance <= limit])
    near = close | (within & (areas >= _SPECK * area))
    near[0] = False
    if near[1:].all() or areas[near].sum() < _FOUND * area:
        return nowhere
    kernel = np.ones((_EDGE, _EDGE), np.uint8)
    kept = cv2.dilate(near[parts].astype(np.uint8), kernel).astype(bool)
    return np.asarray(~((distance <= _SPECK_REACH * limit) | kept))


def take_off(probabilities: Tensor, outside: Mask) -> tuple[Tensor, Mask]:
    """Let objects be where they can be only.

    Args:
        probabilities: [K + 1, H, W] of a frame, background first.
        outside: [K, H, W] bool, where each object cannot be.

    Returns:
        The probabilities, and [H, W] bool: what was one of the objects there, and is
        background now (rather than another object's).
    """
    kept = probabilities.clone()
    kept[1:] *= torch.from_numpy(~outside).to(kept.device)
    # At least the background is left everywhere.
    kept[0].clamp_(min=1e-7)
    lost = (masks_of(probabilities) & outside).any(0) & ~masks_of(kept).any(0)
    return kept / kept.sum(0), lost


def with_background(objects: Tensor) -> Tensor:
    """Probabilities [K, H, W] with that of the background before them."""
    return torch.cat([1 - objects.sum(0, keepdim=True), objects])


def masks_of(probabilities: Tensor) -> np.ndarray:
    """[K, H, W] bool: where each object of [K + 1, H, W] is the most probable."""
    best = probabilities.amax(dim=0)
    return (probabilities[1:] == best).cpu().numpy()
