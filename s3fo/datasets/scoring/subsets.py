"""Scores of some of the objects, and what the Model Evaluation panel offers of them.

All numbers are those of `evaluation.breakdown`: means over objects, of the scores that
an evaluation stored per object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import fiftyone as fo
import numpy as np
import pandas as pd

from evaluation.attributes import attribute_title
from evaluation.breakdown.groups import attribute_groups
from evaluation.breakdown.tables import choose_columns
from s3fo.datasets._fiftyone import (
    Scenario,
    derived_id,
    has_id,
    is_of,
    is_of_clips,
    is_of_frames,
    root_dataset,
    update_scenarios,
)
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.reading.scope import Object
from s3fo.datasets.reading.tables import (
    breakdown,
    object_scores,
    object_table,
    published_score,
    summary,
    vos_evaluations,
)
from s3fo.datasets.views.objects_shown import objects_shown

METRICS = {
    "J&F": "J&F",
    "J": "J_mean",
    "F": "F_mean",
    "J&F_adaptive": "J&F_adaptive",
    "F_adaptive": "F_adaptive_mean",
}
"""Name of an overall score that is shown -> column of `Scores.objects`."""

Subset = list[dict[str, object]]
"""What FiftyOne's evaluation results take as a subset."""


def subset_score(
    samples: fo.core.collections.SampleCollection, eval_key: str, metric: str
) -> float | None:
    """One score of the objects that a collection shows.

    Args:
        samples: the evaluated dataset, or a view of it.
        eval_key: the evaluation.
        metric: one of `METRICS`.

    Returns:
        Of all objects, the overall score as the protocol averages it; of some, the
        mean over them, as a breakdown has it; None if there is none.

    Raises:
        InputError: there is no such evaluation.
    """
    dataset = root_dataset(samples)
    objects = object_scores(dataset, eval_key).objects
    if METRICS[metric] not in objects:
        return None
    shown = objects_shown(samples)
    kept = np.array([place in shown for place in _places(objects)], dtype=bool)
    if kept.all():
        return summary(dataset, eval_key).get(metric)
    values = objects[METRICS[metric]].to_numpy(float)[kept]
    values = values[~np.isnan(values)]
    return float(np.mean(values)) if len(values) else None


def attribute_subsets(dataset: fo.Dataset, name: str) -> dict[str, Subset]:
    """The groups of objects under an attribute, named with their scores.

    Args:
        dataset: evaluated, with attributes.
        name: of the attribute.

    Returns:
        Name, such as "heavy: 0.612 (7 objects)", -> subset, in a breakdown's order.

    Raises:
        InputError: no such attribute, or no evaluation.
    """
    keys = tuple(vos_evaluations(dataset))
    rows = breakdown(dataset, keys, name).groups
    rows = rows[rows["attribute"] == name]
    scored = _select_scored(dataset, keys)
    groups = attribute_groups(scored[name])
    found: dict[str, Subset] = {}
    for group, own in rows.groupby("group", sort=False):
        means = dict(zip(own["method"], own["mean"], strict=True))
        members = _places(scored[groups == group])
        title = _name_subset(str(group), means, len(members))
        found[title] = [_subset(dataset, members)]
    return found


def _select_scored(dataset: fo.Dataset, eval_keys: Iterable[str]) -> pd.DataFrame:
    """The rows of `object_table` that any evaluation scored."""
    scored: set[Object] = set()
    for key in eval_keys:
        scored.update(_places(object_scores(dataset, key).objects))
    table = object_table(dataset)
    return table[[place in scored for place in _places(table)]]


def _places(table: pd.DataFrame) -> list[Object]:
    """Which objects the rows of a table are about."""
    return [
        (str(sample_id), int(number))
        for sample_id, number in zip(table["sample_id"], table["object"], strict=True)
    ]


def view_subsets(dataset: fo.Dataset) -> dict[str, Subset]:
    """What the saved views of a dataset show, named with its scores.

    Views of clips and of frames are left out: evaluations are of whole videos.
    """
    keys = vos_evaluations(dataset)
    metric = published_score(dataset, keys)
    found: dict[str, Subset] = {}
    for name, view in _views_of_videos(dataset):
        members = objects_shown(view)
        means = {
            key: mean
            for key in keys
            if (mean := subset_score(view, key, metric)) is not None
        }
        if means:
            title = _name_subset(name, means, len(members))
            found[title] = [{"type": "view", "view": name}, _subset(dataset, members)]
    return found


def _views_of_videos(dataset: fo.Dataset) -> Iterator[tuple[str, fo.DatasetView]]:
    for name in dataset.list_saved_views():
        view = dataset.load_saved_view(name)
        if not (is_of_clips(view) or is_of_frames(view)):
            yield name, view


def save_scenarios(dataset: fo.Dataset) -> None:
    """Offer the attributes and saved views as scenarios of the Model Evaluation panel.

    The panel shows its own figures of detections only: ours stand in the names of the
    subsets. Scenarios of others stay; those of ours that have nothing to show go.

    Args:
        dataset: with or without evaluations.
    """
    keys = tuple(vos_evaluations(dataset))
    stamps = [str(dataset.get_evaluation_info(key).timestamp) for key in keys]
    made = {
        item["id"]: item
        for item in (
            _scenario(*about, stamps) for about in _list_scenarios(dataset, keys)
        )
    }

    def change(known: dict[str, Scenario]) -> dict[str, Scenario]:
        others = {
            key: item
            for key, item in known.items()
            if _OURS not in str(item["subsets"])
        }
        return others | made

    update_scenarios(dataset, change)


_OURS = "from s3fo.datasets.model_evaluation import"
"""So begins the code of our scenarios."""


def _list_scenarios(
    dataset: fo.Dataset, keys: tuple[str, ...]
) -> Iterable[tuple[str, str, str]]:
    """Name, function and its further argument of every scenario that says something."""
    if not keys or object_table(dataset).empty:
        return
    for name in choose_columns(_select_scored(dataset, keys), None):
        title = attribute_title(name).lower()
        yield f"J&F by {title}", "attribute_subsets", f", {name!r}"
    if any(_views_of_videos(dataset)):
        yield "J&F of saved views", "view_subsets", ""


def _scenario(name: str, function: str, further: str, stamps: list[str]) -> Scenario:
    # FiftyOne keeps what it worked out by the code: other scores need other code.
    code = (
        f"{_OURS} {function}\n\n"
        f"# Evaluated: {', '.join(stamps)}\n"
        f"subsets = {function}(ctx.dataset{further})\n"
    )
    key = str(derived_id(f"scenario {name}"))
    return {"id": key, "name": name, "type": "custom_code", "subsets": code}


def _name_subset(name: str, means: Mapping[str, float], n_objects: int) -> str:
    """A subset's name: with one evaluation its score, with several each one's."""
    scores = [f"{mean:.3f}" for mean in means.values()]
    if len(means) > 1:
        scores = [f"{key} {mean:.3f}" for key, mean in means.items()]
    counted = f"{n_objects} object{'s' * (n_objects != 1)}"
    return f"{name}: {', '.join(scores)} ({counted})"


def _subset(dataset: fo.Dataset, members: Iterable[Object]) -> dict[str, object]:
    """The ground truth of some objects, as FiftyOne filters it."""
    wanted = set(members)
    labels = f"frames.{GROUND_TRUTH}.detections"
    paths = [f"{labels}.{name}" for name in ("index", "instance._id", "id")]
    instances, alone = set(), []
    for sample_id, *columns in zip(*dataset.values(["id", *paths]), strict=True):
        for index, instance, own in _labels(columns):
            if (str(sample_id), index) not in wanted:
                continue
            if instance is None:
                alone.append(str(own))
            else:
                instances.add(str(instance))
    kept = is_of(sorted(instances))
    return {"type": "attribute", "expr": kept | has_id(alone) if alone else kept}


def _labels(columns: list[list[list[object]]]) -> Iterable[tuple[object, ...]]:
    """The labels of one video, as their values in each of some columns."""
    for frames in zip(*(column or () for column in columns), strict=True):
        yield from zip(*(values or () for values in frames), strict=True)
