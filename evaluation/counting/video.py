"""From two mask sequences to pixel counts of the whole video."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.counts import GT_AREA, N_COUNTS, N_COUNTS_ADAPTIVE, Counts
from evaluation.counting.frame import FrameCounter, FrameRows, Ids, PairGrid, Sizes
from evaluation.counting.overlaps import FrameOverlaps, Overlaps, assemble_overlaps
from evaluation.masks.pairs import SequencePair
from evaluation.masks.prepare import video_options
from evaluation.options import DEFAULT_OPTIONS, InputOptions
from evaluation.protocols import ScoringProtocol


@dataclass(frozen=True)
class SequenceCounts:
    """Pixel counts of one video; n objects, T frames; int32 to keep them small.

    Attributes:
        name: the video.
        frames: names of the counted frames.
        object_ids: [n] ids that occur in the ground truth, ascending.
        counts: [n, T, 7 or 9] pixel counts against the same id in the prediction.
        first_ids: ids in the first annotated frame.
        gt_labels: labels found in the ground truth, before any preprocessing.
        pred_labels: labels found in the prediction, before any preprocessing.
        proposal_ids: [m] ids of the proposals; empty unless they are to be matched.
        pairs: [n, m, T, 7] pixel counts of every object and proposal.
        background: [2] whether a pixel of the ground truth, and of the prediction, is
            background; of use where objects are merged.
        large: [2] whether an object covers more than half of a frame, in the ground
            truth and in the prediction.
        resized: [k, 5] height and width before and after resizing, and how many
            predictions were resized so.
        remarks: what was odd about the files.
        overlaps: what objects and tracks share in each frame, where the protocol has
            tracking metrics.
        digests: [n, T] checksums of the true objects, 0 where they have no pixels.
        shared: [k, 3] which of the frames have predicted masks that overlap though the
            true ones do not, and the ids of the first two that do; kept where the
            official tool reads label maps.
    """

    name: str
    frames: tuple[str, ...]
    object_ids: Ids
    counts: Counts
    first_ids: Ids
    gt_labels: Ids
    pred_labels: Ids
    proposal_ids: Ids
    pairs: Counts
    background: NDArray[np.bool_]
    large: NDArray[np.bool_]
    resized: Ids
    digests: NDArray[np.uint32]
    shared: Ids = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    remarks: tuple[str, ...] = ()
    overlaps: Overlaps | None = None


def count_sequence(
    pair: SequencePair,
    protocol: ScoringProtocol,
    options: InputOptions = DEFAULT_OPTIONS,
    on_step: Callable[[], None] = lambda: None,
) -> SequenceCounts:
    """Count the pixels of every object in every frame of one video.

    Args:
        pair: the masks.
        protocol: says what to do with void and which tolerance to use.
        options: how masks are preprocessed.
        on_step: called after each frame; may raise to stop.

    Raises:
        InputError: a mask cannot be read, or the sizes differ.
    """
    return count_together([pair], protocol, options, on_step)[0]


def count_together(
    pairs: Sequence[SequencePair],
    protocol: ScoringProtocol,
    options: InputOptions = DEFAULT_OPTIONS,
    on_step: Callable[[], None] = lambda: None,
) -> list[SequenceCounts]:
    """Count several predictions of one video, frame by frame.

    Pairs with one `SharedMasks` as ground truth read each of its frames once.

    Args:
        pairs: the video with each prediction; the same frames in all.
        protocol: as for `count_sequence`.
        options: the same.
        on_step: called after each frame of each pair.

    Returns:
        The counts of each pair.

    Raises:
        InputError: as `count_sequence`.
    """
    _keep_freed_memory()
    videos = [_VideoCounter(pair, protocol, options) for pair in pairs]
    for frame in pairs[0].frames if pairs else ():
        for video in videos:
            video.count(frame)
            on_step()
    return [video.counts() for video in videos]


@cache
def _keep_freed_memory() -> None:
    """Let the C library keep what masks leave behind, in place of giving it back.

    By default the GNU library returns the end of the heap beyond twice the size of the
    largest block that it has freed so far. Masks are such blocks, so that each frame
    may fetch its memory anew, page by page, which can take as long as counting does.
    Having freed a larger block, never touched, it keeps up to twice that size. Source:
    mallopt(3), M_MMAP_THRESHOLD.
    """
    np.empty(_KEPT, np.uint8)


_KEPT = 2**24
"""Bytes of the block; above 32 MB the library learns nothing."""


class _VideoCounter:
    """Counts one pair frame by frame."""

    def __init__(
        self, pair: SequencePair, protocol: ScoringProtocol, options: InputOptions
    ) -> None:
        self._pair, self._protocol = pair, protocol
        self._counter = FrameCounter(protocol, options)
        self._end_ids = self._ids_at_ends()
        settled = video_options(self._counter.gt_labels, protocol, options, pair)
        if settled != options:
            self._counter = FrameCounter(protocol, settled)
            self._end_ids = self._ids_at_ends()
        self._counted: list[tuple[FrameRows, PairGrid | None]] = []

    def _ids_at_ends(self) -> list[Ids]:
        ends = self._pair.ends()
        return [self._counter.objects_in(self._pair, frame) for frame in ends]

    def count(self, frame: str) -> None:
        self._counted.append(self._counter.count(self._pair, frame))

    def counts(self) -> SequenceCounts:
        counter = self._counter
        return assemble_counts(
            self._pair,
            self._protocol,
            self._end_ids,
            self._counted,
            Seen(
                counter.gt_labels,
                counter.pred_labels,
                counter.background,
                counter.large,
                counter.resized,
                counter.shared,
            ),
            counter.overlaps,
            counter.digests,
        )


@dataclass(frozen=True)
class Seen:
    """What the masks of a video showed besides pixels to count.

    Attributes:
        gt_labels: labels found in the ground truth, before any preprocessing.
        pred_labels: the same of the prediction.
        background: whether a pixel of ground truth, and of prediction, is background.
        large: whether an object covers more than half of a frame, likewise.
        resized: how many predictions were brought from (H, W) to (H, W).
        shared: frames whose predicted masks overlap, and the first two that do.
    """

    gt_labels: set[int]
    pred_labels: set[int]
    background: tuple[bool, bool]
    large: tuple[bool, bool]
    resized: Mapping[Sizes, int]
    shared: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def assemble_counts(
    pair: SequencePair,
    protocol: ScoringProtocol,
    end_ids: Sequence[Ids],
    counted: Sequence[tuple[FrameRows, PairGrid | None]],
    seen: Seen,
    overlaps: Sequence[FrameOverlaps],
    digests: Sequence[Mapping[int, int]],
) -> SequenceCounts:
    """Join the counts of a video's frames.

    Args:
        pair: the video.
        protocol: under which it was counted.
        end_ids: objects in the first and in the last annotated frame.
        counted: what `FrameCounter.count` gave for each frame of the pair.
        seen: what the masks showed besides.
        overlaps: of each frame, where the protocol has tracking metrics.
        digests: checksums of the true objects of each frame of the pair.
    """
    rows = [frame_rows for frame_rows, _ in counted]
    visible = [ids[counts[:, GT_AREA] > 0] for ids, counts in rows]
    object_ids = _ascending({k for ids in (*end_ids, *visible) for k in ids.tolist()})
    grids = [grid for _, grid in counted if grid is not None]
    proposal_ids, pairs = _assemble_pairs(grids, object_ids)
    return SequenceCounts(
        pair.name,
        pair.frames,
        object_ids,
        _assemble(rows, object_ids, protocol),
        end_ids[0],
        _ascending(seen.gt_labels),
        _ascending(seen.pred_labels),
        proposal_ids,
        pairs,
        np.array(seen.background),
        np.array(seen.large),
        _table_of(seen.resized),
        _digest_table(digests, object_ids),
        _table_of_shared(seen.shared, pair.frames),
        tuple(pair.remarks()),
        assemble_overlaps(overlaps) if protocol.tracking != "none" else None,
    )


def _assemble(
    rows: Sequence[FrameRows], object_ids: Ids, protocol: ScoringProtocol
) -> Counts:
    """[n, T, 7 or 9]; an object that a frame does not have counts nothing there."""
    n_counts = N_COUNTS_ADAPTIVE if protocol.boundary == "adaptive" else N_COUNTS
    counts = np.zeros((len(object_ids), len(rows), n_counts), dtype=np.int32)
    place = {object_id: i for i, object_id in enumerate(object_ids.tolist())}
    for t, (ids, frame_counts) in enumerate(rows):
        for object_id, row in zip(ids.tolist(), frame_counts, strict=True):
            if object_id in place:
                counts[place[object_id], t] = row
    return counts


def _digest_table(
    digests: Sequence[Mapping[int, int]], object_ids: Ids
) -> NDArray[np.uint32]:
    """[n, T]; 0 where a frame does not show an object."""
    rows = [[frame.get(k, 0) for frame in digests] for k in object_ids.tolist()]
    return np.array(rows, np.uint32).reshape(len(object_ids), len(digests))


def _assemble_pairs(grids: Sequence[PairGrid], object_ids: Ids) -> tuple[Ids, Counts]:
    proposal_ids = _ascending({k for grid in grids for k in grid.pred_ids.tolist()})
    shape = (len(object_ids), len(proposal_ids), len(grids), N_COUNTS)
    pairs = np.zeros(shape, dtype=np.int32)
    for t, grid in enumerate(grids):
        rows = _positions(object_ids, grid.gt_ids)
        columns = _positions(proposal_ids, grid.pred_ids)
        pairs[:, :, t] = grid.counts[np.ix_(rows, columns)]
    return proposal_ids, pairs


def _positions(wanted: Ids, present: Ids) -> list[int]:
    """Index of each wanted id among those present; the one after for an absent id."""
    index = {object_id: i for i, object_id in enumerate(present.tolist())}
    return [index.get(object_id, len(index)) for object_id in wanted.tolist()]


def _table_of(resized: Mapping[Sizes, int]) -> Ids:
    rows = [(*both, count) for both, count in sorted(resized.items())]
    return np.array(rows, dtype=np.int64).reshape(-1, 5)


def _table_of_shared(
    shared: Mapping[str, tuple[int, int]], frames: Sequence[str]
) -> Ids:
    rows = [(t, *shared[name]) for t, name in enumerate(frames) if name in shared]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _ascending(ids: set[int]) -> Ids:
    return np.array(sorted(ids), dtype=np.int64)
