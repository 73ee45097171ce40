"""`Corrections`: what corrections regain, as tables."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evaluation.attributes import Attributes
from evaluation.breakdown.groups import groups_of
from evaluation.breakdown.tables import choose_columns
from evaluation.corrections.curve import area_under
from evaluation.results.storage import load_tables, save_tables

_TABLES = (
    "corrections_curve",
    "corrections_objects",
    "corrections_prompts",
    "corrections_events",
)
_FACTS = (
    "method", "policy", "prompt", "budget", "clicks", "threshold", "protocol", "how"
)  # fmt: skip


@dataclass(frozen=True)
class Corrections:
    """A curve of J&F over corrections.

    Attributes:
        method: that was corrected.
        policy: one of `POLICIES`.
        prompt: one of `PROMPTS`.
        budget: corrections per object at most.
        clicks: of one correction, with the prompt `clicks`.
        threshold: IoU below which the policy `online` corrects.
        protocol: name of the protocol of the scores.
        how: what the method made of a correction: ``"memory"`` (it took the prompt
            into what it remembers) or ``"restart"`` (it began anew at that frame).
        curve: `budget` 0, 1, ...: `corrections` made of all objects together, `J&F`,
            `J`, `F` as fractions.
        objects: the same of every object: `sequence`, `object`, `budget`,
            `corrections`, `J&F`.
        prompts: one row per budget and correction: `budget`, `sequence`, `object`,
            `frame`, `number` (of the object's corrections, from 1, as they were
            made), `J_before` (of the frame in this pass, before it was corrected),
            `clicks`.
        events: failure events before any correction with `cost` and `regain`, see
            `with_regain`; empty where they were not asked for.
    """

    method: str
    policy: str
    prompt: str
    budget: int
    clicks: int
    threshold: float
    protocol: str
    how: str
    curve: pd.DataFrame
    objects: pd.DataFrame
    prompts: pd.DataFrame
    events: pd.DataFrame

    @property
    def area(self) -> float:
        """Mean height of the curve of J&F, 0..1."""
        return area_under(self.curve["J&F"].tolist())

    def object_areas(self) -> pd.DataFrame:
        """One row per object: J&F without and with all corrections, and the area."""
        rows: list[dict[str, Any]] = []
        for key, part in self.objects.groupby(["sequence", "object"], sort=False):
            sequence, object_id = key
            heights = part.sort_values("budget")["J&F"].tolist()
            rows.append(
                {
                    "sequence": sequence,
                    "object": object_id,
                    "corrections": int(part["corrections"].max()),
                    "before": heights[0],
                    "after": heights[-1],
                    "gain": heights[-1] - heights[0],
                    "area": area_under(heights),
                }
            )
        return pd.DataFrame(rows)

    def by_attribute(
        self, attributes: Attributes, names: list[str] | None = None
    ) -> pd.DataFrame:
        """The curve by attributes of the objects.

        Args:
            attributes: of the same benchmark.
            names: columns of its objects table; None takes all that set objects apart.

        Returns:
            Per attribute and group: `n_objects`, mean J&F `before` and `after` all
            corrections, `gain`, `area`.

        Raises:
            InputError: there is no such attribute.
        """
        table = self.object_areas().merge(
            attributes.objects, on=["sequence", "object"], suffixes=("", " attribute")
        )
        rows: list[dict[str, Any]] = []
        for name in choose_columns(attributes.objects, names):
            for _, group, member, _ in groups_of(table, name):
                means = table.loc[member, ["before", "after", "gain", "area"]].mean()
                own = {
                    "attribute": name,
                    "group": group,
                    "n_objects": int(member.sum()),
                }
                rows.append(
                    {**own, **{str(key): value for key, value in means.items()}}
                )
        return pd.DataFrame(rows)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write `corrections.json` and its Parquet tables."""
        facts = {name: getattr(self, name) for name in _FACTS}
        parts = (self.curve, self.objects, self.prompts, self.events)
        save_tables(
            folder, "corrections", facts, dict(zip(_TABLES, parts, strict=True))
        )

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Corrections:
        """Read what `save` wrote.

        Raises:
            InputError: the folder holds no saved corrections, or damaged ones.
        """
        remedy = "Make them with `s3fo correct ... --out FOLDER` (s3fo.correct)."
        facts, (curve, objects, prompts, events) = load_tables(
            folder, "corrections", _FACTS, _TABLES, remedy
        )
        known = {name: facts[name] for name in _FACTS}
        return cls(
            **known, curve=curve, objects=objects, prompts=prompts, events=events
        )
