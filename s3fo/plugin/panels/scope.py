"""What a panel is about: all videos, or what the grid shows by view and sidebar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fiftyone.operators import types

from evaluation._utils.names import counted
from evaluation.errors import InputError
from s3fo.datasets.reading import tables
from s3fo.datasets.reading.scope import limited_to, present_scope
from s3fo.datasets.views.objects_shown import objects_shown
from s3fo.plugin.context import Context, Handler
from s3fo.plugin.panels.choices import choose

_ALL, _SHOWN = "all", "shown"
_CHOICES = {_ALL: "all videos", _SHOWN: "what the grid shows"}


def is_followed(ctx: Context) -> bool:
    """Whether somebody chose that the panel is about what the grid shows."""
    return bool(ctx.panel.state.scope == _SHOWN)


@contextmanager
def of_panel(ctx: Context) -> Iterator[None]:
    """Let tables be about what the panel is about, while an event is handled.

    Args:
        ctx: of the event; a choice of the scope counts already.
    """
    path, value = ctx.params.get("path"), ctx.params.get("value")
    if path == "scope":
        ctx.panel_state["scope"] = value
    if is_followed(ctx) and ctx.dataset is not None and len(ctx.dataset):
        with limited_to(objects_shown(ctx.view)):
            yield
    else:
        yield


def check_not_empty(ctx: Context) -> None:
    """Complain where the grid shows no object.

    Raises:
        InputError: there is nothing that one could say anything about.
    """
    shown = present_scope()
    if shown is not None and not shown:
        raise InputError(
            "what the grid shows",
            "no object",
            "at least one",
            "Take filters or the view back, or choose 'all videos' above.",
        )


def lay_out(
    ctx: Context, panel: types.Object, on_choose: Handler, on_follow: Handler
) -> None:
    """Add the choice of the scope, and say how much that is.

    Args:
        ctx: of the event.
        panel: what to add it to.
        on_choose: gets another scope.
        on_follow: called where the grid comes to show something else, while the panel
            is about that.
    """
    chosen = _SHOWN if is_followed(ctx) else _ALL
    choose(ctx, panel, "scope", _CHOICES, chosen, label="Of", on_change=on_choose)
    if is_followed(ctx):
        follower = types.View(
            component="FollowGrid", composite_view=True, on_change=on_follow
        )
        panel.view("follower", follower)
    shown = present_scope()
    if shown is not None:
        with limited_to(None):
            everything = len(tables.object_table(ctx.dataset))
        videos = counted(len({sample_id for sample_id, _ in shown}), "video")
        panel.md(
            f"*Of {len(shown)} of {counted(everything, 'object')}, in {videos}: what "
            "the grid shows by view and sidebar.*",
            name="scope_text",
        )
