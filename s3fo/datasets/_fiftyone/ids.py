"""Ids of samples, frames and labels as MongoDB keeps them."""

from __future__ import annotations

from collections.abc import Iterable

import fiftyone as fo
from bson import ObjectId

from evaluation._utils.fingerprint import short_digest

Id = ObjectId
"""An id as it is stored; FiftyOne shows it as 24 hexadecimal digits."""


def new_id() -> Id:
    """An id that no document has."""
    return ObjectId()


def derived_id(name: str) -> Id:
    """An id that follows from a name alone: equal names give equal ids."""
    return ObjectId(short_digest(name.encode(), 12))


def has_id(ids: Iterable[str]) -> fo.ViewExpression:
    """Whether a label is one of some labels.

    Args:
        ids: of the labels, as FiftyOne shows them.
    """
    return fo.ViewField("_id").is_in([ObjectId(own) for own in ids])


def is_of(instances: Iterable[str]) -> fo.ViewExpression:
    """Whether a label is of one of some instances.

    Args:
        instances: their ids, as FiftyOne shows them.
    """
    path = fo.ViewField("instance._id")
    return path.is_in([ObjectId(own) for own in instances])
