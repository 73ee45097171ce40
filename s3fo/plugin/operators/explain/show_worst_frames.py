"""Operator: the grid shows the worst frames of a method, not the first ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fiftyone.operators import types

from evaluation._utils.progress import ProgressCallback
from s3fo.datasets.views.shown import count_stages
from s3fo.datasets.views.worst import published_field
from s3fo.plugin.context import Context
from s3fo.plugin.panels.first import evaluation_to_show
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.forms import ask_choice, known_evaluations
from s3fo.plugin.shared.outcome import PLUGIN, Summary

_FIRST = "Press ` and run 'Evaluate VOS predictions'."


class ShowWorstFrames(VOSOperator):
    """Draw the worst frame of every video for a method, and show them in the grid."""

    name = "show_worst_frames"
    label = "Show worst frames in the grid"
    description = "Thumbnails of a method's worst frames; 'All videos' leads back"
    risk = "medium"
    titles: ClassVar = {
        "thumbnails": "videos with a picture",
        "media field": "field that names the pictures' files",
    }

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Whose worst frames."""
        keys = known_evaluations(ctx.dataset, _FIRST)
        ask_choice(
            form,
            "eval_key",
            {key: key for key in keys},
            label="Evaluation",
            description="Whose worst frames to draw. The pictures lie in the cache "
            "folder; a field of the dataset names them",
            default=evaluation_to_show(ctx, keys, None),
        )

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Draw them."""
        from s3fo.datasets import make_thumbnails
        from s3fo.datasets.field_names import thumbnail_field

        keys = known_evaluations(ctx.dataset, _FIRST)
        eval_key = ctx.params.get("eval_key") or evaluation_to_show(ctx, keys, None)
        count = make_thumbnails(ctx.dataset, eval_key, progress=progress)
        return {
            "evaluation": eval_key,
            "thumbnails": count,
            "media field": thumbnail_field(eval_key),
        }

    def finish(self, ctx: Context, summary: Summary) -> Iterator[object]:
        """Show them, once the App knows the field."""
        yield from super().finish(ctx, summary)
        # In a view of their own: the App would take the files that it knows of the
        # videos from its memory, where the new ones are not.
        field = str(summary["media field"])
        view = ctx.dataset.exists(field)
        yield ctx.ops.set_view(view)
        params = {"field": field, "stages": count_stages(view)}
        yield ctx.trigger(f"{PLUGIN}/show_media", params)
        # The figure on a tile is that of the method whose frame is drawn, without masks
        # of the first frame over it.
        path = published_field(ctx.dataset, str(summary["evaluation"]))
        yield ctx.ops.set_active_fields(["sequence", *([path] if path else [])])
