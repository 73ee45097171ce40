"""Panel "Failure difference": what a second method fixes, and what it breaks."""

from __future__ import annotations

from fiftyone.operators import types

from evaluation.errors import InputError
from s3fo.datasets.scoring.failures import event_clips
from s3fo.plugin.context import Context
from s3fo.plugin.panels.base import VOSPanel
from s3fo.plugin.panels.charts import changed_failures as charts
from s3fo.plugin.panels.charts.elements import ROWS, plot, rows, table
from s3fo.plugin.panels.charts.failures import with_failures
from s3fo.plugin.panels.choices import (
    LINE,
    choose,
    line_of_choices,
    set_choice,
    wrapping_line,
)
from s3fo.plugin.panels.first import pair_to_show
from s3fo.plugin.panels.opening import plan_clips, plan_frame, show_frame

_ALL = "all"
_CLIPS = 100
_COLUMNS = {
    "status": "Status",
    "sequence": "Video",
    "object": "Object",
    "kind": "Kind",
    "kind_second": "Then",
    "frames": "Frames",
    "points": "Points gained",
}
_STATUSES = {_ALL: "fixed, new and shared"} | {
    str(status): f"{status}: {text}" for status, text in charts.MEANINGS.items()
}


class FailureDifference(VOSPanel):
    """Failures of two methods: fixed, new and shared, each with its clip."""

    name = "vos_failure_difference"
    label = "Failure difference"
    follows = True
    methods_chosen = ("first", "second")
    help = (
        "Which failures of the first method the second one fixes, and which are new. "
        "Failures are the same where they overlap on one object. **Click** a bar to "
        "see these only, a row to open the video there with the masks of the method "
        "that fails (Side by side has both); **Clips** shows them in the grid."
    )

    def refresh(self, ctx: Context) -> None:
        """Compare the two that are chosen."""
        state, dataset = ctx.panel.state, ctx.dataset
        known = with_failures(dataset)
        if len(known) < 2:
            raise InputError(
                f"dataset {dataset.name}",
                f"failures of {len(known)} evaluation{'s' * (len(known) != 1)}",
                "those of two evaluations",
                "Press ` and run 'Find failures' for both.",
            )
        pair = pair_to_show(ctx, known, [state.first, state.second])
        if pair[0] == pair[1]:
            pair = pair_to_show(ctx, known, [])
        state.pair = pair
        ctx.panel_state["first"], ctx.panel_state["second"] = pair
        found = charts.changed_failures(dataset, *pair)
        chart = charts.summary_chart(found, *pair)
        ctx.panel.data.changes = chart.traces
        state.changes_layout, state.changes_text = chart.layout, chart.text
        if state.status in charts.COLOURS:
            found = found[found["status"] == state.status]
        frames = found["start"].astype(str) + " to " + found["end"].astype(str)
        shown = found.assign(frames=frames, points=100 * found["gain"])
        ctx.panel.data.failures = rows(shown.head(ROWS), _COLUMNS)
        state.places = [
            [
                row["sample_id"],
                int(row["start"]),
                int(row["object"]),
                pair[0] if len(row["first"]) else pair[1],
            ]
            for row in found.head(ROWS).to_dict("records")
        ]
        state.count = len(found)

    def layout(self, ctx: Context, panel: types.Object) -> None:
        """Choices, the sums, and the failures one by one."""
        state = ctx.panel.state
        known = {key: key for key in with_failures(ctx.dataset)}
        line = line_of_choices(panel)
        for name, label, choices, chosen in (
            ("first", "First", known, state.pair[0]),
            ("second", "Second", known, state.pair[1]),
            ("status", "Show", _STATUSES, state.status or _ALL),
        ):
            choose(
                ctx, line, name, choices, chosen, label=label,
                on_change=self.on_choose, line=LINE,
            )  # fmt: skip
        panel.md(state.changes_text, name="changes_text")
        plot(panel, "changes", state.changes_layout, on_click=self.on_click_change)
        buttons = wrapping_line(panel, "buttons", gap=1)
        for side, key in zip(("first", "second"), state.pair, strict=True):
            buttons.btn(
                f"clips_{side}",
                f"Clips of {key}",
                icon="video_library",
                on_click=self.on_clips,
                params={"side": side},
            )
        self.add_all_videos(buttons)
        if not state.count:
            panel.md("No failure of these.", name="nothing")
            return
        table(panel, "failures", _COLUMNS, on_click_row=self.on_click_failure)
        if state.count > ROWS:
            panel.md(f"*{ROWS} of {state.count}, largest first.*", name="more")

    def on_click_change(self, ctx: Context) -> None:
        """Only those of the bar that was clicked."""
        set_choice(ctx, "status", ctx.params["id"])

    def on_click_failure(self, ctx: Context) -> None:
        """Open the video where a row's failure begins, with the masks that fail.

        Both methods' masks of an object have one colour, and would cover each other.
        """
        row = ctx.params["row"]
        if row >= 0:
            sample_id, frame, object_id, key = ctx.panel.state.places[row]
            plan = plan_frame(
                ctx.dataset,
                sample_id,
                frame,
                [key],
                object_id=object_id,
                active=ctx.active_fields,
            )
            show_frame(ctx, plan)

    def on_clips(self, ctx: Context) -> None:
        """Show the clips of the chosen failures, as one method's events."""
        state, side = ctx.panel.state, ctx.params["side"]
        key = state.pair[side == "second"]
        found = charts.changed_failures(ctx.dataset, *state.pair)
        if state.status in charts.COLOURS:
            found = found[found["status"] == state.status]
        ids = [own for events in found[side] for own in events][:_CLIPS]
        if not ids:
            ctx.ops.notify(f"{key} has none of these failures", variant="warning")
            return
        ctx.ops.set_view(event_clips(ctx.dataset, key, ids))
        ctx.ops.set_active_fields(list(plan_clips(ctx.dataset, key)))
        ctx.ops.notify(f"{len(ids)} clips. 'All videos' leads back.")
