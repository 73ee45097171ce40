"""Object ids and the channels that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from evaluation.errors import InputError

Array = TypeVar("Array", np.ndarray, Tensor)


class ObjectManager:
    """Which object lives in which channel.

    Object ids are arbitrary positive integers. Channel k of the foreground holds the
    k-th object in order of registration; deleting an object closes the gap.
    """

    def __init__(self) -> None:
        self._ids: list[int] = []

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> tuple[int, ...]:
        """Object ids in channel order."""
        return tuple(self._ids)

    def has_all(self, ids: Sequence[int]) -> bool:
        """Whether every one of `ids` is registered."""
        return set(ids) <= set(self._ids)

    def channels(self, ids: Sequence[int]) -> list[int]:
        """Foreground channel (from 0) of registered objects."""
        return [self._ids.index(object_id) for object_id in ids]

    def register(self, ids: Sequence[int]) -> list[int]:
        """Add the unknown ones of `ids`; the foreground channels of all of them.

        Raises:
            InputError: an id is below 1 or given twice.
        """
        ids = distinct_ids(ids)
        self._ids += [object_id for object_id in ids if object_id not in self._ids]
        return self.channels(ids)

    def delete(self, ids: Sequence[int]) -> list[int]:
        """Remove objects; the former channels of those that stay.

        Raises:
            InputError: an id is not registered.
        """
        ids = [int(object_id) for object_id in ids]
        if not self.has_all(ids):
            raise InputError(
                "objects",
                f"{sorted(set(ids) - set(self._ids))}",
                f"ids among the tracked objects {self._ids}",
                "Delete objects that are tracked, each by its own id.",
            )
        kept = [channel for channel, i in enumerate(self._ids) if i not in ids]
        self._ids = [self._ids[channel] for channel in kept]
        return kept

    def label_map(self, probabilities: Array) -> Array:
        """The object id of every pixel.

        Args:
            probabilities: [K + 1, H, W], background first.

        Returns:
            [H, W] int64 object ids, 0 = background; the same kind of array.
        """
        if isinstance(probabilities, np.ndarray):
            return np.array([0, *self._ids])[probabilities.argmax(axis=0)]
        ids = torch.tensor([0, *self._ids], device=probabilities.device)
        return ids[probabilities.max(dim=0).indices]  # far faster than `argmax`


def distinct_ids(ids: Iterable[int]) -> tuple[int, ...]:
    """Object ids as plain integers, in their order.

    Raises:
        InputError: an id is below 1 or given twice.
    """
    found = tuple(int(object_id) for object_id in ids)
    if len(set(found)) < len(found) or min(found, default=1) < 1:
        raise InputError(
            "objects",
            f"{list(found)}",
            "distinct object ids from 1 (0 is background)",
            "Give every object of the mask once.",
        )
    return found
