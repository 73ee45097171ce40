"""Temporal stability of results, object by object: T of DAVIS-2016."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation._utils.names import any_name_in_tables
from evaluation._utils.parallel import OnStep, run_in_order
from evaluation._utils.progress import ProgressCallback
from evaluation.counting.counts import PRED_AREA
from evaluation.counting.video import SequenceCounts, count_sequence
from evaluation.errors import InputError
from evaluation.masks.label_map import Mask
from evaluation.masks.names import numbers_of
from evaluation.masks.open import Source, open_ground_truth
from evaluation.masks.pairs import Masks, SequencePair
from evaluation.masks.prepare import prepare, video_options
from evaluation.metrics.stability import temporal_stability
from evaluation.options import InputOptions
from evaluation.protocols import VOID, ScoringProtocol, get_protocol
from evaluation.results.checks.binarize import advise_by_truth
from evaluation.results.scores import ordered_notes
from evaluation.scored import score_counts
from evaluation.scoring import align_results, choose_sequences

COLUMNS = ["sequence", "object", "T"]


@any_name_in_tables()
def stability(
    results: Source,
    ground_truth: Source,
    *,
    protocol: str | ScoringProtocol = "davis-2016",
    sequences: Collection[str] | None = None,
    options: InputOptions | None = None,
    missing: str = "error",
    resize: str | None = None,
    binarize: bool = False,
    void: int | None = None,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> pd.DataFrame:
    """Temporal stability T of each object: how much its outline jitters.

    T compares the outlines of consecutive predictions, from the annotated first frame
    on; it says nothing of whether they are right, so read it beside J and F. DAVIS
    gives it for videos without occlusions and strong deformations only.

    >>> import numpy as np
    >>> truth = np.zeros((5, 60, 60), np.uint8)
    >>> truth[:, 10:40, 10:40] = 1
    >>> shifted = np.roll(truth, 4, axis=2)
    >>> stability({"cat": shifted}, {"cat": truth})["T"].tolist()
    [0.0]

    Args:
        results: masks as `evaluation.score` takes them.
        ground_truth: likewise; the first annotated frame and the objects are its.
        protocol: says which frames count and what an object is; its matching must be
            by id.
        sequences: names of the sequences; None for all.
        options: as for `evaluation.score`.
        missing: the same, by name.
        resize: the same.
        binarize: the same.
        void: the same.
        workers: processes; None takes as many as are useful.
        progress: told about every video.

    Returns:
        sequence, object, T (0 and up, lower is more stable; NaN where no two
        consecutive frames have masks), one row per object. `attrs["notes"]` lists
        what a reader of the numbers should know, as `Scores.notes` does.

    Raises:
        InputError: results or ground truth cannot be read or must be a mistake, as for
            `evaluation.score`; or the protocol matches predictions otherwise than by
            id.
    """
    rules = get_protocol(protocol)
    if rules.matching != "by-id":
        raise InputError(
            "protocol",
            f"{rules.name}, which matches predictions by overlap",
            "a protocol whose ids say which object is meant",
            "Pass protocol='davis-2016' or 'davis-2017' (--protocol davis-2016).",
        )
    chosen = InputOptions.of(
        options, missing=missing, resize=resize, binarize=binarize, void=void
    )
    truth = choose_sequences(open_ground_truth(ground_truth), sequences)
    opened = align_results(results, truth, rules, chosen)
    job = _Job(rules, chosen, (opened.label, truth.label))
    sizes = [len(pair.frames) for pair in opened.pairs]
    with advise_by_truth(truth.sequences):
        done = run_in_order(job, opened.pairs, sizes, workers, progress)
    rows = [row for part in done for row in part.rows]
    notes = [*opened.notes, *(note for part in done for note in part.notes)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table.attrs["notes"] = list(ordered_notes(notes))
    return table


@dataclass(frozen=True)
class _Measured:
    """One video: its objects with their T, and what a reader should know."""

    rows: list[tuple[str, int, float]]
    notes: list[str]


@dataclass(frozen=True)
class _Job:
    rules: ScoringProtocol
    options: InputOptions
    labels: tuple[str, str]

    def __call__(self, pair: SequencePair, on_step: OnStep) -> _Measured:
        # Masks are looked at as for scores, which refuse what must be a mistake.
        counts = count_sequence(pair, self.rules, self.options)
        white = counts.pred_labels.tolist() == [VOID]
        if white and self.rules.objects == "foreground":
            # Whatever is not 0 is the object; DAVIS-2016 writes it as 255.
            counts = replace(counts, pred_labels=np.array([1], np.int64))
        checked = score_counts(
            counts, pair, self.rules, self.options, self.labels, look=True
        )
        notes = [*checked.notes, *_note_empty(counts, pair), *_note_apart(pair)]
        return _Measured(self._measure(pair, on_step), notes)

    def _measure(
        self, pair: SequencePair, on_step: OnStep
    ) -> list[tuple[str, int, float]]:
        options = video_options(
            pair.gt.labels_in(pair.ends()), self.rules, self.options, pair
        )
        first, *frames = list(self._masks(pair, options, on_step))
        return [
            (
                pair.name,
                object_id,
                temporal_stability(
                    [
                        _mask_of(first, object_id),
                        *(_mask_of(m, object_id) for m in frames),
                    ]
                ),
            )
            for object_id in sorted(_ids(first))
        ]

    def _masks(
        self, pair: SequencePair, options: InputOptions, on_step: OnStep
    ) -> Iterator[Masks]:
        """The ground truth of the first frame, then the predictions that count."""
        start = pair.gt.frames[0]
        places = (pair.where(start), pair.gt.where(start))
        yield prepare(pair.gt.read(start), None, self.rules, options, places)[0]
        for frame in pair.frames:
            if frame == start:
                continue
            places = (pair.where(frame), pair.gt.where(frame))
            yield prepare(*pair.read(frame), self.rules, options, places)[1]
            on_step()


def _note_apart(pair: SequencePair) -> list[str]:
    """A note on masks of every few frames: outlines move more from one to the next."""
    numbers = list(numbers_of(pair.frames))
    apart = int(np.median(np.diff(numbers))) if len(numbers) > 1 else 1
    if apart < 2:
        return []
    return [
        f"{pair.name}: T compares masks {apart} frames apart, as the annotated frames "
        "are; it is larger than that of consecutive frames, and does not compare with "
        "it"
    ]


def _note_empty(counts: SequenceCounts, pair: SequencePair) -> list[str]:
    """A note on objects without a mask in some frames: T says nothing of these.

    An object that is lost may look more stable, then. Those never predicted, and frames
    without a prediction, are told.
    """
    given = [frame in pair.pred_frames for frame in counts.frames]
    empty = (counts.counts[:, given, PRED_AREA] == 0).sum(axis=1)
    n = sum(given)
    some = [
        f"object {key} in {none} of {n}"
        for key, none in zip(counts.object_ids.tolist(), empty.tolist(), strict=True)
        if 0 < none < n
    ]
    if not some:
        return []
    more = f" and {len(some) - 3} more" if len(some) > 3 else ""
    return [
        f"{counts.name}: predicted masks are empty in some frames "
        f"({', '.join(some[:3])}{more}), of which T says nothing"
    ]


def _ids(masks: Masks) -> set[int]:
    if isinstance(masks, Mapping):
        return {key for key, mask in masks.items() if np.any(mask)}
    return {int(key) for key in np.unique(masks)} - {0}


def _mask_of(masks: Masks, object_id: int) -> Mask:
    if isinstance(masks, Mapping):
        empty: NDArray[np.bool_] = np.zeros((1, 1), bool)
        return masks.get(object_id, empty)
    return np.asarray(masks == object_id)
