"""Frames inside video files, by PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation._utils.input_files import refuse_special
from evaluation.errors import InputError
from s3fo._extras import require_module

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream


def count_frames(path: Path) -> int:
    """Number of frames that decoding will give.

    The container's own count is used where it has one that agrees with its duration;
    else packets are counted, without decoding. It does not agree in a clip cut without
    encoding anew, which still holds the frames that are not to be shown.

    Raises:
        InputError: not a video that can be opened.
    """
    with _open(path) as container:
        stream = container.streams.video[0]
        if stream.frames and abs(_frames_shown(stream) - stream.frames) < 1:
            return int(stream.frames)
        packets = container.demux(stream)
        return sum(1 for packet in packets if packet.size and not packet.is_discard)


def note_missing_frames(path: Path) -> str:
    """What to say of a video with fewer frames than it promises; "" of a whole one.

    Raises:
        InputError: not a video that can be opened.

    Example:
        >>> note_missing_frames(Path("cut.avi"))  # doctest: +SKIP
        'cut.avi holds 12 of the 30 frames that it promises: was it cut off?'
    """
    with _open(path) as container:
        stream = container.streams.video[0]
        promised, exact = _read_frame_count(container, stream)
        present = _present(container, stream, path.stat().st_size)
    if present >= (promised if exact else 0.95 * promised - 1):
        return ""
    told = f"{promised}" if exact else f"about {promised}"
    return (
        f"{path.name} holds {present} of the {told} frames that it promises: was it "
        "cut off?"
    )


def _read_frame_count(
    container: InputContainer, stream: VideoStream
) -> tuple[int, bool]:
    """Frames by the file's header, and whether it counts them or tells a duration."""
    if stream.frames:
        return stream.frames, True
    frames = _frames_shown(stream)
    alone = len(container.streams) == 1  # else it may be that of the sound
    if not frames and alone and container.duration and stream.average_rate:
        frames = float(container.duration / av_time_base() * stream.average_rate)
    return round(frames), False


def _present(container: InputContainer, stream: VideoStream, size: int) -> int:
    """Frames whose bytes are in the file: by its index, if it has one of all frames."""
    index = stream.index_entries
    if stream.frames and len(index) >= stream.frames:
        return sum(1 for entry in index if entry.pos + entry.size <= size)
    return sum(1 for packet in container.demux(stream) if packet.size)


def av_time_base() -> int:
    """Units of a container's duration per second."""
    import av

    return av.time_base


def read_fps(path: Path) -> float | None:
    """Average frames per second; None where the file does not say.

    Raises:
        InputError: not a video that can be opened.
    """
    with _open(path) as container:
        rate = container.streams.video[0].average_rate
        return float(rate) if rate else None


def iterate_frames(path: Path) -> Iterator[np.ndarray]:
    """The frames in playing order, each [H, W, 3] uint8 RGB, as players show them.

    Phones write upright videos lying, with a note of how to turn them.

    Raises:
        InputError: not a video that can be opened, or one that breaks off.
    """
    import av

    with _open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        try:
            for frame in container.decode(stream):
                picture = frame.to_ndarray(format="rgb24")
                quarters = round(frame.rotation / 90) % 4
                yield np.ascontiguousarray(np.rot90(picture, quarters))
        except av.error.FFmpegError as error:
            raise InputError(
                path, f"a video that breaks off ({error})", "a whole one", "Copy again."
            ) from error


def _frames_shown(stream: VideoStream) -> float:
    """Duration in frames; none where the file does not say."""
    duration, unit, rate = stream.duration, stream.time_base, stream.average_rate
    if duration is None or unit is None or rate is None:
        return 0.0
    return float(duration * unit * rate)


def _open(path: Path) -> InputContainer:
    require_module("av")
    import av

    try:
        refuse_special(path)
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(
            path,
            f"something that cannot be opened as a video ({error})",
            "a video file such as mp4",
            "Check that the file is whole.",
        ) from error
    if not container.streams.video:
        container.close()
        raise InputError(
            path,
            "no video stream",
            "a video file",
            "Replace the file by a video that a player shows.",
        )
    return container
