"""`find_failures`: results, ground truth and scores in, failures out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluation._utils.names import any_name_in_tables
from evaluation._utils.parallel import run_in_order
from evaluation._utils.progress import ProgressCallback
from evaluation.attributes import Attributes, object_attributes
from evaluation.attributes.regions import regions_of
from evaluation.attributes.tables import of_other_objects
from evaluation.errors import InputError
from evaluation.failures.agreement import OtherJ, ScoredRegions, note_other_scores
from evaluation.failures.compared import ComparedMasks
from evaluation.failures.costs import frame_costs, headline
from evaluation.failures.events import EVENT_COLUMNS
from evaluation.failures.inspect import FrameMasks, inspect_video
from evaluation.failures.onset import AROUND, CIRCUMSTANCES, circumstances
from evaluation.failures.tables import Failures
from evaluation.masks.open import Source
from evaluation.masks.pairs import SequencePair
from evaluation.options import InputOptions
from evaluation.protocols import ScoringProtocol
from evaluation.results.ground_truths import note_other_masks
from evaluation.results.scores import SavedScores, as_scores
from evaluation.scoring import score

if TYPE_CHECKING:
    from evaluation.scoring import Scores

Shape = tuple[str, int, str, int, int]
"""Sequence, object, frame, area and checksum of a true mask."""

Inspected = tuple[pd.DataFrame, list[dict[str, Any]], list[Shape], list[OtherJ]]


@any_name_in_tables()
def find_failures(
    results: Source,
    ground_truth: Source,
    scores: SavedScores | None = None,
    *,
    protocol: str | ScoringProtocol = "davis-2017",
    sequences: Collection[str] | None = None,
    options: InputOptions | None = None,
    missing: str = "error",
    resize: str | None = None,
    binarize: bool = False,
    void: int | None = None,
    attributes: Attributes | bool = True,
    min_loss: float = 0.05,
    bridge: int = 2,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> Failures:
    """Find out where, how and at what cost predictions fail.

    >>> import numpy as np
    >>> truth = np.zeros((5, 20, 20), np.uint8)
    >>> truth[:, 5:15, 5:15] = 1
    >>> lost = truth * (np.arange(5) < 2)[:, None, None].astype(np.uint8)
    >>> failures = find_failures({"cat": lost}, {"cat": truth})
    >>> failures.events[["kind", "start", "end"]].iloc[0].tolist()
    ['missed', '00002', '00003']

    Args:
        results: predicted masks, as for `evaluation.score`.
        ground_truth: as for `evaluation.score`.
        scores: of these results, or the folder they were saved in; None scores the
            results first. Where their J is not that of the masks, a note tells.
        protocol: to score with; scores that are given know theirs.
        sequences: names of sequences to score; None for all.
        options: as for `evaluation.score`; must be what the scores were made with.
        missing: the same, by name.
        resize: the same.
        binarize: the same.
        void: the same.
        attributes: of the benchmark, for the circumstances in which failures begin;
            True measures them from the masks (similarity and scene cuts need images:
            give attributes then), False does without.
        min_loss: a frame that loses less J&F than this belongs to no event.
        bridge: runs of one kind at most this many frames apart are one event.
        workers: threads; None takes one a processor.
        progress: called as frames get done.

    Returns:
        Tables of frames and events; costs add up to 1 - J&F exactly.

    Raises:
        InputError: as `evaluation.score`, or the scores are of other sequences.
    """
    _check_numbers(min_loss, bridge)
    chosen = InputOptions.of(
        options, missing=missing, resize=resize, binarize=binarize, void=void
    )
    given = scores is not None
    if scores is None:
        scores = score(
            results,
            ground_truth,
            protocol,
            sequences=sequences,
            options=chosen,
            workers=workers,
        )
    scores = as_scores(scores)
    if isinstance(attributes, Attributes):
        _check_objects(attributes, scores)
    masks = ComparedMasks(results, ground_truth, scores, chosen)
    pairs = list(masks.pairs.values())
    job = _Job(masks, scores, min_loss, bridge, given)
    sizes = [len(pair.gt.frames) for pair in pairs]
    done = run_in_order(job, pairs, sizes, workers, progress)
    if attributes is True:
        names = [pair.name for pair in pairs]
        attributes = object_attributes(
            ground_truth,
            images=False,
            sequences=names,
            options=chosen,
            workers=workers,
        )
    return _assemble(done, scores, attributes or None)


def _check_numbers(min_loss: float, bridge: int) -> None:
    """Refuse losses that are no fractions, and frames below none.

    Raises:
        InputError: one of them is.
    """
    if not 0 <= min_loss <= 1:
        raise InputError(
            "min_loss",
            f"{min_loss}",
            "a fraction of J&F, from 0 to 1",
            "Pass 0.05 for 5 percent.",
        )
    if bridge < 0:
        raise InputError(
            "bridge", f"{bridge}", "a number of frames, from 0 on", "Pass 0 for none."
        )


def _check_objects(attributes: Attributes, scores: Scores) -> None:
    """Refuse attributes of other objects: nothing would be known of any failure.

    Raises:
        InputError: there is no object that both have.
    """
    own, other = (
        set(zip(table["sequence"], table["object"], strict=True))
        for table in (attributes.objects, scores.objects)
    )
    if other and own.isdisjoint(other):
        raise of_other_objects()


class _Job:
    """What is done with one sequence."""

    def __init__(
        self,
        masks: ComparedMasks,
        scores: Scores,
        min_loss: float,
        bridge: int,
        given: bool,
    ) -> None:
        self._masks = masks
        # Scores of an earlier day may be of other masks.
        self._given, self._region = given, scores.protocol.region
        self._min_loss, self._bridge = min_loss, bridge
        self._rows = dict(iter(frame_costs(scores).groupby("sequence", sort=False)))

    def __call__(self, pair: SequencePair, on_step: Callable[[], None]) -> Inspected:
        rows, shapes = self._rows[pair.name], list[Shape]()
        known = ScoredRegions(rows, self._region) if self._given else None
        masks = self._read(pair, on_step, shapes, known)
        found = inspect_video(masks, rows, self._min_loss, self._bridge)
        return *found, shapes, known.others if known else []

    def _read(
        self,
        pair: SequencePair,
        on_step: Callable[[], None],
        shapes: list[Shape],
        known: ScoredRegions | None,
    ) -> Iterator[FrameMasks]:
        for frame in pair.gt.frames:
            on_step()
            truth, predicted = self._masks.read(pair.name, frame)
            if known is not None:
                shapes += [
                    (pair.name, key, frame, region.area, region.digest)
                    for key, region in regions_of(truth).items()
                ]
                known.check(frame, truth, predicted)
            yield frame, truth, predicted


def _assemble(
    done: list[Inspected], scores: Scores, attributes: Attributes | None
) -> Failures:
    """Number the events, most costly first, and add how they began."""
    tables: list[pd.DataFrame] = []
    rows: list[dict[str, Any]] = []
    for table, own, *_ in done:
        first = len(rows)
        numbers = table["event"].where(table["event"] < 0, table["event"] + first)
        tables.append(table.assign(event=numbers))
        rows += [{"sequence": table["sequence"].iloc[0], **event} for event in own]
    frames = pd.concat(tables, ignore_index=True)
    events = pd.DataFrame(rows, columns=["sequence", *EVENT_COLUMNS])
    order = events.sort_values("cost", ascending=False, kind="stable").index
    rank = pd.Series(range(len(order)), index=order)
    frames["event"] = frames["event"].map(rank).fillna(-1).astype(int)
    events = events.loc[order].reset_index(drop=True)
    events.insert(0, "event", range(len(events)))
    if attributes is not None:
        frames, events = _with_onsets(frames, events, attributes)
    shapes = pd.DataFrame(
        [shape for *_, shapes_of_video, _ in done for shape in shapes_of_video],
        columns=["sequence", "object", "frame", "area", "digest"],
    )
    notes = note_other_masks(scores, shapes, "the scores", "failures")
    others = [other for *_, own_others in done for other in own_others]
    # Where true masks changed, J does, too.
    notes = notes or note_other_scores(others, len(frames))
    if attributes is not None:
        areas = attributes.frames
        notes += note_other_masks(scores, areas, "the scores", "attributes")
    return Failures(
        frames, events, headline(scores), scores.protocol.name, tuple(notes)
    )


def _with_onsets(
    frames: pd.DataFrame, events: pd.DataFrame, attributes: Attributes
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Circumstances in the frames table; in the events table those of its onset."""
    keys = ["sequence", "object", "frame"]
    known, names = attributes.frames, list(CIRCUMSTANCES)
    around = pd.concat([known[[*keys, *AROUND]], circumstances(known)], axis=1)
    frames = frames.merge(around, on=keys, how="left")
    frames[names] = frames[names].fillna(False).astype(bool)
    onset = frames[[*keys, *AROUND, *names]].rename(columns={"frame": "start"})
    events = events.merge(onset, on=["sequence", "object", "start"], how="left")
    held = events[names].to_numpy(dtype=bool)
    events["onset"] = [
        ", ".join(
            name.replace("_", " ") for name, yes in zip(names, row, strict=True) if yes
        )
        for row in held
    ]
    return frames, events
