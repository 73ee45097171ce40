"""Published figures that are over fewer videos than their split has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subset:
    """Videos that some published figures are over.

    Attributes:
        scored: how many videos the figures are over.
        videos: how many the split has.
        splits: which splits these are.
    """

    scored: int
    videos: int
    splits: tuple[str, ...]

    def __str__(self) -> str:
        where = " and ".join(self.splits)
        return (
            f"some published figures are over {self.scored} of the {self.videos} "
            f"videos of {where}: compare figures over the same videos only"
        )


SUBSETS = {
    "lvos-v2": Subset(136, 140, ("val",)),
    "vost": Subset(636, 642, ("train", "val")),
}
"""By benchmark."""


def subset_note(benchmark: str, split: str) -> str:
    """What to tell beside figures of a split; empty if all are over all its videos."""
    subset = SUBSETS.get(benchmark)
    return str(subset) if subset and split in subset.splits else ""
