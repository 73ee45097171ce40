"""Frames inside video files."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from s3fo.benchmarks.video_file import iterate_frames

COS_SIN = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}


def write_video(path: Path, clockwise: int) -> None:
    """One frame, white in its upper left corner, that players turn clockwise."""
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:24, :24] = 255
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, width=96, height=64)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    path.write_bytes(turned(path.read_bytes(), clockwise))


def turned(mp4: bytes, clockwise: int) -> bytes:
    """Write a turn into the track header's matrix (ISO/IEC 14496-12, 8.3.2)."""
    cos, sin = (value << 16 for value in COS_SIN[clockwise])
    plain = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    matrix = struct.pack(">9i", cos, sin, 0, -sin, cos, 0, 0, 0, 1 << 30)
    start = mp4.index(plain, mp4.index(b"tkhd"))
    return mp4[:start] + matrix + mp4[start + len(matrix) :]


@pytest.mark.parametrize(
    ("clockwise", "corner"),
    [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))],
)
def test_frames_come_as_players_show_them(tmp_path, clockwise, corner):
    path = tmp_path / "phone.mp4"
    write_video(path, clockwise)
    (frame,) = iterate_frames(path)
    assert frame.shape == ((64, 96, 3) if clockwise in (0, 180) else (96, 64, 3))
    assert frame.flags.c_contiguous
    corners = {(y, x): frame[y, x].min() for y in (0, -1) for x in (0, -1)}
    assert max(corners, key=corners.get) == corner
