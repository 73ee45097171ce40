"""Drop-downs and tabs of a panel, and what is chosen in them.

FiftyOne keeps a choice in the panel's state, under the name of the line that its
drop-down stands in, and reports it as an event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fiftyone.operators import types

from s3fo.plugin.context import Context, Handler

LINE = "choices"
"""Name of the line of drop-downs, under which the App keeps what is chosen there."""


def choice_of(ctx: Context) -> tuple[str, object]:
    """Name and new value of what was chosen in an event."""
    return ctx.params["path"].split(".")[-1], ctx.params["value"]


def set_choice(ctx: Context, name: str, value: object) -> None:
    """Choose in a line of drop-downs, as if a person had."""
    ctx.panel.state.set(f"{LINE}.{name}", value)
    ctx.panel_state[name] = value


def set_if_new(ctx: Context, path: str, value: object) -> None:
    """Write to the state of a panel, unless it stands there already.

    Args:
        ctx: of the event.
        path: in the state.
        value: JSON.
    """
    if ctx.panel.state.get(path) != value:
        ctx.panel.state.set(path, value)


def line_of_choices(panel: types.Object) -> types.Object:
    """A line for drop-downs; a panel shows one at a time."""
    return wrapping_line(panel, LINE, gap=2)


def wrapping_line(panel: types.Object, name: str, *, gap: int) -> types.Object:
    """Things beside each other, in as many lines as a narrow panel needs."""
    narrow = {"& > div": {"width": "auto"}}  # More specific than FiftyOne's 100 %.
    wrapped = {"grid": {"sx": {"display": "flex", "flexWrap": "wrap", **narrow}}}
    return panel.h_stack(name, gap=gap, align_y="center", componentsProps=wrapped)


def choose(
    ctx: Context,
    panel: types.Object,
    name: str,
    choices: Mapping[str, str],
    chosen: str | Sequence[str] | None,
    *,
    label: str,
    on_change: Handler,
    line: str = "",
) -> None:
    """Add a drop-down; of several values if several are chosen as a list.

    What is chosen stands in the state alone, and is written there only where it is not
    yet: FiftyOne's App reports, twice, every drop-down with a default that appears or
    changes, and an answer that came late would undo what a person chose since.

    Args:
        ctx: of the event.
        panel: what to add it to.
        name: of the choice in the panel's state.
        choices: value -> what to show.
        chosen: now.
        label: heading.
        on_change: gets the new value as ``ctx.params["value"]``.
        line: name of the line of drop-downs that it stands in, if any.
    """
    several = isinstance(chosen, (list, tuple))
    view = types.DropdownView(
        label=label, multiple=several, compact=True, composite_view=True
    )
    for value, shown in choices.items():
        view.add_choice(value, label=shown)
    settings = {"label": label, "view": view, "on_change": on_change}
    if several:
        panel.list(name, types.String(), **settings)
    else:
        panel.enum(name, view.values(), **settings)
    set_if_new(ctx, f"{line}.{name}" if line else name, chosen)


def tabs(
    panel: types.Object,
    name: str,
    choices: Mapping[str, str],
    chosen: str,
    on_open: Handler,
) -> types.Object:
    """Add a line of buttons, one of which is pressed, to change between pages.

    FiftyOne's own tabs report every click twice, each time with all of the panel.

    Args:
        panel: what to add it to.
        name: of the line.
        choices: value -> what to show.
        chosen: now.
        on_open: gets the value as ``ctx.params["tab"]``.

    Returns:
        The line, for further buttons.
    """
    line = wrapping_line(panel, name, gap=1)
    for value, shown in choices.items():
        line.btn(
            f"{name}_{value}",
            shown,
            on_click=on_open,
            params={"tab": value},
            variant="contained" if value == chosen else "outlined",
        )
    return line
