"""What a view shows: how much of which video, and how the App counts it."""

from __future__ import annotations

import fiftyone as fo

from s3fo.datasets._fiftyone import (
    count_stages,
    has_id,
    is_of_clips,
    is_of_frames,
    shown_dataset,
)

__all__ = ["count_stages", "has_id", "video_shown"]


def video_shown(view: fo.DatasetView | fo.Dataset, open_id: str) -> tuple[str, int]:
    """Which video is open, also where it is a clip or a frame of it that is.

    Args:
        view: what the grid shows: videos, clips of them, or frames.
        open_id: id of the video, clip or frame that is open.

    Returns:
        Id of the video; the first frame that is shown of it, from 1.
    """
    if not (is_of_clips(view) or is_of_frames(view)):
        return open_id, 1
    begins = "support" if is_of_clips(view) else "frame_number"
    # FiftyOne makes a dataset of clips, and one of frames; grouped, a view of it shows
    # one frame per video.
    places = shown_dataset(view).select(open_id).values(["sample_id", begins])
    found = list(zip(*places, strict=True))
    if not found:
        return open_id, 1
    sample_id, first = found[0]
    return str(sample_id), int(first[0] if is_of_clips(view) else first)
