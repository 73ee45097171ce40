"""Events one after the other: a page of their table, steps, reviews on the way."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import pandas as pd
from fiftyone.operators import types

from s3fo.plugin.context import Context
from s3fo.plugin.panels.charts.elements import ROWS, rows
from s3fo.plugin.panels.choices import wrapping_line
from s3fo.plugin.panels.reviewing import ReviewPanel

ALL = "all"
"""Choice of everything."""

CLIPS = 100
"""Clips shown together: as many as one steps through."""


class EventPanel(ReviewPanel):
    """A panel that looks at one event after the other.

    Attributes:
        columns: key -> heading of the table of events.
    """

    columns: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def choose_events(self, ctx: Context) -> pd.DataFrame:
        """The events that one steps through, with their `tag`."""

    @abstractmethod
    def source(self, ctx: Context) -> str:
        """What the events that are shown are of."""

    def columns_shown(self, ctx: Context) -> Mapping[str, str]:
        """The columns of the table as it is now."""
        return self.columns

    @property
    def tag_choices(self) -> dict[str, str]:
        """Choices of what was reviewed -> what to show."""
        each = {tag: tag for tag in self.tags}
        return {ALL: "reviewed or not", "none": "not reviewed yet", **each}

    def show_page(self, ctx: Context, chosen: pd.DataFrame) -> None:
        """Prepare the page of the table in which the event is that is looked at."""
        state = ctx.panel.state
        state.count = len(chosen)
        state.at = max(0, min(int(state.at or 0), len(chosen) - 1))
        first = state.at // ROWS * ROWS
        state.first_row = first
        page = chosen.iloc[first : first + ROWS]
        columns = self.columns_shown(ctx)
        ctx.panel.data.events = {
            "columns": list(columns),
            "rows": [list(row.values()) for row in rows(page, columns)],
            "selectedRows": [state.at - first],
        }
        state.event = chosen["id"].iloc[state.at] if len(chosen) else None
        state.reviewed = chosen["tag"].iloc[state.at] if len(chosen) else ""

    def add_steps(self, ctx: Context, panel: types.Object) -> types.Object:
        """Add the buttons that go to the events around; returns their line."""
        state = ctx.panel.state
        steps = wrapping_line(panel, "buttons", gap=1)
        steps.btn(
            "previous",
            "Previous",
            icon="arrow_back",
            variant="outlined",
            on_click=self.on_step,
            params={"at": state.at - 1},
            disabled=state.at == 0,
        )
        steps.btn(
            "next",
            "Next",
            icon="arrow_forward",
            variant="outlined",
            on_click=self.on_step,
            params={"at": state.at + 1},
            disabled=state.at >= state.count - 1,
        )
        return steps

    def seen(self, ctx: Context) -> dict[str, object]:
        """What buttons are about.

        The state that comes with a click may still be that of the event before.
        """
        return {"event_id": ctx.panel.state.event, "at": ctx.panel.state.at}

    def clicked_event(self, ctx: Context) -> pd.Series:
        """The event that a click is about."""
        return self.find_event(ctx, self.source(ctx), ctx.params["event_id"])

    def on_click_event(self, ctx: Context) -> None:
        """Look at a row's event."""
        if ctx.params["row"] >= 0:
            ctx.panel.state.at = int(ctx.panel.state.first_row) + ctx.params["row"]

    def on_step(self, ctx: Context) -> None:
        """Look at the event before or after."""
        ctx.panel.state.at = ctx.params["at"]

    def on_tag(self, ctx: Context) -> None:
        """Review the event and go on to the next; the same again takes it back."""
        state = ctx.panel.state
        given = self.review(ctx, self.source(ctx))
        stays = (state.tag or ALL) == ALL
        state.at = ctx.params["at"] + int(stays and given)

    def on_undo(self, ctx: Context) -> None:
        """Take the last review back, and look at its event again."""
        state = ctx.panel.state
        source, event_id = self.take_back(ctx) or ("", "")
        if source == self.source(ctx) and (state.tag or ALL) == ALL:
            chosen = list(self.choose_events(ctx)["id"])
            state.at = chosen.index(event_id) if event_id in chosen else state.at
