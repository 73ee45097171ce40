"""What an operator shows when it is done: figures, and where to go from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from fiftyone.operators import types

from evaluation.errors import InputError

Summary = Mapping[str, str | int | float]
"""What an operator did: name -> figure, shown when it is done."""

PLUGIN = "@s3fo/vos"


@dataclass(frozen=True)
class Step:
    """Somewhere to go from a result: a button below it.

    Attributes:
        label: what the button says.
        operator: what it runs; empty for a link.
        params: of the operator; a form begins with them.
        asks: whether the operator's form is shown first.
        link: address that the button opens instead.
    """

    label: str
    operator: str = ""
    params: Mapping[str, object] = field(default_factory=dict)
    asks: bool = False
    link: str | None = None


def to_workspace(name: str, label: str) -> Step:
    """Open one of the dataset's workspaces; see `s3fo.datasets.views.appearance`."""
    return Step(label, f"{PLUGIN}/open_workspace", {"workspace": name})


def to_operator(name: str, label: str, **params: object) -> Step:
    """Ask another operator's questions, some of them answered."""
    return Step(label, f"{PLUGIN}/{name}", params, asks=True)


def to_file(path: str | Path, label: str) -> Step:
    """Open a file that lies where the App's server runs, in a new tab."""
    return Step(label, link=f"/media?filepath={quote(str(path))}")


def result_window(
    title: str,
    summary: Summary,
    steps: Sequence[Step],
    titles: Mapping[str, str] = MappingProxyType({}),
) -> tuple[types.Property, dict[str, str]]:
    """The window that tells what was done.

    Args:
        title: of the window.
        summary: what to tell.
        steps: where one may go from there.
        titles: figures -> what people read, where that is not the same.

    Returns:
        The window, and the values in it.
    """
    window = types.Object()
    window.view("title", types.Header(label=title, divider=True))
    for name in summary:
        window.str(
            name,
            label=titles.get(name, name),
            view=types.LabelValueView(read_only=True),
        )
    if steps:
        line = window.h_stack("steps", gap=1)
        for number, step in enumerate(steps):
            add_button(line, f"step_{number}", step, strong=number == 0)
    shown = {name: _for_people(value) for name, value in summary.items()}
    return types.Property(window), shown


def error_window(title: str, error: InputError) -> types.Property:
    """The window that tells what went wrong, and how to correct it."""
    window = types.Object()
    window.view("title", types.Header(label=title, divider=True))
    window.view("error", error_notice(error, "error"))
    return types.Property(window)


def report_window(title: str, text: str) -> types.Property:
    """The window that tells, in Markdown, that something unforeseen went wrong."""
    window = types.Object()
    window.view("title", types.Header(label=title, divider=True))
    window.md(text, name="trouble")
    return types.Property(window)


def error_notice(error: InputError, severity: str) -> types.View:
    """An error as a box: what is wrong, what should be, what to do.

    Args:
        error: what is wrong.
        severity: ``"error"`` or ``"warning"``.
    """
    return types.AlertView(
        severity=severity,
        label=f"{error.where}: found {error.found}",
        description=f"Expected {error.expected}. {error.remedy}",
    )


def add_button(
    line: types.Object, name: str, step: Step, *, strong: bool = False
) -> None:
    """Add a step as a button to a line; the strong one catches the eye."""
    operator, params = step.operator, dict(step.params)
    if step.link:
        operator, params = f"{PLUGIN}/open_link", {"link": step.link}
    button = types.Button(
        label=step.label,
        variant="contained" if strong else "outlined",
        operator=operator,
        params=params,
        prompt=step.asks,
    )
    line.view(name, button)


def _for_people(value: str | int | float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
