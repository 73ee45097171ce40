"""Panel "Attribute heat map": where two attributes meet."""

from __future__ import annotations

from fiftyone.operators import types

from evaluation.attributes import attribute_title
from evaluation.errors import InputError
from s3fo.datasets.reading import tables
from s3fo.plugin.context import Context
from s3fo.plugin.panels.base import VOSPanel, show_objects
from s3fo.plugin.panels.charts import heat_map as charts
from s3fo.plugin.panels.charts.attributes import attribute_titles
from s3fo.plugin.panels.charts.elements import plot
from s3fo.plugin.panels.choices import LINE, choose, line_of_choices, wrapping_line
from s3fo.plugin.panels.first import evaluation_to_show

_FIRST = ("occlusion", "size_bucket", "size", "speed")
"""Attributes that are shown at first, as far as they set objects apart."""


class AttributeHeatMap(VOSPanel):
    """J&F by two attributes at once, with counts; a cell opens its objects."""

    name = "vos_heat_map"
    label = "Attribute heat map"
    follows = True
    help = (
        "Mean J&F of the objects in every combination of two attributes' groups. "
        "**Click** a cell to see the videos of its objects."
    )

    def refresh(self, ctx: Context) -> None:
        """Work out the cells."""
        state, dataset = ctx.panel.state, ctx.dataset
        known = tables.vos_evaluations(dataset)
        method = evaluation_to_show(ctx, known, state.method)
        titles = list(attribute_titles(dataset, [method]))
        if len(titles) < 2:
            raise InputError(
                f"dataset {dataset.name}",
                f"{len(titles)} attributes that set objects apart",
                "at least two",
                "Press ` and run 'Compute object attributes'.",
            )
        first = [name for name in _FIRST if name in titles]
        usual = list(dict.fromkeys([*first, *titles]))
        rows = state.rows if state.rows in titles else usual[0]
        columns = state.columns if state.columns in titles else usual[1]
        state.asked = [method, rows, columns]
        chart = charts.heat_map(dataset, charts.Question(*state.asked))
        ctx.panel.data.heat_map = chart.traces
        state.heat_map_layout, state.heat_map_text = chart.layout, chart.text
        state.heat_map_signs = chart.signs

    def layout(self, ctx: Context, panel: types.Object) -> None:
        """Choices, what is lowest, the cells."""
        state = ctx.panel.state
        method, rows, columns = state.asked
        names = attribute_titles(ctx.dataset, [method])
        keys = {key: key for key in tables.vos_evaluations(ctx.dataset)}
        line = line_of_choices(panel)
        for name, label, choices, chosen in (
            ("method", "Evaluation", keys, method),
            ("rows", "Rows", names, rows),
            ("columns", "Columns", names, columns),
        ):
            choose(
                ctx, line, name, choices, chosen, label=label,
                on_change=self.on_choose, line=LINE,
            )  # fmt: skip
        panel.md(state.heat_map_text, name="heat_map_text")
        plot(panel, "heat_map", state.heat_map_layout, on_click=self.on_click_cell)
        panel.md(state.heat_map_signs, name="heat_map_signs")
        self.add_all_videos(wrapping_line(panel, "buttons", gap=1))

    def on_click_cell(self, ctx: Context) -> None:
        """Show the videos of a cell's objects."""
        asked = charts.Question(*ctx.panel.state.asked)
        row, column = (
            charts.group_shown_as(ctx.dataset, asked, axis, str(ctx.params[name]))
            for axis, name in enumerate(("y", "x"))
        )
        found = charts.members(ctx.dataset, asked, row, column)
        titles = [attribute_title(name) for name in asked[1:]]
        what = f"{titles[0]}: {row}, {titles[1]}: {column}"
        show_objects(ctx, asked.eval_key, found, what)
