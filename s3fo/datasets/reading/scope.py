"""Which objects tables are about: all of a dataset, or those that are looked at.

Panels can follow the view that the grid shows. They ask for the same tables then,
inside `limited_to`, so that nothing that is drawn of them has to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import pandas as pd

Object = tuple[str, int]
"""Id of the sample, and object id."""

_looked_at: ContextVar[frozenset[Object] | None] = ContextVar("scope", default=None)


@contextmanager
def limited_to(objects: Iterable[Object] | None) -> Iterator[None]:
    """Let tables be about some objects only.

    Args:
        objects: that tables are about meanwhile; None means all.
    """
    before = _looked_at.set(None if objects is None else frozenset(objects))
    try:
        yield
    finally:
        _looked_at.reset(before)


def present_scope() -> frozenset[Object] | None:
    """The objects that tables are about; None means all."""
    return _looked_at.get()


def limit(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table that are about objects in the present scope.

    Args:
        table: with columns `sample_id` and `object`.
    """
    scope = _looked_at.get()
    if scope is None:
        return table
    places = zip(table["sample_id"], table["object"], strict=True)
    kept = [(str(sample), int(number)) in scope for sample, number in places]
    return table[kept].reset_index(drop=True)
