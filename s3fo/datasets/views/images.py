"""The images of a dataset without mp4, to be looked at in place of videos."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import fiftyone.core.utils as fou

from s3fo.datasets.selection import refuse_parts

IMAGE_VIEW = "images"
"""Saved view of a dataset without mp4."""


_MOST_COPIED = 2000
"""Frames up to which that view is kept ready; it is a copy, and costs time to make."""


def image_sequences(dataset: fo.Dataset) -> fo.DatasetView:
    """The original images as one sequence per video, with all frame labels.

    What a dataset that was loaded without mp4 (`video="none"`) is looked at with: such
    a dataset has it as the saved view `IMAGE_VIEW`, a large one once it was opened.

    Args:
        dataset: made by `load_benchmark` from image files.
    """
    refuse_parts(dataset, "show their images")
    frames = dataset.to_frames(sample_frames=False)
    return frames.group_by("sample_id", order_by="frame_number")


def opening_view(dataset: fo.Dataset) -> fo.Dataset | fo.DatasetView:
    """What to look at first: the dataset, or its images where there are no videos."""
    if dataset.media_type != "video" or has_videos(dataset):
        return dataset
    if not dataset.has_saved_view(IMAGE_VIEW):
        _save_image_view(dataset)
    return dataset.load_saved_view(IMAGE_VIEW)


def has_videos(dataset: fo.Dataset) -> bool:
    """Whether the App's player has something to play."""
    return not len(dataset) or Path(dataset.first().filepath).is_file()


def renew_image_view(dataset: fo.Dataset) -> None:
    """Make the images' view anew, which copies the frames' fields, or drop it.

    A large one is made when it is opened.
    """
    if dataset.has_saved_view(IMAGE_VIEW):
        dataset.delete_saved_view(IMAGE_VIEW)
    if not has_videos(dataset) and _count_frames(dataset) <= _MOST_COPIED:
        _save_image_view(dataset)


def _count_frames(dataset: fo.Dataset) -> int:
    return int(dataset.sum("metadata.total_frame_count"))


def _save_image_view(dataset: fo.Dataset) -> None:
    about = "The frames as they are: there is no mp4 of these videos"
    with fou.SetAttributes(fo.config, show_progress_bars=False):
        view = image_sequences(dataset)
    dataset.save_view(IMAGE_VIEW, view, description=about)
