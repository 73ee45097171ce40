"""Frames of a sequence, decoded ahead in threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Thread

import cv2
import numpy as np

from evaluation.errors import InputError
from evaluation.masks.pictures import read_picture
from s3fo.benchmarks.video import VideoSequence
from s3fo.benchmarks.video_file import iterate_frames

_THREADS = 2
_AHEAD = 6


def read_image(path: Path) -> np.ndarray:
    """Decode one image file, [H, W, 3] uint8 RGB.

    A rotation tag is ignored, as masks have none; see `refuse_turned`.

    Raises:
        InputError: missing, empty or broken file.
    """
    pixels = read_picture(path)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


class VideoEndsEarly(InputError):
    """A video file holds fewer frames than it says."""


def read_frames(
    sequence: VideoSequence, *, ahead: int = _AHEAD
) -> Generator[tuple[str, np.ndarray], None, None]:
    """Walk through a sequence while the next frames are decoded.

    At most `ahead` + 1 frames are held, however long the video is.

    Args:
        sequence: of image files or one video file.
        ahead: frames decoded in advance.

    Yields:
        frame name and image [H, W, 3] uint8 RGB, in playing order.

    Raises:
        InputError: a frame is missing or broken, or a video file ends early.
    """
    if sequence.video is None:
        return _read_files(sequence, ahead)
    return _read_video(sequence.video, sequence.frames, ahead)


def _read_files(
    sequence: VideoSequence, ahead: int
) -> Generator[tuple[str, np.ndarray], None, None]:
    names = iter(sequence.frames)
    with ThreadPoolExecutor(_THREADS, "decode") as pool:
        waiting: deque[tuple[str, Future[np.ndarray]]] = deque()

        def order(count: int) -> None:
            for name in islice(names, count):
                waiting.append((name, pool.submit(read_image, sequence.images[name])))

        try:
            order(ahead)
            while waiting:
                name, image = waiting.popleft()
                order(1)
                yield name, image.result()
        finally:
            for _, image in waiting:
                image.cancel()


def _read_video(
    path: Path, names: tuple[str, ...], ahead: int
) -> Generator[tuple[str, np.ndarray], None, None]:
    queue: Queue[np.ndarray | Exception | None] = Queue(max(ahead, 1))
    stop = Event()

    def put(item: np.ndarray | Exception | None) -> None:
        while not stop.is_set():
            try:
                return queue.put(item, timeout=0.1)
            except Full:
                continue

    def decode() -> None:
        try:
            for image in iterate_frames(path):
                put(image)
                if stop.is_set():
                    return
            put(None)
        except Exception as error:  # handed over to the reading thread
            put(error)

    thread = Thread(target=decode, name="decode", daemon=True)
    thread.start()
    try:
        yield from _number(path, names, queue, thread)
    finally:
        stop.set()
        thread.join()


def _number(
    path: Path,
    names: tuple[str, ...],
    queue: Queue[np.ndarray | Exception | None],
    thread: Thread,
) -> Generator[tuple[str, np.ndarray], None, None]:
    for index, name in enumerate(names):
        item = _next(queue, thread)
        if isinstance(item, Exception) and not (index and isinstance(item, InputError)):
            raise item
        if item is None or isinstance(item, Exception):
            raise VideoEndsEarly(
                path,
                f"{index} frames that can be decoded",
                f"{len(names)}, as the file says",
                "Copy the video again or write it anew.",
            )
        yield name, item


def _next(
    queue: Queue[np.ndarray | Exception | None], thread: Thread
) -> np.ndarray | Exception | None:
    while True:
        try:
            return queue.get(timeout=0.5)
        except Empty:
            if not thread.is_alive() and queue.empty():
                return None
