"""Panel "Failure map": failures by their looks, to draw around and to watch."""

from __future__ import annotations

from fiftyone.operators import types

from evaluation._utils.names import about_seconds, counted
from evaluation.errors import InputError
from s3fo.datasets.reading import tables
from s3fo.datasets.scoring.failures import event_clips
from s3fo.datasets.scoring.similar_failures import has_failure_map
from s3fo.datasets.views.images import has_videos
from s3fo.plugin.context import Context
from s3fo.plugin.operators.explain.map_failures import MapFailures
from s3fo.plugin.panels.base import Remedy, VOSPanel
from s3fo.plugin.panels.charts import failure_map as charts
from s3fo.plugin.panels.charts.elements import plot
from s3fo.plugin.panels.charts.failures import with_failures
from s3fo.plugin.panels.choices import (
    LINE,
    choose,
    line_of_choices,
    wrapping_line,
)
from s3fo.plugin.panels.first import evaluation_to_show
from s3fo.plugin.panels.opening import plan_clips, plan_frame, show_frame
from s3fo.plugin.panels.stepping import CLIPS

_COLOURS = {charts.KIND: "kind", charts.COST: "cost in points of J&F"}


_PER_FAILURE = 0.2
"""Seconds to describe a failure by the vision transformer, on two cores."""


class FailureMap(VOSPanel):
    """Failures as points, alike ones near each other, coloured by kind or cost."""

    name = "vos_failure_map"
    label = "Failure map"
    follows = True
    help = (
        "Every failure as a point; similar ones are near each other. **Draw "
        "around** some to see their clips, **click** one to open its video where it "
        "begins."
    )

    def refresh(self, ctx: Context) -> None:
        """Find the evaluations that have a map, and draw one."""
        state, dataset = ctx.panel.state, ctx.dataset
        known = [key for key in with_failures(dataset) if has_failure_map(dataset, key)]
        if not known:
            raise InputError(
                f"dataset {dataset.name}",
                "no map of failures",
                "one that was made earlier",
                "Press ` and run 'Map failures by looks'.",
            )
        state.known = known
        state.shown = evaluation_to_show(ctx, known, state.method)
        state.coloured = state.colour if state.colour in _COLOURS else charts.KIND
        chart = charts.failure_map(dataset, state.shown, state.coloured)
        ctx.panel.data.map = chart.traces
        state.map_layout, state.map_text = chart.layout, chart.text

    def remedy(self, ctx: Context) -> Remedy | None:
        """The map of the method that is seen, where failures were found of any."""
        known = with_failures(ctx.dataset)
        if not known or any(has_failure_map(ctx.dataset, key) for key in known):
            return None
        shown = evaluation_to_show(ctx, known, ctx.panel.state.method)
        count = len(tables.event_table(ctx.dataset, shown))
        return Remedy(
            f"Map the failures of {shown}",
            MapFailures.name,
            {"eval_key": shown},
            f"It describes the looks of {counted(count, 'failure')}: about "
            f"{about_seconds(5 + _PER_FAILURE * count)} on two processor cores with "
            "S3's vision transformer, a few seconds with colour and texture.",
        )

    def layout(self, ctx: Context, panel: types.Object) -> None:
        """Choices, and the points."""
        state = ctx.panel.state
        line = line_of_choices(panel)
        for name, label, choices, chosen in (
            ("method", "Evaluation", {key: key for key in state.known}, state.shown),
            ("colour", "Coloured by", _COLOURS, state.coloured),
        ):
            choose(
                ctx, line, name, choices, chosen, label=label,
                on_change=self.on_choose, line=LINE,
            )  # fmt: skip
        panel.md(state.map_text, name="map_text")
        plot(
            panel,
            "map",
            state.map_layout,
            on_click=self.on_click_failure,
            on_selected=self.on_select_failures,
        )
        self.add_all_videos(wrapping_line(panel, "buttons", gap=1))

    def on_click_failure(self, ctx: Context) -> None:
        """Open the video where a failure begins."""
        shown = ctx.panel.state.shown
        events = tables.event_table(ctx.dataset, shown)
        own = events[events["id"] == ctx.params["id"]]
        if own.empty:
            ctx.ops.notify(
                "Failures were found anew: map them again", variant="warning"
            )
            return
        event = own.iloc[0]
        plan = plan_frame(
            ctx.dataset,
            event["sample_id"],
            int(event["start"]),
            [shown],
            object_id=int(event["object"]),
            active=ctx.active_fields,
        )
        show_frame(ctx, plan)

    def on_select_failures(self, ctx: Context) -> None:
        """Show the clips of the failures in a lasso."""
        ids = [str(point["id"]) for point in ctx.params["data"] or ()][:CLIPS]
        if not ids:
            return
        if not has_videos(ctx.dataset):
            ctx.ops.notify(
                "There is no mp4 to play: load the benchmark again, with video",
                variant="warning",
            )
            return
        shown = ctx.panel.state.shown
        ctx.ops.set_view(event_clips(ctx.dataset, shown, ids))
        ctx.ops.set_active_fields(list(plan_clips(ctx.dataset, shown)))
        ctx.ops.notify(f"{counted(len(ids), 'clip')}. 'All videos' leads back.")
