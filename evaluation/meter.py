"""`Meter`: scores inside a training loop or a notebook, one frame at a time.

    meter = Meter("davis-2017")
    for batch in loader:
        meter.update(model(batch), batch.masks, sequence=batch.video, frame=batch.frame)
    print(meter.compute().summary["J&F"])

Masks are counted as they come and not kept. What is kept are integers, so meters of
several processes can be put together::

    meters = [None] * world_size
    torch.distributed.all_gather_object(meters, meter)
    total = Meter.merged(meters).compute()
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluation.counting.frame import FrameCounter, FrameRows, Ids, PairGrid, Sizes
from evaluation.counting.overlaps import FrameOverlaps
from evaluation.counting.video import Seen, assemble_counts
from evaluation.errors import InputError
from evaluation.frame_rules import sequence_frames
from evaluation.masks.label_map import plain_array
from evaluation.masks.names import frame_number
from evaluation.masks.pairs import SequencePair
from evaluation.masks.prepare import video_options
from evaluation.masks.run_lengths import decode_rle
from evaluation.masks.sequence import ArraySequence
from evaluation.options import InputOptions
from evaluation.protocols import VOID, ScoringProtocol, get_protocol
from evaluation.results.binarize_advice import (
    advises_binarize,
    several_objects,
    without_binarize,
)
from evaluation.results.mask_checks import refuse_soft_edges
from evaluation.results.scores import Scores
from evaluation.scoring import (
    Scored,
    class_notes,
    collect,
    score_counts,
    unseen_notes,
)
from evaluation.scoring_rules import FRAME_RULES

_LABELS = ("arrays", "arrays")


class Meter:
    """Scores of masks that are given frame by frame; nothing but counts is kept.

    `compute` equals :func:`evaluation.score` on the same masks, bit for bit; only
    notes for which masks must be looked at again (inverted masks) are not given.

    >>> import numpy as np
    >>> truth = np.zeros((20, 20), np.uint8)
    >>> truth[5:15, 5:15] = 1
    >>> late = np.roll(truth, 2, axis=1)
    >>> meter = Meter("davis-2017")
    >>> for t in range(5):
    ...     meter.update(late, truth, sequence="cat", frame=f"{t:05d}")
    >>> round(meter.compute().summary["J"], 4)
    0.6667

    Args:
        protocol: name, or a `ScoringProtocol`.
        unseen: sequences, or ``"sequence/object"``, of unseen kind.
        options: how masks are preprocessed, in place of the next four.
        missing: ``"error"``, or ``"score-as-empty"`` for frames whose prediction is
            None.
        resize: ``"nearest"`` resizes predictions of another size.
        binarize: take whatever is not 0 as object 1, in both masks.
        void: ground-truth label whose pixels are left out of both masks.
    """

    def __init__(
        self,
        protocol: str | ScoringProtocol = "davis-2017",
        *,
        unseen: Iterable[str] = (),
        options: InputOptions | None = None,
        missing: str = "error",
        resize: str | None = None,
        binarize: bool = False,
        void: int | None = None,
    ) -> None:
        self.protocol = get_protocol(protocol)
        self.options = InputOptions.of(
            options, missing=missing, resize=resize, binarize=binarize, void=void
        )
        self.unseen = frozenset(unseen)
        self._frames: dict[str, dict[str, _Frame]] = {}
        # The same frames, counted as masks of one object, while a video may be one
        # whose ground truth is written as 0 and 255.
        self._merged_frames: dict[str, dict[str, _Frame]] = {}

    def update(
        self,
        pred: object,
        gt: object,
        *,
        sequence: str = "video",
        frame: str | int | None = None,
    ) -> None:
        """Count one frame, or several.

        Args:
            pred: predicted masks of a frame: label map [H, W] (integers, or bool for
                one object), object id -> mask [H, W] or COCO run lengths, or masks
                [K, H, W] of the objects 1 to K; as numpy arrays or torch tensors on
                any device. None: there is no prediction.
            gt: true masks, in any of these forms, of the same size.
            sequence: name of the video.
            frame: name or number of the frame, once per video; None numbers the
                frames of a video from 0 on as they come. Videos are scored in the
                order of their frames' names, whenever these come.

        Raises:
            InputError: not masks, of two sizes, the frame was given before, or its
                number is negative or no whole number.
        """
        frames = self._frames.setdefault(str(sequence), {})
        name = _frame_name(frame, len(frames), str(sequence))
        if name in frames:
            raise _twice(str(sequence), name)
        masks = (_as_masks(pred), _as_masks(gt))
        frames[name] = self._count(str(sequence), name, masks, self.options)
        if all(_may_be_binary(self, frame) for frame in frames.values()):
            options = replace(self.options, binarize=True)
            merged = self._merged_frames.setdefault(str(sequence), {})
            merged[name] = self._count(str(sequence), name, masks, options)
        else:
            self._merged_frames.pop(str(sequence), None)

    def compute(self) -> Scores:
        """The scores of all frames so far; more may follow.

        Returns:
            `Scores`, as :func:`evaluation.score` gives them.

        Raises:
            InputError: no frame was given, or none is scored under the protocol.
        """
        done: list[Scored] = []
        notes = class_notes(self.protocol, known=False)
        notes += unseen_notes(self.unseen or (), self._frames, self.protocol)
        for sequence in sorted(self._frames):
            try:
                scored = self._score(sequence)
            except InputError as error:
                if not (advises_binarize(error) and self._has_several_objects()):
                    raise
                raise without_binarize(error) from None
            if scored is None:
                notes.append(
                    f"{sequence} was skipped: of its {len(self._frames[sequence])} "
                    "annotated frames none is scored "
                    f"({FRAME_RULES[self.protocol.frames]})"
                )
            else:
                done.append(scored)
        if not done:
            raise InputError(
                "meter",
                "; ".join(notes) or "no frames",
                f"frames to score under {self.protocol.name}",
                "Call update with more frames of each video, or choose a protocol that "
                "scores all frames.",
            )
        return collect(done, self.protocol, _LABELS, self.unseen, notes)

    def reset(self) -> None:
        """Forget all frames."""
        self._frames.clear()
        self._merged_frames.clear()

    def merge(self, other: Meter) -> Meter:
        """Add the frames of another meter; videos may be split between the two.

        Returns:
            This meter.

        Raises:
            InputError: the meters have two protocols, or a frame is in both.
        """
        if (other.protocol, other.options) != (self.protocol, self.options):
            raise InputError(
                "meters",
                f"{self.protocol.name} and {other.protocol.name}, or two sets of "
                "options",
                "one protocol and one set of options",
                "Make all meters with the same arguments.",
            )
        for sequence, frames in other._frames.items():
            own = self._frames.setdefault(sequence, {})
            for name in frames.keys() & own.keys():
                raise _twice(sequence, name)
            own.update(frames)
            merged = self._merged_frames.get(sequence, {})
            merged |= other._merged_frames.get(sequence, {})
            if merged.keys() == own.keys():
                self._merged_frames[sequence] = merged
            else:
                self._merged_frames.pop(sequence, None)
        self.unseen |= other.unseen
        return self

    @classmethod
    def merged(cls, meters: Iterable[Meter]) -> Meter:
        """A new meter with the frames of several, e.g. one per process."""
        first, *others = meters
        total = cls(first.protocol, unseen=first.unseen, options=first.options)
        for meter in (first, *others):
            total.merge(meter)
        return total

    @property
    def n_frames(self) -> int:
        """How many frames were given."""
        return sum(map(len, self._frames.values()))

    def __repr__(self) -> str:
        return (
            f"Meter({self.protocol.name!r}): {self.n_frames} frames of "
            f"{len(self._frames)} sequences"
        )

    def _count(
        self,
        sequence: str,
        name: str,
        masks: tuple[object, object],
        options: InputOptions,
    ) -> _Frame:
        truth = self._arrays(sequence, name, masks[1])
        found = None
        if masks[0] is not None:
            found = self._arrays(sequence, name, masks[0])
        elif self.options.missing == "error":
            raise InputError(
                truth.where(name),
                "no prediction",
                "a predicted mask",
                "Pass one, or count the frame as predicted empty "
                "(missing='score-as-empty').",
            )
        names = {name: name} if found else {}
        pair = SequencePair(truth, found, (name,), names)
        ends = FrameCounter(self.protocol, options)
        end_ids = ends.objects_in(pair, name)
        counter = FrameCounter(self.protocol, options)
        rows, grid = counter.count(pair, name)
        true_masks = truth.read(name)
        if found and not options.binarize:
            refuse_soft_edges(pair, counter.gt_labels, counter.pred_labels)
        return _Frame(
            rows,
            grid,
            counter.overlaps[0] if counter.overlaps else None,
            end_ids,
            ends.gt_labels,
            Seen(
                counter.gt_labels,
                counter.pred_labels,
                counter.background,
                counter.large,
                counter.resized,
            ),
            tuple(pair.remarks()),
            tuple(true_masks) if isinstance(true_masks, dict) else None,
            truth.digest(name),
            found.digest(name) if found else None,
        )

    def _arrays(self, sequence: str, name: str, masks: object) -> ArraySequence:
        one = ArraySequence(sequence, {name: masks})
        return one.binarized() if self.options.binarize else one

    def _has_several_objects(self) -> bool:
        """Whether there are several objects in any video."""
        return several_objects(
            set().union(*(frame.seen.gt_labels for frame in frames.values()))
            for frames in self._frames.values()
        )

    def _score(self, sequence: str) -> Scored | None:
        """Score one video; None if the protocol scores none of its frames."""
        frames = self._frames[sequence]
        truth = _Counted(sequence, {k: f.gt_ids for k, f in frames.items()})
        truth.remember({k: f.gt_digest for k, f in frames.items()})
        known = {k: f.pred_digest for k, f in frames.items() if f.pred_digest}
        found = _Counted(sequence, dict.fromkeys(known))
        found.remember(known)
        scored = sequence_frames(truth, self.protocol)
        if not scored:
            return None
        pair = SequencePair(
            truth, found if known else None, scored, {k: k for k in known}
        )
        ends = [frames[name] for name in pair.ends()]
        end_labels = set().union(*(end.end_labels for end in ends))
        if video_options(end_labels, self.protocol, self.options) != self.options:
            frames = self._merged_frames.get(sequence, {})
            if not frames:
                raise _two_writings(sequence)
            ends = [frames[name] for name in pair.ends()]
        chosen = [frames[name] for name in scored]
        for frame in chosen:
            for remark in frame.remarks:
                pair.gt.remark(remark)
        counts = assemble_counts(
            pair,
            self.protocol,
            [f.end_ids for f in ends],
            [(f.rows, f.grid) for f in chosen],
            _combine_seen(ends, chosen),
            [f.overlaps for f in chosen if f.overlaps is not None],
        )
        return score_counts(counts, pair, self.protocol, self.options, _LABELS)


@dataclass(frozen=True)
class _Frame:
    """What is kept of one frame: counts, labels, and fingerprints of its masks."""

    rows: FrameRows
    grid: PairGrid | None
    overlaps: FrameOverlaps | None
    end_ids: Ids
    end_labels: set[int]
    seen: Seen
    remarks: tuple[str, ...]
    gt_ids: tuple[int, ...] | None
    gt_digest: bytes
    pred_digest: bytes | None


class _Counted(ArraySequence):
    """The frames of a video whose masks are counted and gone."""

    def __init__(self, name: str, frames: Mapping[str, tuple[int, ...] | None]) -> None:
        masks = {
            k: None if ids is None else dict.fromkeys(ids) for k, ids in frames.items()
        }
        super().__init__(name, masks)

    def remember(self, digests: Mapping[str, bytes]) -> None:
        """Keep the fingerprints of the masks."""
        self._digests.update(digests)


def _combine_seen(ends: Sequence[_Frame], chosen: Sequence[_Frame]) -> Seen:
    """What the masks of a video showed, from its frames."""
    every = [frame.seen for frame in chosen]
    resized: Counter[Sizes] = Counter()
    for one in every:
        resized.update(one.resized)
    return Seen(
        set().union(*(f.end_labels for f in ends), *(one.gt_labels for one in every)),
        set().union(*(one.pred_labels for one in every)),
        _combine_flags(one.background for one in every),
        _combine_flags(one.large for one in every),
        resized,
    )


def _combine_flags(pairs: Iterable[tuple[bool, bool]]) -> tuple[bool, bool]:
    gt, pred = zip(*pairs, strict=True)
    return any(gt), any(pred)


def _may_be_binary(meter: Meter, frame: _Frame) -> bool:
    """Whether a frame may be of a video whose ground truth is written as 0 and 255."""
    labels = frame.end_labels or {VOID}
    settled = video_options(labels, meter.protocol, meter.options)
    return settled != meter.options


def _two_writings(sequence: str) -> InputError:
    return InputError(
        f"sequence {sequence}",
        "ground truth of 0 and 255 in its first and last frame, and other labels "
        "between them",
        "one way of writing masks",
        "Pass object ids in every frame, or make the meter with binarize=True.",
    )


def _frame_name(frame: str | int | None, count: int, sequence: str) -> str:
    """The name of a frame; of its number, padded with zeros.

    Raises:
        InputError: it is no whole number, or below 0.
    """
    if isinstance(frame, str):
        return frame
    number = count if frame is None else frame_number(frame, f"sequence {sequence}")
    if number < 0:
        raise InputError(
            f"sequence {sequence}",
            f"frame number {number}",
            "frame numbers from 0 on",
            "Number frames in playing order from 0 on (frame=0, 1, 2), or pass names.",
        )
    return f"{number:05d}"


def _as_masks(masks: object) -> object:
    """Masks in a form that `ArraySequence` reads; None stays as it is."""
    if masks is None:
        return None
    if isinstance(masks, Mapping):
        if {"size", "counts"} <= masks.keys():
            return {1: _mask(masks)}
        return {k: _mask(mask) for k, mask in masks.items()}
    array = plain_array(masks, "masks")
    if array.ndim == 3:
        _refuse_background(array)
        return {k + 1: mask for k, mask in enumerate(array)}
    return array


def _refuse_background(masks: np.ndarray[Any, Any]) -> None:
    """Refuse a stack of which one mask must be the background.

    Raises:
        InputError: every pixel belongs to exactly one of several masks.
    """
    if len(masks) > 1 and bool((np.count_nonzero(masks, axis=0) == 1).all()):
        raise InputError(
            f"masks [{', '.join(map(str, masks.shape))}]",
            "a stack that has every pixel in exactly one mask",
            "masks of the objects 1 to K, without the background",
            "Leave the background out (masks[1:] if it comes first), or pass "
            "{object id: mask}.",
        )


def _mask(mask: object) -> object:
    if isinstance(mask, Mapping):
        return decode_rle(mask, "run lengths")
    return plain_array(mask, "masks")


def _twice(sequence: str, frame: str) -> InputError:
    return InputError(
        f"sequence {sequence}, frame {frame}",
        "masks that were given before",
        "each frame once",
        "Pass another frame= or sequence=, or call reset() before a new round.",
    )
