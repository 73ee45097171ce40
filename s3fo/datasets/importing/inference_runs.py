"""How masks were made, as a custom run of the dataset: FiftyOne's own provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fiftyone as fo

_METHOD = "s3fo/inference"
"""Kind of these runs, by which ``dataset.list_runs(method=...)`` finds them."""


def inference_run_key(name: str) -> str:
    """Key of the run behind a prediction field.

    >>> inference_run_key("cutie")
    'inference_cutie'
    """
    return f"inference_{name}"


def save_inference_run(
    dataset: fo.Dataset, name: str, made: Mapping[str, Any] | None
) -> None:
    """Keep how the masks of a prediction field were made; None forgets it.

    The run's config has the method, its settings (weights by their hash), versions and
    hardware; its results have `videos`, one record each with seconds and memory.

    Args:
        dataset: with the predictions.
        name: of the prediction field.
        made: the record in the results folder, as JSON keeps it.
    """
    key = inference_run_key(name)
    if dataset.has_run(key):
        dataset.delete_run(key)
    if made is None:
        return
    facts = {field: value for field, value in made.items() if field not in _APART}
    videos = [
        {"sequence": video, **record}
        for video, record in made.get("sequences", {}).items()
    ]
    config = dataset.init_run(
        method=_METHOD, predictions=name, segmenter=made["method"], **facts
    )
    dataset.register_run(key, config)
    results = dataset.init_run_results(key, videos=videos)
    dataset.save_run_results(key, results)


_APART = ("method", "sequences", "others", "format", "run", "replaces")
"""Parts of a record that the config has elsewhere, or that only the folder needs."""
