"""Clips of events, which the player steps through in the order of their ranks."""

from __future__ import annotations

from collections.abc import Sequence

import fiftyone as fo
from fiftyone import ViewExpression

from s3fo.datasets._fiftyone import has_id


def clips_of_events(
    dataset: fo.Dataset, field: str, ids: Sequence[str], named: ViewExpression
) -> fo.DatasetView:
    """Clips of some events, by rank; each knows its video.

    Args:
        dataset: with the events on it.
        field: sample field of the events, labels with a `rank`.
        ids: of the events' labels.
        named: what the tile of an event's label says.
    """
    view = dataset.filter_labels(field, has_id(ids))
    view = view.set_field(f"{field}.detections.label", named)
    return view.to_clips(field, other_fields=["sequence"]).sort_by(f"{field}.rank")
