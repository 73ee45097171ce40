"""What every operator shares: the form, progress, a result or a readable error."""

from __future__ import annotations

import queue
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

from fiftyone.operators import types

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.plugin.context import Context, in_app, take_stage_params
from s3fo.plugin.shared.changes import changes
from s3fo.plugin.shared.described import DescribedOperator
from s3fo.plugin.shared.outcome import (
    Step,
    Summary,
    error_notice,
    error_window,
    report_window,
    result_window,
)
from s3fo.plugin.shared.trouble import describe


class FormOperator(DescribedOperator):
    """An operator that asks by a form, which says what is wrong with the answers."""

    settings: ClassVar = dict.fromkeys(("dynamic", "allow_delegated_execution"), True)

    @abstractmethod
    def fields(self, ctx: Context, form: types.Object) -> None:
        """Fill the form.

        Raises:
            InputError: what was entered so far cannot work; shown in the form.
        """

    def resolve_input(self, ctx: Context) -> types.Property:
        """The form, with whatever is wrong with it said in it."""
        form = types.Object()
        try:
            self.fields(ctx, form)
        except InputError as error:
            warning = error_notice(error, "warning")
            form.view("problem", warning, invalid=True, error_message=str(error))
        _take_plain_paths(ctx, form)
        view = types.View(label=self.label, description=self.description)
        return types.Property(form, view=view)


class VOSOperator(FormOperator):
    """An operator that maps a form to one library function.

    Subclasses fill the form (`fields`), call the library (`work`), and say what one
    does next (`next_steps`). Long work shows progress whether it runs at once or
    delegated.

    Attributes:
        titles: figures of the summary -> what people read, where that is not the same.
    """

    settings: ClassVar = {**FormOperator.settings, "execute_as_generator": True}
    titles: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Call the library.

        Raises:
            InputError: it cannot be done; shown to the user.
        """

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """Where one goes from the result; the first is the most likely."""
        return ()

    def finish(self, ctx: Context, summary: Summary) -> Iterator[object]:
        """Triggers for the App after the work is done: show what has changed."""
        yield from changes(ctx)

    def resolve_output(self, ctx: Context) -> types.Property | None:
        """The result of a delegated run, among FiftyOne's runs."""
        if not ctx.results:
            return None
        return self._result(ctx, ctx.results)[0]

    def execute(self, ctx: Context) -> object:
        """Run for the App (a generator of triggers), or for others (the summary).

        Others are Python, agents and delegated runs: their result is what was done.
        """
        take_stage_params(ctx)
        if in_app(ctx) and not ctx.delegated and not ctx.pipeline:
            return self._run_in_app(ctx)

        def tell(done: int, total: int, label: str) -> None:
            if ctx.delegated:
                ctx.set_progress(progress=done / max(total, 1), label=label)

        return dict(self.work(ctx, tell))

    def _run_in_app(self, ctx: Context) -> Iterator[object]:
        # An error that is raised would reach the App as a broken connection.
        title = f"{self.label}: not done"
        try:
            summary = yield from _with_progress(ctx, lambda tell: self.work(ctx, tell))
        except InputError as error:
            window = error_window(title, error)
            yield ctx.ops.show_output(outputs=window.to_json(), results={})
            return
        except Exception as error:
            text, _ = describe(error)
            window = report_window(title, text)
            yield ctx.ops.show_output(outputs=window.to_json(), results={})
            return
        yield from self.finish(ctx, summary)
        window, shown = self._result(ctx, summary)
        yield ctx.ops.show_output(outputs=window.to_json(), results=shown)

    def _result(
        self, ctx: Context, summary: Summary
    ) -> tuple[types.Property, dict[str, str]]:
        steps = self.next_steps(ctx, summary)
        return result_window(f"{self.label}: done", summary, steps, self.titles)


def _take_plain_paths(ctx: Context, form: types.Object) -> None:
    """Let Python and agents give a folder as text, which FiftyOne would not check."""
    for name, asked in form.properties.items():
        given = ctx.params.get(name)
        if isinstance(asked.type, types.File) and isinstance(given, (str, Path)):
            ctx.params[name] = {"absolute_path": str(given)}


def _with_progress(
    ctx: Context, work: Callable[[ProgressCallback], Summary]
) -> Generator[object, None, Summary]:
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
