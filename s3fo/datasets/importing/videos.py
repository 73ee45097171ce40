"""Frames -> mp4, for the App only: everything that counts reads the frames.

FiftyOne plays a video sample from one file. The file made here holds exactly one
picture per frame, so that frame n of the App is frame n of the benchmark. Files
are cached by the content of the frames: encoding happens once.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import fiftyone as fo
import numpy as np
from PIL import Image

from evaluation._utils.atomic import write_atomically
from evaluation._utils.cache_dir import user_cache
from evaluation._utils.fingerprint import digest_file, digest_stream, encoded
from evaluation.attributes.video import read_objects
from evaluation.errors import InputError, InputWarning
from evaluation.masks.numbering.between_frames import TRUE_IDS_CHANGE, ids_change
from evaluation.masks.pictures import (
    compare_sizes,
    note_few_bits,
    read_picture,
    refuse_turned,
)
from s3fo.benchmarks.layouts.files import path_text
from s3fo.benchmarks.video import VideoSequence
from s3fo.benchmarks.video_file import iterate_frames

DEFAULT_FPS = 24.0
"""Frames per second where the benchmark does not say."""

# Every frame can be shown on its own within 12 steps, so the App seeks exactly;
# without B-frames and scene cuts, pictures are stored in playing order.
_ENCODER = {
    "crf": "18",
    "preset": "veryfast",
    "x264-params": "bframes=0:keyint=12:scenecut=0:threads=1",
}
_UNMADE = "none"
"""Folder of the videos that were described and not made."""

_EDITION = "1"


@dataclass(frozen=True)
class VideoFile:
    """An mp4 and what FiftyOne wants to know about it.

    Attributes:
        path: the file.
        content: hash of the frames it was made from.
        width: of the stored picture in pixels; even.
        height: of the stored picture in pixels; even.
        fps: frames per second.
        frame_count: pictures in the file = frames of the sequence.
    """

    path: Path
    content: str
    width: int
    height: int
    fps: float
    frame_count: int

    def metadata(self) -> fo.VideoMetadata:
        """What FiftyOne would otherwise ask ffprobe for."""
        return fo.VideoMetadata(
            size_bytes=self.path.stat().st_size if self.path.is_file() else None,
            mime_type="video/mp4",
            frame_width=self.width,
            frame_height=self.height,
            frame_rate=self.fps,
            total_frame_count=self.frame_count,
            duration=self.frame_count / self.fps,
            encoding_str="avc1",
        )


def make_video(sequence: VideoSequence, cache: Path | None = None) -> VideoFile:
    """Encode a sequence as H.264 mp4, or find it in the cache.

    Odd sizes are padded to even ones by repeating the last row or column.

    Args:
        sequence: its frames are images of one size, or lie in a video file.
        cache: folder to keep videos in; None means `user_cache("videos")`.

    Raises:
        InputError: no frames, an unreadable one, images of several sizes, or a
            video with another number of frames than the sequence.
    """
    fps = _checked_fps(sequence)
    content = _content_hash(sequence, fps)
    path = (cache or user_cache("videos")) / content[:2] / f"{content}.mp4"
    height, width = next(_pictures(sequence)).shape[:2]
    height, width = height + height % 2, width + width % 2
    if not path.is_file():
        _encode_atomically(sequence, path, fps, (height, width))
    return VideoFile(path, content, width, height, fps, len(sequence.frames))


def name_video(sequence: VideoSequence, cache: Path | None = None) -> VideoFile:
    """Describe the video of a sequence without making it.

    Args:
        sequence: its frames are images of one size, or lie in a video file.
        cache: as for `make_video`.

    Returns:
        The file that holds the frames already, or the path of one that does not
        exist. `content` follows from names, sizes and times of the image files.

    Raises:
        InputError: no frames, or an unreadable one.
    """
    fps = _checked_fps(sequence)
    content = digest_stream(_states(sequence, fps))
    path = (
        sequence.video or (cache or user_cache("videos")) / _UNMADE / f"{content}.mp4"
    )
    height, width = _picture_size(sequence)
    return VideoFile(path, content, width, height, fps, len(sequence.frames))


def check_mask_size(sequence: VideoSequence) -> None:
    """Hold the size of the first mask against that of the first frame.

    Labels are stored in parts of the frame, so that masks of another size are shown
    scaled: a warning says so, as it does of images that use few of their 16 bits.

    Raises:
        InputError: their sides have other proportions, viewers turn the image, or one
            cannot be read.
    """
    if not sequence.annotated_frames:
        return
    masks = read_objects(sequence, sequence.annotated_frames[0])
    one = next(iter(masks.values()), None) if isinstance(masks, dict) else masks
    if one is None:
        return
    size = _picture_size(sequence)
    more = [have - want for have, want in zip(size, one.shape, strict=True)]
    if sequence.video and set(more) <= {0, 1}:
        return  # made from images of odd sizes: videos have even ones
    path = sequence.video or sequence.images[sequence.frames[0]]
    if not sequence.video:
        refuse_turned(path, one.shape)
    few_bits = None if sequence.video else note_few_bits(path)
    for note in (compare_sizes(path, size, one.shape), few_bits):
        if note:
            warnings.warn(f"{sequence.name}: {note}", InputWarning, stacklevel=2)


def note_changing_ids(sequence: VideoSequence) -> None:
    """Warn of ground truth whose objects exchange ids again and again."""
    told = ids_change(sequence.annotated_frames, lambda f: read_objects(sequence, f))
    if told:
        warnings.warn(
            f"{sequence.name}: {TRUE_IDS_CHANGE.format(told)}",
            InputWarning,
            stacklevel=2,
        )


def is_only_named(path: Path) -> bool:
    """Whether a path is that of a video that `name_video` described."""
    return path.parent.name == _UNMADE


def _picture_size(sequence: VideoSequence) -> tuple[int, int]:
    """Height and width of the first frame; of an image, only the header is read."""
    if sequence.video:
        height, width = next(_pictures(sequence)).shape[:2]
        return height, width
    path = sequence.images[sequence.frames[0]]
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except OSError as error:
        raise _unreadable(path) from error


def _checked_fps(sequence: VideoSequence) -> float:
    if not sequence.frames:
        raise InputError(
            sequence.name, "no frames", "at least one", "Check the image folder."
        )
    return sequence.fps or DEFAULT_FPS


def _content_hash(sequence: VideoSequence, fps: float) -> str:
    return digest_stream(_contents(sequence, fps))


def _contents(sequence: VideoSequence, fps: float) -> Iterator[bytes]:
    yield f"{_EDITION} {fps!r}".encode()
    for path in _files(sequence):
        try:
            yield digest_file(path)
        except OSError as error:
            raise _unreadable(path) from error


def _states(sequence: VideoSequence, fps: float) -> Iterator[bytes]:
    """Names, sizes and times of the files, which tell a change without reading."""
    yield f"{_EDITION} {fps!r} not encoded".encode()
    for file in _files(sequence):
        try:
            status = os.stat(file)
        except OSError as error:
            raise _unreadable(file) from error
        yield encoded(f"{file} {status.st_size} {status.st_mtime_ns}")


def _files(sequence: VideoSequence) -> list[str]:
    """The video, or the images in playing order."""
    if sequence.video:
        return [str(sequence.video)]
    return [path_text(sequence.images, frame) for frame in sequence.frames]


def _pictures(sequence: VideoSequence) -> Iterator[np.ndarray]:
    """The frames in playing order, each [H, W, 3] uint8 BGR."""
    if sequence.video:
        for picture in iterate_frames(sequence.video):
            yield np.ascontiguousarray(picture[..., ::-1])
        return
    # Masks know nothing of EXIF rotation, so the picture must not be turned either.
    for path in _files(sequence):
        yield read_picture(path)


def _encode_atomically(
    sequence: VideoSequence, path: Path, fps: float, size: tuple[int, int]
) -> None:
    write_atomically(path, lambda part: _encode(sequence, str(part), fps, size))


def _encode(
    sequence: VideoSequence, path: str, fps: float, size: tuple[int, int]
) -> None:
    rate = Fraction(fps).limit_denominator(1001)
    options = {"movflags": "+faststart"}
    count = 0
    with av.open(path, "w", format="mp4", options=options) as container:
        stream: Any = container.add_stream("libx264", rate=rate, options=_ENCODER)
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = 1 / rate
        for picture in _pictures(sequence):
            even = _pad(picture, size, f"{sequence.name}, frame {count + 1}")
            frame = av.VideoFrame.from_ndarray(even, format="bgr24")
            # Counted, not timed: no rounding can lose or double a frame.
            frame.pts, frame.time_base = count, 1 / rate
            container.mux(stream.encode(frame))
            count += 1
        container.mux(stream.encode(None))
    if count != len(sequence.frames):
        raise InputError(
            sequence.video or sequence.name,
            f"{count} frames",
            f"{len(sequence.frames)} frames, as the sequence lists",
            "Check that the video is whole.",
        )


def _pad(picture: np.ndarray, size: tuple[int, int], where: str) -> np.ndarray:
    bottom, right = size[0] - picture.shape[0], size[1] - picture.shape[1]
    if bottom not in (0, 1) or right not in (0, 1):
        raise InputError(
            where,
            f"a picture of {picture.shape[1]}x{picture.shape[0]} pixels",
            f"about {size[1]}x{size[0]}, as the first frame of the sequence",
            "All frames of a sequence must have one size.",
        )
    return cv2.copyMakeBorder(picture, 0, bottom, 0, right, cv2.BORDER_REPLICATE)


def _unreadable(path: Path | str) -> InputError:
    return InputError(
        path,
        "no readable image",
        "a JPEG or PNG image",
        "Check that the file exists and is complete.",
    )
