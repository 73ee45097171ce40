"""Questions that several operators' forms ask, and their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import fiftyone as fo
from fiftyone.operators import types

from evaluation.errors import InputError
from evaluation.options import InputOptions
from s3fo.plugin.context import Context


def ask_folder(
    form: types.Object,
    name: str,
    label: str,
    description: str,
    *,
    required: bool = True,
) -> None:
    """Add a folder chooser to a form."""
    form.file(
        name,
        label=label,
        description=description,
        required=required,
        view=types.FileExplorerView(
            choose_dir=True, button_label="Choose a folder", choose_button_label="Take"
        ),
    )


def chosen_folder(ctx: Context, name: str) -> Path | None:
    """The folder chosen in a form; None if there is none yet.

    Called from Python, the parameter may also be a plain path.
    """
    value = ctx.params.get(name)
    if isinstance(value, dict):
        value = value.get("absolute_path")
    return Path(value) if value else None


def own_folder(ctx: Context) -> Path:
    """Where files go unless one says otherwise: with FiftyOne's other data."""
    import fiftyone as fo

    return Path(fo.config.default_dataset_dir) / "s3fo" / ctx.dataset.name


def imported_methods(dataset: fo.Dataset) -> list[str]:
    """Names of the methods whose masks a dataset holds, in order of import.

    Frame fields with masks that others made come first.

    Raises:
        InputError: there are none.
    """
    from s3fo.datasets import load_predictions_info
    from s3fo.datasets.fields.predictions import field_methods

    imported = list(load_predictions_info(dataset))
    others = [name for name in field_methods(dataset) if name not in imported]
    names = [*others, *imported]
    if not names:
        raise InputError(
            f"dataset {dataset.name}",
            "no predictions",
            "at least one method's masks",
            "Import predictions or run a method first.",
        )
    return names


def known_evaluations(
    dataset: fo.Dataset, remedy: str = "Evaluate predictions first."
) -> list[str]:
    """Keys of the evaluations of a dataset, the latest last.

    Args:
        dataset: of any origin.
        remedy: what to do where there is none.

    Raises:
        InputError: there is none.
    """
    from s3fo.datasets.reading.tables import vos_evaluations

    keys = vos_evaluations(dataset)
    if not keys:
        raise InputError(
            f"dataset {dataset.name}",
            "no evaluation",
            "at least one method's scores",
            remedy,
        )
    return keys


def known_failures(dataset: fo.Dataset) -> list[str]:
    """Evaluations whose failures were found, the latest last.

    Raises:
        InputError: there is none.
    """
    from s3fo.plugin.panels.charts.failures import with_failures

    keys = with_failures(dataset)
    if not keys:
        raise InputError(
            f"dataset {dataset.name}",
            "no failures",
            "failures found earlier",
            "Press ` and run 'Find failures'.",
        )
    return keys


def ask_choice(
    form: types.Object,
    name: str,
    choices: Mapping[str, str],
    *,
    label: str,
    description: str,
    default: str | None = None,
) -> None:
    """Add a drop-down to a form.

    Args:
        form: the form.
        name: of the parameter.
        choices: value -> what to show.
        label: heading.
        description: help.
        default: value chosen at first.
    """
    view = types.DropdownView()
    for value, shown in choices.items():
        view.add_choice(value, label=shown)
    form.enum(
        name,
        view.values(),
        label=label,
        description=description,
        default=default,
        required=default is None,
        view=view,
    )


def ask_method(
    form: types.Object, names: Sequence[str], description: str, *, label: str = "Method"
) -> None:
    """Ask for one of the dataset's methods, the latest at first: `predictions`.

    Args:
        form: the form.
        names: of the methods, see `imported_methods`.
        description: what the method is for.
        label: heading.
    """
    ask_choice(
        form,
        "predictions",
        {name: name for name in names},
        label=label,
        description=description,
        default=names[-1],
    )


def ask_method_name(ctx: Context, form: types.Object, *, default: str) -> None:
    """Ask under which name a method's masks shall appear in the dataset."""
    from s3fo.datasets import load_predictions_info
    from s3fo.datasets.importing.predictions import check_name

    name = ctx.params.get("name") or default
    wrong = None
    try:
        check_name(ctx.dataset, name)
    except InputError as error:
        wrong = f"expected {error.expected}"
    form.str(
        "name",
        label="Name of the method",
        description="Its masks appear in the field `frames.<name>`",
        default=default,
        required=False,
        invalid=wrong is not None,
        error_message=wrong or "",
    )
    if name in load_predictions_info(ctx.dataset):
        warning = types.AlertView(
            severity="info",
            label=f"Replaces the masks of {name}",
            description="If they differ, evaluations of the old ones are deleted.",
        )
        form.view("replaces", warning)


_MISSING = {
    "error": "Stop and name them",
    "score-as-empty": "Score them as empty masks",
}
_RESIZE = {"refuse": "Stop and name them", "nearest": "Resize them (nearest pixel)"}


def ask_input_options(form: types.Object) -> None:
    """Ask how masks are read and matched, as every verb that reads masks does.

    Args:
        form: the form.
    """
    ask_choice(
        form,
        "missing",
        _MISSING,
        label="Frames without prediction",
        description="Results folders may lack some frames or videos",
        default="error",
    )
    ask_choice(
        form,
        "resize",
        _RESIZE,
        label="Predictions of another size",
        description="Than the ground truth has",
        default="refuse",
    )
    form.bool(
        "binarize",
        label="One object",
        description="Whatever is not 0 is object 1, in ground truth and predictions",
        default=False,
    )
    form.int(
        "void",
        label="Label to leave out",
        description="Of the ground truth, e.g. 255; empty: as the protocol says",
        required=False,
    )


def chosen_input_options(ctx: Context) -> InputOptions:
    """What a form with `ask_input_options` was answered.

    Raises:
        InputError: a value that an option does not have.
    """
    resize, void = ctx.params.get("resize"), ctx.params.get("void")
    return InputOptions(
        missing=ctx.params.get("missing") or "error",
        resize=None if resize in (None, "refuse") else resize,
        binarize=bool(ctx.params.get("binarize", False)),
        void=None if void is None else int(void),
    )


def chosen_sequences(ctx: Context) -> list[str] | None:
    """The videos that FiftyOne's choice of a target names; None means all."""
    asked = ctx.params.get("view_target") or ctx.request_params.get("view_target")
    if asked is None:
        return None
    names = set(ctx.target_view().values("sequence"))
    return None if names >= set(ctx.dataset.values("sequence")) else sorted(names)
