"""What a view shows: whole videos, clips of them, or frames."""

from __future__ import annotations

from typing import NamedTuple

import fiftyone as fo


class LabelFilter(NamedTuple):
    """A stage that takes labels out of a view.

    Attributes:
        selects: whether it names the labels that stay, whichever field they are in.
        fields: that it is about; none means all.
    """

    selects: bool
    fields: tuple[str, ...]


def count_stages(view: fo.DatasetView | fo.Dataset) -> int:
    """Stages of a view as the App counts them."""
    return len(view.view()._serialize())


def is_of_clips(view: fo.DatasetView | fo.Dataset) -> bool:
    """Whether a view shows clips of videos."""
    return bool(view._is_clips)


def is_of_frames(view: fo.DatasetView | fo.Dataset) -> bool:
    """Whether a view shows frames of videos."""
    return bool(view._is_frames)


def shown_dataset(view: fo.DatasetView | fo.Dataset) -> fo.Dataset:
    """The dataset that FiftyOne makes of the clips or frames that a view shows."""
    return view._dataset


def has_layout(dataset: fo.Dataset, name: str, layout: fo.Space) -> bool:
    """Whether there is a workspace of that name with just this layout.

    Unlike `load_workspace`, notes no loading of it.
    """
    if not dataset.has_workspace(name):
        return False
    saved = dataset._get_workspace_doc(name).child.to_dict()
    saved.pop("_name", None)  # the child repeats it
    return bool(saved == layout.to_dict())


def label_filters(view: fo.DatasetView | fo.Dataset) -> list[LabelFilter]:
    """The stages of a view that take labels out of fields, in their order.

    Returns:
        Per stage whether it says which labels stay, and the fields it is about; no
        field means all of them.
    """
    found = []
    for stage in view.view()._serialize():
        name = stage["_cls"].rsplit(".", 1)[-1]
        given = dict(stage["kwargs"])
        if name in ("FilterLabels", "FilterField") and given.get("field"):
            found.append(LabelFilter(False, (given["field"],)))
        elif name in ("SelectLabels", "ExcludeLabels"):
            fields = given.get("fields") or ()
            fields = (fields,) if isinstance(fields, str) else tuple(fields)
            found.append(LabelFilter(name == "SelectLabels", fields))
    return found


def filters_frames(view: fo.DatasetView | fo.Dataset) -> bool:
    """Whether a view leaves frames of videos out."""
    stages = view.view()._serialize()
    return any(stage["_cls"].endswith(".MatchFrames") for stage in stages)


def clips_of(view: fo.DatasetView | fo.Dataset) -> str | None:
    """The label field that the clips of a view are of; None if of something else."""
    for stage in reversed(view.view()._serialize()):
        if stage["_cls"].endswith(".ToClips"):
            field = dict(stage["kwargs"]).get("field_or_expr")
            return field if isinstance(field, str) else None
    return None


def is_of_patches(view: fo.DatasetView | fo.Dataset) -> bool:
    """Whether a view shows patches of objects."""
    return bool(view._is_patches)


def is_grouped_by_field(samples: fo.core.collections.SampleCollection) -> bool:
    """Whether a view shows one sample for each of the groups that `group_by` made."""
    return bool(samples._is_dynamic_groups)


def changing_stages(view: fo.DatasetView | fo.Dataset) -> list[str]:
    """Names of the stages of a view that do more than choose and order samples."""
    names = [type(stage).__name__ for stage in view.view()._all_stages]
    return [name for name in names if name not in _CHOOSING]


_CHOOSING = frozenset(
    {
        "Exclude", "ExcludeBy", "ExcludeFields", "Exists", "Limit", "Match",
        "MatchLabels", "MatchTags", "Select", "SelectBy", "SelectFields", "Shuffle",
        "Skip", "SortBy", "SortBySimilarity", "Take",
    }
)  # fmt: skip
