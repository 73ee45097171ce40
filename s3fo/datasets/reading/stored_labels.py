"""The labels of a sample field as they are stored, read again only where they changed.

FiftyOne notes when a sample was last modified, but not which field: opening a clip or
tagging one label modifies a sample, too. So the samples modified since the last look
are read again and compared: what rests on a field is worked out anew only if the field
has really changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import fiftyone as fo
from bson import ObjectId

Document = Mapping[str, Any]

_versions = itertools.count(1)


class LabelsOfSample(NamedTuple):
    """The labels of one sample.

    Attributes:
        sample_id: of the sample.
        sequence: its name.
        labels: their documents.
    """

    sample_id: str
    sequence: str
    labels: Sequence[Document]


@dataclass(frozen=True)
class StoredLabels:
    """The labels of one field of all samples, at one time.

    Attributes:
        version: differs from that of every other content.
        samples: by the sample's id, in stored order.
        state: of the dataset when they were read.
    """

    version: int
    samples: Mapping[ObjectId, LabelsOfSample]
    state: tuple[Any, ...]

    def __iter__(self) -> Any:
        """One `LabelsOfSample` after the other."""
        return iter(self.samples.values())


def read_labels(
    dataset: fo.Dataset,
    field: str,
    names: Iterable[str] | None = None,
    known: StoredLabels | None = None,
) -> StoredLabels:
    """The labels of a field, of which some may be known.

    Args:
        dataset: what to read from.
        field: sample field with several labels; one that is missing has none.
        names: attributes of the labels that are wanted; None means all.
        known: what an earlier call with the same arguments gave.
    """
    state = _state(dataset)
    if known and known.state == state:
        return known
    if known and known.state[1:] == state[1:]:
        newest = known.state[0]
        changed = {"last_modified_at": {"$gte": newest}} if newest else {}
        samples = {**known.samples, **_find(dataset, field, names, changed)}
    else:
        samples = _find(dataset, field, names, {})
    if known and known.samples == samples:
        return StoredLabels(known.version, known.samples, state)
    return StoredLabels(next(_versions), samples, state)


def _find(
    dataset: fo.Dataset, field: str, names: Iterable[str] | None, which: Document
) -> dict[ObjectId, LabelsOfSample]:
    if not dataset.has_sample_field(field):
        return {}
    root = f"{field}.detections"
    paths = [root] if names is None else [f"{root}.{name}" for name in names]
    found = dataset._sample_collection.find(
        which, {"sequence": 1, **dict.fromkeys(paths, 1)}
    )
    return {
        doc["_id"]: LabelsOfSample(
            str(doc["_id"]),
            doc["sequence"],
            (doc.get(field) or {}).get("detections", []),
        )
        for doc in found
    }


def _state(dataset: fo.Dataset) -> tuple[Any, ...]:
    """Changes whenever the dataset or one of its samples does.

    The newest modification of a sample (it has an index), then what makes everything
    uncertain if it changes: the dataset itself, and the number of samples.
    """
    latest = dataset._sample_collection.find_one(
        {}, {"last_modified_at": 1}, sort=[("last_modified_at", -1)]
    )
    samples = dataset._sample_collection.estimated_document_count()
    newest = latest and latest.get("last_modified_at")
    return newest, dataset.last_modified_at, samples
