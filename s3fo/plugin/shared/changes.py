"""An open App is brought up to date: new fields, their colours, what is shown.

An App keeps the colours that it began with, for itself and for whoever opens the
dataset again in the same session; fields that came later would look like none of
the dataset's objects.
"""

from __future__ import annotations

from collections.abc import Iterator

from s3fo.plugin.context import Context


def changes(ctx: Context) -> Iterator[object]:
    """Triggers that make an open App show a changed dataset as if just opened."""
    ctx.dataset.reload()
    yield ctx.ops.reload_dataset()
    yield from own_colours(ctx)
    active = ctx.dataset.app_config.active_fields
    if active is not None:
        yield ctx.ops.set_active_fields(active.paths)


def own_colours(ctx: Context) -> Iterator[object]:
    """Triggers for the dataset's own colours, if it has any."""
    scheme = ctx.dataset.app_config.color_scheme
    if scheme is not None:
        names = ("color_by", "color_pool", "opacity", "fields")
        yield ctx.trigger(
            "set_color_scheme", {name: getattr(scheme, name) for name in names}
        )
        # Masks that are painted already keep their colour otherwise.
        yield ctx.ops.refresh_colors()
