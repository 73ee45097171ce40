"""Cache of tables computed from datasets, invalidated when their source changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar

import fiftyone as fo

from s3fo.datasets._fiftyone import dataset_id
from s3fo.datasets.reading.collector import collector_paused

_MAX_ENTRIES = 200
"""Values are mostly tables and pictures below 1 MB; the oldest one goes first."""

_lock = threading.RLock()
_values: dict[tuple[Hashable, ...], object] = {}

Key = tuple[Hashable, ...]
Value = TypeVar("Value")


def refresh(
    dataset: fo.Dataset, key: Key, update: Callable[[Value | None], Value]
) -> Value:
    """Bring a cached value up to date and return it.

    Args:
        dataset: the value is computed from.
        key: which value of the dataset.
        update: computes the value; gets the cached one, None if there is none. Panels
            that open together ask for the same: while one computes, others wait.
    """
    full_key = (dataset_id(dataset), *key)
    with _lock:
        known: Value | None = _values.pop(full_key, None)  # type: ignore[assignment]
        with collector_paused():
            value = update(known)
        _values[full_key] = value
        while len(_values) > _MAX_ENTRIES:
            del _values[next(iter(_values))]
    return value


def cached(
    dataset: fo.Dataset, key: Key, version: Hashable, compute: Callable[[], Value]
) -> Value:
    """Return the cached value, computed again if `version` has changed.

    Args:
        dataset: the value is computed from.
        key: which value of the dataset.
        version: changes whenever the source of the value does.
        compute: computes the value.
    """

    def update(known: tuple[Hashable, Value] | None) -> tuple[Hashable, Value]:
        return known if known and known[0] == version else (version, compute())

    return refresh(dataset, key, update)[1]


def invalidate() -> None:
    """Drop all cached values, as in a process that has just begun."""
    with _lock:
        _values.clear()
