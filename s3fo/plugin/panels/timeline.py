"""Modal panel "Object timeline": J and F through the video that is open."""

from __future__ import annotations

from typing import Any, Literal

from fiftyone.operators import types

from evaluation.errors import InputError
from s3fo.datasets.reading import tables
from s3fo.plugin.panels.base import VOSPanel, open_clip, video_length
from s3fo.plugin.panels.charts import timeline as charts
from s3fo.plugin.panels.choices import choose


class ObjectTimeline(VOSPanel):
    """J and F of every object, frame by frame, beside the playing video."""

    name = "vos_timeline"
    label = "Object timeline"
    surfaces: Literal["grid", "modal"] = "modal"
    help = (
        "Solid: J. Dotted: F. Dark: the object is not visible. Tinted: "
        "another object's box lies over its own. Bars below: failure events. "
        "**Click** a curve to open the video there. The orange line is where the clip "
        "that is open begins; FiftyOne does not tell panels which frame plays."
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
        state.shown = state.method
        state.sample, begins = video_of(ctx)
        if not len(dataset.select(state.sample)):
            raise InputError("what is open", "no video", "a video or clip", "Open one.")
        chart = charts.timeline(dataset, state.method, state.sample, begins)
        ctx.panel.data.timeline = chart.traces
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


def video_of(ctx: Any) -> tuple[str, int]:
    """Id of the open video, also of an open clip or frame; the first frame shown."""
    open_now, view = str(ctx.current_sample), ctx.view
    if not (view._is_clips or view._is_frames):
        return open_now, 1
    begins = "support" if view._is_clips else "frame_number"
    # FiftyOne makes a dataset of clips, and one of frames; grouped, a view of it shows
    # one frame a video.
    places = view._dataset.select(open_now).values(["sample_id", begins])
    found = list(zip(*places, strict=True))
    if not found:
        return open_now, 1
    sample_id, first = found[0]
    return str(sample_id), int(first[0] if view._is_clips else first)
