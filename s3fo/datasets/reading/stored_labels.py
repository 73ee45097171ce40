"""The labels of a sample field as they are stored, read again only where they changed.

FiftyOne notes when a sample was last modified, but not which field: opening a clip or
tagging one label modifies a sample, too. So the samples modified since the last look
are read again and compared: what rests on a field is worked out anew only if the field
has really changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from typing import Any, TypeAlias

import fiftyone as fo

from s3fo.datasets._fiftyone import (
    Document,
    estimated_sample_count,
    find_labels,
    last_deletion,
    last_sample_change,
    plain_values,
)

_versions = itertools.count(1)


State = tuple[datetime | None, datetime | None, int]
"""The newest modification of a sample, the last deletion, the number of samples."""


Column: TypeAlias = list[Any]
"""One attribute of all labels."""


@dataclass(frozen=True)
class LabelColumns:
    """The labels of some samples, by columns.

    Kept by ten thousands, labels of their own would be gone through by Python's
    collector of cycles, and take longer to become tables.

    Attributes:
        samples: ids of the samples, in stored order.
        names: of their sequences.
        counts: how many labels each has.
        columns: the attributes that were asked for: values of all labels, with ids as
            text, and tuples for lists; None for what a label lacks.
    """

    samples: list[str]
    names: list[str]
    counts: list[int]
    columns: dict[str, Column]

    def changed_by(self, other: LabelColumns) -> LabelColumns:
        """With the labels of another, in place of those of the same samples."""
        places = {sample: i for i, sample in enumerate(self.samples)}
        ends = [0, *itertools.accumulate(self.counts)]
        others = [0, *itertools.accumulate(other.counts)]
        names, counts = list(self.names), list(self.counts)
        cuts = []
        for i, sample in enumerate(other.samples):
            place = places[sample]
            names[place], counts[place] = other.names[i], other.counts[i]
            cuts.append((ends[place], ends[place + 1], others[i], others[i + 1]))
        cuts.sort()
        columns = {
            key: _replace_parts(values, other.columns[key], cuts)
            for key, values in self.columns.items()
        }
        return LabelColumns(self.samples, names, counts, columns)


def _replace_parts(
    old: Column, new: Column, cuts: Sequence[tuple[int, int, int, int]]
) -> Column:
    """Put parts of one list in place of parts of another.

    Args:
        old: where they go.
        new: where they come from.
        cuts: first and last + 1 of the old part, and of the new one, in order.
    """
    parts, done = [], 0
    for start, stop, first, last in cuts:
        parts += [old[done:start], new[first:last]]
        done = stop
    return list(itertools.chain(*parts, old[done:]))


@dataclass(frozen=True)
class StoredLabels:
    """The labels of one field of all samples, at one time.

    Attributes:
        version: differs from that of every other content.
        content: the labels.
        state: of the dataset when they were read.
    """

    version: int
    content: LabelColumns
    state: State

    def column(self, name: str) -> Column:
        """One attribute of all labels; None where a label lacks it."""
        return self.content.columns[name]

    @cached_property
    def sample_ids(self) -> list[str]:
        """The id of each label's sample."""
        return _repeat(self.content.samples, self.content.counts)

    @cached_property
    def sequences(self) -> list[str]:
        """The name of each label's sample."""
        return _repeat(self.content.names, self.content.counts)


def _repeat(values: list[str], counts: list[int]) -> list[str]:
    return list(itertools.chain.from_iterable(map(itertools.repeat, values, counts)))


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
        names: attributes of the labels that are wanted, two or more.
        known: what an earlier call with the same arguments gave.
    """
    state = _state(dataset)
    if known and known.state == state:
        return known
    content = None
    if not dataset.has_sample_field(field):
        # As before any sample: should it come, all of them are read.
        state, content = (None, None, 0), _columns([], names)
    elif known and known.state[1:] == state[1:]:
        found = list(find_labels(dataset, field, names, since=known.state[0]))
        if {sample for sample, *_ in found} <= set(known.content.samples):
            content = known.content.changed_by(_columns(found, names))
    if content is None:
        content = _columns(list(find_labels(dataset, field, names)), names)
    if known and known.content == content:
        return replace(known, state=state)
    return StoredLabels(next(_versions), content, state)


def _columns(
    found: Sequence[tuple[str, str, Sequence[Document]]], names: tuple[str, ...]
) -> LabelColumns:
    """Labels as they are stored, by columns."""
    labels = [label for *_, own in found for label in own]
    try:
        # By far the fastest, and nearly always enough.
        rows: list[tuple[Any, ...]] = list(map(itemgetter(*names), labels))
    except KeyError:
        rows = [tuple(map(label.get, names)) for label in labels]
    values = zip(*rows, strict=True) if rows else ((),) * len(names)
    return LabelColumns(
        [sample for sample, *_ in found],
        [name for _, name, _ in found],
        [len(own) for *_, own in found],
        {key: plain_values(own) for key, own in zip(names, values, strict=True)},
    )


def _state(dataset: fo.Dataset) -> State:
    """Changes whenever a sample does, or the set of samples.

    The newest modification of a sample (it has an index; adding, clearing, renaming
    and deleting a field modify all samples), then what makes everything uncertain if
    it changes: the last deletion, and the number of samples.
    """
    newest = last_sample_change(dataset)
    return newest, last_deletion(dataset), estimated_sample_count(dataset)
