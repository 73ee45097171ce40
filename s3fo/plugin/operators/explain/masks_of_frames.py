"""Operator behind the panel "Side by side": masks of some frames as pictures."""

from __future__ import annotations

from typing import ClassVar

from fiftyone.operators import types

from evaluation.errors import InputError
from s3fo.plugin.context import Context
from s3fo.plugin.shared.described import DescribedOperator

_MOST = 64
"""Frames per call."""


class MasksOfFrames(DescribedOperator):
    """Masks of some frames of a video as pictures: for the panel Side by side."""

    name = "masks_of_frames"
    label = "Masks of frames"
    settings: ClassVar = {"unlisted": True, "icon": None}

    def resolve_input(self, ctx: Context) -> types.Property:
        """Which video, frames and evaluations."""
        form = types.Object()
        form.str("sequence", label="Video", required=True)
        form.list("eval_keys", types.String(), label="Evaluations", required=True)
        form.int("start", label="First frame, from 1", default=1)
        form.int("count", label=f"How many frames, at most {_MOST}", default=1)
        return types.Property(form)

    def execute(self, ctx: Context) -> dict[str, object]:
        """Draw them.

        Returns:
            `start`, and `masks`: of the ground truth and of every evaluation a list of
            PNG as ``data:`` URLs, None where a frame has no mask.

        Raises:
            InputError: no such video, frame or evaluation, or files that are gone.
        """
        from s3fo.datasets.scoring.frame_masks import mask_pictures

        sequence, start = str(ctx.params["sequence"]), int(ctx.params.get("start", 1))
        known = dict(
            zip(
                *ctx.dataset.values(["sequence", "metadata.total_frame_count"]),
                strict=True,
            )
        )
        if sequence not in known or not 1 <= start <= known[sequence]:
            raise InputError(
                f"dataset {ctx.dataset.name}",
                f"video {sequence!r}, frame {start}",
                "a video of the dataset, and a number of its frames, from 1",
                "Take them from the fields sequence and metadata.total_frame_count.",
            )
        count = min(int(ctx.params.get("count", 1)), _MOST)
        numbers = range(start, min(start + count, known[sequence] + 1))
        keys = list(ctx.params["eval_keys"])
        return {
            "start": start,
            "masks": mask_pictures(ctx.dataset, sequence, keys, numbers),
        }
