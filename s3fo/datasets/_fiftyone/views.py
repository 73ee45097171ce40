"""What a view shows: whole videos, clips of them, or frames."""

from __future__ import annotations

import fiftyone as fo


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
