"""Operator: find out where the ground truth itself looks wrong."""

from __future__ import annotations

from collections.abc import Sequence

from fiftyone.operators import types

from evaluation._utils.names import counted
from evaluation._utils.progress import ProgressCallback
from evaluation.results.text import notes_to_show
from s3fo.plugin.context import Context
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.outcome import Step, Summary, to_workspace


class AuditGroundTruth(VOSOperator):
    """Find what looks wrong in the ground truth, as clips to confirm or dismiss."""

    name = "audit_ground_truth"
    label = "Audit the ground truth"
    description = "Specks, gaps, exchanged ids, jumps, shifts: clips, the surest first"
    risk = "medium"

    def fields(self, ctx: Context, form: types.Object) -> None:
        """What is looked at beside the masks."""
        from s3fo.datasets import load_benchmark_info, load_predictions_info

        benchmark = load_benchmark_info(ctx.dataset)
        methods = len(load_predictions_info(ctx.dataset))
        form.view(
            "about",
            types.Notice(
                label=f"Looks at the masks of {counted(len(benchmark), 'video')} over "
                "time. Events of an earlier audit are replaced; reviews stay."
            ),
        )
        form.bool(
            "images",
            label="Look at the images, too",
            description="For masks that are shifted in time or in space",
            default=True,
        )
        form.bool(
            "agreement",
            label="Ask the methods, too",
            description="Frames where all imported methods agree against the ground "
            f"truth; takes two methods, there {'is' if methods == 1 else 'are'} "
            f"{methods}",
            default=True,
        )

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Find the events."""
        from s3fo.datasets import audit_ground_truth

        found = audit_ground_truth(
            ctx.dataset,
            images=ctx.params.get("images", True),
            agreement=ctx.params.get("agreement", True),
            progress=progress,
        )
        kinds = found.by("kind")
        notes = "; ".join(notes_to_show(found.notes))
        return {
            "events": len(found.events),
            "object frames": found.n_object_frames,
            **(
                {"most frequent kind": str(kinds["kind"].iloc[0])} if len(kinds) else {}
            ),
            **({"notes": notes} if notes else {}),
        }

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """Look at them one by one."""
        return [to_workspace("Audit", "See the events")]
