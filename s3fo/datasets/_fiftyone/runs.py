"""What is stored with an evaluation run: results, a note, a group of the sidebar."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from typing import TypedDict

import fiftyone as fo
from bson import json_util
from fiftyone.core.evaluation import EvaluationMethod
from fiftyone.operators.store import ExecutionStore

_PANEL = "model_evaluation_panel_builtin"
"""The store in which FiftyOne's Model Evaluation panel keeps its notes."""


class Scenario(TypedDict):
    """One scenario as the Model Evaluation panel keeps it, whose subsets code names."""

    id: str
    name: str
    type: str
    subsets: str


def replace_results(
    dataset: fo.Dataset,
    eval_key: str,
    evaluation: EvaluationMethod,
    parts: Iterable[str],
    meta: Mapping[str, object],
) -> None:
    """Store results whose JSON comes in parts, in place of those of before.

    What `save_run_results` does, but never with everything in memory: FiftyOne would
    hold several copies of it.

    Args:
        dataset: with the run.
        eval_key: key of the run, which is registered.
        evaluation: what registered it.
        parts: of the JSON, in order.
        meta: what the run tells of its results without their being read.
    """
    document = evaluation._get_run_doc(dataset, eval_key)
    if document.results:
        document.results.delete()
    with tempfile.TemporaryFile() as file:
        for part in parts:
            file.write(part.encode())
        file.seek(0)
        document.results.put(file, content_type="application/json")
    document.results_meta = dict(meta)
    document.save()
    getattr(dataset, evaluation._results_cache_field()).pop(eval_key, None)


def extended_json(value: object) -> str:
    """JSON of a value that may hold ids, as FiftyOne writes its results."""
    return str(json_util.dumps(value))


def write_note(dataset: fo.Dataset, eval_key: str, note: str) -> None:
    """Write what the Model Evaluation panel shows as note, beside the numbers."""
    store = ExecutionStore.create(_PANEL, dataset._doc.id)
    evaluation_id = str(dataset._doc.evaluations[eval_key].id)
    store.set("notes", {**(store.get("notes") or {}), evaluation_id: note})


def update_scenarios(
    dataset: fo.Dataset, change: Callable[[dict[str, Scenario]], dict[str, Scenario]]
) -> None:
    """Change the scenarios that the Model Evaluation panel offers.

    Args:
        dataset: evaluated.
        change: gets them by id, and returns what is there from now on.
    """
    store = ExecutionStore.create(_PANEL, dataset._doc.id)
    known = store.get("scenarios") or {}
    store.set("scenarios", change(dict(known)))


def rename_sidebar_group(
    samples: fo.core.collections.SampleCollection, name: str, new_name: str
) -> None:
    """Give a group of the App's sidebar another name; none of the name is no error."""
    samples._rename_sidebar_group(name, new_name)


def delete_empty_sidebar_group(
    samples: fo.core.collections.SampleCollection, name: str
) -> None:
    """Take a group without fields out of the App's sidebar, if there is one."""
    samples._delete_empty_sidebar_group(name)
