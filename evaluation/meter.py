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

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from evaluation._utils.names import as_names
from evaluation.counting.frame import FrameCounter
from evaluation.counting.video import Seen, assemble_counts
from evaluation.errors import InputError
from evaluation.frame_rules import sequence_frames
from evaluation.masks.alignment import missing_of, notes_on_empty
from evaluation.masks.pairs import SequencePair
from evaluation.masks.prepare import MaskRules, ignore_regions, video_options
from evaluation.masks.sequence import ArraySequence
from evaluation.meter_frames import (
    CountedFrame,
    CountedVideo,
    combine_seen,
    given_twice,
    name_frame,
    read_sides,
    two_writings,
)
from evaluation.meter_order import Order
from evaluation.meter_signs import OneVideo, Rounds
from evaluation.meter_stacks import note_stacks, refuse_lengths, refuse_stacks
from evaluation.options import InputOptions
from evaluation.protocols import VOID, ScoringProtocol, get_protocol
from evaluation.results.checks.binarize import (
    advises_binarize,
    several_objects,
    without_binarize,
)
from evaluation.results.checks.masks import refuse_soft_edges
from evaluation.results.scores import Scores
from evaluation.results.unseen import unseen_notes
from evaluation.scored import Scored, class_notes, collect, score_counts
from evaluation.scoring_rules import FRAME_RULES

_LABELS = ("arrays", "arrays")

_UNNAMED = "video"
"""What the only video of a meter is called."""


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
        self.unseen = frozenset(as_names(unseen))
        self._frames: dict[str, dict[str, CountedFrame]] = {}
        # The same frames, counted as masks of one object, while a video may be one
        # whose ground truth is written as 0 and 255.
        self._merged_frames: dict[str, dict[str, CountedFrame]] = {}
        self._looks: dict[str, OneVideo] = {}
        self._orders: dict[str, Order] = {}
        self._rounds = Rounds()

    def update(
        self,
        pred: object,
        gt: object,
        *,
        sequence: str | None = None,
        frame: str | int | None = None,
    ) -> None:
        """Count one frame, or several.

        Args:
            pred: predicted masks of a frame: label map [H, W] (integers, or bool for
                one object), object id -> mask [H, W] or COCO run lengths, or masks
                [K, H, W] of the objects 1 to K, with one for each object of the video,
                in sight or not; as numpy arrays or torch tensors on any device. None:
                there is no prediction.
            gt: true masks, in any of these forms, of the same size.
            sequence: name of the video; None where there is one only. What looks like
                a second one, before or between its frames, is refused, or told by
                `compute`.
            frame: name or number of the frame, once per video. None numbers the frames
                of a video from 0 on as they come: give them in playing order, as
                protocols leave out the first or last. Few signs tell when they are
                not. With it, videos are scored in the order of their frames' names,
                whenever these come. One stack [K, H, W] alone in its video needs it.

        Raises:
            InputError: not masks, of two sizes, stacks of several lengths in a video
                or with objects last, the frame was given before, or its number is
                negative or no whole number.
        """
        video = _UNNAMED if sequence is None else str(sequence)
        frames = self._frames.setdefault(video, {})
        name = name_frame(frame, len(frames), video)
        if name in frames:
            raise given_twice(video, name)
        found, truth = read_sides(pred, gt)
        masks = found.masks, truth.masks
        counted = replace(
            self._count(video, name, masks, self.options),
            stacks=(truth.stack, found.stack),
            named=frame is not None,
        )
        refuse_lengths(video, [*islice(reversed(frames.values()), 1), counted])
        if sequence is None or not isinstance(frame, str):
            look = self._looks.setdefault(video, OneVideo(named=sequence is not None))
            labels = look.look(name, self._arrays(video, name, masks[1]).read(name))
        if frame is None:
            self._orders.setdefault(video, Order()).look(labels, counted.rows)
            digests = counted.gt_digest, counted.pred_digest
            self._rounds.look(video, *digests, empty=not counted.seen.gt_labels - {0})
        frames[name] = counted
        if all(_may_be_binary(self, frame) for frame in frames.values()):
            options = replace(self.options, binarize=True)
            merged = self._merged_frames.setdefault(video, {})
            merged[name] = self._count(video, name, masks, options)
        else:
            self._merged_frames.pop(video, None)

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
        for video, look in self._looks.items():
            notes += look.notes(video)
        for video, order in self._orders.items():
            notes += order.notes(video, skips=self.protocol.frames != "all")
        notes += self._rounds.notes()
        for sequence in sorted(self._frames):
            alone = len(self._frames) == 1
            notes += note_stacks(sequence, self._frames[sequence], alone=alone)
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
        return collect(done, self.protocol, _LABELS, self.unseen, notes, self.options)

    def reset(self) -> None:
        """Forget all frames."""
        self._frames.clear()
        self._merged_frames.clear()
        self._looks.clear()
        self._orders.clear()
        self._rounds = Rounds()

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
                raise given_twice(sequence, name)
            own.update(frames)
            merged = self._merged_frames.get(sequence, {})
            merged |= other._merged_frames.get(sequence, {})
            if merged.keys() == own.keys():
                self._merged_frames[sequence] = merged
            else:
                self._merged_frames.pop(sequence, None)
        self.unseen |= other.unseen
        for video, look in other._looks.items():
            self._looks.setdefault(video, OneVideo(named=look.named)).add(look)
        for video, order in other._orders.items():
            self._orders.setdefault(video, Order()).add(order)
        self._rounds.add(other._rounds)
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
    ) -> CountedFrame:
        truth, found = self._pair(sequence, name, masks)
        names = {name: name} if found else {}
        pair = SequencePair(truth, found, (name,), names)
        by_object = truth.overlapping and (found is None or found.overlapping)
        if by_object:
            options = replace(options, binarize=False)
        ends = FrameCounter(self.protocol, options)
        end_ids = ends.objects_in(pair, name)
        settled = ignore_regions(options, truth, ends.gt_labels)
        if settled != options:
            options = settled
            ends = FrameCounter(self.protocol, options)
            end_ids = ends.objects_in(pair, name)
        counter = FrameCounter(self.protocol, options)
        rules = MaskRules.of(self.protocol, options)
        rows, grid = counter.count(pair, name)
        true_masks = truth.read(name)
        if found and not options.binarize:
            refuse_soft_edges(pair, counter.gt_labels, counter.pred_labels)
        return CountedFrame(
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
                counter.shared,
            ),
            counter.digests[0],
            tuple(pair.remarks()),
            tuple(true_masks) if isinstance(true_masks, dict) else None,
            truth.digest(name),
            found.digest(name) if found else None,
            by_object=by_object,
            merged=rules.merge,
            ids=_object_ids(counter, rules, self.protocol),
        )

    def _pair(
        self, sequence: str, name: str, masks: tuple[object, object]
    ) -> tuple[ArraySequence, ArraySequence | None]:
        """True and predicted masks of a frame; None where none are given.

        Raises:
            InputError: none are, and that is not to be scored.
        """
        predicted, true = masks
        truth = self._arrays(sequence, name, true)
        if predicted is not None:
            return truth, self._arrays(sequence, name, predicted)
        if self.options.missing == "error":
            raise InputError(
                truth.where(name),
                "no prediction",
                "a predicted mask",
                "Pass one, or count the frame as predicted empty "
                "(missing='score-as-empty').",
            )
        return truth, None

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
        refuse_stacks(sequence, frames)
        truth = CountedVideo(sequence, {k: f.gt_ids for k, f in frames.items()})
        truth.remember({k: f.gt_digest for k, f in frames.items()})
        known = {k: f.pred_digest for k, f in frames.items() if f.pred_digest}
        found = CountedVideo(sequence, dict.fromkeys(known))
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
                raise two_writings(sequence)
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
            combine_seen(ends, chosen),
            [f.overlaps for f in chosen if f.overlaps is not None],
            [f.digests for f in chosen],
        )
        options = self.options
        if all(frame.by_object for frame in chosen):
            options = replace(options, binarize=False)
        done = score_counts(counts, pair, self.protocol, options, _LABELS)
        lines = missing_of(pair, self.protocol)
        return replace(done, notes=[*notes_on_empty(lines), *done.notes])


def _may_be_binary(meter: Meter, frame: CountedFrame) -> bool:
    """Whether a frame may be of a video whose ground truth is written as 0 and 255."""
    labels = frame.end_labels or {VOID}
    settled = video_options(labels, meter.protocol, meter.options)
    return settled != meter.options


def _object_ids(
    counter: FrameCounter, rules: MaskRules, protocol: ScoringProtocol
) -> tuple[frozenset[int], frozenset[int]]:
    """Ids of true and predicted objects; none where masks do not go by their ids."""
    if rules.merge or protocol.matching != "by-id":
        return frozenset(), frozenset()
    no_objects = {0, VOID, rules.void}
    return (
        frozenset(counter.gt_labels - no_objects),
        frozenset(counter.pred_labels - no_objects),
    )
