"""`SequencePair`: ground truth and prediction of one video side by side."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from evaluation._utils.fingerprint import digest_stream, encoded
from evaluation.errors import InputError
from evaluation.masks.label_map import LabelMap
from evaluation.masks.run_lengths import MAX_PIXELS
from evaluation.masks.sequence import MaskSequence, ObjectMasks

Masks = LabelMap | ObjectMasks
"""The masks of one frame: one label map, or one mask per object where they overlap."""

_LARGER = 64
"""How many times as many pixels as the ground truth a prediction may declare; any
larger one cannot be meant, and decoding it would fill the memory."""

_KEPT = 2**24
"""Pixels of masks that `SharedMasks` keeps: 40 label maps of 480p, 16 MB."""


def pixels_of(masks: Masks) -> int:
    """Pixels of a frame; 0 where it has no mask that would tell."""
    first = next(iter(masks.values()), None) if isinstance(masks, dict) else masks
    return 0 if first is None else int(first.size)


def _pixels_in(masks: Masks) -> int:
    return pixels_of(masks) * (len(masks) if isinstance(masks, dict) else 1)


def refuse_truth_inside(
    given: Path, results: Mapping[str, MaskSequence], truth: Mapping[str, MaskSequence]
) -> None:
    """Refuse a folder in which nothing was found but the ground truth itself.

    Args:
        given: the folder of the results; the ground truth was given by another path.
        results: what was found in it, by video.
        truth: the ground truth by video.

    Raises:
        InputError: the files of both are the same, and lie deeper than results would.
    """
    for name, masks in results.items():
        own, gt = masks, truth[name]
        if not (own.of_files and gt.of_files and own.frames and gt.frames):
            return
        path, true = (Path(one.where(one.frames[0])) for one in (own, gt))
        folder = next((p.parent for p in path.parents if p.name == own.name), given)
        if path.resolve() != true.resolve() or folder.resolve() == given.resolve():
            return
    if results:
        raise InputError(
            given,
            f"no masks of these sequences but those of the ground truth, in {folder}",
            "a folder of results, with one folder of masks per sequence",
            "Give the folder that holds the folders of the predicted sequences.",
        )


class SharedMasks(MaskSequence):
    """Masks that several pairs read frame by frame in turn: each frame is read once.

    The frames that were read last are kept, up to `_KEPT` pixels: after the pixels are
    counted, checks look at some frames again, for each of the pairs.

    Args:
        masks: what is read.
    """

    def __init__(self, masks: MaskSequence) -> None:
        self.name, self.frames = masks.name, masks.frames
        self.overlapping, self.classes = masks.overlapping, masks.classes
        self.size, self.folder_offset = masks.size, masks.folder_offset
        self.of_files, self.ignores = masks.of_files, masks.ignores
        self._shared = masks
        self._kept: OrderedDict[str, Masks] = OrderedDict()
        self._pixels = 0

    def where(self, frame: str, object_id: int | None = None) -> str:
        """What to name in an error about this frame."""
        return self._shared.where(frame, object_id)

    def read(self, frame: str) -> Masks:
        """The masks of one frame; nobody may write into them."""
        if frame not in self._kept:
            self._keep(frame, self._shared.read(frame))
        self._kept.move_to_end(frame)
        masks = self._kept[frame]
        # Another reader must not find a frame that the first one has changed.
        return dict(masks) if isinstance(masks, dict) else masks

    def _keep(self, frame: str, masks: Masks) -> None:
        self._kept[frame] = masks
        self._pixels += _pixels_in(masks)
        while self._pixels > _KEPT and len(self._kept) > 1:
            self._pixels -= _pixels_in(self._kept.popitem(last=False)[1])

    def _content(self, frame: str) -> bytes:
        return self._shared.digest(frame)

    def digest(self, frame: str) -> bytes:
        """Fingerprint of the frame's content; 16 bytes."""
        return self._shared.digest(frame)

    def object_frames(self, object_id: int) -> set[str]:
        """Frames in which this object is annotated (empty masks included)."""
        return self._shared.object_frames(object_id)

    def check_declared_sizes(self, frame: str, limit: int) -> None:
        """Refuse masks that declare more than `limit` pixels, before decoding any."""
        self._shared.check_declared_sizes(frame, limit)

    def remark(self, sentence: str) -> None:
        """Keep something odd about the source to tell along with the scores."""
        self._shared.remark(sentence)

    def remarks(self) -> list[str]:
        """What was odd so far, each remark once."""
        return self._shared.remarks()

    def annotated_ids(self) -> set[int]:
        """Ids of the objects, as far as they are known without reading masks."""
        return self._shared.annotated_ids()


@dataclass(frozen=True)
class SequencePair:
    """Ground truth and prediction of one video, with their frames aligned.

    Attributes:
        gt: the ground truth.
        pred: the prediction; None where the video is missing.
        frames: ground-truth frames to score, in playing order.
        pred_frames: the prediction's name of each frame that it has.
        ranges: object id -> (first, stop) frame numbers, where the benchmark says.
        classes: object id -> class and group of the class, where the benchmark says;
            objects without a class are not tracked.
    """

    gt: MaskSequence
    pred: MaskSequence | None
    frames: tuple[str, ...]
    pred_frames: Mapping[str, str]
    ranges: Mapping[int, tuple[int, int]] | None = None
    classes: Mapping[int, tuple[str, str]] | None = None

    @property
    def name(self) -> str:
        """Name of the video."""
        return self.gt.name

    def read(self, frame: str) -> tuple[Masks, Masks | None]:
        """Masks of ground truth and prediction; None where there is no prediction."""
        gt = self.gt.read(frame)
        if self.pred is None or frame not in self.pred_frames:
            return gt, None
        return gt, self.read_named(self.pred_frames[frame], gt)

    def read_named(self, name: str, gt: Masks) -> Masks:
        """Masks of the prediction by its own name of a frame.

        Args:
            name: of the frame.
            gt: the true masks, which bound what a prediction may declare.
        """
        assert self.pred is not None, "asked for where there is a prediction"
        self.pred.check_declared_sizes(name, _LARGER * pixels_of(gt) or MAX_PIXELS)
        return self.pred.read(name)

    def where(self, frame: str) -> str:
        """What to name in an error about the prediction of this frame."""
        if self.pred is None or frame not in self.pred_frames:
            return self.gt.where(frame)
        return self.pred.where(self.pred_frames[frame])

    def ends(self) -> list[str]:
        """First and last annotated frame, which tell what objects there are."""
        return list(dict.fromkeys((self.gt.frames[0], self.gt.frames[-1])))

    def predicted(self) -> list[str]:
        """The prediction's names of the scored frames that it has."""
        return [self.pred_frames[f] for f in self.frames if f in self.pred_frames]

    def remarks(self) -> list[str]:
        """What was odd about the files that were read so far."""
        sides = [self.gt] if self.pred is None else [self.gt, self.pred]
        return [remark for side in sides for remark in side.remarks()]

    def is_copy(self) -> bool:
        """Whether the prediction has the very files of the ground truth."""
        gt, pred = self.gt, self.pred
        if pred is None or not (gt.of_files and pred.of_files):
            return False
        return all(
            frame in self.pred_frames
            and gt.digest(frame) == pred.digest(self.pred_frames[frame])
            for frame in self.frames
        )

    def fingerprint(self) -> str:
        """Digest of every mask that is read and of which frame stands for which."""
        return digest_stream(self._parts())

    def _parts(self) -> Iterator[bytes]:
        for frame in dict.fromkeys((*self.ends(), *self.frames)):
            yield encoded(frame) + b"\0" + self.gt.digest(frame)
        for frame in self.frames:
            if self.pred is not None and frame in self.pred_frames:
                digest = self.pred.digest(self.pred_frames[frame])
                yield encoded(frame) + b"\0" + digest
