"""Which objects a view leaves: what "of what is shown" means in numbers."""

from __future__ import annotations

from collections.abc import Iterator

import fiftyone as fo

from s3fo.datasets._fiftyone import (
    clips_of,
    filters_frames,
    is_of_clips,
    is_of_frames,
    label_filters,
    root_dataset,
)
from s3fo.datasets.field_names import AUDIT, GROUND_TRUTH
from s3fo.datasets.reading.scope import Object, limited_to
from s3fo.datasets.reading.tables import (
    matched_proposals,
    object_table,
    prediction_field,
    vos_evaluations,
)


def objects_shown(view: fo.DatasetView | fo.Dataset) -> set[Object]:
    """The objects of a dataset that a view shows.

    An object is shown if its video is, and if every filter of labels, in the view or
    in the sidebar, leaves a label of it: of `objects`, of the scores and failures of
    an evaluation, of the ground truth, or of predictions that were evaluated. Clips of
    labels show the objects of these labels; other clips, frames, and videos of which
    frames are left out, show the objects that are annotated in what is left.

    Args:
        view: of a dataset made by `load_benchmark`; clips and frames too.
    """
    dataset = root_dataset(view)
    with limited_to(None):
        table = object_table(dataset)
    videos = set(map(str, view.values(_sample_id(view))))
    places = zip(table["sample_id"], table["object"], strict=True)
    shown = {(str(own), int(number)) for own, number in places if own in videos}
    if is_of_clips(view) or is_of_frames(view) or filters_frames(view):
        shown &= set(_left(view, clips_of(view) or f"frames.{GROUND_TRUTH}"))
    known = _known_fields(dataset)
    for stage in label_filters(view):
        named = {field.removeprefix("frames.") for field in stage.fields}
        fields = [path for path in known if not named or _bare(path) in named]
        left = [set(_left(view, path)) for path in fields if _has(view, path)]
        if not left:
            continue  # A field that says nothing about objects.
        for own in [set().union(*left)] if stage.selects else left:
            shown &= own
    return shown


def _known_fields(dataset: fo.Dataset) -> list[str]:
    """Fields whose labels each are of one object."""
    keys = vos_evaluations(dataset)
    predictions = dict.fromkeys(prediction_field(dataset, key) for key in keys)
    paths = [
        "objects",
        *(f"{key}_objects" for key in keys),
        *(f"{key}_failures" for key in keys),
        AUDIT,
        f"frames.{GROUND_TRUTH}",
        *(f"frames.{name}" for name in predictions),
    ]
    return [path for path in paths if dataset.has_field(path)]


def _left(view: fo.DatasetView | fo.Dataset, path: str) -> Iterator[Object]:
    """The objects that the labels of a field in a view are of."""
    path = _in_view(view, path)
    labels = f"{path}.detections" if view.has_field(f"{path}.detections") else path
    ids, indices = view.values([_sample_id(view), f"{labels}.index"])
    mapped = _Mapping(root_dataset(view), _bare(path))
    for sample_id, own in zip(ids, indices, strict=True):
        for index in set(_flat(own)):
            number = mapped.object_of(str(sample_id), index)
            if number is not None:
                yield str(sample_id), number


class _Mapping:
    """Index of a label -> the object it is of.

    They are equal but for predictions that a protocol matched with objects.

    Args:
        dataset: evaluated.
        field: name of the field.
    """

    def __init__(self, dataset: fo.Dataset, field: str) -> None:
        self._dataset = dataset
        keys = vos_evaluations(dataset)
        own = [key for key in keys if prediction_field(dataset, key) == field]
        self._key = own[-1] if own else None
        self._known: dict[str, dict[int, int] | None] = {}

    def object_of(self, sample_id: str, index: int) -> int | None:
        """The object, or None if the label is of none."""
        if self._key is None:
            return index
        if sample_id not in self._known:
            found = matched_proposals(self._dataset, self._key, sample_id)
            self._known[sample_id] = found
        matched = self._known[sample_id]
        return index if matched is None else matched.get(index)


def _flat(values: object) -> Iterator[int]:
    """The numbers in lists of lists, whose missing ones are None."""
    if isinstance(values, (list, tuple)):
        for value in values:
            yield from _flat(value)
    elif values is not None:
        yield int(str(values))


def _sample_id(view: fo.DatasetView | fo.Dataset) -> str:
    return "sample_id" if is_of_clips(view) or is_of_frames(view) else "id"


def _bare(path: str) -> str:
    return path.removeprefix("frames.")


def _in_view(view: fo.DatasetView | fo.Dataset, path: str) -> str:
    """A path as views of frames know it: there frames are the samples."""
    return _bare(path) if is_of_frames(view) else path


def _has(view: fo.DatasetView | fo.Dataset, path: str) -> bool:
    return bool(view.has_field(_in_view(view, path)))
