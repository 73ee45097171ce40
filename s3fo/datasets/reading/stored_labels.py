"""The labels of a sample field as they are stored, read again only where they changed.

FiftyOne notes when a sample was last modified, but not which field: opening a clip or
tagging one label modifies a sample, too. So the samples modified since the last look
are read again and compared: what rests on a field is worked out anew only if the field
has really changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

import fiftyone as fo

from s3fo.datasets._fiftyone import (
    estimated_sample_count,
    find_labels,
    last_deletion,
    last_sample_change,
    plain_values,
)

_versions = itertools.count(1)


State = tuple[datetime | None, datetime | None, int]
"""The newest modification of a sample, the last deletion, the number of samples."""


class LabelsOfSample(NamedTuple):
    """The labels of one sample.

    Attributes:
        sample_id: of the sample.
        sequence: its name.
        labels: of each label the attributes that were asked for, with ids as text, and
            tuples for lists; None for what a label lacks.
    """

    sample_id: str
    sequence: str
    labels: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class StoredLabels:
    """The labels of one field of all samples, at one time.

    Attributes:
        version: differs from that of every other content.
        names: attributes of the labels that were read.
        samples: by the sample's id, in stored order.
        state: of the dataset when they were read.
    """

    version: int
    names: tuple[str, ...]
    samples: Mapping[str, LabelsOfSample]
    state: State

    def column(self, name: str) -> Sequence[Any]:
        """One attribute of all labels; None where a label lacks it."""
        return self._columns[name]

    @cached_property
    def sample_ids(self) -> list[str]:
        """The id of each label's sample."""
        found = ([own.sample_id] * len(own.labels) for own in self.samples.values())
        return list(itertools.chain.from_iterable(found))

    @cached_property
    def sequences(self) -> list[str]:
        """The name of each label's sample."""
        found = ([own.sequence] * len(own.labels) for own in self.samples.values())
        return list(itertools.chain.from_iterable(found))

    @cached_property
    def _columns(self) -> dict[str, tuple[Any, ...]]:
        rows = [label for own in self.samples.values() for label in own.labels]
        columns = zip(*rows, strict=True) if rows else ((),) * len(self.names)
        return dict(zip(self.names, columns, strict=True))


def read_labels(
    dataset: fo.Dataset,
    field: str,
    names: tuple[str, ...],
    known: StoredLabels | None = None,
) -> StoredLabels:
    """The labels of a field, of which some may be known.

    Args:
        dataset: what to read from.
        field: sample field with several labels; one that is missing has none.
        names: attributes of the labels that are wanted.
        known: what an earlier call with the same arguments gave.
    """
    if not dataset.has_sample_field(field):
        empty = known and not known.samples
        state = (None, None, 0)
        return known if known and empty else _new_labels(names, {}, state)
    state = _state(dataset)
    if known and known.state == state:
        return known
    if known and known.state[1:] == state[1:]:
        changed = _find(dataset, field, names, since=known.state[0])
        samples = {**known.samples, **changed}
    else:
        samples = _find(dataset, field, names)
    if known and known.samples == samples:
        return replace(known, state=state)
    return _new_labels(names, samples, state)


def _new_labels(
    names: tuple[str, ...], samples: Mapping[str, LabelsOfSample], state: State
) -> StoredLabels:
    return StoredLabels(next(_versions), names, samples, state)


def _find(
    dataset: fo.Dataset,
    field: str,
    names: tuple[str, ...],
    since: datetime | None = None,
) -> dict[str, LabelsOfSample]:
    found = list(find_labels(dataset, field, names, since))
    labels = [label for *_, own in found for label in own]
    # By columns: most attributes are plain already, all labels' at once.
    columns = (plain_values([own.get(name) for own in labels]) for name in names)
    rows = zip(*columns, strict=True)
    return {
        sample_id: LabelsOfSample(
            sample_id, sequence, tuple(itertools.islice(rows, len(own)))
        )
        for sample_id, sequence, own in found
    }


def _state(dataset: fo.Dataset) -> State:
    """Changes whenever a sample does, or the set of samples.

    The newest modification of a sample (it has an index; adding, clearing, renaming
    and deleting a field modify all samples), then what makes everything uncertain if
    it changes: the last deletion, and the number of samples.
    """
    newest = last_sample_change(dataset)
    return newest, last_deletion(dataset), estimated_sample_count(dataset)
