"""One video frame by frame: images and first masks in, label maps out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from pathlib import Path

import numpy as np

from evaluation.errors import InputError
from evaluation.masks.pictures import refuse_turned
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.methods.base import AnyMethod, Method, VideoMethod
from s3fo.inference.running.reader import VideoEndsEarly, read_frames
from s3fo.inference.running.writer import MaskWriter


def segment_video(
    sequence: VideoSequence,
    method: AnyMethod,
    out: Path,
    saved: Iterable[str],
    frame_done: Callable[[], None] = lambda: None,
    publish: Callable[[Path], None] | None = None,
) -> None:
    """Segment one video; its folder appears complete or not at all.

    Frames before the first object get an empty label map.

    Args:
        sequence: the video.
        method: follows the objects.
        out: the results folder.
        saved: names of the frames to write.
        frame_done: called after every frame; never for a `VideoMethod`.
        publish: gives the finished folder of masks its name; by default that of the
            sequence in `out`, where nothing may be yet.

    Raises:
        InputError: no object to follow, a broken frame, sizes that do not match.
    """
    if not sequence.prompt_frames():
        raise InputError(
            sequence.name,
            "no annotated object",
            "a mask of each object in the frame of its first appearance",
            "Give the folder with these masks.",
        )
    with MaskWriter(out / sequence.name, publish) as writer:
        if isinstance(method, VideoMethod):
            method.segment(sequence, tuple(saved), writer.unfinished)
        else:
            _segment_frames(sequence, method, writer, frozenset(saved), frame_done)


def _segment_frames(
    sequence: VideoSequence,
    method: Method,
    writer: MaskWriter,
    wanted: frozenset[str],
    frame_done: Callable[[], None],
) -> None:
    prompts, last_frame = sequence.prompt_frames(), sequence.frames[-1]
    shape: tuple[int, ...] | None = None
    begun = False
    method.start(sequence)
    with closing(_as_far_as_it_goes(sequence)) as frames:
        for frame, image in frames:
            shape = shape or image.shape
            _check_size(sequence, frame, "an image", image.shape, shape)
            prompt = sequence.read_prompt(frame) if frame in prompts else None
            if prompt is not None:
                if sequence.video is None:
                    refuse_turned(sequence.images[frame], prompt.shape)
                _check_size(sequence, frame, "a mask", prompt.shape, shape[:2])
            begun = begun or prompt is not None
            if begun:
                label_map = method.step(image, prompt, last=frame == last_frame)
            else:
                label_map = np.zeros(image.shape[:2], np.uint8)
            if frame in wanted:
                writer.write(frame, label_map)
            frame_done()


def _as_far_as_it_goes(
    sequence: VideoSequence,
) -> Generator[tuple[str, np.ndarray], None, None]:
    """The frames of a sequence; a video that was cut ends where it ends."""
    count = 0
    with closing(read_frames(sequence)) as frames:
        try:
            for item in frames:
                count += 1
                yield item
        except VideoEndsEarly:
            if not count:
                raise


def _check_size(
    sequence: VideoSequence,
    frame: str,
    what: str,
    found: tuple[int, ...],
    expected: tuple[int, ...],
) -> None:
    if found != expected:
        raise InputError(
            f"{sequence.name}, frame {frame}",
            f"{what} of {found[1]}x{found[0]} pixels",
            f"{expected[1]}x{expected[0]}, as in the first frame",
            "Use images and masks of one resolution.",
        )
