"""Views saved with an evaluation, to choose in the App; they follow its labels."""

from __future__ import annotations

from collections.abc import Iterable

import fiftyone as fo
from fiftyone import ViewField

from evaluation.failures import FailureKind
from s3fo.datasets.scoring.review import TAGS, reviewed_events, tagged
from s3fo.datasets.views.failure_maps import delete_failure_map
from s3fo.datasets.views.worst import lowest_objects, object_score

_WORST, _SWAPS, _RETURN = "worst objects", "identity swaps", "after return"
_MOST = 20
"""Objects in the view of the worst ones."""


def save_views(dataset: fo.Dataset, eval_key: str) -> None:
    """Save the views that have something to show, as "<eval_key> worst objects" etc.

    Args:
        dataset: evaluated, with or without failures.
        eval_key: the evaluation.
    """
    names = [_WORST]
    if dataset.has_sample_field(f"{eval_key}_failures"):
        names += [_SWAPS, _RETURN, *reviewed_events(dataset, eval_key)["review"]]
    score = object_score(dataset, eval_key)
    _save(dataset, eval_key, dict.fromkeys(names), score)


def rename_views(dataset: fo.Dataset, eval_key: str, new_eval_key: str) -> None:
    """Save the views anew after the fields that they are of were renamed."""
    # The clips of a map of failures are of the field's old name.
    delete_failure_map(dataset, eval_key)
    names = _saved_views(dataset, eval_key)
    # FiftyOne renames the evaluation itself last: it is still known by its old key.
    score = object_score(dataset, eval_key)
    delete_views(dataset, eval_key)
    _save(dataset, new_eval_key, names, score)


def delete_views(dataset: fo.Dataset, eval_key: str) -> None:
    """Take back what `save_views` and `tag_event` saved; views of others stay."""
    for name in _saved_views(dataset, eval_key):
        dataset.delete_saved_view(f"{eval_key} {name}")


def _saved_views(dataset: fo.Dataset, eval_key: str) -> list[str]:
    names = (_WORST, _SWAPS, _RETURN, *TAGS)
    return [name for name in names if dataset.has_saved_view(f"{eval_key} {name}")]


def _save(dataset: fo.Dataset, eval_key: str, names: Iterable[str], score: str) -> None:
    for name in names:
        view = _view(dataset, eval_key, name, score)
        dataset.save_view(f"{eval_key} {name}", view, overwrite=True)


def _view(dataset: fo.Dataset, eval_key: str, name: str, score: str) -> fo.DatasetView:
    if name == _WORST:
        return lowest_objects(dataset, eval_key, score, _MOST)
    if name in TAGS:
        return tagged(dataset, eval_key, name)
    label = ViewField("label")
    swapped = label == FailureKind.IDENTITY_SWAP.value
    late = label == FailureKind.LATE_RECOVERY.value
    returned = late | ViewField("onset").contains("after_return")
    chosen = {_SWAPS: swapped, _RETURN: returned}[name]
    return dataset.filter_labels(f"{eval_key}_failures", chosen)
