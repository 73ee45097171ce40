"""`Audit`: frames and events of ground truth that looks wrong."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace

import pandas as pd

from evaluation.errors import InputError
from evaluation.results.storage import load_tables, save_tables

FILES = ("audit_frames", "audit_events")

FRAME_COLUMNS = (
    "sequence", "object", "frame", "event", "kind", "confidence", "area", "digest",
)  # fmt: skip
EVENT_COLUMNS = (
    "event", "sequence", "object", "kind", "other", "start", "end", "start_index",
    "end_index", "n_frames", "confidence", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Audit:
    """Where ground truth looks wrong, in which way and how surely.

    Attributes:
        frames: one row per event and frame that it covers; `area` is that of the
            object there, in pixels, 0 where it is not to be seen, and `digest` a
            checksum of its pixels.
        events: one row per event, the surest first; `event` numbers them. `start` and
            `end` are names of annotated frames, both included.
        n_object_frames: annotated object frames that were looked at.
        notes: what could not be looked at.
        ground_truth: name or folder of what was audited; empty if it is not known.
    """

    frames: pd.DataFrame
    events: pd.DataFrame
    n_object_frames: int
    notes: tuple[str, ...] = ()
    ground_truth: str = ""

    def by(self, *columns: str) -> pd.DataFrame:
        """Number of events and of their frames, by columns such as `kind`."""
        grouped = self.events.groupby(list(columns), sort=True)
        table = grouped.agg(events=("event", "count"), n_frames=("n_frames", "sum"))
        return table.reset_index().sort_values(
            "events", ascending=False, kind="stable", ignore_index=True
        )

    def confirmed(self, events: Collection[int]) -> Audit:
        """The events that somebody confirmed, under their numbers.

        Raises:
            InputError: there is no event of such a number.
        """
        unknown = sorted(set(events) - set(self.events["event"].tolist()))
        if unknown:
            last = len(self.events) - 1
            if last < 0:
                raise InputError(
                    "events",
                    f"the numbers {', '.join(map(str, unknown))}, but no event",
                    "an audit in which something looks wrong",
                    "Leave out --confirm and --scores: no score would change.",
                )
            raise InputError(
                "events",
                f"the numbers {', '.join(map(str, unknown))}, which no event has",
                f"numbers from 0 to {last}",
                "Take them from the column `event` of the events table.",
            )
        return replace(
            self,
            events=self.events[self.events["event"].isin(events)],
            frames=self.frames[self.frames["event"].isin(events)],
        )

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `audit_frames.parquet`, `audit_events.parquet` and `audit.json`."""
        facts = {
            "object_frames": self.n_object_frames,
            "notes": list(self.notes),
            "ground_truth": self.ground_truth,
        }
        tables = dict(zip(FILES, (self.frames, self.events), strict=True))
        save_tables(folder, "audit", facts, tables)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Audit:
        """Read what `save` wrote.

        Raises:
            InputError: the folder holds no saved audit, or a damaged one.
        """
        remedy = "Make it with audit_ground_truth(...).save(folder)."
        facts, (frames, events) = load_tables(
            folder, "audit", ("object_frames", "notes"), FILES, remedy
        )
        return cls(
            frames,
            events,
            facts["object_frames"],
            tuple(facts["notes"]),
            str(facts.get("ground_truth", "")),  # early versions did not keep it
        )
