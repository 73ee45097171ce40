"""What FiftyOne hands to operators and panels, typed as far as it is used here.

FiftyOne's own `ExecutionContext` and `Operations` carry no types; these protocols do,
so that a misspelt attribute, or an answer taken for something else, is found by mypy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import fiftyone as fo
from fiftyone.operators import types


class Values(Protocol):
    """Values by name, read and written as attributes; one that is not set is None."""

    def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: object) -> None: ...

    def set(self, key: str | Mapping[str, object], value: object = None) -> None:
        """Set one value, or several; dots lead into values that are mappings."""


class PanelRef(Protocol):
    """The panel that an event is of."""

    @property
    def state(self) -> Values:
        """What is chosen in it; the App sends it back with every event."""

    @property
    def data(self) -> Values:
        """What its charts and tables show; the App does not send it back."""


class Operations(Protocol):
    """What the App can be told to do.

    Each returns a trigger, which an operator that runs as a generator yields.
    """

    def notify(self, message: str, *, variant: str = "info") -> object:
        """Show a short message."""

    def set_view(
        self, view: fo.DatasetView | None = None, *, name: str | None = None
    ) -> object:
        """Show a view, or the saved view of a name, in the grid."""

    def clear_view(self) -> object:
        """Show the whole dataset in the grid."""

    def clear_sidebar_filters(self) -> object:
        """Take back what is filtered in the sidebar."""

    def set_active_fields(self, fields: Iterable[str]) -> object:
        """Show these paths and no others."""

    def open_dataset(self, name: str) -> object:
        """Open a dataset."""

    def reload_dataset(self) -> object:
        """Read the open dataset again."""

    def refresh_colors(self) -> object:
        """Paint masks and labels again."""

    def set_spaces(
        self, spaces: fo.Space | None = None, name: str | None = None
    ) -> object:
        """Arrange the panels, as given or as a saved workspace."""

    def set_progress(self, *, progress: float, label: str) -> object:
        """Show how far an operator is, 0..1."""

    def show_output(
        self, *, outputs: Mapping[str, object], results: Mapping[str, object]
    ) -> object:
        """Show a form, filled with results, when an operator is done."""

    def show_panel_output(self, output: types.Property) -> object:
        """Draw a panel."""

    def clear_panel_state(self) -> object:
        """Forget what is chosen in a panel."""


class Context(Protocol):
    """What FiftyOne hands to an operator, or with an event of a panel.

    Attributes:
        params: answers of a form, or what an event tells.
        request_params: all that the App, or Python, sent.
        results: of a run that is done; empty before.
        dataset: that is open.
        view: what the grid shows.
        has_custom_view: whether that is less than the dataset.
        selected: ids of the samples that are selected.
        current_sample: id of the sample that is open in the player.
        active_fields: paths that are shown.
        delegated: whether it runs apart from the App.
        ops: what the App can be told to do.
        panel: that an event is of.
        panel_state: what is chosen in it, as the event brought it.
        pipeline: that the operator is a stage of; None outside pipelines.
    """

    params: dict[str, Any]
    request_params: Mapping[str, Any]
    results: Mapping[str, Any]
    dataset: fo.Dataset
    view: fo.DatasetView
    has_custom_view: bool
    selected: Sequence[str]
    current_sample: str
    active_fields: Sequence[str]
    delegated: bool
    ops: Operations
    panel: PanelRef
    panel_state: dict[str, Any]
    pipeline: object | None

    def target_view(self) -> fo.DatasetView:
        """The part of the dataset that a person chose to work on."""

    def trigger(
        self, operator: str, params: Mapping[str, object] | None = None
    ) -> object:
        """Run another operator."""

    def prompt(
        self,
        operator: str,
        params: Mapping[str, object] | None = None,
        on_success: Handler | None = None,
    ) -> object:
        """Open the form of another operator, perhaps with some answers given."""

    def set_progress(self, *, progress: float, label: str) -> object:
        """Note how far a delegated run is, 0..1."""


Handler = Callable[[Context], None]
"""Handles an event of a panel."""


def in_app(ctx: Context) -> bool:
    """Whether the App runs an operator: it tells its layout, Python does not."""
    return "spaces" in ctx.request_params


def take_stage_params(ctx: Context) -> None:
    """Give a stage of a pipeline its own parameters.

    FiftyOne 1.22 puts them into the request only: `params` are still the pipeline's.
    """
    if ctx.pipeline is not None:
        ctx.params = dict(ctx.request_params.get("params") or {})
