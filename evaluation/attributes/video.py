"""What attributes need of a video, and how to see bare masks as videos."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from evaluation._utils.names import as_names
from evaluation.errors import InputError
from evaluation.masks.encoding import (
    AS_OBJECT,
    RIMMED,
    background_as_object,
    encoding_of,
    is_blended,
    without_background,
)
from evaluation.masks.ignored import IGNORED
from evaluation.masks.label_map import LabelMap, Mask
from evaluation.masks.names import match_names, shown
from evaluation.masks.open import open_ground_truth
from evaluation.masks.pictures import IMAGE_SUFFIXES
from evaluation.masks.prepare import (
    ignore_regions,
    merge_objects,
    without_label,
    without_void,
)
from evaluation.masks.sequence import MaskSequence, natural
from evaluation.options import DEFAULT_OPTIONS, InputOptions
from evaluation.protocols import VOID

_MAX_STEP = 100
"""Names that count in larger steps than this, on average, are no frame numbers."""


NOTHING_ANNOTATED = "no object in any annotated frame"
"""What to say of a video whose ground truth is blank."""


class AnnotatedVideo(Protocol):
    """The part of a video description that attributes and failures read.

    `fps`, `attributes` (official tags), `known_objects` (with categories) and
    `object_masks` (overlapping annotations) are used where a video has them.

    Attributes:
        name: unique within the benchmark.
        frames: names of all frames in playing order.
        images: image file by frame name; may be empty.
        annotated_frames: names of the frames with ground truth.
    """

    @property
    def name(self) -> str:
        """Unique within the benchmark."""
        ...

    @property
    def frames(self) -> Sequence[str]:
        """Names of all frames in playing order."""
        ...

    @property
    def images(self) -> Mapping[str, Path]:
        """Image file by frame name; may be empty."""
        ...

    @property
    def annotated_frames(self) -> Sequence[str]:
        """Names of the frames with ground truth."""
        ...

    def read_annotation(self, frame: str) -> LabelMap:
        """Label map [H, W] of an annotated frame, void as background."""
        ...


@dataclass(frozen=True)
class MaskVideo:
    """Masks in whatever form, with a folder of images beside them or not."""

    masks: MaskSequence
    images: Mapping[str, Path]
    fps: float | None = None
    options: InputOptions = DEFAULT_OPTIONS

    @property
    def name(self) -> str:
        """Name of the video."""
        return self.masks.name

    @cached_property
    def frames(self) -> tuple[str, ...]:
        """Names of all frames: images and masks together, in natural order.

        Without images the numbers in the masks' names tell which frames lie between.
        """
        named = sorted({*self.images, *self.masks.frames}, key=natural)
        return tuple(named if self.images else _with_frames_between(named))

    @property
    def annotated_frames(self) -> tuple[str, ...]:
        """Names of the frames with masks."""
        return self.masks.frames

    @property
    def object_masks(self) -> MaskSequence | None:
        """The masks where objects may overlap."""
        return self.masks if self.masks.overlapping else None

    @cached_property
    def binary(self) -> bool:
        """Whether the masks are 0/255 pictures of one object.

        The first mask that is not empty tells.
        """
        if self.options.binarize:
            require_background(self.masks)
        if self.options.binarize or self.masks.overlapping:
            return self.options.binarize
        for frame in self.masks.frames:
            label_map = np.asarray(self.masks.read(frame))
            if label_map.any():
                return encoding_of(label_map, self.masks.where(frame)).binary
        return False

    @cached_property
    def ignored(self) -> int | None:
        """Label of the regions that MOTS ignores, where no other void is given."""
        return self.masks.ignored if self.options.void is None else None

    def read_annotation(self, frame: str) -> LabelMap:
        """Label map [H, W]; 255 is void, unless it is the only object there is."""
        label_map = self.masks.read(frame)
        assert not isinstance(label_map, dict)
        void = self.ignored if self.options.void is None else self.options.void
        return _prepare(label_map, void, None if self.binary else VOID)


def require_background(masks: MaskSequence) -> None:
    """Refuse label maps whose values would all become one object, the whole frame.

    Raises:
        InputError: every mask has several values, and none of them is 0.
    """
    errors = []
    for frame in masks.frames:
        label_map = masks.read(frame)
        error = None
        if not isinstance(label_map, dict):
            error = without_background(label_map, masks.where(frame))
        if error is None:
            return
        errors.append(error)
    if errors:
        raise errors[0]


def _prepare(label_map: LabelMap, void: int | None, own_void: int | None) -> LabelMap:
    """A label map as it is compared.

    Args:
        label_map: as stored.
        void: label that is said to be void; None for none.
        own_void: label that is no object in any case; None where all are one object.
    """
    masks = without_label(label_map, void)
    merged = merge_objects(masks) if own_void is None else masks
    return without_label(merged, own_void)  # type: ignore[return-value]


class _LabelVideo:
    """A video of label maps, one label of which is said to be void."""

    def __init__(self, video: Any, void: int) -> None:
        self._video, self._void = video, void
        self._stored = replace(video, binary=False, void=None)
        self._own_void = None if video.binary else VOID

    def __getattr__(self, name: str) -> Any:
        return getattr(self._video, name)

    def read_annotation(self, frame: str) -> LabelMap:
        label_map = self._stored.read_annotation(frame)
        return _prepare(label_map, self._void, self._own_void)


class _ObjectVideo:
    """A video with per-object masks, read with input options."""

    def __init__(self, video: Any, options: InputOptions) -> None:
        self._video, self._options = video, options

    def __getattr__(self, name: str) -> Any:
        return getattr(self._video, name)

    @property
    def object_masks(self) -> _ObjectVideo:
        return self

    @cached_property
    def _masks(self) -> MaskSequence:
        masks: MaskSequence = self._video.object_masks
        return masks.binarized() if self._options.binarize else masks

    def read(self, frame: str) -> LabelMap | dict[int, Mask]:
        masks, _ = without_void(self._masks.read(frame), {}, self._options.void)
        return masks


def open_videos(
    ground_truth: Any,
    images: str | Path | None = None,
    fps: float | None = None,
    options: InputOptions = DEFAULT_OPTIONS,
) -> list[AnnotatedVideo]:
    """The videos of a benchmark, of a list of sequences, or of bare masks.

    Args:
        ground_truth: an object with `.sequences`, a list of sequences, or what
            `evaluation.score` takes as ground truth: a folder, JSON, arrays.
        images: `<root>/<sequence>/<frame>.jpg` beside bare masks.
        fps: of bare masks.
        options: how masks are read: `binarize` and `void`.

    Raises:
        InputError: there are no masks.
    """
    if hasattr(ground_truth, "sequences"):
        return [_with_options(video, options) for video in ground_truth.sequences]
    if not isinstance(ground_truth, (str, Path, Mapping)):
        return [_with_options(video, options) for video in ground_truth]
    root = Path(images) if images else None
    masks = open_ground_truth(ground_truth).sequences
    videos = [
        MaskVideo(
            one.binarized() if options.binarize else one,
            _images_of(one, root),
            fps,
            options,
        )
        for one in masks.values()
    ]
    # Of masks that may overlap this is known without reading any.
    return [
        _with_options(
            video,
            ignore_regions(options, video.masks, ())
            if video.masks.overlapping
            else options,
        )
        for video in videos
    ]


def _with_options(video: Any, options: InputOptions) -> Any:
    """A video whose annotations are read with the options, or as it is."""
    if not options.binarize and options.void is None:
        return video
    if getattr(video, "object_masks", None) is not None:
        return _ObjectVideo(video, options)
    if isinstance(video, MaskVideo):
        return replace(video, options=options)
    if not is_dataclass(video):
        return video
    binary = options.binarize or getattr(video, "binary", False)
    if options.void is None:
        return replace(video, binary=binary)  # type: ignore[type-var]
    video = replace(video, binary=binary, void=options.void)  # type: ignore[type-var]
    return _LabelVideo(video, options.void)


def odd_masks(video: AnnotatedVideo) -> list[str]:
    """What to know of the masks of a video, in sentences without a subject.

    The first and the last annotated frame are looked at.
    """
    notes = [IGNORED] if getattr(video, "ignored", None) is not None else []
    frames = video.annotated_frames
    behind: set[int | None] = set()
    for frame in dict.fromkeys((*frames[:1], *frames[-1:])):
        masks = read_objects(video, frame)
        if isinstance(masks, dict):
            return notes
        if is_blended(masks):
            return [*notes, RIMMED]
        behind.add(background_as_object(masks))
    if len(behind) == 1 and None not in behind:
        notes.append(AS_OBJECT.format(*behind))
    return notes


def read_objects(video: AnnotatedVideo, frame: str) -> LabelMap | dict[int, Mask]:
    """Ground truth of a frame: masks per object where they may overlap."""
    masks = getattr(video, "object_masks", None)
    return video.read_annotation(frame) if masks is None else masks.read(frame)


def _with_frames_between(names: Sequence[str]) -> Sequence[str]:
    """Names of frames numbered without holes; as they are if they do not count."""
    if not all(name.isascii() and name.isdecimal() for name in names):
        return names
    counted = range(int(names[0]), int(names[-1]) + 1)
    width = min(len(name) for name in names)
    between = [f"{number:0{width}d}" for number in counted[: _MAX_STEP * len(names)]]
    return between if set(names) <= set(between) else names


def choose_videos(
    videos: list[AnnotatedVideo], names: str | Collection[str] | None
) -> list[AnnotatedVideo]:
    """The videos of these names, in their order; all for None.

    Raises:
        InputError: there is none of a name.
    """
    if names is None:
        return videos
    wanted, known = set(as_names(names)), {video.name for video in videos}
    if unknown := sorted(wanted - known):
        raise InputError(
            "sequences",
            ", ".join(unknown),
            f"some of {', '.join(sorted(known)[:20])}",
            "Name sequences of the ground truth.",
        )
    return [video for video in videos if video.name in wanted]


def _images_of(masks: MaskSequence, root: Path | None) -> dict[str, Path]:
    """Images by frame; those called nearly like the masks, under the masks' names.

    Raises:
        InputError: images count from another number than masks.
    """
    if root is None:
        return {}
    folder = root / masks.name
    files = {
        path.stem: path
        for path in folder.glob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
    }
    without = [frame for frame in masks.frames if frame not in files]
    if not without or not files:
        return files
    names = match_names(masks.frames, tuple(files)).names
    if len(names) == len(masks.frames):
        return {frame: files[name] for frame, name in names.items()}
    if len(files) == len(masks.frames) and set(files) != set(masks.frames):
        raise InputError(
            folder,
            f"images called {shown(files)}, without {shown(without)}",
            f"images called like the masks ({shown(masks.frames)})",
            "Number images and masks alike, from the same number on.",
        )
    return files
