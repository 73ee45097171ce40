"""`Failures`: frames with their kind, events, and what is recoverable."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pandas as pd

from evaluation._utils.former_names import warn_renamed
from evaluation.attributes import ATTRIBUTES, OFFICIAL, Attributes
from evaluation.errors import InputError
from evaluation.failures.onset import onset_table
from evaluation.results.storage import load_tables, save_tables

FILES = ("failure_frames", "failure_events")


@dataclass(frozen=True)
class Failures:
    """Where and how predictions fail, and what each failure costs.

    >>> import numpy as np
    >>> from evaluation import find_failures
    >>> truth = np.zeros((5, 20, 20), np.uint8)
    >>> truth[:, 5:15, 5:15] = 1
    >>> lost = truth * (np.arange(5) < 2)[:, None, None].astype(np.uint8)
    >>> failures = find_failures({"cat": lost}, {"cat": truth})
    >>> failures.by("kind")["kind"].tolist()
    ['missed']

    Attributes:
        frames: one row per evaluated sequence, object and frame: `J`, `F`, `loss`
            (1 - (J + F) / 2), `cost` (what the frame takes off the benchmark's J&F),
            `kind` (empty if right), `other` object involved, `event` (-1 for none).
        events: one row per event, most costly first; `event` numbers them.
        headline: the benchmark's J&F, 0..1.
        protocol: name of the protocol the scores were made with.
        notes: what a reader should know, e.g. a ground truth that was changed since.
    """

    frames: pd.DataFrame
    events: pd.DataFrame
    headline: float
    protocol: str
    notes: tuple[str, ...] = ()

    @property
    def lost(self) -> float:
        """1 - J&F: what the costs of all frames add up to."""
        return 1 - self.headline

    @property
    def unassigned(self) -> float:
        """Cost of frames too slightly wrong to belong to an event."""
        return float(self.frames.loc[self.frames["event"] < 0, "cost"].sum())

    def recoverable(self, k: int) -> float:
        """J&F gained if the k most costly events were perfect instead.

        Raises:
            InputError: k is below 0.
        """
        if k < 0:
            raise InputError("k", f"{k}", "a number of events, from 0 on", "Pass 0.")
        return float(self.events["cost"].iloc[:k].sum())

    def worth(self, k: int) -> float:
        """The former name of `recoverable`."""
        warn_renamed("Failures.worth", "recoverable")
        return self.recoverable(k)

    def by(self, *columns: str) -> pd.DataFrame:
        """Events summed up by columns such as `kind`, `sequence`, `object`.

        Returns:
            `events`, `n_frames`, `cost` and `share` of everything lost, most costly
            first.

        Raises:
            InputError: there is no such column.
        """
        unknown = [column for column in columns if column not in self.events]
        if unknown or not columns:
            raise InputError(
                "columns",
                ", ".join(map(repr, unknown)) or "none",
                f"some of {', '.join(map(str, self.events))}",
                "Name columns of the events.",
            )
        grouped = self.events.groupby(list(columns), sort=False, observed=True)
        table = grouped.agg(
            events=("event", "count"),
            n_frames=("n_frames", "sum"),
            cost=("cost", "sum"),
        ).reset_index()
        table["share"] = table["cost"] / self.lost if self.lost else 0.0
        return table.sort_values("cost", ascending=False, ignore_index=True)

    def balance(self) -> pd.DataFrame:
        """All that is lost: the kinds of events, frames in no event, and their sum.

        Returns:
            `kind`, `events`, `n_frames`, `cost` and `share`, as of `by`; events are
            missing where there are none to count.
        """
        rest = self.frames[(self.frames["event"] < 0) & (self.frames["cost"] > 0)]
        share = self.unassigned / self.lost if self.lost else 0.0
        rows = [
            *self.by("kind").to_dict("records"),
            {
                "kind": "in no event",
                "n_frames": len(rest),
                "cost": self.unassigned,
                "share": share,
            },
        ]
        table = pd.DataFrame(rows)
        total = table[["events", "n_frames", "cost", "share"]].sum()
        table.loc[len(table)] = {"kind": "all", **total}
        return table.astype({"events": "Int64", "n_frames": "Int64"})

    def by_attribute(self, attributes: Attributes, name: str) -> pd.DataFrame:
        """Cost of each kind of event, by an attribute of the object it befalls.

        Args:
            attributes: of the same benchmark.
            name: a tag or bucket column of its objects table.

        Raises:
            InputError: there is no such tag or bucket.
        """
        objects = attributes.objects
        grouped = [
            str(key)
            for key in objects
            if str(key).startswith(OFFICIAL)
            or (key in ATTRIBUTES and ATTRIBUTES[str(key)].kind in ("tag", "bucket"))
        ]
        if name not in grouped:
            raise InputError(
                "attribute",
                repr(name),
                "a tag or bucket",
                f"Have {', '.join(grouped)}.",
            )
        columns = ["sequence", "object", name]
        joined = self.events.merge(objects[columns], on=["sequence", "object"])
        return Failures(self.frames, joined, self.headline, self.protocol).by(
            name, "kind"
        )

    def onsets(self) -> pd.DataFrame:
        """Circumstances under which events begin, against all frames.

        Empty where failures were found without attributes.
        """
        return onset_table(self.events, self.frames)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `failure_frames.parquet`, `failure_events.parquet`, `failures.json`."""
        facts = {
            "J&F": self.headline,
            "protocol": self.protocol,
            "notes": list(self.notes),
        }
        tables = dict(zip(FILES, (self.frames, self.events), strict=True))
        save_tables(folder, "failures", facts, tables)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Failures:
        """Read what `save` wrote.

        Raises:
            InputError: the folder holds no saved failures, or damaged ones.
        """
        remedy = "Find them with find_failures(...).save(folder)."
        facts, (frames, events) = load_tables(
            folder, "failures", ("J&F", "protocol"), FILES, remedy
        )
        # Early versions kept no notes.
        notes = tuple(map(str, facts.get("notes") or ()))
        return cls(frames, events, facts["J&F"], facts["protocol"], notes)
