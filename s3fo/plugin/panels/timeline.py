"""Modal panel "Object timeline": J and F through the video that is open."""

from __future__ import annotations

from typing import Any, Literal

from fiftyone.operators import types

from evaluation.errors import InputError
from s3fo.datasets import tables
from s3fo.plugin.panels import timeline_chart as charts
from s3fo.plugin.panels.base import VOSPanel, choose, open_clip, video_length


class ObjectTimeline(VOSPanel):
    """J and F of every object, frame by frame, beside the playing video."""

    name = "vos_timeline"
    label = "Object timeline"
    surfaces: Literal["grid", "modal"] = "modal"
    help = (
        "Solid: J. Dotted: F. Dark: the object is not visible. Tinted: "
        "another object's box lies over its own. Bars below: failure events. "
        "**Click** a curve to open the video there."
    )

    def on_change_current_sample(self, ctx: Any) -> None:
        """Another video was opened; `render` shows it."""

    def refresh(self, ctx: Any) -> None:
        """Read the scores of the open video."""
        state, dataset = ctx.panel.state, ctx.dataset
        if not ctx.current_sample:
            raise InputError("video", "none open", "an open video", "Open one.")
        known = tables.vos_evaluations(dataset)
        ctx.panel_state["method"] = state.method if state.method in known else known[-1]
        state.shown, state.sample = state.method, video_of(ctx)
        chart = charts.timeline(dataset, state.method, state.sample)
        ctx.panel.data.timeline = chart.traces
        frames = video_length(dataset, state.sample)
        ctx.panel.data.cursor = {"frames": [[k, k] for k in range(frames + 1)]}
        state.timeline_layout, state.timeline_text = chart.layout, chart.text

    def layout(self, ctx: Any, panel: types.Object) -> None:
        """The method, and one row of curves per object."""
        state = ctx.panel.state
        known = {key: key for key in tables.vos_evaluations(ctx.dataset)}
        choose(
            panel,
            "method",
            known,
            state.method,
            label="Evaluation",
            on_change=self.on_choose,
        )
        panel.md(state.timeline_text, name="timeline_text")
        # The App moves the line while the video plays; the server hears nothing of it.
        follow = types.FrameLoaderView(target=charts.CURSOR_PATH)
        panel.obj("cursor", view=follow)
        panel.plot(
            "timeline",
            layout=state.timeline_layout,
            height=f"{state.timeline_layout['height']}px",
            on_click=self.on_click_frame,
        )

    def on_click_frame(self, ctx: Any) -> None:
        """Open the video at the frame that was clicked."""
        state = ctx.panel.state
        frame = int(float(ctx.params["x"]))
        last = video_length(ctx.dataset, state.sample)
        open_clip(ctx, (state.sample, min(frame, last), last), [state.shown])


def video_of(ctx: Any) -> str:
    """Id of the video that is open, also if it is open as a clip of it."""
    open_now = str(ctx.current_sample)
    if ctx.view._is_clips:
        ids = ctx.view.values(["id", "sample_id"])
        return str(dict(zip(*ids, strict=True)).get(open_now, open_now))
    return open_now
