"""`VideoSequence`: the one description of a video that everything downstream takes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from evaluation._utils.input_files import read_input
from evaluation._utils.names import check_names, safe_name
from evaluation.errors import InputError, InputWarning
from evaluation.masks.decoder import MaskDecoder
from evaluation.masks.label_map import (
    LabelMap,
    join_objects,
    split_objects,
)
from evaluation.masks.sequence import FileSequence, MaskSequence
from evaluation.protocols import VOID
from s3fo.benchmarks.layouts.files import absolute_files, path_text


@dataclass(frozen=True)
class VideoObject:
    """One annotated object of a sequence.

    Attributes:
        object_id: pixel value in the label maps, at least 1.
        first_frame: name of the frame in which it first appears.
        category: what it is, where the benchmark says so.
        seen: whether its kind is among the training data; None where it is not known.
        frame_range: first frame number and the one to stop before, where the
            benchmark says within which frames it is scored (LVOS).
        attributes: official attributes of the object, by name.
        tracking_class: class under which its track is scored, and the group of the
            class, where the benchmark scores class by class (BURST).
    """

    object_id: int
    first_frame: str
    category: str | None = None
    seen: bool | None = None
    frame_range: tuple[int, int] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tracking_class: tuple[str, str] | None = None


@dataclass(frozen=True)
class VideoSequence:
    """One video of a benchmark: frames, annotations, objects.

    Attributes:
        name: unique within the benchmark.
        frames: frame names (file stems) in playing order.
        images: image file of each frame; empty when the frames are inside `video`.
        annotations: index-mask file of each annotated frame (may be fewer than the
            frames; none when the annotations are in `object_masks`).
        known_objects: the objects where a list says so; else they are read from the
            annotations.
        late_objects: whether objects may first appear after the first annotated
            frame; if not, only that frame is looked at to find them.
        binary: any non-zero pixel belongs to object 1 (DAVIS-2016: 0/1 or 0/255).
        void: pixel value of 8-bit files that is no object; None if all are ids.
        load_objects: makes the list of objects, where that costs reading a file.
        load_object_masks: makes `object_masks`, for annotations kept object by
            object (folders, run lengths); None for index-mask files.
        video: the video file that holds the frames; None for image files.
        fps: frames per second of `frames`; None when unknown.
        attributes: official attribute tags; empty when there are none, None when
            the sequence has not been annotated with attributes.
        listed_frames: the frames the benchmark wants results for; None means all.
    """

    name: str
    frames: tuple[str, ...]
    images: Mapping[str, Path]
    annotations: Mapping[str, Path]
    known_objects: tuple[VideoObject, ...] | None = None
    late_objects: bool = True
    binary: bool = False
    void: int | None = VOID
    load_objects: Callable[[], tuple[VideoObject, ...]] | None = None
    load_object_masks: Callable[[], MaskSequence] | None = None
    video: Path | None = None
    fps: float | None = None
    attributes: tuple[str, ...] | None = field(default=None)
    listed_frames: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Names become folders and files: refuse those that lead elsewhere."""
        safe_name(self.name, "sequence", "sequences")
        check_names(self.frames, "frame", f"sequence {self.name}", ".png")
        check_names(self.listed_frames or (), "frame", f"sequence {self.name}", ".png")

    @cached_property
    def object_masks(self) -> MaskSequence | None:
        """Masks that may overlap, object by object; None for index-mask files."""
        return self.load_object_masks() if self.load_object_masks else None

    @cached_property
    def annotated_frames(self) -> tuple[str, ...]:
        """Names of the frames that have an annotation, in playing order."""
        if self.object_masks is not None:
            return self.object_masks.frames
        return tuple(frame for frame in self.frames if frame in self.annotations)

    @cached_property
    def objects(self) -> tuple[VideoObject, ...]:
        """The annotated objects, sorted by id.

        Decodes annotations unless a list names the objects: the first one only when
        no object can appear later, as many as it takes otherwise.
        """
        known = self.known_objects
        if known is None:
            known = self.load_objects() if self.load_objects else self._find_objects()
        return tuple(sorted(known, key=lambda item: item.object_id))

    def _find_objects(self) -> tuple[VideoObject, ...]:
        wanted = self.annotated_frames
        masks = self.object_masks
        expected = None if masks is None else masks.annotated_ids()
        first_frames: dict[int, str] = {}
        for frame in wanted if self.late_objects else wanted[:1]:
            if expected is not None and expected <= first_frames.keys():
                break
            for object_id in self._ids(frame):
                first_frames.setdefault(object_id, frame)
        return tuple(VideoObject(*item) for item in first_frames.items())

    @cached_property
    def object_ids(self) -> tuple[int, ...]:
        """Ids of `objects`."""
        return tuple(item.object_id for item in self.objects)

    def read_annotation(self, frame: str) -> np.ndarray:
        """Label map of an annotated frame, void as background.

        Where per-object masks overlap, the smaller object lies on top.

        Returns:
            [H, W] uint8, or uint16 for ids above 255; 0 is background.

        Raises:
            InputError: the frame has no annotation, or its file is broken.
        """
        if self.object_masks is not None:
            masks = self.read_object_masks(frame)
            larger_first = sorted(masks, key=lambda key: -int(masks[key].sum()))
            return join_objects({key: masks[key] for key in larger_first})
        stored, void = self.stored_annotation(frame)
        label_map = np.array(stored)
        # Most files have no void, and the maximum is soon found.
        if void is not None and label_map.size and label_map.max() >= void:
            label_map[label_map == void] = 0
        return label_map

    def stored_annotation(self, frame: str) -> tuple[LabelMap, int | None]:
        """Label map of an index-mask file as it is stored, without a copy.

        Returns:
            [H, W] uint8 or uint16, perhaps read-only and with gaps between its rows,
            and the pixel value in it that is no object; None if all are.

        Raises:
            InputError: the frame has no annotation, or its file is broken.
        """
        if frame not in self.annotations:
            raise InputError(
                self.name,
                f"no annotation for frame {frame}",
                f"one of {len(self.annotations)} annotated frames",
                "See `annotated_frames`.",
            )
        path = path_text(self.annotations, frame)
        data = read_input(path, "a PNG file that can be read")
        label_map = self._decoder.decode(data, path)
        if self.binary:
            return (label_map > 0).astype(np.uint8), None
        if label_map.dtype == np.uint8 or self.void is None:
            return label_map, self.void
        return label_map, self.ignored

    @cached_property
    def ignored(self) -> int | None:
        """Label of the regions that MOTS ignores; None for none.

        Raises:
            InputError: an annotation cannot be read.
        """
        if not self.annotations or self.binary or self.void is None:
            return None
        return FileSequence(self.name, self.annotations).ignored

    @cached_property
    def _decoder(self) -> MaskDecoder:
        def notice(text: str) -> None:
            warnings.warn(f"{self.name}: {text}", InputWarning, stacklevel=2)

        return MaskDecoder(self.annotations, notice, binarize=self.binary)

    def read_object_masks(self, frame: str) -> dict[int, np.ndarray]:
        """Boolean mask [H, W] of every object annotated in a frame, by object id.

        Raises:
            InputError: the frame has no annotation, or it is broken.
        """
        if self.object_masks is None:
            label_map = self.read_annotation(frame)
            return split_objects(
                label_map, np.unique(label_map[label_map > 0]).tolist()
            )
        masks = self.object_masks.read(frame)
        assert isinstance(masks, dict), "loaders give per-object masks"
        return masks

    def only(self, frames: Sequence[str]) -> VideoSequence:
        """The same video with some of its frames, and their annotation files, only."""
        kept = set(frames)
        files = {name: path for name, path in self.annotations.items() if name in kept}
        return replace(self, frames=tuple(frames), annotations=files)

    def absolute(self) -> VideoSequence:
        """The same video with absolute paths, but for what functions load."""
        return replace(
            self,
            images=absolute_files(self.images),
            annotations=absolute_files(self.annotations),
            video=self.video.absolute() if self.video else None,
        )

    def prompt_frames(self) -> dict[str, tuple[int, ...]]:
        """Ids that first appear in each frame: ``{frame: ids}`` in playing order."""
        by_frame: dict[str, list[int]] = {}
        for item in self.objects:
            by_frame.setdefault(item.first_frame, []).append(item.object_id)
        return {
            frame: tuple(by_frame[frame])
            for frame in self.annotated_frames
            if frame in by_frame
        }

    def read_prompt(self, frame: str) -> np.ndarray:
        """Label map [H, W] with only the objects that first appear in `frame`.

        This is all a semi-supervised method may know of the annotations.
        """
        label_map = self.read_annotation(frame)
        fresh = self.prompt_frames().get(frame, ())
        return np.where(np.isin(label_map, fresh), label_map, 0).astype(label_map.dtype)

    def _ids(self, frame: str) -> list[int]:
        if self.object_masks is not None:
            masks = self.read_object_masks(frame)
            return [object_id for object_id, mask in masks.items() if mask.any()]
        return [int(value) for value in np.unique(self.read_annotation(frame)) if value]
