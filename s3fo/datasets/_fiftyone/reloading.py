"""A dataset read again where others have changed it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import fiftyone as fo
from fiftyone.core.odm import Document

_TIMES = ("last_loaded_at", "last_modified_at")
"""That these alone differ means that nothing does."""

_PRECISION = timedelta(milliseconds=1)
"""Of times in MongoDB."""


def reload_changes(dataset: fo.Dataset) -> None:
    """Read a dataset again, and the samples that the process holds.

    `Dataset.reload` reads all that the dataset refers to and makes new classes of its
    samples and frames, which takes ten times as long as to see that nothing of it has
    changed.

    Args:
        dataset: any dataset; what was set on it but never saved is lost.
    """
    if _is_as_stored(dataset):
        dataset._reload_docs(hard=True)
    else:
        dataset.reload()


def _is_as_stored(dataset: fo.Dataset) -> bool:
    """Whether the dataset, its views, layouts and runs are those of the database."""
    held: dict[str, list[Document]] = defaultdict(list)
    for document in _documents(dataset._doc):
        held[document._get_collection_name()].append(document)
    database = fo.core.odm.get_db_conn()
    for name, documents in held.items():
        ids = [document.id for document in documents]
        stored = {own["_id"]: own for own in database[name].find({"_id": {"$in": ids}})}
        for document in documents:
            if not _agree(document.to_mongo(), stored.get(document.id, {})):
                return False
    return True


def _documents(root: Document) -> Iterator[Document]:
    """A document, and those that it refers to."""
    yield root
    for name in root._fields:
        value = getattr(root, name)
        items = value.values() if isinstance(value, Mapping) else value
        if isinstance(items, list) or isinstance(value, Mapping):
            yield from (item for item in items if isinstance(item, Document))


def _agree(held: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    return all(
        _equal(held.get(name), stored.get(name))
        for name in held.keys() | stored.keys()
        if name not in _TIMES
    )


def _equal(held: object, stored: object) -> bool:
    if isinstance(held, datetime) and isinstance(stored, datetime):
        return abs(held - stored) < _PRECISION
    return held == stored
