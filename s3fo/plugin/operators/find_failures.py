"""Operator: find out where, how and at what cost a method fails."""

from __future__ import annotations

from collections.abc import Sequence

from fiftyone.operators import types

from evaluation._utils.progress import ProgressCallback
from s3fo.plugin.context import Context
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.forms import ask_choice, known_evaluations
from s3fo.plugin.shared.outcome import Step, Summary, to_operator, to_workspace


class FindFailures(VOSOperator):
    """Name a method's failures, as clips, error maps and saved views."""

    name = "find_failures"
    label = "Find failures"
    description = "Missed, swapped, drifted, leaked, ...: clips ranked by cost in J&F"
    risk = "medium"

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Which evaluation, with error maps or not."""
        keys = known_evaluations(ctx.dataset)
        ask_choice(
            form,
            "eval_key",
            {key: key for key in keys},
            label="Evaluation",
            description="Whose failures to find",
            default=keys[-1],
        )
        form.bool(
            "error_maps",
            label="Error maps",
            description="Show hit, missed, false and wrong identity in every frame",
            default=True,
        )

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Find them."""
        from s3fo.datasets import find_failures
        from s3fo.datasets.reading.tables import vos_evaluations

        eval_key = ctx.params.get("eval_key") or vos_evaluations(ctx.dataset)[-1]
        failures = find_failures(
            ctx.dataset,
            eval_key,
            error_maps=ctx.params.get("error_maps", True),
            progress=progress,
        )
        costly = failures.by("kind")
        return {
            "evaluation": eval_key,
            "events": len(failures.events),
            "J&F lost in all": failures.lost,
            "J&F to gain from the ten worst": failures.recoverable(10),
            **({"costliest kind": str(costly["kind"].iloc[0])} if len(costly) else {}),
        }

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """Look at them one by one, or write them up."""
        return [
            to_workspace("Failures", "See the failures"),
            to_operator("make_report", "Make a report"),
        ]
