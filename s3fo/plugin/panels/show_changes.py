"""An open App is brought up to date: new fields, their colours, what is shown.

An App keeps the colours that it began with, for itself and for whoever opens the
dataset again in the same session; fields that came later would look like none of
the dataset's objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from s3fo.datasets.schema import remembered
from s3fo.plugin.operators.described import DescribedOperator


def changes(ctx: Any) -> Iterator[Any]:
    """Triggers that make an open App show a changed dataset as if just opened."""
    ctx.dataset.reload()
    yield ctx.ops.reload_dataset()
    yield from _colours(ctx)
    active = ctx.dataset.app_config.active_fields
    if active is not None:
        yield ctx.ops.set_active_fields(active.paths)


def _colours(ctx: Any) -> Iterator[Any]:
    """Triggers for the dataset's own colours, if it has any."""
    scheme = ctx.dataset.app_config.color_scheme
    if scheme is not None:
        names = ("color_by", "color_pool", "opacity", "fields")
        yield ctx.trigger(
            "set_color_scheme", {name: getattr(scheme, name) for name in names}
        )
        # Masks that are painted already keep their colour otherwise.
        yield ctx.ops.refresh_colors()


class ShowChanges(DescribedOperator):
    """Show what a scheduled run, or Python, has changed since the App was opened."""

    name = "show_changes"
    label = "Show what is new"
    description = "After a scheduled run, or work in Python: new VOS fields"
    settings: ClassVar = {"execute_as_generator": True}

    def execute(self, ctx: Any) -> Iterator[Any]:
        """Reload, colour, show."""
        yield from changes(ctx)


class RestoreColours(DescribedOperator):
    """Give a dataset its colours whenever it is opened; runs by itself."""

    name = "restore_colours"
    label = "Restore the colours of objects"
    settings: ClassVar = {
        "unlisted": True,
        "icon": None,
        "on_dataset_open": True,
        "execute_as_generator": True,
    }

    def execute(self, ctx: Any) -> Iterator[Any]:
        """Set them, of our own datasets only."""
        if ctx.dataset is not None and remembered(ctx.dataset):
            yield from _colours(ctx)
