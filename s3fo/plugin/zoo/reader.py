"""A video reader of ours in the place of FiftyOne's, which needs ffmpeg and ffprobe.

FiftyOne opens every video with ``eta.core.video.FFmpegVideoReader`` before it hands a
sample to a video model, also to one that reads the frames itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import eta.core.video as etav
import numpy as np

from s3fo.benchmarks.video_file import count_frames, iterate_frames


class VideoReader:
    """Reads a video by PyAV, and only if somebody asks for its frames.

    Args:
        inpath: the video.
        frames: 1-based frame numbers to give, any iterable; None for all.
    """

    def __init__(self, inpath: str, frames: Iterable[int] | None = None) -> None:
        self.inpath = inpath
        self.frames = None if frames is None else frozenset(frames)

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[np.ndarray]:
        """The frames in playing order, each [H, W, 3] uint8 RGB."""
        for number, picture in enumerate(iterate_frames(Path(self.inpath)), start=1):
            if self.frames is None or number in self.frames:
                yield picture

    @property
    def total_frame_count(self) -> int:
        """Number of frames in the video."""
        return count_frames(Path(self.inpath))


_lock = threading.Lock()
_users = 0
_theirs: Any = None


def use_our_reader() -> None:
    """Let FiftyOne open videos with `VideoReader` from now on.

    Calls may nest and overlap in threads; each needs a `restore_reader` of its own.
    """
    global _users, _theirs
    with _lock:
        if _users == 0:
            _theirs, etav.FFmpegVideoReader = etav.FFmpegVideoReader, VideoReader
        _users += 1


def restore_reader() -> None:
    """End what one `use_our_reader` began; after the last one FiftyOne's is back."""
    global _users
    with _lock:
        _users -= 1
        if _users == 0:
            etav.FFmpegVideoReader = _theirs
