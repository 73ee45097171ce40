"""More failures like one: the list of failures, ordered by their looks."""

from __future__ import annotations

import pandas as pd
from fiftyone.operators import types

from evaluation.errors import InputError
from s3fo.datasets.scoring.similar_failures import (
    failure_similarities,
    has_failure_map,
)
from s3fo.plugin.context import Context, Handler
from s3fo.plugin.shared.outcome import PLUGIN

HEADING = {"similarity": "Similarity"}
"""Column that the table of failures gains."""


def ask_for(ctx: Context, eval_key: str, event_id: str) -> bool:
    """Order the list by similarity to an event; False where a map has to be made first.

    Args:
        ctx: of the event of the App.
        eval_key: the evaluation.
        event_id: of the failure that others are to be like.
    """
    if not has_failure_map(ctx.dataset, eval_key):
        ctx.prompt(f"{PLUGIN}/map_failures", params={"eval_key": eval_key})
        return False
    failure_similarities(ctx.dataset, eval_key, event_id)  # Says what is missing.
    ctx.panel.state.like = [eval_key, event_id]
    return True


def order(ctx: Context, eval_key: str, events: pd.DataFrame) -> pd.DataFrame:
    """Events in the order that was asked for: by similarity, else as they are.

    Args:
        ctx: of the event of the App.
        eval_key: the evaluation that is shown.
        events: of it.

    Returns:
        The same events, those that are not on the map last, perhaps with `similarity`.
    """
    asked = ctx.panel.state.like
    if not asked or asked[0] != eval_key:
        return events
    try:
        alike = failure_similarities(ctx.dataset, eval_key, asked[1])
    except InputError:  # Failures were found anew.
        ctx.panel.state.like = None
        return events
    events = events.assign(similarity=events["id"].map(alike))
    return events.sort_values("similarity", ascending=False, ignore_index=True)


def is_ordered(ctx: Context, eval_key: str) -> bool:
    """Whether the list of an evaluation's failures is ordered by similarity."""
    asked = ctx.panel.state.like
    return bool(asked) and asked[0] == eval_key


def add_buttons(
    ctx: Context,
    line: types.Object,
    eval_key: str,
    seen: dict[str, object],
    on_like: Handler,
    on_by_cost: Handler,
) -> None:
    """Add the buttons that order the list.

    Args:
        ctx: of the event of the App.
        line: to add them to.
        eval_key: the evaluation that is shown.
        seen: what a click is about.
        on_like: orders by similarity to the event of the click.
        on_by_cost: orders by cost again.
    """
    line.btn(
        "like", "More like this", icon="image_search", on_click=on_like, params=seen
    )
    if is_ordered(ctx, eval_key):
        line.btn("by_cost", "By cost", icon="sort", on_click=on_by_cost)
