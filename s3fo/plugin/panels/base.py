"""What every panel shares: tables, messages, opening a video at a frame."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal, NamedTuple

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from evaluation._utils.names import counted
from evaluation.errors import InputError
from s3fo.datasets.reading.collector import collector_paused
from s3fo.datasets.reading.tables import (
    object_scores,
    vos_evaluations,
)
from s3fo.datasets.schema import load_predictions_info, remembered
from s3fo.datasets.views.shown import has_id
from s3fo.plugin.context import Context
from s3fo.plugin.panels import scope
from s3fo.plugin.panels.choices import LINE, choice_of
from s3fo.plugin.panels.opening import plan_grid, restore_media, show_all_videos
from s3fo.plugin.shared import trouble
from s3fo.plugin.shared.described import DescribedPanelConfig
from s3fo.plugin.shared.outcome import PLUGIN


class Remedy(NamedTuple):
    """A button that makes what a panel lacks.

    Attributes:
        label: of the button.
        operator: of this plugin, that is run.
        params: its form begins with these.
        text: what it does and about how long that takes.
    """

    label: str
    operator: str
    params: dict[str, object]
    text: str


class VOSPanel(foo.Panel):
    """A panel that shows tables of the dataset.

    Subclasses choose what to show (`refresh`, after every event) and lay it out
    (`layout`). What is chosen lives in the panel's state.

    Attributes:
        name: by which it is called.
        label: name for people.
        help: what one can do in it.
        surfaces: where it is shown.
        risk: what an agent that uses it may spoil; see `DescribedOperator`.
        follows: whether it can be about what the grid shows.
        needs_evaluation: whether there is nothing to see without any scores.
        methods_chosen: names of its choices of methods.
    """

    name: str
    label: str
    help: str
    surfaces: Literal["grid", "modal"] = "grid"
    risk: ClassVar[str] = "low"
    follows: ClassVar[bool] = False
    needs_evaluation: ClassVar[bool] = True
    methods_chosen: ClassVar[tuple[str, ...]] = ("method",)

    @property
    def config(self) -> foo.PanelConfig:
        """FiftyOne's description of the panel."""
        return DescribedPanelConfig(
            name=self.name,
            label=self.label,
            icon="/assets/icon.svg",
            surfaces=self.surfaces,
            help_markdown=self.help,
            description=(self.__doc__ or "").splitlines()[0],
            risk=self.risk,
        )

    @abstractmethod
    def refresh(self, ctx: Context) -> None:
        """Put what is to be seen into the panel's data.

        Raises:
            InputError: there is nothing to see; its text is shown instead.
        """

    @abstractmethod
    def layout(self, ctx: Context, panel: types.Object) -> None:
        """Lay out what `refresh` prepared."""

    def execute(self, ctx: Context) -> object:
        """Handle an event with what was chosen at hand, and draw the panel anew."""
        ctx.panel_state.update(ctx.panel_state.get(LINE) or {})
        # With a choice the App copies all data into the state, and would go on to
        # draw the ends of the copies' lists wherever later lists are shorter.
        ctx.panel.state.set(dict.fromkeys(ctx.panel.state.drawn or ()))
        try:
            with collector_paused(), scope.of_panel(ctx):
                return super().execute(ctx)
        except InputError as error:
            # What was clicked may have been deleted after it was drawn.
            ctx.ops.notify(str(error), variant="warning")
            ctx.ops.show_panel_output(self.render(ctx))
        except Exception as error:
            ctx.ops.show_panel_output(_property(self._report(ctx, error)))
        return None

    def _report(self, ctx: Context, error: Exception) -> types.Object:
        """The panel as it is when something unforeseen went wrong."""
        panel = types.Object()
        text, details = trouble.describe(error)
        ctx.panel.state.details = details
        trouble.lay_out(panel, text, self.on_copy_details, self.on_try_again)
        return panel

    def on_load(self, ctx: Context) -> None:
        """Begin with the method that is seen in the grid, as all panels do.

        The App's server keeps what was chosen on the pages before, but not which
        masks they showed.
        """
        ctx.panel_state.update(dict.fromkeys(self.methods_chosen))
        if self.surfaces == "grid":
            restore_media(ctx)

    def on_follow(self, ctx: Context) -> None:
        """The grid shows something else, by view or sidebar: draw the panel anew."""

    def on_copy_details(self, ctx: Context) -> None:
        """Copy what whoever repairs it must know."""
        trouble.copy_text(ctx, ctx.panel.state.details or "")

    def on_try_again(self, ctx: Context) -> None:
        """Draw the panel anew."""

    def on_change_dataset(self, ctx: Context) -> None:
        """Begin anew with the other dataset; the App also reports the first one."""
        if ctx.panel_state.get("dataset") in (None, ctx.dataset.name):
            return
        # Not `state.clear`: what is set afterwards would be lost on the state's reader.
        ctx.panel_state.clear()
        ctx.ops.clear_panel_state()

    def on_choose(self, ctx: Context) -> None:
        """Something was chosen.

        The App keeps it in the state by itself; written back, an answer that comes
        late would undo the next choice.
        """
        name, value = choice_of(ctx)
        ctx.panel_state[name] = value

    def on_menu(self, ctx: Context) -> None:
        """Offer everything: what is missing is among it."""
        ctx.prompt(f"{PLUGIN}/menu")

    def update(self, ctx: Context) -> None:
        """Bring the panel up to date, or say what is missing."""
        if ctx.panel.state.dataset != ctx.dataset.name:
            ctx.panel.state.dataset = ctx.dataset.name
        try:
            scored = not self.needs_evaluation or vos_evaluations(ctx.dataset)
            if not scored or not len(ctx.dataset):
                raise _nothing_evaluated(ctx.dataset)
            scope.check_not_empty(ctx)
            self.refresh(ctx)
            ctx.panel.state.problem = None
        except InputError as error:
            ctx.panel.state.problem = str(error)

    def remedy(self, ctx: Context) -> Remedy | None:
        """What makes what the panel lacks, where one operator does."""
        return None

    def on_remedy(self, ctx: Context) -> None:
        """Offer the operator that makes what is missing."""
        ctx.prompt(
            f"{PLUGIN}/{ctx.params['runs']}",
            params=ctx.params["settings"],
            on_success=self.on_try_again,
        )

    def add_all_videos(self, line: types.Object) -> None:
        """Add the button that leads back from whatever the clicks of a panel show."""
        line.btn(
            "all_videos",
            "All videos",
            icon="undo",
            on_click=self.on_all_videos,
        )

    def on_all_videos(self, ctx: Context) -> None:
        """Show all videos again, with the fields that the dataset opens with."""
        show_all_videos(ctx)

    def render(self, ctx: Context) -> types.Property:
        """The layout, or what keeps it from being shown."""
        # Here, not in the handlers: events overtake each other, and each brings the
        # state as it was when it happened.
        try:
            self.update(ctx)
            panel = types.Object()
            self._fill(ctx, panel)
        except Exception as error:
            panel = self._report(ctx, error)
        return _property(panel)

    def _fill(self, ctx: Context, panel: types.Object) -> None:
        state = ctx.panel.state
        if self.follows:
            scope.lay_out(ctx, panel, self.on_choose, self.on_follow)
        if state.problem:
            panel.message("problem", state.problem)
            remedy = self.remedy(ctx)
            if remedy:
                panel.btn(
                    "remedy",
                    remedy.label,
                    icon="play_arrow",
                    variant="contained",
                    on_click=self.on_remedy,
                    params={"runs": remedy.operator, "settings": remedy.params},
                )
                panel.md(remedy.text, name="remedy_text")
            panel.btn("menu", "What one can do", on_click=self.on_menu)
            return
        self.layout(ctx, panel)
        state.drawn = sorted({*(state.drawn or ()), *_draw(panel)})


def _property(panel: types.Object) -> types.Property:
    margins = {"grid": {"sx": {"p": 2, "gridTemplateColumns": "minmax(0, 1fr)"}}}
    view = types.GridView(orientation="vertical", gap=1, componentsProps=margins)
    return types.Property(panel, view=view)


def _nothing_evaluated(dataset: fo.Dataset) -> InputError:
    """What has to be done before there is anything to see."""
    if not remembered(dataset):
        found, expected = "a dataset of other origin", "a benchmark that s3fo loaded"
        remedy = "Press ` and run 'Load a VOS benchmark'."
    elif not len(dataset):
        found, expected = "no videos", "those of a benchmark"
        remedy = "Press ` and run 'Load a VOS benchmark'."
    elif not load_predictions_info(dataset):
        found, expected = "no predictions", "masks of at least one method"
        remedy = "Press ` and run 'Import VOS predictions' or 'Run S3 or a baseline'."
    else:
        found, expected = "no evaluation", "the scores of at least one method"
        remedy = "Press ` and run 'Evaluate VOS predictions'."
    return InputError(f"dataset {dataset.name}", found, expected, remedy)


def _draw(panel: types.Object) -> Iterator[str]:
    """Names of the data that are shown as charts and tables."""
    for name, shown in panel.properties.items():
        if isinstance(shown.view, (types.PlotlyView, types.TableView)):
            yield name


def show_objects(
    ctx: Context, eval_key: str, objects: Iterable[tuple[str, int]], what: str
) -> None:
    """Show the videos of some objects in the grid.

    Args:
        ctx: of the event.
        eval_key: ``<eval_key>_objects`` keeps only these objects.
        objects: ids of sample and object.
        what: they are, for the message.
    """
    wanted = set(objects)
    scores = object_scores(ctx.dataset, eval_key).objects
    places = zip(scores["sample_id"], scores["object"], strict=True)
    labels = [
        label
        for label, place in zip(scores["id"], places, strict=True)
        if place in wanted
    ]
    if not labels:
        ctx.ops.notify(f"No object: {what}", variant="warning")
        return
    samples = sorted({sample_id for sample_id, _ in wanted})
    keep = has_id(labels)
    view = ctx.dataset.select(samples).filter_labels(f"{eval_key}_objects", keep)
    ctx.ops.set_view(view)
    ctx.ops.set_active_fields(list(plan_grid(ctx.dataset, eval_key)))
    found = f"{counted(len(labels), 'object')} in {counted(len(samples), 'video')}"
    ctx.ops.notify(f"{found}: {what}")
