"""Buttons by which a person reviews an event, and takes that back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import fiftyone as fo
import pandas as pd
from fiftyone.operators import types

from evaluation._utils.escape import markdown_text
from evaluation.errors import InputError
from s3fo.datasets.field_names import AUDIT
from s3fo.datasets.reading import tables
from s3fo.datasets.scoring.review import TAGS, review_of, tag_event
from s3fo.plugin.context import Context
from s3fo.plugin.panels.base import VOSPanel
from s3fo.plugin.panels.choices import set_if_new, wrapping_line


class ReviewPanel(VOSPanel):
    """A panel in which events are reviewed: those of failures, unless it says others.

    Subclasses handle a click on a button (`on_tag`) by `review`, and on *Undo*
    (`on_undo`) by `take_back`. The last review lives in the panel's state.

    Attributes:
        tags: the reviews that an event may have.
    """

    tags: ClassVar[Sequence[str]] = TAGS

    def all_events(self, dataset: fo.Dataset, source: str) -> pd.DataFrame:
        """All events of a source: those of an evaluation, by its key."""
        return tables.event_table(dataset, source)

    def set_review(
        self, dataset: fo.Dataset, source: str, event: pd.Series, tag: str | None
    ) -> None:
        """Keep the review of an event; None takes it back."""
        tag_event(dataset, source, event, tag)

    def find_event(self, ctx: Context, source: str, event_id: str) -> pd.Series:
        """An event, as it is now.

        Raises:
            InputError: it is gone.
        """
        events = self.all_events(ctx.dataset, source)
        own = events[events["id"] == event_id]
        if own.empty:
            raise InputError(
                "this event",
                "no such event any more",
                "one of those that the panel shows now",
                "Events were found anew, or what they are of was deleted.",
            )
        return own.iloc[0]

    def add_review_buttons(
        self,
        ctx: Context,
        panel: types.Object,
        given: str,
        params: Mapping[str, object],
    ) -> None:
        """Add a line of buttons; that of the review an event has is filled.

        Args:
            ctx: of the event of the App.
            panel: what to add it to.
            given: the review that the event has; "" for none.
            params: that say what a click is about, for the state that comes with it
                may still be that of the event before.
        """
        line = wrapping_line(panel, "review", gap=1)
        for tag in self.tags:
            chosen = tag == given
            line.btn(
                tag.replace(" ", "_"),
                tag.capitalize(),
                icon="check" if chosen else None,
                variant="contained" if chosen else "outlined",
                on_click=self.on_tag,
                params={**params, "tag": tag},
            )
        line.btn(
            "undo",
            "Undo",
            icon="undo",
            variant="outlined",
            on_click=self.on_undo,
            disabled=not ctx.panel.state.last_reviewed,
        )
        state = ctx.panel.state
        # Of another method it would be taken for one of this.
        seen = params.get("eval_key") or state.shown or AUDIT
        if state.told_of_review and state.reviewed_in == seen:
            now = f" Now shown: {state.at + 1} of {state.count}." if state.count else ""
            # The App shows what stands in the state under the name of a text.
            set_if_new(ctx, "review_line", state.told_of_review + now)
            panel.md(state.review_line, name="review_line")

    def on_tag(self, ctx: Context) -> None:
        """Review the event; the same again takes it back."""
        self.review(ctx, ctx.params["eval_key"])

    def on_undo(self, ctx: Context) -> None:
        """Take the last review back."""
        self.take_back(ctx)

    def review(self, ctx: Context, eval_key: str) -> bool:
        """Give the event of a click its review, or take that back if it has it.

        Returns:
            Whether the event has that review now.
        """
        tag = ctx.params["tag"]
        event = self.find_event(ctx, eval_key, ctx.params["event_id"])
        before = review_of(event["tags"], self.tags)
        again = before == tag
        self.set_review(ctx.dataset, eval_key, event, None if again else tag)
        ctx.panel.state.last_reviewed = [eval_key, event["id"], before or None]
        ctx.panel.state.reviewed_in = eval_key
        self._tell(ctx, event, "no longer reviewed" if again else tag)
        return not again

    def take_back(self, ctx: Context) -> tuple[str, str] | None:
        """Take the last review back.

        Returns:
            Evaluation and id of the event that it was of; None if there was none.
        """
        state = ctx.panel.state
        if not state.last_reviewed:
            return None
        eval_key, event_id, before = state.last_reviewed
        event = self.find_event(ctx, eval_key, event_id)
        self.set_review(ctx.dataset, eval_key, event, before)
        state.last_reviewed = None
        now = f"{before} again" if before else "no longer reviewed"
        self._tell(ctx, event, now, undo=False)
        return eval_key, event_id

    def _tell(
        self, ctx: Context, event: pd.Series, now: str, *, undo: bool = True
    ) -> None:
        """Say in the panel, until the next review, what an event's review is now."""
        what = f"{event['sequence']}, object {event['object']}: {event['kind']}"
        back = " *Undo* takes it back." if undo else ""
        told = f"Last review: {markdown_text(what)} is **{now}**.{back}"
        ctx.panel.state.told_of_review = told
        ctx.ops.notify(f"{what} is {now}", variant="success")
