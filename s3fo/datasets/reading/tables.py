"""What a dataset holds about an evaluation, as tables.

Panels ask for these at every click, so they are read as whole columns and kept until
the labels they are made of change. The tables have the columns of `evaluation`, so
everything that works on scores from files works on them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import fiftyone as fo
import pandas as pd

from evaluation.attributes import Attributes
from evaluation.breakdown import Breakdown
from evaluation.breakdown import breakdown as break_down
from evaluation.breakdown import differences as find_differences
from evaluation.errors import InputError
from evaluation.failures.costs import object_weights
from evaluation.options import InputOptions
from evaluation.protocols import ScoringProtocol, get_protocol
from evaluation.results.scores import Scores
from s3fo.datasets.field_names import AUDIT, OBJECT_FACTS, OBJECT_SCORES
from s3fo.datasets.reading.cache import cached, refresh
from s3fo.datasets.reading.label_tables import (
    AUDIT_COLUMNS,
    EVENT_COLUMNS,
    OBJECT_COLUMNS,
    audit_rows,
    event_rows,
    object_rows,
    score_table,
)
from s3fo.datasets.reading.scope import limit, present_scope
from s3fo.datasets.reading.stored_labels import StoredLabels, read_labels
from s3fo.datasets.schema import FIRST_MADE, evaluations, remembered

if TYPE_CHECKING:
    from s3fo.datasets.scoring.model_evaluation import VOSEvaluationConfig


def vos_evaluations(dataset: fo.Dataset) -> list[str]:
    """Keys of the evaluations made by `evaluate`, oldest first."""
    return [
        key
        for key in evaluations(dataset)
        if dataset.has_sample_field(f"{key}_objects")
    ]


def evaluations_as_they_came(dataset: fo.Dataset) -> list[str]:
    """The same in the order in which each was first made: that of their colours.

    One that was made again, in its own place, is the latest of `vos_evaluations`.
    """
    there = vos_evaluations(dataset)
    first = remembered(dataset).get(FIRST_MADE, [])
    return list(dict.fromkeys([*(key for key in first if key in there), *there]))


def methods_as_they_came(dataset: fo.Dataset) -> list[str]:
    """The predictions that were evaluated, in the order of their evaluations."""
    keys = evaluations_as_they_came(dataset)
    return list(dict.fromkeys(prediction_field(dataset, key) for key in keys))


def prediction_field(dataset: fo.Dataset, eval_key: str) -> str:
    """Name of the frame field that an evaluation scored.

    Raises:
        InputError: there is no such evaluation.
    """
    return str(_config(dataset, eval_key).predictions)


def evaluation_protocol(dataset: fo.Dataset, eval_key: str) -> ScoringProtocol:
    """The rules of an evaluation.

    Raises:
        InputError: there is no such evaluation, or nothing says by which rules.
    """
    protocol = _config(dataset, eval_key).protocol
    if protocol is None:
        raise InputError(
            f"evaluation {eval_key!r}",
            "no protocol",
            "one that s3fo made",
            "Evaluate the predictions again with s3fo.",
        )
    return get_protocol(protocol)


def _config(dataset: fo.Dataset, eval_key: str) -> VOSEvaluationConfig:
    """How an evaluation was made: a `VOSEvaluationConfig`."""
    if eval_key not in dataset.list_evaluations():
        raise InputError(
            "evaluation",
            repr(eval_key),
            f"one of those there are ({', '.join(vos_evaluations(dataset)) or 'none'})",
            "If it was deleted or renamed, choose another; else evaluate first.",
        )
    return dataset.get_evaluation_info(eval_key).config


def published_score(dataset: fo.Dataset, eval_keys: Iterable[str]) -> str:
    """The J&F that evaluations are looked at by: a column of `Scores.objects`.

    The one that their benchmark publishes; where their protocols publish different
    ones, the plain J&F, which all of them have.
    """
    protocols = [evaluation_protocol(dataset, key) for key in eval_keys]
    names = {protocol.object_metric for protocol in protocols}
    return names.pop() if len(names) == 1 else "J&F"


def input_options(dataset: fo.Dataset, eval_key: str) -> InputOptions:
    """How the masks of an evaluation were read and matched."""
    config = _config(dataset, eval_key)
    return InputOptions(
        missing=config.missing,
        resize=getattr(config, "resize", None),
        binarize=getattr(config, "binarize", False),
        void=getattr(config, "void", None),
    )


def object_scores(dataset: fo.Dataset, eval_key: str) -> Scores:
    """The scores of every object, without those of the frames.

    Its objects table also has `sample_id`, and the `id` of the object's label in
    ``<eval_key>_objects``. Only the objects in the present scope are in it.

    Raises:
        InputError: there is no such evaluation, or nothing says by which rules.
    """
    scores = _all_scores(dataset, eval_key)
    if present_scope() is None:
        return scores
    own = limit(scores.objects)
    columns = {str(name): own[name].tolist() for name in own}
    return replace(scores, object_columns=columns)


def _all_scores(dataset: fo.Dataset, eval_key: str) -> Scores:
    """The scores of every object, whatever the present scope is."""
    protocol = evaluation_protocol(dataset, eval_key)
    labels = _score_labels(dataset, eval_key)
    applied = getattr(_config(dataset, eval_key), "applied", None)
    if applied is None:
        applied = input_options(dataset, eval_key).changed()
    return cached(
        dataset,
        ("scores", eval_key),
        (protocol, labels.version, tuple(sorted(applied.items()))),
        lambda: replace(score_table(labels, protocol), options=applied),
    )


def matched_proposals(
    dataset: fo.Dataset, eval_key: str, sample_id: str
) -> dict[int, int] | None:
    """Predicted index -> object id in one video, where the protocol matched them.

    None where predicted index k stands for object k.
    """
    objects = _all_scores(dataset, eval_key).objects
    if "proposal" not in objects:
        return None
    own = objects[objects["sample_id"] == sample_id]
    return dict(zip(own["proposal"], own["object"], strict=True))


def predicted_index(
    dataset: fo.Dataset, eval_key: str, sample_id: str, object_id: int
) -> int:
    """Index of the predicted labels that were scored as an object; 0 if none were."""
    matched = matched_proposals(dataset, eval_key, sample_id)
    if matched is None:
        return object_id
    return next((index for index, own in matched.items() if own == object_id), 0)


def summary(dataset: fo.Dataset, eval_key: str) -> dict[str, float]:
    """The overall scores, as the protocol averages them over the present scope.

    Raises:
        InputError: the evaluation is of an early version, which did not keep them.
    """
    if present_scope() is not None:
        return object_scores(dataset, eval_key).summary
    kept_summary = _config(dataset, eval_key).summary
    if not kept_summary:
        raise InputError(
            f"evaluation {eval_key}",
            "no overall scores",
            "those of a present version",
            "Evaluate the predictions again.",
        )
    return dict(kept_summary)


def object_table(dataset: fo.Dataset) -> pd.DataFrame:
    """One row per object: where it is and what is known about it.

    Columns: sample_id, sequence, object, label, start, end (frames, from 1), and the
    attributes as far as they were computed.
    """
    labels = _object_labels(dataset)
    key = ("objects",)
    return limit(cached(dataset, key, labels.version, lambda: object_rows(labels)))


def object_attributes(dataset: fo.Dataset) -> Attributes:
    """The attributes of every object, without those of the frames."""
    objects = object_table(dataset)
    places = ("sample_id", "label", "start", "end")
    frames = pd.DataFrame(columns=["sequence", "object", "frame"])
    return Attributes(objects.drop(columns=list(places)), frames)


def breakdown(
    dataset: fo.Dataset, eval_keys: tuple[str, ...], name: str | None = None
) -> Breakdown:
    """J&F by attribute with intervals, that of `published_score`.

    Without differences, which are those of `differences`.

    Args:
        dataset: evaluated, with attributes.
        eval_keys: evaluations, side by side; in the answer, the oldest is first.
        name: one attribute; None means all.

    Raises:
        InputError: no such evaluation, or no attributes.
    """
    # In one order, so that all questions about the same evaluations share the answer.
    eval_keys = tuple(key for key in vos_evaluations(dataset) if key in eval_keys)
    metric = published_score(dataset, eval_keys)

    def of(*keys: str) -> Breakdown:
        return break_down(
            {key: object_scores(dataset, key) for key in keys},
            object_attributes(dataset),
            None if name is None else [name],
            metric=metric,
            compare=False,
        )

    def work() -> Breakdown:
        protocols = {evaluation_protocol(dataset, key) for key in eval_keys}
        if len(protocols) == 1:
            return of(*eval_keys)
        parts = [of(key) for key in eval_keys]
        groups, trends = (
            pd.concat([getattr(part, table) for part in parts], ignore_index=True)
            for table in ("groups", "trends")
        )
        return replace(parts[0], groups=groups, trends=trends)

    basis = _basis(dataset, eval_keys, metric)
    return cached(dataset, ("breakdown", eval_keys, name), basis, work)


def _basis(
    dataset: fo.Dataset, eval_keys: tuple[str, ...], metric: str
) -> tuple[Hashable, ...]:
    """Changes whenever what is said of evaluations by attribute does."""
    labels = [_score_labels(dataset, key) for key in eval_keys]
    versions = [item.version for item in (_object_labels(dataset), *labels)]
    protocols = [evaluation_protocol(dataset, key) for key in eval_keys]
    return (metric, present_scope(), *versions, *protocols)


def differences(dataset: fo.Dataset, first: str, second: str) -> pd.DataFrame:
    """By how much the second evaluation is better than the first, by attribute.

    Args:
        dataset: evaluated, with attributes.
        first: an evaluation.
        second: another one.

    Returns:
        The `differences` of `evaluation.breakdown.Breakdown`: a is the first.

    Raises:
        InputError: no such evaluation, or they were made by different protocols.
    """
    if first == second:
        raise InputError(
            "evaluations to compare", f"{first} twice", "two", "Choose another one."
        )
    if evaluation_protocol(dataset, first) != evaluation_protocol(dataset, second):
        raise InputError(
            f"{first} and {second}",
            "scores by different protocols",
            "one protocol",
            "Evaluate the predictions of one by the protocol of the other.",
        )
    # In one order, so that both ways round share the answer.
    pair = tuple(key for key in vos_evaluations(dataset) if key in (first, second))
    metric = published_score(dataset, pair)
    rows = cached(
        dataset,
        ("differences", pair),
        _basis(dataset, pair, metric),
        lambda: find_differences(
            {key: object_scores(dataset, key) for key in pair},
            object_attributes(dataset),
            metric=metric,
        ),
    )
    if rows["a"].iloc[0] == first:
        return rows
    return rows.assign(
        a=rows["b"],
        b=rows["a"],
        b_minus_a=-rows["b_minus_a"],
        low=-rows["high"],
        high=-rows["low"],
        b_wins=1 - rows["b_wins"],
    )


def event_table(dataset: fo.Dataset, eval_key: str) -> pd.DataFrame:
    """One row per failure event, the most costly first.

    Columns: id, sample_id, sequence, object, kind, other, rank, start, worst, end
    (frames, from 1), n_frames, cost (in J&F of the benchmark), loss (frames of J&F),
    worst_J, worst_F, recovers, onset (list of str), tags (list of str).

    In a scope of some objects, costs are in the J&F of these objects.
    """
    labels = _labels(dataset, f"{eval_key}_failures", EVENT_COLUMNS)
    events = cached(
        dataset, ("events", eval_key), labels.version, lambda: event_rows(labels)
    )
    return (
        events if present_scope() is None else _weigh_events(dataset, eval_key, events)
    )


def audit_table(dataset: fo.Dataset) -> pd.DataFrame:
    """One row per event in which the ground truth looks wrong, the surest first.

    Columns: id, sample_id, sequence, object, kind, other (object, None for none), rank
    (from 1), start, end (frames, from 1), n_frames, confidence, reason, tags (list of
    str). Of the present scope.
    """
    labels = _labels(dataset, AUDIT, AUDIT_COLUMNS)
    key = ("audit events",)
    return limit(cached(dataset, key, labels.version, lambda: audit_rows(labels)))


def _weigh_events(
    dataset: fo.Dataset, eval_key: str, events: pd.DataFrame
) -> pd.DataFrame:
    """The events of the present scope, with costs in the J&F of its objects."""
    keys = ["sequence", "object"]
    whole = object_weights(_all_scores(dataset, eval_key))
    part = object_weights(object_scores(dataset, eval_key))
    both = part.merge(whole, on=keys, suffixes=("", "_of_all"))
    both["factor"] = both["weight"] / both["weight_of_all"]
    own = limit(events).merge(both[[*keys, "factor"]], on=keys, how="left")
    own["cost"] *= own.pop("factor")
    return own.sort_values("cost", ascending=False, ignore_index=True)


def _score_labels(dataset: fo.Dataset, eval_key: str) -> StoredLabels:
    # Their attributes are left out: they are those of `objects`.
    names = ("_id", "index", *OBJECT_SCORES.values(), *OBJECT_FACTS)
    return _labels(dataset, f"{eval_key}_objects", names)


def _object_labels(dataset: fo.Dataset) -> StoredLabels:
    return _labels(dataset, "objects", OBJECT_COLUMNS)


def _labels(dataset: fo.Dataset, field: str, names: tuple[str, ...]) -> StoredLabels:
    return refresh(
        dataset,
        ("labels", field),
        lambda known: read_labels(dataset, field, names, known),
    )
