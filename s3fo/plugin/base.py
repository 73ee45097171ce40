"""What every operator shares: forms, progress, a summary at the end."""

from __future__ import annotations

import queue
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from evaluation.errors import InputError
from evaluation.progress import ProgressCallback

Summary = Mapping[str, str | int | float]
"""What an operator did: name -> figure, shown when it is done."""


class VOSOperator(foo.Operator):
    """An operator that maps a form to one library function.

    Subclasses fill the form (`fields`) and call the library (`work`). Long work
    shows progress whether it runs at once or delegated.
    """

    name: str
    label: str
    description: str

    @property
    def config(self) -> foo.OperatorConfig:
        """FiftyOne's description of the operator."""
        return foo.OperatorConfig(
            name=self.name,
            label=self.label,
            description=self.description,
            icon="/assets/icon.svg",
            dynamic=True,
            execute_as_generator=True,
            allow_delegated_execution=True,
        )

    @abstractmethod
    def fields(self, ctx: Any, form: types.Object) -> None:
        """Fill the form.

        Raises:
            InputError: what was entered so far cannot work; shown in the form.
        """

    @abstractmethod
    def work(self, ctx: Any, progress: ProgressCallback) -> Summary:
        """Call the library.

        Raises:
            InputError: it cannot be done; shown to the user.
        """

    def finish(self, ctx: Any, summary: Summary) -> Iterator[Any]:
        """Triggers for the App after the work is done, e.g. to reload."""
        yield ctx.ops.reload_dataset()

    def resolve_input(self, ctx: Any) -> types.Property:
        """The form, with whatever is wrong with it said in it."""
        form = types.Object()
        try:
            self.fields(ctx, form)
        except InputError as error:
            warning = types.AlertView(
                severity="warning",
                label=f"{error.where}: found {error.found}",
                description=f"Expected {error.expected}. {error.remedy}",
            )
            form.view("problem", warning, invalid=True, error_message=str(error))
        return types.Property(form, view=types.View(label=self.label))

    def execute(self, ctx: Any) -> Any:
        """Run at once (a generator of triggers) or delegated (the summary)."""
        if not ctx.delegated:
            return self._run_in_app(ctx)

        def tell(done: int, total: int, label: str) -> None:
            ctx.set_progress(progress=done / max(total, 1), label=label)

        return dict(self.work(ctx, tell))

    def _run_in_app(self, ctx: Any) -> Iterator[Any]:
        summary = yield from _with_progress(ctx, lambda tell: self.work(ctx, tell))
        yield from self.finish(ctx, summary)
        outputs = types.Object()
        for name in summary:
            outputs.str(name, label=name)
        shown = {name: _for_people(value) for name, value in summary.items()}
        view = types.View(label=f"{self.label}: done")
        outputs_json = types.Property(outputs, view=view).to_json()
        yield ctx.ops.show_output(outputs=outputs_json, results=shown)


def _with_progress(
    ctx: Any, work: Callable[[ProgressCallback], Summary]
) -> Generator[Any, None, Summary]:
    """Run work that reports by callback, as a generator of progress triggers."""
    steps: queue.SimpleQueue[tuple[int, int, str]] = queue.SimpleQueue()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work, lambda *step: steps.put(step))
        while not (future.done() and steps.empty()):
            try:
                done, total, label = steps.get(timeout=0.1)
            except queue.Empty:
                continue
            yield ctx.ops.set_progress(progress=done / max(total, 1), label=label)
        return future.result()


def _for_people(value: str | int | float) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def ask_folder(form: types.Object, name: str, label: str, description: str) -> None:
    """Add a folder chooser to a form."""
    form.file(
        name,
        label=label,
        description=description,
        required=True,
        view=types.FileExplorerView(
            choose_dir=True, button_label="Choose a folder", choose_button_label="Take"
        ),
    )


def chosen_folder(ctx: Any, name: str) -> Path | None:
    """The folder chosen in a form; None if there is none yet.

    Called from Python, the parameter may also be a plain path.
    """
    value = ctx.params.get(name)
    if isinstance(value, dict):
        value = value.get("absolute_path")
    return Path(value) if value else None


def imported_methods(dataset: Any) -> list[str]:
    """Names of the methods whose masks a dataset holds, in order of import.

    Raises:
        InputError: there are none.
    """
    from s3fo.datasets import recall_predictions

    names = list(recall_predictions(dataset))
    if not names:
        raise InputError(
            f"dataset {dataset.name}",
            "no predictions",
            "at least one method's masks",
            "Import predictions or run a method first.",
        )
    return names


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
