"""Operator behind the buttons of results: open a workspace."""

from __future__ import annotations

from typing import ClassVar

from fiftyone.operators import types

from s3fo.plugin.context import Context, take_stage_params
from s3fo.plugin.shared.described import DescribedOperator
from s3fo.plugin.shared.forms import ask_choice
from s3fo.plugin.shared.outcome import PLUGIN


class OpenWorkspace(DescribedOperator):
    """Open one of the dataset's workspaces: for the buttons of results."""

    name = "open_workspace"
    label = "Open a workspace"
    settings: ClassVar = {"unlisted": True, "icon": None}

    def resolve_input(self, ctx: Context) -> types.Property:
        """Which one; those that the dataset has."""
        form = types.Object()
        ask_choice(
            form,
            "workspace",
            {name: name for name in ctx.dataset.list_workspaces()},
            label="Workspace",
            description="An arrangement of panels; more come with evaluations",
        )
        return types.Property(form)

    def execute(self, ctx: Context) -> dict[str, str]:
        """Open it, over the whole dataset."""
        take_stage_params(ctx)
        name = ctx.params["workspace"]
        ctx.ops.clear_view()
        ctx.ops.set_spaces(spaces=ctx.dataset.load_workspace(name))
        ctx.trigger(f"{PLUGIN}/close_result")
        return {"workspace": name}
