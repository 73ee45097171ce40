"""Operators: take predictions or an evaluation out of the dataset, after a question."""

from __future__ import annotations

from collections.abc import Sequence

from fiftyone.operators import types

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.plugin.context import Context
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.forms import ask_choice, imported_methods, known_evaluations
from s3fo.plugin.shared.outcome import Step, Summary, to_operator


class RemovePredictions(VOSOperator):
    """Remove a method's masks from the dataset, with all evaluations of them."""

    name = "remove_predictions"
    label = "Remove predictions"
    description = "Remove a method's masks and evaluations from the dataset"
    risk = "high"

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Whose, and whether it is meant."""
        from s3fo.datasets import load_predictions_info

        imported_methods(ctx.dataset)  # Says what to do where there are none.
        names = list(load_predictions_info(ctx.dataset))
        if not names:
            raise InputError(
                f"dataset {ctx.dataset.name}",
                "predictions of others alone",
                "masks that s3fo imported",
                "Delete the frame field with FiftyOne's own 'Delete frame field'.",
            )
        ask_choice(
            form,
            "predictions",
            {name: name for name in names},
            label="Method",
            description="Whose masks to remove",
            default=None if len(names) > 1 else names[0],
        )
        name = ctx.params.get("predictions")
        gone = _evaluations_of(ctx, name) if name else []
        _ask_to_confirm(
            ctx,
            form,
            f"Remove the masks of {name or 'the method'}"
            + (f", and the evaluations {', '.join(gone)}" if gone else ""),
            "The results folder stays: importing it brings the masks back.",
        )

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Remove them."""
        from s3fo.datasets import load_predictions_info, remove_predictions

        name = _choose_one(ctx, "predictions", list(load_predictions_info(ctx.dataset)))
        _check_confirmed(ctx)
        folder = load_predictions_info(ctx.dataset)[name].folder
        gone = _evaluations_of(ctx, name)
        remove_predictions(ctx.dataset, name)
        return {
            "removed": name,
            "evaluations removed": ", ".join(gone) or "none",
            "results, which stay": str(folder),
        }

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """Bring them back."""
        folder = {"absolute_path": str(summary["results, which stay"])}
        return [to_operator("import_predictions", "Import them again", results=folder)]


class RemoveEvaluation(VOSOperator):
    """Remove an evaluation from the dataset: scores, failures and views; masks stay."""

    name = "remove_evaluation"
    label = "Remove an evaluation"
    description = "Remove scores, failures and views of an evaluation; masks stay"
    risk = "high"

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Which one, and whether it is meant."""
        keys = known_evaluations(ctx.dataset, "There is nothing to remove.")
        ask_choice(
            form,
            "eval_key",
            {key: key for key in keys},
            label="Evaluation",
            description="What to remove",
            default=None if len(keys) > 1 else keys[0],
        )
        _ask_to_confirm(
            ctx,
            form,
            f"Remove the evaluation {ctx.params.get('eval_key') or ''}".strip(),
            "What people judged is remembered, and comes back with the same failures.",
        )

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Remove it."""
        from s3fo.datasets.reading.tables import prediction_field, vos_evaluations
        from s3fo.datasets.scoring.evaluate import remove_evaluation

        eval_key = _choose_one(ctx, "eval_key", vos_evaluations(ctx.dataset))
        _check_confirmed(ctx)
        method = prediction_field(ctx.dataset, eval_key)
        remove_evaluation(ctx.dataset, eval_key)
        return {"removed": eval_key, "predictions, which stay": method}

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """Score them again."""
        method = summary["predictions, which stay"]
        return [to_operator("evaluate_vos", "Evaluate again", predictions=method)]


def _evaluations_of(ctx: Context, name: str) -> list[str]:
    """Keys of the evaluations that scored a method's masks."""
    from s3fo.datasets.reading.tables import prediction_field, vos_evaluations

    keys = vos_evaluations(ctx.dataset)
    return [key for key in keys if prediction_field(ctx.dataset, key) == name]


def _choose_one(ctx: Context, param: str, known: Sequence[str]) -> str:
    """What is to be removed; never guessed where there are several."""
    name = ctx.params.get(param) or (known[0] if len(known) == 1 else None)
    if name not in known:
        raise InputError(
            param,
            repr(name),
            f"one of {', '.join(known) or 'none'}",
            f"Set {param} to the one to remove.",
        )
    return str(name)


def _ask_to_confirm(
    ctx: Context, form: types.Object, label: str, description: str
) -> None:
    form.bool(
        "confirm",
        label=label,
        description=description,
        default=False,
        required=True,
        invalid=not ctx.params.get("confirm"),
        error_message="tick it to remove",
    )


def _check_confirmed(ctx: Context) -> None:
    """Refuse to remove what nobody confirmed."""
    if ctx.params.get("confirm") is not True:
        raise InputError(
            "confirm", repr(ctx.params.get("confirm")), "True", "Set confirm to True."
        )
