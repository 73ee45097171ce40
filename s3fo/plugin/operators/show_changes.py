"""Operators: an open App shows what a dataset has gained meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import fiftyone as fo

from s3fo.datasets.schema import evaluations, load_predictions_info, remembered
from s3fo.plugin.context import Context, in_app
from s3fo.plugin.shared.changes import changes, own_colours
from s3fo.plugin.shared.described import DescribedOperator


class ShowChanges(DescribedOperator):
    """Show what a scheduled run, or Python, has changed since the App was opened."""

    name = "show_changes"
    label = "Show what is new"
    description = "After a scheduled run, or work in Python: new VOS fields"
    settings: ClassVar = {"execute_as_generator": True}

    def execute(self, ctx: Context) -> Iterator[object] | dict[str, str]:
        """Reload, colour, show; outside the App, tell what there is."""
        if in_app(ctx):
            return changes(ctx)
        return _contents(ctx.dataset)


def _contents(dataset: fo.Dataset) -> dict[str, str]:
    """What a dataset holds of ours, by name."""
    found = {
        "methods": list(load_predictions_info(dataset)),
        "evaluations": evaluations(dataset),
        "workspaces": dataset.list_workspaces(),
    }
    return {name: ", ".join(names) or "none" for name, names in found.items()}


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

    def execute(self, ctx: Context) -> Iterator[object]:
        """Set them, of our own datasets only."""
        if ctx.dataset is not None and remembered(ctx.dataset):
            yield from own_colours(ctx)
