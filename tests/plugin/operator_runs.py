"""Run operators as FiftyOne does: at once, delegated, from the App, form only."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators.delegated import DelegatedOperationService


def run(operator: str, dataset: fo.Dataset | None = None, **params: Any) -> None:
    """Run an operator at once, from Python."""
    if dataset is None:
        dataset = fo.Dataset()
    foo.execute_operator(
        f"@s3fo/vos/{operator}", {"dataset": dataset, "params": params}
    )


def run_delegated(operator: str, dataset: fo.Dataset, **params: Any) -> Any:
    """Queue an operator, run the queue, hand back the operation."""
    queued = foo.execute_operator(
        f"@s3fo/vos/{operator}",
        {"dataset": dataset, "params": params, "request_delegation": True},
    )
    service = DelegatedOperationService()
    assert service.get(queued.result["id"]).run_state == "queued"
    service.execute_queued_operations(operator=f"@s3fo/vos/{operator}")
    return service.get(queued.result["id"])


def triggers_in_app(operator: str, dataset: fo.Dataset, **params: Any) -> list[Any]:
    """What the App is told to do while it runs an operator, in order."""
    request = {"dataset_name": dataset.name, "params": params, "spaces": None}
    context = foo.executor.ExecutionContext(request, executor=foo.executor.Executor())
    steps = foo.get_operator(f"@s3fo/vos/{operator}").execute(context)
    return [step.body for step in steps]


def form(operator: str, dataset: fo.Dataset, **request: Any) -> dict[str, Any]:
    """The form's entries; what is not part of the App's request is a parameter."""
    around = {key: request.pop(key) for key in ("selected", "view") if key in request}
    context = foo.executor.ExecutionContext(
        {"dataset_name": dataset.name, "params": request, **around}
    )
    return (
        foo.get_operator(f"@s3fo/vos/{operator}").resolve_input(context).type.properties
    )


def problem(operator: str, dataset: fo.Dataset, **params: Any) -> str | None:
    """What the form says is wrong."""
    found = form(operator, dataset, **params).get("problem")
    return found and f"{found.view.label} {found.view.description}"


def folder(path: object) -> dict[str, str]:
    """A folder as the App's file chooser hands it over."""
    return {"absolute_path": str(path)}
