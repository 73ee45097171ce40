"""Frames inside video files."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks import open_folders
from s3fo.benchmarks.video_file import iterate_frames, note_missing_frames
from s3fo.inference import predict

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


FORMS = {
    "m.avi": ("mjpeg", "yuvj420p", {}),
    "x.avi": ("mpeg4", "yuv420p", {}),
    "faststart.mp4": ("libx264", "yuv420p", {"movflags": "faststart"}),
    "parts.mp4": ("libx264", "yuv420p", {"movflags": "frag_keyframe+empty_moov"}),
    "q.mov": ("mpeg4", "yuv420p", {"movflags": "faststart"}),
    "v.mkv": ("libx264", "yuv420p", {}),
}


def write_noise(path: Path, frames: int = 24) -> None:
    """Noise, so that the file's length is spread over its frames."""
    codec, form, options = FORMS[path.name]
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=10, width=96, height=64)
        stream.pix_fmt = form
        for seed in range(frames):
            noise = np.random.default_rng(seed).integers(0, 255, (64, 96, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, "rgb24")))
        container.mux(stream.encode())


@pytest.mark.parametrize("name", FORMS)
def test_a_cut_video_is_told_and_what_it_holds_is_kept(tmp_path, name):
    path, mask = tmp_path / name, np.zeros((64, 96), np.uint8)
    mask[10:30, 10:30] = 1
    write_label_map(tmp_path / "first.png", mask)
    write_noise(path)
    assert note_missing_frames(path) == ""
    whole = open_folders(path, tmp_path / "first.png")
    assert not any("promises" in note for note in whole.notes)
    path.write_bytes(path.read_bytes()[: int(0.55 * path.stat().st_size)])
    cut = open_folders(path, tmp_path / "first.png")
    (note,) = (note for note in cut.notes if "promises" in note)
    assert note.startswith(f"{name} holds ") and "24 frames" in note
    run = predict(cut, tmp_path / "out", method="copy")
    made = sorted((tmp_path / "out" / path.stem).glob("*.png"))
    assert run.failures == {} and 5 <= len(made) <= 16
    assert np.array_equal(read_label_map(made[-1]), mask)
    assert predict(cut, tmp_path / "out", method="copy").kept == (path.stem,)
