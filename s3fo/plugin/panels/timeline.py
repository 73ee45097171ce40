"""Modal panel "Object timeline": J and F through the video that is open."""

from __future__ import annotations

from typing import Any, Literal

from fiftyone.operators import types

from evaluation.errors import InputError
from s3fo.datasets.reading import tables
from s3fo.datasets.scoring.review import review_of
from s3fo.datasets.views.shown import video_shown
from s3fo.plugin.context import Context
from s3fo.plugin.panels.charts import timeline as charts
from s3fo.plugin.panels.charts.elements import plot, rows, table
from s3fo.plugin.panels.choices import choice_of, choose, set_if_new
from s3fo.plugin.panels.first import evaluation_to_show
from s3fo.plugin.panels.opening import seek
from s3fo.plugin.panels.reviewing import ReviewPanel

_COLUMNS = {
    "kind": "Kind",
    "object": "Object",
    "start": "From frame",
    "end": "To",
    "lost": "J&F points lost",
    "tag": "Review",
}


class ObjectTimeline(ReviewPanel):
    """J and F of every object, frame by frame, beside the playing video."""

    name = "vos_timeline"
    label = "Object timeline"
    surfaces: Literal["grid", "modal"] = "modal"
    help = (
        "Solid: J. Dotted: F. Dark: the object is not visible. Tinted: "
        "another object's box lies over its own. Bars below: failure events. "
        "**Click** a curve to move the player there, a failure to review it. The "
        "orange line is where the clip that is open begins; FiftyOne does not tell "
        "panels which frame plays."
    )

    def on_change_current_sample(self, ctx: Context) -> None:
        """Another video was opened; `render` shows it."""
        ctx.panel.state.chosen = None

    def on_change_active_fields(self, ctx: Context) -> None:
        """Other masks are shown: `render` shows the curves that belong to them."""
        ctx.panel.state.chosen = None

    def refresh(self, ctx: Context) -> None:
        """Read the scores of the open video."""
        state, dataset = ctx.panel.state, ctx.dataset
        sample, begins = open_video(ctx)
        known = tables.vos_evaluations(dataset)
        set_if_new(ctx, "method", evaluation_to_show(ctx, known, state.chosen))
        state.sample = sample
        chosen = self._chosen_object(ctx)
        chart = charts.timeline(dataset, state.method, state.sample, begins, chosen)
        ctx.panel.data.timeline = chart.traces
        self._refresh_failures(ctx, begins, chosen)
        state.timeline_layout, state.timeline_text = chart.layout, chart.text
        state.timeline_signs = chart.signs

    def _chosen_object(self, ctx: Context) -> int | None:
        """The object by which the open video was opened, if one was."""
        state = ctx.panel.state
        focus = focus_of(ctx)
        if focus and focus != state.followed:
            state.followed, state.event = focus, focus.get("event")
        return focus.get("object")

    def _refresh_failures(
        self, ctx: Context, begins: int, object_id: int | None
    ) -> None:
        """The failures of the open video, and the one that is looked at."""
        state = ctx.panel.state
        events = tables.event_table(ctx.dataset, state.method)
        events = events[events["sample_id"] == state.sample]
        events = events.assign(
            tag=events["tags"].map(review_of), lost=100 * events["cost"]
        )
        known = events["id"].tolist()
        if state.event not in known:
            # A clip begins with its failure; of a video, or an object of it, the
            # costliest is first.
            here = events[events["start"] == begins]["id"].tolist()
            own = events[events["object"] == object_id]["id"].tolist()
            state.event = next(iter(here + own + known), None)
        at = known.index(state.event) if state.event else 0
        state.events = known
        state.reviewed = events["tag"].iloc[at] if known else ""
        ctx.panel.data.failures = {
            "columns": list(_COLUMNS),
            "rows": [list(row.values()) for row in rows(events, _COLUMNS)],
            "selectedRows": [at],
        }

    def layout(self, ctx: Context, panel: types.Object) -> None:
        """The method, one row of curves per object, and the failures to review."""
        state = ctx.panel.state
        known = {key: key for key in tables.vos_evaluations(ctx.dataset)}
        choose(
            ctx,
            panel,
            "method",
            known,
            state.method,
            label="Evaluation",
            on_change=self.on_choose_method,
        )
        panel.md(state.timeline_text, name="timeline_text")
        plot(
            panel,
            "timeline",
            state.timeline_layout,
            on_click=self.on_click_frame,
        )
        panel.md(state.timeline_signs, name="timeline_signs")
        if state.event:
            seen = {"event_id": state.event, "eval_key": state.method}
            self.add_review_buttons(ctx, panel, state.reviewed, seen)
            table(panel, "failures", _COLUMNS, on_click_row=self.on_click_failure)

    def on_click_failure(self, ctx: Context) -> None:
        """Look at a row's failure, and move the player to where it begins."""
        state, row = ctx.panel.state, ctx.params["row"]
        if row >= 0:
            state.event = state.events[row]
            event = self.find_event(ctx, state.method, str(state.event))
            seek(ctx, int(event["start"]))

    def on_choose_method(self, ctx: Context) -> None:
        """Another method's curves, until other masks or another video are shown."""
        self.on_choose(ctx)
        ctx.panel.state.chosen = choice_of(ctx)[1]

    def on_click_frame(self, ctx: Context) -> None:
        """Move the player to the frame that was clicked."""
        seek(ctx, round(float(ctx.params["x"])))


def focus_of(ctx: Context) -> dict[str, Any]:
    """By what the open video was opened: `object`, `event` and `frame`; else nothing.

    ``show_frame`` in the browser writes it to the state of the panels beside the
    player.
    """
    focus: dict[str, Any] = ctx.panel.state.focus or {}
    return focus if focus.get("id") == str(ctx.current_sample) else {}


def open_video(ctx: Context) -> tuple[str, int]:
    """Id of the open video, and the first frame shown; see `video_of`.

    Raises:
        InputError: no video of the dataset is open.
    """
    fix = "Open a video from the grid."
    if not ctx.current_sample:
        raise InputError("video", "none open", "an open video", fix)
    sample, begins = video_of(ctx)
    if not len(ctx.dataset.select(sample)):
        raise InputError("what is open", "no video", "a video or clip", fix)
    return sample, begins


def video_of(ctx: Context) -> tuple[str, int]:
    """Id of the open video, also of an open clip or frame; the first frame shown."""
    return video_shown(ctx.view, str(ctx.current_sample))
