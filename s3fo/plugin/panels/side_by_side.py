"""Modal panel "Side by side": ground truth and two methods, frame by frame."""

from __future__ import annotations

from typing import Literal

from fiftyone.operators import types

from s3fo.datasets.reading import tables
from s3fo.plugin.context import Context
from s3fo.plugin.panels.base import VOSPanel
from s3fo.plugin.panels.charts.side_by_side import comparison
from s3fo.plugin.panels.choices import LINE, choose, line_of_choices
from s3fo.plugin.panels.first import pair_to_show
from s3fo.plugin.panels.timeline import focus_of, open_video
from s3fo.plugin.shared.outcome import PLUGIN


class SideBySide(VOSPanel):
    """Ground truth and two methods in step, over the J&F of every object."""

    name = "vos_side_by_side"
    label = "Side by side"
    surfaces: Literal["grid", "modal"] = "modal"
    methods_chosen = ("first", "second")
    help = (
        "Ground truth and two methods at one frame. Below: J&F of every object, in "
        "the colours of the methods, with their failures as bars and a line where the "
        "video stands; the object that was opened is marked. **Click** the chart to "
        "go to a frame, a bar to go to where a failure begins. Beside the player "
        "(split the tabs) either follows the other; alone it plays by itself."
    )

    def on_change_current_sample(self, ctx: Context) -> None:
        """Another video was opened; `render` shows it."""

    def refresh(self, ctx: Context) -> None:
        """Choose the evaluations and find the video."""
        state, dataset = ctx.panel.state, ctx.dataset
        state.sample, begins = open_video(ctx)
        focus = focus_of(ctx)
        state.begins = focus.get("frame") or begins
        state.object = focus.get("object")
        known = tables.vos_evaluations(dataset)
        pair = pair_to_show(ctx, known, [state.first, state.second])
        state.pair = list(dict.fromkeys(pair))
        ctx.panel_state["first"], ctx.panel_state["second"] = pair[0], pair[-1]

    def layout(self, ctx: Context, panel: types.Object) -> None:
        """Which two, and the App's own drawing of them."""
        state = ctx.panel.state
        known = {key: key for key in tables.vos_evaluations(ctx.dataset)}
        line = line_of_choices(panel)
        for name, label, chosen in (
            ("first", "First", state.pair[0]),
            ("second", "Second", state.pair[-1]),
        ):
            choose(
                ctx, line, name, known, chosen, label=label,
                on_change=self.on_choose, line=LINE,
            )  # fmt: skip
        # In the layout, not in data or state: the App sends these back.
        drawing = types.View(
            component="SideBySide",
            composite_view=True,
            opened=str(ctx.current_sample),
            begins=state.begins,
            object=state.object,
            masks=f"{PLUGIN}/masks_of_frames",
            shown=comparison(ctx.dataset, state.sample, state.pair),
        )
        panel.view("drawing", drawing)
