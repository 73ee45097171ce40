"""Tables and charts of panels, and values as people and charts read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd
from fiftyone.operators import types

from s3fo.plugin.context import Handler

ROWS = 25
"""Rows of a table: what one looks through before filtering."""


def table(
    panel: types.Object,
    name: str,
    columns: Mapping[str, str],
    *,
    on_click_row: Handler | None = None,
    label: str | None = None,
) -> None:
    """Add a table; its rows are the panel's data of that name.

    Args:
        panel: what to add it to.
        name: of the data.
        columns: key -> heading.
        on_click_row: gets the row's number as ``ctx.params["row"]``, -1 for the head.
        label: heading.
    """
    near = {"paddingLeft": "5px", "paddingRight": "5px", "fontSize": "13px"}
    cells = {"& .MuiTableCell-root": near}
    narrow = {"table": {"sx": {"minWidth": 300, **cells}}}
    settings = {"on_click_row": on_click_row} if on_click_row else {}
    view = types.TableView(label=label, componentsProps=narrow, **settings)
    for key, heading in columns.items():
        view.add_column(key, label=heading)
    panel.list(name, types.Object(), view=view, label=label)


def plot(
    panel: types.Object, name: str, layout: Mapping[str, object], **settings: object
) -> None:
    """Add a chart; its traces are the panel's data of that name.

    The mouse wheel scrolls the panel, as everywhere; a second click is no reset, for
    the first one has chosen something already.

    Args:
        panel: what to add it to.
        name: of the data.
        layout: Plotly's layout.
        **settings: of FiftyOne's `PlotlyView`: label, height, on_click, on_selected.
    """
    height = settings.pop("height", None) or f"{layout['height']}px"
    dragged = {} if "on_selected" in settings else {"dragmode": False}
    config = {
        "scrollZoom": False,
        "doubleClick": False,
        "displaylogo": False,
        "displayModeBar": False,
    }
    panel.plot(
        name, layout={**dragged, **layout}, config=config, height=height, **settings
    )


def rows(frame: pd.DataFrame, columns: Iterable[str]) -> list[dict[str, str]]:
    """A table's rows as the App shows them: fractions with three digits, NaN as -."""
    return [
        {name: shown(row[name]) for name in columns} for row in frame.to_dict("records")
    ]


def shown(value: str | float | None) -> str:
    """A value as people read it."""
    if value is None or pd.isna(value):
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def plain(values: Iterable[object]) -> list[object]:
    """Values for a chart: JSON has no NaN."""
    return [
        None
        if value is None or (isinstance(value, float) and value != value)
        else value
        for value in values
    ]
