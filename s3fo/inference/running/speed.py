"""How fast a method is, and how much memory it takes, on clips made for it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import product
from pathlib import Path

import cv2
import numpy as np

from evaluation._utils.machine import hardware, installed_versions
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.masks.pictures import write_picture
from evaluation.masks.sequence import ArraySequence
from evaluation.runs.speed import SpeedRecord, SpeedRow
from s3fo.benchmarks.video import VideoObject, VideoSequence
from s3fo.inference.methods.base import AnyMethod, Method, VideoMethod
from s3fo.inference.methods.registry import build_method
from s3fo.inference.running.memory_use import PeakMemory

OBJECTS = (1, 2, 4, 8, 16)
SIZES = ((480, 854),)
LENGTHS = (50,)
WARM_UP = 5

_QUALITY = 95
_PACKAGES = ("s3fo", "numpy", "opencv-python-headless", "torch", "transformers")

_PER_FRAME = (
    "Each frame alone: the method's step, from the decoded frame to its label map; "
    "reading and writing files are left out."
)
_PER_CLIP = (
    "The whole clip: start of the program, reading its frames and writing its masks "
    "included; no frame is left out."
)


def measure_speed(
    method: str | AnyMethod,
    *,
    objects: Sequence[int] = OBJECTS,
    sizes: Sequence[tuple[int, int]] = SIZES,
    lengths: Sequence[int] = LENGTHS,
    warm_up: int = WARM_UP,
    progress: ProgressCallback | None = None,
    **options: object,
) -> SpeedRecord:
    """Measure a method on every combination of objects, frame size and length.

    The clips are textures that move, with objects in a grid, all of them given in the
    first frame. The first `warm_up` frames of each are run and not measured: they
    compile, allocate and fill the memory. Before the clock starts and before it stops,
    the device is waited for.

    Args:
        method: a method, or the name of one of `list_methods`.
        objects: numbers of objects to follow.
        sizes: heights and widths of the frames.
        lengths: frames of a clip, those of the warm-up included.
        warm_up: frames not measured, at least 1 (the one with the masks).
        progress: told after every clip.
        options: of the method.

    Raises:
        InputError: unknown options, numbers that are not positive, or clips that are
            not longer than the warm-up.

    Example:
        >>> record = measure_speed("copy", objects=(1,), lengths=(9,))
        >>> record.rows[0].frames
        4
    """
    clips = [Clip(*case) for case in product(objects, sizes, lengths)]
    _check(clips, warm_up)
    if isinstance(method, str):
        method = build_method(method, **options)
    elif options:
        raise InputError(
            "options",
            ", ".join(options),
            "none together with a built method",
            "Leave them out, or give the method's name.",
        )
    rows = []
    for done, clip in enumerate(clips, start=1):
        if isinstance(method, VideoMethod):
            rows.append(_whole_clip(method, clip))
        else:
            rows.append(_frame_by_frame(method, clip, warm_up))
        if progress:
            progress(done, len(clips), f"{clip}, {rows[-1].fps:.1f} frames/s")
    whole = isinstance(method, VideoMethod)
    return SpeedRecord(
        method=method.name,
        device=method.device,
        settings=method.settings,
        warm_up=0 if whole else warm_up,
        timing=_PER_CLIP if whole else _PER_FRAME,
        synchronisation="the program ends" if whole else _waiting(method.device)[1],
        memory="not measured" if whole else PeakMemory(method.device).of,
        rows=tuple(rows),
        versions=installed_versions(_PACKAGES),
        hardware=hardware(),
        measured=datetime.now(timezone.utc).isoformat("T", "seconds"),
    )


@dataclass(frozen=True)
class Clip:
    """A clip to measure on; its frames are the same whenever they are made.

    Attributes:
        objects: how many are in it.
        size: height and width in pixels.
        length: its frames.
    """

    objects: int
    size: tuple[int, int]
    length: int

    def __str__(self) -> str:
        return f"{self.objects} objects, {self.size[1]}x{self.size[0]}, {self.length}"

    def images(self) -> Iterator[np.ndarray]:
        """Frames [H, W, 3] uint8 of a texture that moves by two pixels per frame."""
        height, width = self.size
        random = np.random.default_rng(0)
        cells = random.integers(0, 256, (height // 16 + 2, width // 8 + 2, 3), np.uint8)
        plane = cv2.resize(cells, (2 * width, height), interpolation=cv2.INTER_CUBIC)
        for t in range(self.length):
            left = 2 * t % width
            yield np.ascontiguousarray(plane[:, left : left + width])

    def first_masks(self) -> np.ndarray:
        """Label map [H, W] of the first frame: rectangles in a grid."""
        height, width = self.size
        columns = int(np.ceil(self.objects**0.5))
        rows = -(-self.objects // columns)
        label_map = np.zeros(self.size, np.uint8 if self.objects < 256 else np.uint16)
        for k in range(self.objects):
            top, left = k // columns * height // rows, k % columns * width // columns
            label_map[
                top + height // rows // 4 : top + max(height // rows * 3 // 4, 1),
                left + width // columns // 4 : left + max(width // columns * 3 // 4, 1),
            ] = k + 1
        return label_map

    def sequence(self, folder: Path | None = None) -> VideoSequence:
        """The clip as a video; with a folder, its frames as JPEG files in it."""
        names = tuple(f"{t:05d}" for t in range(self.length))
        images = {}
        if folder is not None:
            for name, image in zip(names, self.images(), strict=True):
                images[name] = folder / f"{name}.jpg"
                write_picture(images[name], image[:, :, ::-1], _QUALITY)
        label_map = self.first_masks()
        masks = {k: label_map == k for k in range(1, self.objects + 1)}
        return VideoSequence(
            name="speed",
            frames=names,
            images=images,
            annotations={},
            known_objects=tuple(VideoObject(k, names[0]) for k in masks),
            load_object_masks=lambda: ArraySequence("speed", {names[0]: masks}),
        )


def parse_size(text: str) -> tuple[int, int]:
    """Height and width of ``"854x480"``, or of a short side ``"480"`` at 16:9.

    Raises:
        InputError: it is neither.
    """
    width, _, height = text.lower().partition("x")
    try:
        if not height:
            side = int(width)
            # Even, as those of videos are: 480 gives 854.
            return side, 2 * round(side * 16 / 9 / 2)
        return int(height), int(width)
    except ValueError as error:
        raise InputError(
            "size", repr(text), "WIDTHxHEIGHT or a short side", "Write 854x480 or 480."
        ) from error


def _check(clips: Sequence[Clip], warm_up: int) -> None:
    if not clips:
        raise InputError(
            "clips", "none", "objects, sizes and lengths", "Give one of each at least."
        )
    if warm_up < 1:
        raise InputError(
            "warm_up", f"{warm_up}", "at least 1 frame", "Leave it at its default."
        )
    for clip in clips:
        height, width = clip.size
        roomy = 1 <= clip.objects <= height * width // 64
        if not roomy or min(clip.size) < 16:
            raise InputError(
                "clip",
                f"{clip.objects} objects in {width}x{height} pixels",
                "at least 1 object, and frames of at least 16x16 with room for all",
                "Change the number of objects or the size.",
            )
        if clip.length <= warm_up:
            raise InputError(
                "length",
                f"{clip.length} frames with a warm-up of {warm_up}",
                "more frames than the warm-up takes",
                "Raise the length or lower the warm-up.",
            )


def _frame_by_frame(method: Method, clip: Clip, warm_up: int) -> SpeedRow:
    wait, _ = _waiting(method.device)
    memory = PeakMemory(method.device)
    seconds = []
    method.start(clip.sequence())
    for t, image in enumerate(clip.images()):
        prompt = clip.first_masks() if t == 0 else None
        wait()
        started = time.perf_counter()
        method.step(image, prompt)
        wait()
        seconds.append(time.perf_counter() - started)
    measured = np.array(seconds[warm_up:])
    p50, p95 = np.percentile(1000 * measured, [50, 95])
    return _row(
        clip,
        len(measured),
        float(measured.sum()),
        latency_p50_ms=round(float(p50), 3),
        latency_p95_ms=round(float(p95), 3),
        first_frame_ms=round(1000 * seconds[0], 3),
        peak_memory_mb=memory.megabytes(),
    )


def _whole_clip(method: VideoMethod, clip: Clip) -> SpeedRow:
    with tempfile.TemporaryDirectory() as folder:
        frames, masks = Path(folder) / "frames", Path(folder) / "masks"
        frames.mkdir()
        masks.mkdir()
        sequence = clip.sequence(frames)
        started = time.perf_counter()
        method.segment(sequence, sequence.frames, masks)
        seconds = time.perf_counter() - started
    return _row(clip, clip.length, seconds)


def _row(
    clip: Clip,
    frames: int,
    seconds: float,
    *,
    latency_p50_ms: float | None = None,
    latency_p95_ms: float | None = None,
    first_frame_ms: float | None = None,
    peak_memory_mb: float | None = None,
) -> SpeedRow:
    return SpeedRow(
        clip.objects,
        *clip.size,
        clip.length,
        frames,
        round(frames / max(seconds, 1e-9), 3),
        latency_p50_ms,
        latency_p95_ms,
        first_frame_ms,
        peak_memory_mb,
    )


def _waiting(device: str) -> tuple[Callable[[], None], str]:
    """How to wait for a device, and the same in words."""
    if device.startswith("cuda"):
        import torch

        place = device.split(" ")[0]
        return (
            lambda: torch.cuda.synchronize(place),
            "torch.cuda.synchronize before the clock starts and before it stops",
        )
    if device.startswith("mps"):
        import torch

        return (
            torch.mps.synchronize,
            "torch.mps.synchronize before the clock starts and before it stops",
        )
    return lambda: None, "not needed: calls on the CPU return when they are done"
