"""Operators: failures by their looks, as a map of clips, and to find more like one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import fiftyone as fo
from fiftyone.operators import types

from evaluation._utils.progress import ProgressCallback
from s3fo.plugin.context import Context, take_stage_params
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.described import DescribedOperator
from s3fo.plugin.shared.forms import ask_choice, known_failures
from s3fo.plugin.shared.outcome import PLUGIN, Step, Summary, to_workspace

_S3, _COLOUR = "s3", "colour"
_FEATURES = {
    _S3: "S3's vision transformer",
    _COLOUR: "colour and texture, which is faster",
}
_MAPS = {"pca": "PCA, which is fast", "tsne": "t-SNE, which shows groups"}


class MapFailures(VOSOperator):
    """Describe what failures look like: a map of clips, and more like any of them."""

    name = "map_failures"
    label = "Map failures by looks"
    description = "Failures as points by their looks, and 'More like this' for each"
    risk = "medium"

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Whose failures, by which features."""
        keys = known_failures(ctx.dataset)
        ask_choice(
            form,
            "eval_key",
            {key: key for key in keys},
            label="Evaluation",
            description="Whose failures to describe",
            default=keys[-1],
        )
        ask_choice(
            form,
            "features",
            _FEATURES,
            label="Features",
            description="Of the object and its surroundings in the worst frame",
            default=_S3,
        )
        ask_choice(
            form,
            "map",
            _MAPS,
            label="Map",
            description="How descriptors become points",
            default="pca",
        )

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Describe them."""
        from s3fo.datasets import map_similar_failures
        from s3fo.datasets.views.failure_maps import failure_map_names

        eval_key = ctx.params.get("eval_key") or known_failures(ctx.dataset)[-1]
        extractor = None
        if ctx.params.get("features", _S3) == _S3:
            from s3fo.inference import S3Features

            extractor = S3Features()
        clips = map_similar_failures(
            ctx.dataset,
            eval_key,
            extractor,
            method=ctx.params.get("map") or "pca",
            progress=progress,
        )
        names = failure_map_names(eval_key)
        return {
            "evaluation": eval_key,
            "failures": len(clips),
            "features": extractor.name if extractor else "colour and texture",
            "brain key": names["map_key"],
            "saved view": names["view"],
        }

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """See the map, or the list that now knows what is alike."""
        params = {"eval_key": summary["evaluation"]}
        return [
            Step("See the map", f"{PLUGIN}/show_failure_map", params),
            to_workspace("Failures", "See the list"),
        ]


class ShowFailureMap(DescribedOperator):
    """Open the map of an evaluation's failures: for the button of its result."""

    name = "show_failure_map"
    label = "Show a map of failures"
    settings: ClassVar = {"unlisted": True, "icon": None}

    def resolve_input(self, ctx: Context) -> types.Property:
        """Of which evaluation."""
        from s3fo.datasets.scoring.similar_failures import has_failure_map
        from s3fo.plugin.panels.charts.failures import with_failures

        known = with_failures(ctx.dataset)
        keys = [key for key in known if has_failure_map(ctx.dataset, key)]
        form = types.Object()
        ask_choice(
            form,
            "eval_key",
            {key: key for key in keys},
            label="Evaluation",
            description="Whose failures were mapped",
        )
        return types.Property(form)

    def execute(self, ctx: Context) -> dict[str, str]:
        """Show all videos in the grid, and the map beside them."""
        from s3fo.datasets.views.failure_maps import failure_map_names

        take_stage_params(ctx)
        eval_key = ctx.params["eval_key"]
        names = failure_map_names(eval_key)
        ctx.ops.clear_view()
        ctx.ops.set_spaces(spaces=map_layout())
        ctx.trigger(f"{PLUGIN}/close_result")
        return {"saved view": names["view"], "brain key": names["map_key"]}


def map_layout() -> fo.Space:
    """The grid, and beside it the panel of the map."""
    panels = [fo.Panel(type="Samples", pinned=True), fo.Panel(type="vos_failure_map")]
    sides = [fo.Space(children=[one], active_child=one.component_id) for one in panels]
    return fo.Space(children=sides, orientation="horizontal")
