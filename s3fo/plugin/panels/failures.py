"""Panel "Failures": what goes wrong, at what cost, one event after the other."""

from __future__ import annotations

import pandas as pd
from fiftyone.operators import types

from evaluation._utils.escape import markdown_text
from evaluation._utils.names import counted
from evaluation.attributes import attribute_title
from evaluation.errors import InputError
from evaluation.failures import FailureKind
from s3fo.datasets.reading import tables
from s3fo.datasets.scoring.failures import event_clips
from s3fo.datasets.scoring.review import TAGS
from s3fo.datasets.views.appearance import has_videos
from s3fo.datasets.views.shown import has_id
from s3fo.plugin.context import Context
from s3fo.plugin.panels.base import (
    ROWS,
    plot,
    rows,
    shown,
    table,
)
from s3fo.plugin.panels.charts import failures as charts
from s3fo.plugin.panels.choices import (
    LINE,
    choose,
    line_of_choices,
    set_choice,
    wrapping_line,
)
from s3fo.plugin.panels.opening import (
    plan_clips,
    plan_frame,
    plan_grid,
    show_frame,
)
from s3fo.plugin.panels.reviewing import ReviewPanel, find_event
from s3fo.plugin.shared.outcome import PLUGIN

_ALL = "all"
_CLIPS = 100
"""Clips shown together: as many as one steps through."""

_COLUMNS = {
    "place": "#",
    "sequence": "Video",
    "object": "Object",
    "kind": "Kind",
    "lost": "J&F points lost",
    "n_frames": "Frames",
    "tag": "Tag",
}
_TAG_CHOICES = {
    _ALL: "reviewed or not",
    "none": "not reviewed yet",
    **{tag: tag for tag in TAGS},
}


class Failures(ReviewPanel):
    """Failure events, the most costly first, each as a filmstrip and a clip."""

    name = "vos_failures"
    label = "Failures"
    follows = True
    risk = "medium"
    help = (
        "Every failure with what it costs of the benchmark's J&F. **Click** a bar to "
        "see one kind only, a row to see its filmstrip; review it with the buttons. "
        "**Keys**: after a click on Next, Enter goes on to the next failure; in the "
        "player on one of All clips, the arrow keys do."
    )

    def refresh(self, ctx: Context) -> None:
        """Filter the events and draw the one that is looked at."""
        state, dataset = ctx.panel.state, ctx.dataset
        known = charts.with_failures(dataset)
        if not known:
            raise InputError(
                f"dataset {dataset.name}",
                "no failures",
                "failures found earlier",
                "Press ` and run 'Find failures'.",
            )
        ctx.panel_state["method"] = state.method if state.method in known else known[-1]
        state.shown = state.method
        chart = charts.costs(dataset, state.method, state.split or _ALL)
        ctx.panel.data.costs = chart.traces
        state.costs_layout, state.costs_text = chart.layout, chart.text
        chosen = self._choose_events(ctx)
        state.count = len(chosen)
        state.at = max(0, min(int(state.at or 0), len(chosen) - 1))
        first = state.at // ROWS * ROWS
        state.first_row = first
        page = chosen.iloc[first : first + ROWS]
        ctx.panel.data.events = {
            "columns": list(_COLUMNS),
            "rows": [list(row.values()) for row in rows(page, _COLUMNS)],
            "selectedRows": [state.at - first],
        }
        state.event = chosen["id"].iloc[state.at] if len(chosen) else None
        state.reviewed = chosen["tag"].iloc[state.at] if len(chosen) else ""
        if state.event:
            state.event_text = self._describe(ctx, chosen.iloc[state.at])

    def _choose_events(self, ctx: Context) -> pd.DataFrame:
        state, dataset = ctx.panel.state, ctx.dataset
        events = tables.event_table(dataset, state.shown)
        return charts.chosen_events(
            dataset, events, state.kind or _ALL, state.group, state.tag or _ALL
        )

    def _describe(self, ctx: Context, event: pd.Series) -> str:
        state = ctx.panel.state
        frames = charts.frame_labels(ctx.dataset, event)
        return (
            f"{state.at + 1} of {state.count}: "
            f"**{markdown_text(event['sequence'])}, object {event['object']}: "
            f"{event['kind']}** "
            f"(frames {frames['start']} to {frames['end']}, worst {frames['worst']}; "
            f"J {shown(event['worst_J'])}, F {shown(event['worst_F'])} there; costs "
            f"{100 * event['cost']:.2f} points of J&F)"
        )

    def _lay_out_strip(self, ctx: Context, panel: types.Object) -> None:
        """The filmstrip, as a default: the App sends back what is data or state."""
        event = find_event(ctx, ctx.panel.state.shown, ctx.panel.state.event)
        try:
            strip = charts.filmstrip(ctx.dataset, ctx.panel.state.shown, event)
        except InputError as error:
            panel.md(str(error), name="no_strip")
            return
        picture = types.ImageView(alt="onset, worst frame, end")
        panel.str("strip", default=strip, view=picture)

    def layout(self, ctx: Context, panel: types.Object) -> None:
        """Choices, costs, the event looked at, all events."""
        state = ctx.panel.state
        self._lay_out_choices(ctx, line_of_choices(panel))
        panel.md(state.costs_text, name="costs_text")
        plot(
            panel,
            "costs",
            state.costs_layout,
            on_click=self.on_click_cost,
        )
        if not state.event:
            panel.md("No event is left: choose less narrowly.", name="nothing")
            return
        self._lay_out_buttons(ctx, panel)
        panel.md(state.event_text, name="event_text")
        self._lay_out_strip(ctx, panel)
        table(panel, "events", _COLUMNS, on_click_row=self.on_click_event)

    def _lay_out_choices(self, ctx: Context, line: types.Object) -> None:
        state = ctx.panel.state
        known = charts.with_failures(ctx.dataset)
        kinds = {kind.value: kind.value for kind in FailureKind}
        for name, label, choices, chosen in (
            ("method", "Evaluation", {key: key for key in known}, state.method),
            ("kind", "Kind", {_ALL: "all kinds", **kinds}, state.kind or _ALL),
            (
                "split",
                "Split by",
                {_ALL: "not split", **charts.splits(ctx.dataset)},
                state.split or _ALL,
            ),
            ("tag", "Reviewed", _TAG_CHOICES, state.tag or _ALL),
        ):
            choose(
                ctx,
                line,
                name,
                choices,
                chosen,
                label=label,
                on_change=self.on_narrow,
                line=LINE,
            )

    def _lay_out_buttons(self, ctx: Context, panel: types.Object) -> None:
        state = ctx.panel.state
        # The buttons say what they are about: the state that comes with a click may
        # still be that of the event before.
        seen = {"event_id": state.event, "at": state.at}
        steps = wrapping_line(panel, "buttons", gap=1)
        steps.btn(
            "previous",
            "Previous",
            icon="arrow_back",
            on_click=self.on_step,
            params={"at": state.at - 1},
            disabled=state.at == 0,
        )
        steps.btn(
            "next",
            "Next",
            icon="arrow_forward",
            variant="contained",
            on_click=self.on_step,
            params={"at": state.at + 1},
            disabled=state.at >= state.count - 1,
        )
        steps.btn("open", "Clip", icon="play_arrow", on_click=self.on_open, params=seen)
        steps.btn("clips", "All clips", icon="video_library", on_click=self.on_clips)
        steps.btn(
            "correct",
            "Correct here",
            icon="auto_fix_high",
            on_click=self.on_correct,
            params=seen,
        )
        self.add_all_videos(steps)
        self.add_review_buttons(ctx, panel, state.reviewed, seen)

    def on_narrow(self, ctx: Context) -> None:
        """Something was chosen: begin at its most costly event."""
        self.on_choose(ctx)
        ctx.panel.state.at = 0
        if ctx.params["path"].endswith("method"):
            fields = plan_grid(ctx.dataset, ctx.params["value"])
            ctx.ops.set_active_fields(list(fields))
        if ctx.params["path"].endswith("split"):
            ctx.panel.state.group = None

    def on_click_cost(self, ctx: Context) -> None:
        """Only the kind, or the group of objects, that was clicked; so in the grid."""
        kind, split, group = ctx.params["id"].split("|")
        set_choice(ctx, "kind", kind)
        state = ctx.panel.state
        state.group = [split, group] if split else None
        state.at = 0
        chosen = self._choose_events(ctx)
        field = f"{state.shown}_failures"
        keep = has_id(chosen["id"])
        videos = sorted(set(chosen["sample_id"]))
        ctx.ops.set_view(ctx.dataset.select(videos).filter_labels(field, keep))
        ctx.ops.set_active_fields(list(plan_clips(ctx.dataset, state.shown)))
        what = f"{kind}, {attribute_title(split)}: {group}" if split else kind
        found = f"{counted(len(chosen), 'event')} in {counted(len(videos), 'video')}"
        ctx.ops.notify(f"{found}: {what}")

    def on_click_event(self, ctx: Context) -> None:
        """Look at a row's event."""
        if ctx.params["row"] >= 0:
            ctx.panel.state.at = int(ctx.panel.state.first_row) + ctx.params["row"]

    def on_step(self, ctx: Context) -> None:
        """Look at the event before or after."""
        ctx.panel.state.at = ctx.params["at"]

    def on_open(self, ctx: Context) -> None:
        """Open the video where the event begins."""
        event = self._event(ctx)
        plan = plan_frame(
            ctx.dataset,
            event["sample_id"],
            int(event["start"]),
            [ctx.panel.state.shown],
            active=ctx.active_fields,
        )
        show_frame(ctx, plan)

    def on_correct(self, ctx: Context) -> None:
        """Ask how to correct the event, and segment its video again."""
        event = self._event(ctx)
        params = {"eval_key": ctx.panel.state.shown, "event": str(event["id"])}
        ctx.prompt(f"{PLUGIN}/correct_here", params=params)

    def on_clips(self, ctx: Context) -> None:
        """Show the clips of the chosen events; the player steps through them."""
        if not has_videos(ctx.dataset):
            ctx.ops.notify(
                "There is no mp4 to play: load the benchmark again, with video",
                variant="warning",
            )
            return
        chosen = self._choose_events(ctx).head(_CLIPS)
        eval_key = ctx.panel.state.shown
        ctx.ops.set_view(event_clips(ctx.dataset, eval_key, list(chosen["id"])))
        ctx.ops.set_active_fields(list(plan_clips(ctx.dataset, eval_key)))
        ctx.ops.notify(
            f"{counted(len(chosen), 'clip')}, the most costly first. Open one; the "
            "arrow keys then go to the next failure. 'All videos' leads back."
        )

    def on_tag(self, ctx: Context) -> None:
        """Review the event and go on to the next; the same again takes it back."""
        state = ctx.panel.state
        given = self.review(ctx, state.shown)
        stays = (state.tag or _ALL) == _ALL
        state.at = ctx.params["at"] + int(stays and given)

    def on_undo(self, ctx: Context) -> None:
        """Take the last review back, and look at its event again."""
        state = ctx.panel.state
        eval_key, event_id = self.take_back(ctx) or ("", "")
        if eval_key == state.shown and (state.tag or _ALL) == _ALL:
            chosen = list(self._choose_events(ctx)["id"])
            state.at = chosen.index(event_id) if event_id in chosen else state.at

    def _event(self, ctx: Context) -> pd.Series:
        """The event that a click is about."""
        return find_event(ctx, ctx.panel.state.shown, ctx.params["event_id"])
