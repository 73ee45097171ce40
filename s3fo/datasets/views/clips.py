"""Clips of events, which the player steps through in order."""

from __future__ import annotations

from collections.abc import Sequence

import fiftyone as fo
from fiftyone import ViewExpression

from s3fo.datasets._fiftyone import has_id


def clips_of_events(
    dataset: fo.Dataset,
    field: str,
    ids: Sequence[str],
    named: ViewExpression,
    *,
    as_given: bool = False,
) -> fo.DatasetView:
    """Clips of some events; each knows its video.

    Args:
        dataset: with the events on it.
        field: sample field of the events, labels with a `rank`.
        ids: of the events' labels.
        named: what the tile of an event's label says.
        as_given: whether they come in the order of `ids`, else by rank.
    """
    view = dataset.filter_labels(field, has_id(ids))
    view = view.set_field(f"{field}.detections.label", named)
    clips = view.to_clips(field, other_fields=["sequence"])
    if as_given:  # A clip has the id of its label.
        return clips.select(list(ids), ordered=True)
    return clips.sort_by(f"{field}.rank")
