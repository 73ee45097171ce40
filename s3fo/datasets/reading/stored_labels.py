"""The labels of a sample field as they are stored, read again only where they changed.

FiftyOne notes when a sample was last modified, but not which field: opening a clip or
tagging one label modifies a sample, too. So the samples modified since the last look
are read again and compared: what rests on a field is worked out anew only if the field
has really changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import fiftyone as fo

from s3fo.datasets._fiftyone import (
    Document,
    estimated_sample_count,
    find_labels,
    last_sample_change,
    plain_label,
)

_versions = itertools.count(1)


State = tuple[datetime | None, datetime | None, int]
"""The newest modification of a sample, that of the dataset, the number of samples."""


class LabelsOfSample(NamedTuple):
    """The labels of one sample.

    Attributes:
        sample_id: of the sample.
        sequence: its name.
        labels: their documents, with the id as text, and tuples for lists.
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
    samples: Mapping[str, LabelsOfSample]
    state: State

    def __iter__(self) -> Iterator[LabelsOfSample]:
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
        changed = _find(dataset, field, names, since=known.state[0])
        samples = {**known.samples, **changed}
    else:
        samples = _find(dataset, field, names)
    if known and known.samples == samples:
        return StoredLabels(known.version, known.samples, state)
    return StoredLabels(next(_versions), samples, state)


def _find(
    dataset: fo.Dataset,
    field: str,
    names: Iterable[str] | None,
    since: datetime | None = None,
) -> dict[str, LabelsOfSample]:
    if not dataset.has_sample_field(field):
        return {}
    return {
        sample_id: LabelsOfSample(
            sample_id, sequence, [plain_label(own) for own in labels]
        )
        for sample_id, sequence, labels in find_labels(dataset, field, names, since)
    }


def _state(dataset: fo.Dataset) -> State:
    """Changes whenever the dataset or one of its samples does.

    The newest modification of a sample (it has an index), then what makes everything
    uncertain if it changes: the dataset itself, and the number of samples.
    """
    newest = last_sample_change(dataset)
    return newest, dataset.last_modified_at, estimated_sample_count(dataset)
