"""What a dataset holds about an evaluation, as tables.

Panels ask for these at every click, so they are read as whole columns and kept until
the dataset changes. The tables have the columns of `evaluation`, so everything that
works on scores from files works on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import fiftyone as fo
import pandas as pd

from evaluation.attributes import ATTRIBUTES, Attributes
from evaluation.by_attribute import Breakdown
from evaluation.by_attribute import breakdown as break_down
from evaluation.errors import InputError
from evaluation.protocols import Protocol, get_protocol
from evaluation.scores import Scores
from s3fo.benchmarks import Benchmark
from s3fo.datasets.attributes import COMPUTED, OFFICIAL, shown_attributes
from s3fo.datasets.fields import GROUND_TRUTH
from s3fo.datasets.records import recall_benchmark

_SCORE_COLUMNS = {
    "J": "J_mean",
    "F": "F_mean",
    "JF": "J&F",
    "J_recall": "J_recall",
    "F_recall": "F_recall",
    "J_decay": "J_decay",
    "F_decay": "F_decay",
}
_EVENT_COLUMNS = {
    "index": "object",
    "label": "kind",
    "other": "other",
    "rank": "rank",
    "worst_frame": "worst",
    "cost": "cost",
    "severity": "loss",
    "worst_J": "worst_J",
    "worst_F": "worst_F",
    "recovers": "recovers",
}
_RESAMPLES = 1000
"""Of the bootstrap: intervals to two digits, at the speed of a click."""

_KEPT = 64
_memory: dict[tuple[Any, ...], Any] = {}

Value = TypeVar("Value")


def vos_evaluations(dataset: fo.Dataset) -> list[str]:
    """Keys of the evaluations made by `evaluate`, oldest first."""
    return [
        key
        for key in dataset.list_evaluations()
        if dataset.has_sample_field(f"{key}_objects")
    ]


def prediction_field(dataset: fo.Dataset, eval_key: str) -> str:
    """Name of the frame field that an evaluation scored."""
    config = dataset.get_evaluation_info(eval_key).config
    return str(config.pred_field.removeprefix("frames."))


def evaluation_protocol(dataset: fo.Dataset, eval_key: str) -> Protocol:
    """The rules of an evaluation.

    Raises:
        InputError: there is no such evaluation.
    """
    if eval_key not in vos_evaluations(dataset):
        raise InputError(
            "eval_key",
            repr(eval_key),
            f"one of {', '.join(vos_evaluations(dataset)) or 'no evaluations yet'}",
            "Evaluate predictions first.",
        )
    return get_protocol(dataset.get_evaluation_info(eval_key).config.protocol)


def object_scores(dataset: fo.Dataset, eval_key: str) -> Scores:
    """The scores of every object, without those of the frames.

    Its objects table also has `sample_id`, and the `id` of the object's label in
    ``<eval_key>_objects``.

    Raises:
        InputError: there is no such evaluation.
    """
    protocol = evaluation_protocol(dataset, eval_key)
    return remembered(
        dataset,
        ("scores", eval_key),
        lambda: _read_scores(dataset, eval_key, protocol),
    )


def summary(dataset: fo.Dataset, eval_key: str) -> dict[str, float]:
    """The overall scores, as they were when the evaluation was made."""
    config = dataset.get_evaluation_info(eval_key).config
    return getattr(config, "summary", None) or object_scores(dataset, eval_key).summary


def object_table(dataset: fo.Dataset) -> pd.DataFrame:
    """One row per object: where it is and what is known about it.

    Columns: sample_id, sequence, object, label, start, end (frames, from 1), and the
    attributes as far as they were computed.
    """
    return remembered(dataset, ("objects",), lambda: _read_objects(dataset))


def object_attributes(dataset: fo.Dataset) -> Attributes:
    """The attributes of every object, without those of the frames."""
    objects = object_table(dataset)
    places = ("sample_id", "label", "start", "end")
    frames = pd.DataFrame(columns=["sequence", "object", "frame"])
    return Attributes(objects.drop(columns=list(places)), frames)


def breakdown(
    dataset: fo.Dataset, eval_keys: tuple[str, ...], name: str | None = None
) -> Breakdown:
    """J&F by attribute with intervals.

    Args:
        dataset: evaluated, with attributes.
        eval_keys: evaluations, side by side.
        name: one attribute; None means all.

    Raises:
        InputError: no such evaluation, or no attributes.
    """

    def work() -> Breakdown:
        scores = {key: object_scores(dataset, key) for key in eval_keys}
        return break_down(
            scores,
            object_attributes(dataset),
            None if name is None else [name],
            resamples=_RESAMPLES,
        )

    return remembered(dataset, ("breakdown", eval_keys, name), work)


def event_table(dataset: fo.Dataset, eval_key: str) -> pd.DataFrame:
    """One row per failure event, the most costly first.

    Columns: id, sample_id, sequence, object, kind, other, rank, start, worst, end
    (frames, from 1), n_frames, cost (in J&F of the benchmark), loss (frames of J&F),
    worst_J, worst_F, recovers, onset (list of str), tags (list of str).
    """
    return remembered(
        dataset, ("events", eval_key), lambda: _read_events(dataset, eval_key)
    )


def object_frames(dataset: fo.Dataset, eval_key: str, sample_id: str) -> pd.DataFrame:
    """Scores of one video, frame by frame.

    Returns:
        One row per object and scored frame: object, number (of the frame, from 1), J,
        F, visible (whether the ground truth shows the object), overlap (share of its
        box under the boxes of other objects; NaN where it is not visible).
    """
    field = prediction_field(dataset, eval_key)
    return remembered(
        dataset,
        ("frames", eval_key, sample_id),
        lambda: _read_frames(dataset.select(sample_id), field, eval_key),
    )


def worst_frame(
    dataset: fo.Dataset, eval_key: str, sample_id: str, object_id: int
) -> int:
    """Number of the frame in which an object's J&F is lowest, from 1.

    An object that was not scored in any frame gives 1.
    """
    frames = object_frames(dataset, eval_key, sample_id)
    own = frames[frames["object"] == object_id].dropna(subset=["J", "F"])
    if own.empty:
        return 1
    lowest = int((own["J"] + own["F"]).to_numpy().argmin())
    return int(own["number"].iloc[lowest])


def benchmark_of(dataset: fo.Dataset) -> Benchmark:
    """The benchmark a dataset was loaded from, opened once."""
    return remembered(dataset, ("benchmark",), lambda: recall_benchmark(dataset))


def remembered(
    dataset: fo.Dataset, question: tuple[Any, ...], work: Callable[[], Value]
) -> Value:
    """The answer to a question about a dataset, worked out again when it changed."""
    key = (str(dataset._doc.id), _state(dataset), *question)
    if key not in _memory:
        answer = work()
        while len(_memory) >= _KEPT:
            _memory.pop(next(iter(_memory)), None)
        _memory[key] = answer
    value: Value = _memory[key]
    return value


def _state(dataset: fo.Dataset) -> tuple[Any, ...]:
    """Changes whenever the dataset or one of its samples does; both are indexed."""
    latest = dataset._sample_collection.find_one(
        {}, {"last_modified_at": 1}, sort=[("last_modified_at", -1)]
    )
    samples = dataset._sample_collection.estimated_document_count()
    newest = latest and latest.get("last_modified_at")
    return dataset.last_modified_at, newest, samples


def _raw(dataset: fo.Dataset, field: str) -> list[tuple[str, str, list[dict]]]:
    """Sample id, sequence and the raw labels of one field, of every sample."""
    if not dataset.has_sample_field(field):
        return []
    found = dataset._sample_collection.find(
        {}, {"sequence": 1, f"{field}.detections": 1}
    )
    return [
        (str(doc["_id"]), doc["sequence"], (doc.get(field) or {}).get("detections", []))
        for doc in found
    ]


def _read_scores(dataset: fo.Dataset, eval_key: str, protocol: Protocol) -> Scores:
    places = ("sequence", "object", "sample_id", "id")
    columns: dict[str, list[Any]] = {name: [] for name in places}
    columns |= {column: [] for column in _SCORE_COLUMNS.values()}
    extra: dict[str, list[Any]] = {"proposal": [], "group": []}
    for sample_id, sequence, labels in _raw(dataset, f"{eval_key}_objects"):
        for label in labels:
            place = (sequence, label["index"], sample_id, str(label["_id"]))
            for name, value in zip(places, place, strict=True):
                columns[name].append(value)
            for name, column in _SCORE_COLUMNS.items():
                value = label.get(name)
                columns[column].append(float("nan") if value is None else value)
            for name, values in extra.items():
                values.append(label.get(name))
    columns |= {
        name: values for name, values in extra.items() if values and None not in values
    }
    return Scores(protocol, {}, columns, fingerprint="")


def _read_objects(dataset: fo.Dataset) -> pd.DataFrame:
    numbers = [item.name for item in shown_attributes()]
    rows = []
    for sample_id, sequence, labels in _raw(dataset, "objects"):
        for label in labels:
            start, end = label["support"]
            row = {
                "sample_id": sample_id,
                "sequence": sequence,
                "object": label["index"],
                "label": label["label"],
                "start": start,
                "end": end,
            }
            row |= {
                name: label[name] for name in numbers if label.get(name) is not None
            }
            row |= {f"auto_{tag}": True for tag in label.get(COMPUTED) or ()}
            row |= {f"official_{tag}": True for tag in label.get(OFFICIAL) or ()}
            rows.append(row)
    table = pd.DataFrame(rows)
    names = [str(name) for name in table]
    tags = [name for name in names if name.startswith(("auto_", "official_"))]
    table[tags] = table[tags].notna()
    order = [*names[:6], *(name for name in ATTRIBUTES if name in names)]
    return table[order + [name for name in names if name not in order]]


def _read_events(dataset: fo.Dataset, eval_key: str) -> pd.DataFrame:
    rows = []
    for sample_id, sequence, labels in _raw(dataset, f"{eval_key}_failures"):
        for label in labels:
            start, end = label["support"]
            row: dict[str, Any] = {"id": str(label["_id"]), "sample_id": sample_id}
            row |= {"sequence": sequence, "start": start, "end": end}
            row |= {name: label.get(key) for key, name in _EVENT_COLUMNS.items()}
            row |= {"onset": label.get("onset") or [], "tags": label.get("tags") or []}
            rows.append({**row, "n_frames": end - start + 1})
    names = ["id", "sample_id", "sequence", "start", "end", *_EVENT_COLUMNS.values()]
    table = pd.DataFrame(rows, columns=[*names, "onset", "tags", "n_frames"])
    return table.sort_values("cost", ascending=False, ignore_index=True)


def _read_frames(view: fo.DatasetView, field: str, eval_key: str) -> pd.DataFrame:
    paths = [f"frames.{field}.detections.{name}" for name in ("index", "J", "F")]
    truth = f"frames.{GROUND_TRUTH}.detections"
    paths += [f"{truth}.{name}" for name in ("index", "bounding_box", eval_key)]
    columns = view.values(["frames.frame_number", *paths])
    rows = []
    for number, ids, regions, contours, seen, boxes, fates in zip(
        *(column[0] for column in columns), strict=True
    ):
        shown = dict(zip(seen or (), boxes or (), strict=True))
        scored = dict(
            zip(ids or (), zip(regions or (), contours or (), strict=True), strict=True)
        )
        for object_id, fate in zip(seen or (), fates or (), strict=True):
            if fate == "fn":
                # Nothing was predicted, so there is no label to carry the zeros.
                scored.setdefault(object_id, (0.0, 0.0))
        for object_id in sorted({*shown, *scored}):
            j, f = scored.get(object_id, (None, None))
            rows.append(
                (
                    object_id,
                    number,
                    j,
                    f,
                    object_id in shown,
                    _overlap(object_id, shown),
                )
            )
    names = ["object", "number", "J", "F", "visible", "overlap"]
    table = pd.DataFrame(rows, columns=names)
    return table.astype({"J": float, "F": float})


def _overlap(object_id: int, boxes: dict[int, list[float]]) -> float:
    """Largest share of an object's box under the box of another object."""
    if object_id not in boxes:
        return float("nan")
    left, top, width, height = boxes[object_id]
    largest = 0.0
    for other, (x, y, w, h) in boxes.items():
        if other == object_id or width * height == 0:
            continue
        across = max(0.0, min(left + width, x + w) - max(left, x))
        down = max(0.0, min(top + height, y + h) - max(top, y))
        largest = max(largest, across * down / (width * height))
    return largest
