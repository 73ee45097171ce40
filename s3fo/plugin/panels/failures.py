"""Panel "Failures": what goes wrong, at what cost, one event after the other."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from fiftyone.operators import types

from evaluation._utils.escape import markdown_text
from evaluation._utils.names import counted
from evaluation.attributes import attribute_title
from evaluation.errors import InputError
from evaluation.failures import FailureKind
from s3fo.datasets.reading import tables
from s3fo.datasets.scoring.failures import event_clips
from s3fo.datasets.views.images import has_videos
from s3fo.datasets.views.shown import has_id
from s3fo.plugin.context import Context
from s3fo.plugin.panels.charts import failures as charts
from s3fo.plugin.panels.charts.elements import plot, shown, table
from s3fo.plugin.panels.charts.filmstrips import lay_out_strip
from s3fo.plugin.panels.choices import (
    LINE,
    choose,
    line_of_choices,
    set_choice,
)
from s3fo.plugin.panels.first import evaluation_to_show
from s3fo.plugin.panels.looks import similar
from s3fo.plugin.panels.opening import (
    plan_clips,
    plan_frame,
    plan_grid,
    show_frame,
)
from s3fo.plugin.panels.stepping import ALL, CLIPS, EventPanel
from s3fo.plugin.shared.forms import known_failures
from s3fo.plugin.shared.outcome import PLUGIN

_COLUMNS = {
    "place": "#",
    "sequence": "Video",
    "object": "Object",
    "kind": "Kind",
    "lost": "J&F points lost",
    "n_frames": "Frames",
    "tag": "Tag",
}


class Failures(EventPanel):
    """Failure events, the most costly first, each as a filmstrip and a clip."""

    name = "vos_failures"
    label = "Failures"
    follows = True
    risk = "medium"
    columns = _COLUMNS
    help = (
        "Every failure with what it costs of the benchmark's J&F. **Click** a bar to "
        "see one kind only, a row to see its filmstrip; review it with the buttons. "
        "**Keys**: after a click on Next, Enter goes on to the next failure; in the "
        "player on one of All clips, the arrow keys do."
    )

    def refresh(self, ctx: Context) -> None:
        """Filter the events and draw the one that is looked at."""
        state, dataset = ctx.panel.state, ctx.dataset
        known = known_failures(dataset)
        ctx.panel_state["method"] = evaluation_to_show(ctx, known, state.method)
        state.shown = state.method
        chart = charts.costs(dataset, state.method, state.split or ALL)
        ctx.panel.data.costs = chart.traces
        state.costs_layout, state.costs_text = chart.layout, chart.text
        chosen = self.choose_events(ctx)
        self.show_page(ctx, chosen)
        if state.event:
            state.event_text = self._describe(ctx, chosen.iloc[state.at])

    def source(self, ctx: Context) -> str:
        """The evaluation that the panel shows."""
        return str(ctx.panel.state.shown)

    def choose_events(self, ctx: Context) -> pd.DataFrame:
        """Those of the kind, group and review that are chosen."""
        state, dataset = ctx.panel.state, ctx.dataset
        events = tables.event_table(dataset, state.shown)
        chosen = charts.chosen_events(
            dataset, events, state.kind or ALL, state.group, state.tag or ALL
        )
        return similar.order(ctx, self.source(ctx), chosen)

    def columns_shown(self, ctx: Context) -> Mapping[str, str]:
        """With the similarity that the failures are ordered by, if they are."""
        ordered = similar.is_ordered(ctx, self.source(ctx))
        return {**_COLUMNS, **similar.HEADING} if ordered else _COLUMNS

    def _describe(self, ctx: Context, event: pd.Series) -> str:
        state = ctx.panel.state
        frames = charts.frame_labels(ctx.dataset, event)
        return (
            f"{state.at + 1} of {state.count}: "
            f"**{markdown_text(event['sequence'])}, object {event['object']}: "
            f"{charts.with_circumstances(event)}** "
            f"(frames {frames['start']} to {frames['end']}, worst {frames['worst']}; "
            f"J {shown(event['worst_J'])}, F {shown(event['worst_F'])} there; costs "
            f"{100 * event['cost']:.2f} points of J&F). "
            f"*{FailureKind(event['kind']).explained}.*"
        )

    def _lay_out_strip(self, ctx: Context, panel: types.Object) -> None:
        """The filmstrip, or why there is none."""
        event = self.find_event(ctx, ctx.panel.state.shown, ctx.panel.state.event)
        try:
            strip = charts.filmstrip(ctx.dataset, ctx.panel.state.shown, event)
        except InputError as error:
            panel.md(str(error), name="no_strip")
            return
        lay_out_strip(panel, strip)

    def layout(self, ctx: Context, panel: types.Object) -> None:
        """Choices, the event looked at, costs, all events.

        What a person judges by comes first, to be seen without scrolling.
        """
        state = ctx.panel.state
        self._lay_out_choices(ctx, line_of_choices(panel))
        others = charts.not_searched(ctx.dataset)
        if others:
            panel.md(others, name="not_searched")
        panel.md(state.costs_text, name="costs_text")
        if state.event:
            panel.md(state.event_text, name="event_text")
            self._lay_out_strip(ctx, panel)
            self._lay_out_buttons(ctx, panel)
        else:
            panel.md("No event is left: choose less narrowly.", name="nothing")
        plot(
            panel,
            "costs",
            state.costs_layout,
            on_click=self.on_click_cost,
        )
        if state.event:
            columns = self.columns_shown(ctx)
            table(panel, "events", columns, on_click_row=self.on_click_event)

    def _lay_out_choices(self, ctx: Context, line: types.Object) -> None:
        state = ctx.panel.state
        known = charts.with_failures(ctx.dataset)
        kinds = {kind.value: kind.value for kind in FailureKind}
        for name, label, choices, chosen in (
            ("method", "Evaluation", {key: key for key in known}, state.method),
            ("kind", "Kind", {ALL: "all kinds", **kinds}, state.kind or ALL),
            (
                "split",
                "Split by",
                {ALL: "not split", **charts.splits(ctx.dataset)},
                state.split or ALL,
            ),
            ("tag", "Reviewed", self.tag_choices, state.tag or ALL),
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
        seen = self.seen(ctx)
        steps = self.add_steps(ctx, panel)
        steps.btn("open", "Clip", icon="play_arrow", on_click=self.on_open, params=seen)
        steps.btn("clips", "All clips", icon="video_library", on_click=self.on_clips)
        steps.btn(
            "correct",
            "Correct here",
            icon="auto_fix_high",
            on_click=self.on_correct,
            params=seen,
        )
        similar.add_buttons(
            ctx, steps, self.source(ctx), seen, self.on_like, self.on_by_cost
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
        chosen = self.choose_events(ctx)
        field = f"{state.shown}_failures"
        keep = has_id(chosen["id"])
        videos = sorted(set(chosen["sample_id"]))
        ctx.ops.set_view(ctx.dataset.select(videos).filter_labels(field, keep))
        ctx.ops.set_active_fields(list(plan_clips(ctx.dataset, state.shown)))
        what = f"{kind}, {attribute_title(split)}: {group}" if split else kind
        found = f"{counted(len(chosen), 'event')} in {counted(len(videos), 'video')}"
        ctx.ops.notify(f"{found}: {what}")

    def on_open(self, ctx: Context) -> None:
        """Open the video where the event begins, with the masks of its object alone."""
        event = self.clicked_event(ctx)
        plan = plan_frame(
            ctx.dataset,
            event["sample_id"],
            int(event["start"]),
            [ctx.panel.state.shown],
            object_id=int(event["object"]),
            event_id=str(event["id"]),
            active=ctx.active_fields,
        )
        show_frame(ctx, plan)

    def on_correct(self, ctx: Context) -> None:
        """Ask how to correct the event, and segment its video again."""
        event = self.clicked_event(ctx)
        params = {"eval_key": ctx.panel.state.shown, "event": str(event["id"])}
        ctx.prompt(f"{PLUGIN}/correct_here", params=params)

    def on_like(self, ctx: Context) -> None:
        """Order the failures by how much they look like the one that is looked at."""
        event = self.clicked_event(ctx)
        if similar.ask_for(ctx, self.source(ctx), str(event["id"])):
            ctx.panel.state.at = 0
            ctx.ops.notify("Ordered by looks. 'By cost' leads back.")

    def on_by_cost(self, ctx: Context) -> None:
        """Order the failures by cost again."""
        ctx.panel.state.like = None
        ctx.panel.state.at = 0

    def on_clips(self, ctx: Context) -> None:
        """Show the clips of the chosen events; the player steps through them."""
        if not has_videos(ctx.dataset):
            ctx.ops.notify(
                "There is no mp4 to play: load the benchmark again, with video",
                variant="warning",
            )
            return
        chosen = self.choose_events(ctx).head(CLIPS)
        eval_key = ctx.panel.state.shown
        ordered = similar.is_ordered(ctx, eval_key)
        clips = event_clips(ctx.dataset, eval_key, list(chosen["id"]), as_given=ordered)
        ctx.ops.set_view(clips)
        ctx.ops.set_active_fields(list(plan_clips(ctx.dataset, eval_key)))
        ctx.ops.notify(
            f"{counted(len(chosen), 'clip')}, the most "
            f"{'alike' if ordered else 'costly'} first. Open one; the arrow keys then "
            "go to the next failure. 'All videos' leads back."
        )
