"""`Benchmark`: the sequences of one benchmark split, as found in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evaluation.errors import InputError
from evaluation.notes import without_kind
from s3fo.benchmarks.video import VideoSequence


@dataclass(frozen=True)
class Benchmark:
    """One split of a benchmark on disk.

    Attributes:
        name: catalog name, e.g. ``"davis-2017"``, or the user's own.
        split: e.g. ``"val"``; None for plain folders.
        root: the folder it was found in.
        sequences: its videos, in the order of the split's list.
        protocol: name of the evaluation protocol its scores are published with.
        notes: what a person should know about how the folder was read.
        options: the further options of `open_benchmark` that it was opened with.
        missing_files: what seems to be missing, though the rest can be used; one
            sentence each.
        partial: whether sequences were left out by choice.
        strata: official tags of which each video has one, in their order; figures are
            published for each of them.
        of_sequences: how many sequences there were before some were left out by
            choice; 0 if none were.
        of_published: how many videos the split was published with, where fewer are
            in the folder, by nobody's choice; else 0.
    """

    name: str
    split: str | None
    root: Path
    sequences: tuple[VideoSequence, ...]
    protocol: str
    notes: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    missing_files: tuple[str, ...] = ()
    partial: bool = False
    strata: tuple[str, ...] = ()
    of_sequences: int = 0
    of_published: int = 0

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[VideoSequence]:
        return iter(self.sequences)

    def __getitem__(self, name: str) -> VideoSequence:
        for sequence in self.sequences:
            if sequence.name == name:
                return sequence
        raise KeyError(name)

    @property
    def notes_on_choice(self) -> tuple[str, ...]:
        """The notes but for that on few videos: whoever chose some of them knows."""
        return tuple(without_kind(self.notes, "few-videos"))

    def subset(self, names: Iterable[str]) -> Benchmark:
        """The same benchmark with only the named sequences, in its own order.

        Raises:
            InputError: names that it does not have, all of them at once.
        """
        wanted = list(names)
        unknown = sorted(set(wanted) - {sequence.name for sequence in self})
        if unknown:
            raise InputError(
                self.root,
                f"no sequence {', '.join(unknown)}",
                f"sequences of {self.name}",
                f"It has {', '.join(sequence.name for sequence in self)}.",
            )
        kept = tuple(sequence for sequence in self if sequence.name in set(wanted))
        partial = self.partial or len(kept) < len(self)
        whole = (self.of_sequences or len(self)) if partial else 0
        return replace(
            self,
            sequences=kept,
            partial=partial,
            of_sequences=whole,
            of_published=0 if partial else self.of_published,
            notes=self.notes_on_choice if partial else self.notes,
        )

    def absolute(self) -> Benchmark:
        """The same benchmark with absolute paths, for whoever works elsewhere."""
        sequences = tuple(sequence.absolute() for sequence in self)
        return replace(self, root=self.root.absolute(), sequences=sequences)
