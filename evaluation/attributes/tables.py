"""`Attributes`: the tables, kept on disk, held against the official tags."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from evaluation.attributes.definitions import ATTRIBUTES
from evaluation.errors import InputError
from evaluation.labelmap import write_atomically

OFFICIAL = "official_"
"""Prefix of columns with a benchmark's own tags. They describe whole sequences, so
every object of a sequence carries them, also those they are not true of."""


@dataclass(frozen=True)
class Attributes:
    """What makes each object hard, per object and per annotated frame.

    Attributes:
        objects: one row per sequence and object; a column per entry of
            `ATTRIBUTES`, the official tags as `official_<TAG>`.
        frames: one row per sequence, object and annotated frame.
        notes: what could not be measured, or only under an assumption.
        extractor: name of what described appearance.
    """

    objects: pd.DataFrame
    frames: pd.DataFrame
    notes: tuple[str, ...] = ()
    extractor: str = "none"

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
        return pd.DataFrame(rows)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `objects.parquet`, `frames.parquet` and `attributes.json`."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("objects", "frames"):
            data: bytes = getattr(self, name).to_parquet(None, index=False)
            write_atomically(folder / f"attributes_{name}.parquet", data)
        facts = {"notes": self.notes, "extractor": self.extractor}
        write_atomically(folder / "attributes.json", json.dumps(facts).encode())

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Attributes:
        """Read what `save` wrote.

        Raises:
            InputError: the folder holds no saved attributes.
        """
        folder = Path(folder)
        try:
            facts = json.loads((folder / "attributes.json").read_text())
            tables = {
                name: pd.read_parquet(folder / f"attributes_{name}.parquet")
                for name in ("objects", "frames")
            }
        except FileNotFoundError as error:
            raise InputError(
                folder,
                "no saved attributes",
                "attributes.json with its two Parquet tables",
                "Compute them with object_attributes(...).save(folder).",
            ) from error
        return cls(**tables, notes=tuple(facts["notes"]), extractor=facts["extractor"])
