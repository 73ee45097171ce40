"""`find_failures`: results, ground truth and scores in, failures out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.alignment import align
from evaluation.attributes import Attributes, object_attributes
from evaluation.counting import VOID, Leniency, SequencePair, _Preparation
from evaluation.errors import InputError
from evaluation.failures.costs import frame_costs, headline
from evaluation.failures.events import EVENT_COLUMNS
from evaluation.failures.inspect import FrameMasks, Masks, inspect_video
from evaluation.failures.onset import AT_ONSET, CIRCUMSTANCES, circumstances
from evaluation.failures.tables import Failures
from evaluation.labelmap import Mask, split_objects
from evaluation.parallel import run_in_order
from evaluation.progress import ProgressCallback
from evaluation.protocols import Protocol
from evaluation.scoring import score
from evaluation.sources import Source, open_ground_truth, open_results

if TYPE_CHECKING:
    from evaluation.scoring import Scores

Inspected = tuple[pd.DataFrame, list[dict[str, Any]]]


def find_failures(
    results: Source,
    ground_truth: Source,
    scores: Scores | None = None,
    *,
    protocol: str | Protocol = "davis-2017",
    sequences: Collection[str] | None = None,
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

    Args:
        results: predicted masks, as for `evaluation.score`.
        ground_truth: as for `evaluation.score`.
        scores: of these results; None scores them first.
        protocol: to score with; scores that are given know theirs.
        sequences: names of sequences to score; None for all.
        missing: as for `evaluation.score`; must be what the scores were made with.
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
    if scores is None:
        lenient = {"missing": missing, "resize": resize, "binarize": binarize}
        scores = score(
            results,
            ground_truth,
            protocol,
            sequences=sequences,
            void=void,
            workers=workers,
            **lenient,  # type: ignore[arg-type]
        )
    leniency = Leniency(missing, resize, binarize, void)
    job = _Job(scores, leniency, min_loss, bridge)
    pairs = _pairs(results, ground_truth, scores, leniency)
    sizes = [len(pair.gt.frames) for pair in pairs]
    done = run_in_order(job, pairs, sizes, workers, progress)
    if attributes is True:
        names = [pair.name for pair in pairs]
        attributes = object_attributes(
            ground_truth, images=False, sequences=names, workers=workers
        )
    return _assembled(done, scores, attributes or None)


class _Job:
    """What is done with one sequence."""

    def __init__(
        self, scores: Scores, leniency: Leniency, min_loss: float, bridge: int
    ) -> None:
        self._protocol, self._leniency = scores.protocol, leniency
        self._min_loss, self._bridge = min_loss, bridge
        self._rows = dict(iter(frame_costs(scores).groupby("sequence", sort=False)))
        self._proposals = _proposals(scores)

    def __call__(self, pair: SequencePair, tick: Callable[[], None]) -> Inspected:
        masks = self._masks(pair, tick)
        rows = self._rows[pair.name]
        return inspect_video(masks, rows, self._min_loss, self._bridge)

    def _masks(
        self, pair: SequencePair, tick: Callable[[], None]
    ) -> Iterator[FrameMasks]:
        """Masks as they were compared, predictions under the ids of their objects."""
        reader = _Preparation(self._protocol, self._leniency)
        for frame in pair.gt.frames:
            tick()
            given, predicted = reader.frame(pair, frame)
            truth: Masks = given
            if self._protocol.void != "object":
                truth = _without(given, VOID)
            proposals = self._proposals.get(pair.name)
            if proposals is None:
                yield frame, truth, predicted
            else:
                yield frame, truth, _renamed(predicted, proposals)


def _pairs(
    results: Source, ground_truth: Source, scores: Scores, leniency: Leniency
) -> list[SequencePair]:
    """The scored sequences, aligned as they were for scoring."""
    truth = open_ground_truth(ground_truth)
    scored = set(scores.objects["sequence"])
    unknown = sorted(scored - set(truth.sequences))
    if unknown:
        raise InputError(
            "scores",
            f"sequences {', '.join(unknown)}, which {truth.label} does not have",
            "scores of these results against this ground truth",
            "Score again, or leave the scores out.",
        )
    truth = replace(
        truth, sequences={k: v for k, v in truth.sequences.items() if k in scored}
    )
    predictions, label = open_results(results, truth.sequences)
    pairs, _ = align(truth, predictions, label, scores.protocol, leniency)
    return pairs


def _proposals(scores: Scores) -> dict[str, dict[int, int]]:
    """Sequence -> matched proposal -> object, where predictions were matched."""
    if "proposal" not in scores.objects:
        return {}
    return {
        str(name): {
            int(proposal): int(own)
            for proposal, own in zip(part["proposal"], part["object"], strict=True)
            if proposal
        }
        for name, part in scores.objects.groupby("sequence")
    }


def _renamed(predicted: Masks, objects: Mapping[int, int]) -> dict[int, Mask]:
    """Matched proposals under the ids of their objects, the others left out."""
    if not isinstance(predicted, Mapping):
        predicted = split_objects(predicted, list(objects))
    return {objects[key]: mask for key, mask in predicted.items() if key in objects}


def _without(masks: Masks, object_id: int) -> Masks:
    if isinstance(masks, Mapping):
        return {key: mask for key, mask in masks.items() if key != object_id}
    unclear = masks == object_id
    return np.where(unclear, 0, masks) if unclear.any() else masks


def _assembled(
    done: list[Inspected], scores: Scores, attributes: Attributes | None
) -> Failures:
    """Number the events, most costly first, and add how they began."""
    tables: list[pd.DataFrame] = []
    rows: list[dict[str, Any]] = []
    for table, own in done:
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
    return Failures(frames, events, headline(scores), scores.protocol.name)


def _with_onsets(
    frames: pd.DataFrame, events: pd.DataFrame, attributes: Attributes
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Circumstances in the frames table; in the events table those of its onset."""
    keys = ["sequence", "object", "frame"]
    known = attributes.frames
    around = pd.concat([known[keys], circumstances(known)], axis=1)
    frames = frames.merge(around, on=keys, how="left")
    names = list(CIRCUMSTANCES)
    frames[names] = frames[names].fillna(False).astype(bool)
    first = ["sequence", "object", "start"]
    at_onset = known[[*keys, *AT_ONSET]].rename(
        columns={"frame": "start"} | {name: f"{name}_at_onset" for name in AT_ONSET}
    )
    events = events.merge(
        frames[[*keys, *names]].rename(columns={"frame": "start"}), on=first, how="left"
    ).merge(at_onset, on=first, how="left")
    held = events[names].to_numpy(dtype=bool)
    events["onset"] = [
        ", ".join(name for name, yes in zip(names, row, strict=True) if yes)
        for row in held
    ]
    return frames, events
