"""What a task does: one shard of predict or evaluate, from paths to files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from evaluation._utils.progress import ProgressCallback
from evaluation._utils.shards import Shard
from evaluation.options import InputOptions
from s3fo.cluster.task_file import Task

Result = dict[str, Any]
"""What a task has done, by name; ``failures`` are videos with the reason."""


def do(task: Task, progress: ProgressCallback) -> Result:
    """Do a task, here and now.

    Raises:
        InputError: it cannot be done.
    """
    return _VERBS[task.verb](task, progress)


def _predict(task: Task, progress: ProgressCallback) -> Result:
    from s3fo.inference import predict

    videos = task.source.open_videos().subset(task.sequences)
    run = predict(videos, task.out, progress=progress, **task.arguments)
    return {
        "finished": len(run.finished),
        "kept": len(run.kept),
        "failures": run.failures,
        "frames_per_second": run.frames_per_second,
        "notes": list(run.notes),
    }


def _evaluate(task: Task, progress: ProgressCallback) -> Result:
    from evaluation.results.shards import as_shard
    from evaluation.scoring import score_folders

    arguments = dict(task.arguments)
    options = InputOptions(**arguments.pop("options"))
    found = score_folders(
        list(task.results),
        task.source.open(),
        arguments.pop("protocol"),
        sequences=task.sequences,
        options=options,
        progress=progress,
        **arguments,
    )
    shard = Shard.parse(task.shard)
    for number, scores in enumerate(found):
        own = as_shard(scores, shard, task.n_sequences, options, arguments["unseen"])
        own.save(shard_scores(task, number))
    return {"finished": len(task.sequences), "kept": 0, "failures": {}, "notes": []}


def shard_scores(task: Task, number: int) -> Path:
    """Where an evaluating task saves the scores of its n-th folder, from 0."""
    return Path(task.out) / str(number)


_VERBS: dict[str, Callable[[Task, ProgressCallback], Result]] = {
    "predict": _predict,
    "evaluate": _evaluate,
}
