"""Panel "VOS evaluation": how good, where bad, and who is better."""

from __future__ import annotations

from fiftyone.operators import types

from evaluation.attributes import attribute_title
from evaluation.errors import InputError
from s3fo.datasets.reading import frame_table, tables
from s3fo.plugin.context import Context
from s3fo.plugin.panels import headline
from s3fo.plugin.panels.base import VOSPanel, show_objects
from s3fo.plugin.panels.charts import attributes as attribute_charts
from s3fo.plugin.panels.charts import comparison as comparison_charts
from s3fo.plugin.panels.charts import objects as object_charts
from s3fo.plugin.panels.charts.elements import ROWS, plot, rows, table
from s3fo.plugin.panels.charts.parts import Layout, score_title
from s3fo.plugin.panels.choices import (
    LINE,
    choice_of,
    choose,
    line_of_choices,
    set_choice,
    set_if_new,
    tabs,
)
from s3fo.plugin.panels.first import evaluation_to_show
from s3fo.plugin.panels.opening import plan_frame, plan_grid, show_frame

_TABS = {
    "attributes": "By attribute",
    "objects": "Objects",
    "worst": "Worst objects",
    "difference": "Difference",
}
_EVERY = "every attribute"


class VOSEvaluation(VOSPanel):
    """Scores of one or several methods, overall, by attribute and by object."""

    name = "vos_evaluation"
    label = "VOS evaluation"
    follows = True
    methods_chosen = ("methods", "first", "second")
    help = (
        "Scores from the masks, by the protocol named. **Click** a bar, a point or a "
        "row to see its videos; **drag** in a chart of objects to choose several."
    )

    def refresh(self, ctx: Context) -> None:
        """Work out what the open tab shows."""
        state, dataset = ctx.panel.state, ctx.dataset
        known = tables.vos_evaluations(dataset)
        # What the grid and the other panels show comes first.
        shown = evaluation_to_show(ctx, known, None)
        usual = [shown, *(key for key in known[::-1] if key != shown)]
        chosen = [key for key in state.methods or usual if key in known] or usual
        set_if_new(ctx, "methods", chosen)
        ctx.panel_state["tab"] = state.tab or next(iter(_TABS))
        scores = headline.headline(dataset, chosen)
        state.headline_columns = headline.headline_columns(scores)
        ctx.panel.data.headline = rows(scores, state.headline_columns)
        told = headline.rules(dataset, chosen)
        state.rules = told + headline.explanation(scores)
        state.score = tables.published_score(dataset, chosen)
        getattr(self, f"_show_{state.tab}")(ctx, chosen)

    def layout(self, ctx: Context, panel: types.Object) -> None:
        """Choice and headline on top, the open tab below."""
        state = ctx.panel.state
        known = tables.vos_evaluations(ctx.dataset)
        choose(
            ctx,
            panel,
            "methods",
            {key: key for key in known},
            list(state.methods),
            label="Evaluations",
            on_change=self.on_choose,
        )
        table(panel, "headline", state.headline_columns)
        panel.md(state.rules, name="rules")
        line = tabs(panel, "pages", _TABS, state.tab, self.on_open_tab)
        self.add_all_videos(line)
        line.btn("menu", "VOS menu", icon="apps", on_click=self.on_menu)
        getattr(self, f"_lay_out_{state.tab}")(ctx, panel)

    def on_open_tab(self, ctx: Context) -> None:
        """Change to another page."""
        ctx.panel.state.tab = ctx.params["tab"]

    # ---- by attribute

    def _show_attributes(self, ctx: Context, methods: list[str]) -> None:
        state = ctx.panel.state
        name = None if state.attribute in (None, _EVERY) else state.attribute
        chart = attribute_charts.by_attribute(ctx.dataset, methods, name)
        ctx.panel.data.by_attribute = chart.traces
        state.by_attribute_layout = chart.layout
        state.by_attribute_text, state.by_attribute_signs = chart.text, chart.signs

    def _lay_out_attributes(self, ctx: Context, panel: types.Object) -> None:
        state = ctx.panel.state
        panel.md(state.by_attribute_text, name="by_attribute_text")
        titles = attribute_charts.attribute_titles(ctx.dataset, state.methods)
        if titles:
            choose(
                ctx,
                panel,
                "attribute",
                {_EVERY: attribute_charts.EVERY, **titles},
                state.attribute or _EVERY,
                label="Attribute",
                on_change=self.on_choose,
            )
        panel.md(state.by_attribute_signs or "", name="by_attribute_signs")
        self._plot_groups(panel, "by_attribute", state.by_attribute_layout)

    def _plot_groups(self, panel: types.Object, name: str, layout: Layout) -> None:
        if layout:
            plot(
                panel,
                name,
                layout,
                on_click=self.on_click_group,
            )

    def on_click_group(self, ctx: Context) -> None:
        """Show the videos of a group's objects."""
        method, name, group = ctx.params["id"].split("|")
        members = attribute_charts.members(ctx.dataset, name, group)
        title = attribute_title(name)
        show_objects(ctx, method, members, f"{title}: {group}")

    # ---- objects

    def _show_objects(self, ctx: Context, methods: list[str]) -> None:
        state = ctx.panel.state
        ctx.panel.data.histogram = object_charts.histogram(ctx.dataset, methods)
        against = object_charts.against_choices(ctx.dataset, methods)
        state.against_titles = against
        if against:
            chosen = state.against if state.against in against else next(iter(against))
            set_if_new(ctx, "against", chosen)
            ctx.panel.data.scatter = object_charts.scatter(
                ctx.dataset, methods, state.against
            )

    def _lay_out_objects(self, ctx: Context, panel: types.Object) -> None:
        state = ctx.panel.state
        score = score_title(state.score)
        plot(
            panel,
            "histogram",
            object_charts.histogram_layout(state.score),
            label=f"{score} of the objects: drag over bars, or click one",
            height="240px",
            on_click=self.on_click_bin,
            on_selected=self.on_select_bins,
        )
        if not state.against_titles:
            return
        choose(
            ctx,
            panel,
            "against",
            dict(state.against_titles),
            state.against,
            label=f"{score} against",
            on_change=self.on_choose,
        )
        plot(
            panel,
            "scatter",
            object_charts.scatter_layout(state.against, state.score),
            label="One point per object: draw around some, or click one to open it",
            height="340px",
            on_click=self.on_click_point,
            on_selected=self.on_select_points,
        )

    def on_click_bin(self, ctx: Context) -> None:
        """Show the videos of one bar's objects."""
        self._show_range(ctx, [ctx.params["id"]])

    def on_select_bins(self, ctx: Context) -> None:
        """Show the videos of the objects in a range of J&F."""
        # Bars of no object have no height, but lie in the range as well.
        bars = [bar["id"] for bar in ctx.params["data"] or () if bar["y"]]
        self._show_range(ctx, bars)

    def _show_range(self, ctx: Context, ids: list[str]) -> None:
        if not ids:
            return
        method, score, *_ = ids[0].split("|")
        bounds = [float(edge) for item in ids for edge in item.split("|")[2:]]
        low, high = min(bounds), max(bounds)
        found = object_charts.objects_between(ctx.dataset, method, score, low, high)
        what = f"{method} {score_title(score)} {low:.2f} to {high:.2f}"
        show_objects(ctx, method, found, what)

    def on_click_point(self, ctx: Context) -> None:
        """Open an object at its worst frame."""
        method, sample_id, object_id = ctx.params["id"].split("|")
        self._open(ctx, method, sample_id, int(object_id))

    def on_select_points(self, ctx: Context) -> None:
        """Show the videos of the objects in a lasso."""
        points = [point["id"].split("|") for point in ctx.params["data"] or ()]
        if points:
            found = {(sample_id, int(number)) for _, sample_id, number in points}
            show_objects(ctx, points[0][0], sorted(found), "chosen in the chart")

    # ---- worst objects

    def _show_worst(self, ctx: Context, methods: list[str]) -> None:
        state = ctx.panel.state
        known = object_charts.orders(state.score)
        ctx.panel_state["order"] = state.order if state.order in known else state.score
        ctx.panel_state["ranked_by"] = (
            state.ranked_by if state.ranked_by in methods else methods[0]
        )
        worst = object_charts.worst_objects(
            ctx.dataset, state.ranked_by, state.order, methods
        )
        state.worst_of = state.ranked_by
        state.worst_places = [
            [row["sample_id"], int(row["object"])]
            for row in worst.head(ROWS).to_dict("records")
        ]
        columns = object_charts.worst_columns(methods, state.score, worst, state.order)
        ctx.panel.data.worst = rows(worst.head(ROWS), columns)
        state.worst_columns = columns

    def _lay_out_worst(self, ctx: Context, panel: types.Object) -> None:
        state = ctx.panel.state
        line = line_of_choices(panel)
        choose(
            ctx,
            line,
            "ranked_by",
            {key: key for key in state.methods},
            state.ranked_by,
            label="Of",
            on_change=self.on_choose_ranked,
            line=LINE,
        )
        choose(
            ctx,
            line,
            "order",
            object_charts.orders(state.score),
            state.order,
            label="Sorted by",
            on_change=self.on_choose,
            line=LINE,
        )
        panel.md(
            "Click a row: the video opens where the object is worst. **Side by side** "
            "there holds it against the ground truth.",
            name="hint",
        )
        table(panel, "worst", state.worst_columns, on_click_row=self.on_click_worst)

    def on_choose_ranked(self, ctx: Context) -> None:
        """Rank the objects of another method; the grid shows its masks, too."""
        self.on_choose(ctx)
        method = str(choice_of(ctx)[1])
        ctx.ops.set_active_fields(list(plan_grid(ctx.dataset, method)))

    def on_click_worst(self, ctx: Context) -> None:
        """Open a row's object at its worst frame."""
        row = ctx.params["row"]
        if row >= 0:
            sample_id, object_id = ctx.panel.state.worst_places[row]
            self._open(ctx, ctx.panel.state.worst_of, sample_id, object_id)

    def _open(self, ctx: Context, method: str, sample_id: str, object_id: int) -> None:
        dataset = ctx.dataset
        frame = frame_table.worst_frame(dataset, method, sample_id, object_id)
        plan = plan_frame(
            dataset,
            sample_id,
            frame,
            [method],
            object_id=object_id,
            active=ctx.active_fields,
        )
        show_frame(ctx, plan)

    # ---- difference

    def _show_difference(self, ctx: Context, methods: list[str]) -> None:
        state, dataset = ctx.panel.state, ctx.dataset
        known = tables.vos_evaluations(dataset)
        others = [key for key in [*methods, *known] if key != methods[0]]
        if not others:
            state.pair = None
            return
        # The better one second: what it gains on the first reads as positive.
        means = {
            key: tables.summary(dataset, key).get(state.score, 0.0)
            for key in (methods[0], others[0])
        }
        state.pair = sorted(means, key=means.__getitem__)
        chosen = [state.first or state.pair[0], state.second or state.pair[1]]
        if set(chosen) <= set(known) and len(set(chosen)) == 2:
            state.pair = chosen
        ctx.panel_state["first"], ctx.panel_state["second"] = state.pair
        try:
            self._compare(ctx)
        except InputError as error:
            state.difference_layout = state.duel_layout = None
            state.difference_signs = ""
            state.difference_text = str(error)

    def _compare(self, ctx: Context) -> None:
        state = ctx.panel.state
        chart = comparison_charts.difference(ctx.dataset, *state.pair)
        ctx.panel.data.difference = chart.traces
        state.difference_layout = chart.layout
        state.difference_text, state.difference_signs = chart.text, chart.signs
        ctx.panel.data.duel = comparison_charts.duel(ctx.dataset, *state.pair)
        state.duel_layout = comparison_charts.duel_layout(ctx.dataset, *state.pair)

    def _lay_out_difference(self, ctx: Context, panel: types.Object) -> None:
        state = ctx.panel.state
        if not state.pair:
            panel.md("Two evaluations are needed.", name="difference_text")
            return
        known = {key: key for key in tables.vos_evaluations(ctx.dataset)}
        line = line_of_choices(panel)
        for name, label in (("first", "First"), ("second", "Second")):
            choose(
                ctx,
                line,
                name,
                known,
                state.get(name),
                label=label,
                on_change=self.on_choose_side,
                line=LINE,
            )
        panel.md(state.difference_text, name="difference_text")
        if state.duel_layout:
            plot(
                panel,
                "duel",
                state.duel_layout,
                label="One point per object; above the line the second is better",
                height="360px",
                on_click=self.on_click_point,
                on_selected=self.on_select_points,
            )
        self._plot_groups(panel, "difference", state.difference_layout)
        panel.md(state.difference_signs or "", name="difference_signs")

    def on_choose_side(self, ctx: Context) -> None:
        """Choose one of the two; where it is the other one, they change places."""
        name, value = choice_of(ctx)
        other = "second" if name == "first" else "first"
        if ctx.panel_state[other] == value:
            set_choice(ctx, other, ctx.panel.state.pair[name == "second"])
        self.on_choose(ctx)
