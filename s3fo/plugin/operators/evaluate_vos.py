"""Operator: score predictions."""

from __future__ import annotations

from collections.abc import Sequence

from fiftyone.operators import types

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.metrics.aggregate import HALVED
from evaluation.protocols import PROTOCOLS
from s3fo.plugin.context import Context
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.forms import (
    ask_choice,
    ask_input_options,
    ask_method,
    chosen_input_options,
    chosen_sequences,
    imported_methods,
)
from s3fo.plugin.shared.outcome import Step, Summary, to_operator, to_workspace


class EvaluateVOS(VOSOperator):
    """Score predictions against the ground truth by a benchmark's protocol."""

    name = "evaluate_vos"
    label = "Evaluate VOS predictions"
    description = "Score masks: J, F and J&F per frame, object and video"
    risk = "medium"
    takes_views = True

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Which predictions, by which protocol, under which key."""
        from s3fo.datasets import load_benchmark_info

        benchmark = load_benchmark_info(ctx.dataset)
        ctx.target_view()  # FiftyOne then asks for it
        names = imported_methods(ctx.dataset)
        ask_method(form, names, "Whose masks to score", label="Predictions")
        ask_choice(
            form,
            "protocol",
            {protocol.name: protocol.title for protocol in PROTOCOLS.values()},
            label="Protocol",
            description="Which frames and objects count, and how",
            default=benchmark.protocol,
        )
        wrong = _fault_of_key(ctx)
        form.str(
            "eval_key",
            label="Evaluation key",
            description="Scoring again under a key replaces its scores",
            default=ctx.params.get("predictions", names[-1]),
            invalid=bool(wrong),
            error_message=wrong,
        )
        self._ask_to_replace(ctx, form, names)
        ask_input_options(form)

    def _ask_to_replace(
        self, ctx: Context, form: types.Object, names: list[str]
    ) -> None:
        """Ask, where the key is that of another method's scores."""
        method = ctx.params.get("predictions", names[-1])
        taken = _other_method(ctx, method)
        if taken:
            replace = bool(ctx.params.get("replace"))
            form.bool(
                "replace",
                label=f"Replace the scores of {taken}",
                description=f"The key is that of an evaluation of {taken}",
                default=False,
                invalid=not replace,
                error_message="tick it, or choose another key",
            )

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Score them."""
        from s3fo.datasets import evaluate

        method = ctx.params.get("predictions") or imported_methods(ctx.dataset)[-1]
        eval_key = ctx.params.get("eval_key") or method
        taken = _other_method(ctx, method)
        if taken and not ctx.params.get("replace"):
            raise InputError(
                "eval_key",
                f"{eval_key!r}, which holds the scores of {taken}",
                "a free key, or one of the same method",
                "Choose another key, or set replace to take their place.",
            )
        failures = f"{eval_key}_failures"
        had_failures = ctx.dataset.has_sample_field(failures)
        scores = evaluate(
            ctx.dataset,
            method,
            eval_key,
            sequences=chosen_sequences(ctx),
            protocol=ctx.params.get("protocol"),
            options=chosen_input_options(ctx),
            progress=progress,
        )
        protocol = scores.protocol
        metric = protocol.object_metric
        shown = dict.fromkeys((protocol.headline_metric, metric, *HALVED[metric]))
        gone = had_failures and not ctx.dataset.has_sample_field(failures)
        return {
            "evaluation": eval_key,
            **{name.replace("_", " "): float(scores.summary[name]) for name in shown},
            "objects": len(scores.objects),
            "protocol": scores.protocol.title,
            **({"failures": "were of other scores: find them again"} if gone else {}),
        }

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """Look at the scores, then at what costs them."""
        return [
            to_workspace("Evaluation", "See the evaluation"),
            to_operator(
                "find_failures", "Find failures", eval_key=summary["evaluation"]
            ),
        ]


def _fault_of_key(ctx: Context) -> str:
    """What is wrong with the chosen key; empty if nothing is."""
    from s3fo.datasets.scoring.keys import check_key

    try:
        check_key(ctx.dataset, ctx.params.get("eval_key") or "k")
    except InputError as error:
        return f"found {error.found}; expected {error.expected}"
    return ""


def _other_method(ctx: Context, method: str) -> str | None:
    """The method whose scores the chosen key holds, where it is another one."""
    from s3fo.datasets.reading.tables import prediction_field, vos_evaluations

    eval_key = ctx.params.get("eval_key") or method
    if eval_key not in vos_evaluations(ctx.dataset):
        return None
    scored = prediction_field(ctx.dataset, eval_key)
    return None if scored in (method, f"{method}_objects") else scored
