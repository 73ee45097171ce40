"""One process after the other: what changes a dataset, and what it remembers.

FiftyOne keeps fields and facts of a dataset in one document, of which every process has
a copy: of two that write at once, one would undo what the other did.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import fiftyone as fo
from filelock import FileLock, Timeout

from evaluation._utils.cache_dir import user_cache
from evaluation._utils.fingerprint import digest_bytes
from evaluation.errors import InputWarning
from s3fo.datasets._fiftyone import reload_changes


def lock_of(what: str) -> FileLock:
    """A lock that one process on this machine can hold; a process that dies lets go.

    Args:
        what: the name of the dataset, and what is done.
    """
    database = f"{fo.config.database_uri} {fo.config.database_name} {what}"
    key = digest_bytes(database.encode()).hex()
    folder = user_cache("loading")
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{key}.lock", is_singleton=True)


@contextmanager
def sole_writer(dataset: fo.Dataset | str) -> Iterator[None]:
    """Wait until nobody else changes a dataset, then see what they made of it.

    A thread that holds the dataset may ask for it again.

    Args:
        dataset: the dataset, or its name where it may not be there yet.
    """
    name = dataset if isinstance(dataset, str) else dataset.name
    lock = lock_of(f"{name} changes")
    try:
        lock.acquire(timeout=2)
    except Timeout:
        warnings.warn(
            f"dataset {name}: waiting for another process that changes it",
            InputWarning,
            stacklevel=4,
        )
        lock.acquire()
    try:
        if not isinstance(dataset, str) and lock.lock_counter == 1:
            reload_changes(dataset)
        yield
    finally:
        lock.release()
