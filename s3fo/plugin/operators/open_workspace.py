"""Operator behind the buttons of results: open a workspace."""

from __future__ import annotations

from typing import ClassVar

from s3fo.plugin.context import Context
from s3fo.plugin.shared.described import DescribedOperator
from s3fo.plugin.shared.outcome import PLUGIN


class OpenWorkspace(DescribedOperator):
    """Open one of the dataset's workspaces: for the buttons of results."""

    name = "open_workspace"
    label = "Open a workspace"
    settings: ClassVar = {"unlisted": True, "icon": None}

    def execute(self, ctx: Context) -> None:
        """Open it, over the whole dataset."""
        name = ctx.params["workspace"]
        ctx.ops.clear_view()
        ctx.ops.set_spaces(spaces=ctx.dataset.load_workspace(name))
        ctx.trigger(f"{PLUGIN}/close_result")
