"""`Attributes`: the tables, kept on disk, held against the official tags."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import pandas as pd

from evaluation.attributes.definitions import ATTRIBUTES, OFFICIAL
from evaluation.errors import InputError
from evaluation.results.storage import load_tables, save_tables

FILES = ("attributes_objects", "attributes_frames", "attributes_descriptors")


def _nothing_described() -> pd.DataFrame:
    return pd.DataFrame(columns=["sequence", "object", "descriptor"])


def of_other_objects() -> InputError:
    """What to say of attributes that share no object with scores."""
    return InputError(
        "attributes",
        "no object that the scores have, too",
        "attributes of the benchmark that was scored",
        "Compute the attributes from the ground truth of the same benchmark.",
    )


@dataclass(frozen=True)
class Attributes:
    """What makes each object hard, per object and per annotated frame.

    >>> import numpy as np
    >>> from evaluation import object_attributes
    >>> truth = np.zeros((5, 20, 20), np.uint8)
    >>> truth[:, 5:15, 5:15] = 1
    >>> attributes = object_attributes({"cat": truth})
    >>> float(attributes.objects.loc[0, "size"])  # of the image
    0.25

    Attributes:
        objects: one row per sequence and object; a column per entry of
            `ATTRIBUTES`, the official tags as `official_<TAG>`.
        frames: one row per sequence, object and annotated frame.
        notes: what could not be measured, or only under an assumption.
        extractor: name of what described appearance.
        descriptors: `descriptor`, [d] float32 of length 1, of each `sequence` and
            `object`: what it looks like on average; no rows without images.
    """

    objects: pd.DataFrame
    frames: pd.DataFrame
    notes: tuple[str, ...] = ()
    extractor: str = "none"
    descriptors: pd.DataFrame = field(default_factory=_nothing_described)

    @property
    def official_tags(self) -> list[str]:
        """Official tags that occur, without prefix."""
        return [
            str(name).removeprefix(OFFICIAL)
            for name in self.objects
            if str(name).startswith(OFFICIAL)
        ]

    def agreement(self) -> pd.DataFrame:
        """How the computed tags agree with the official ones of the same meaning.

        Returns:
            One row per tag: `tag`, counts `both`, `computed_only`, `official_only`,
            `neither`, and `agreement`, the share of objects where they say the same.
        """
        rows = []
        for attribute in ATTRIBUTES.values():
            theirs = OFFICIAL + attribute.official
            if attribute.kind != "tag" or theirs not in self.objects:
                continue
            pair = self.objects[[attribute.name, theirs]].dropna().astype(bool)
            ours, official = pair[attribute.name], pair[theirs]
            rows.append(
                {
                    "tag": attribute.official,
                    "both": int((ours & official).sum()),
                    "computed_only": int((ours & ~official).sum()),
                    "official_only": int((~ours & official).sum()),
                    "neither": int((~ours & ~official).sum()),
                    "agreement": float((ours == official).mean()),
                }
            )
        counts = ["both", "computed_only", "official_only", "neither"]
        return pd.DataFrame(rows, columns=["tag", *counts, "agreement"])

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `attributes.json` and `attributes_<table>.parquet` for each table."""
        facts = {"notes": self.notes, "extractor": self.extractor}
        tables = (self.objects, self.frames, self.descriptors)
        save_tables(folder, "attributes", facts, dict(zip(FILES, tables, strict=True)))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Attributes:
        """Read what `save` wrote.

        Raises:
            InputError: the folder holds no saved attributes, or damaged ones.
        """
        remedy = "Compute them with object_attributes(...).save(folder)."
        facts, tables = load_tables(
            folder, "attributes", ("notes", "extractor"), FILES, remedy
        )
        objects, frames, descriptors = tables
        notes, extractor = tuple(facts["notes"]), facts["extractor"]
        return cls(objects, frames, notes, extractor, descriptors)
