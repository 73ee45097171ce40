"""Score a results folder: everything from opening it to the tables."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation._utils.claims import videos_in_progress
from evaluation._utils.names import any_name_in_tables, as_names
from evaluation._utils.parallel import run_in_order
from evaluation._utils.progress import ProgressCallback
from evaluation.counting.cache import open_cache
from evaluation.errors import InputError
from evaluation.masks.alignment import align
from evaluation.masks.folders import find_holder
from evaluation.masks.names import unlike
from evaluation.masks.numbering import lack_last
from evaluation.masks.open import GroundTruth, Source, open_ground_truth, open_results
from evaluation.masks.pairs import SequencePair, refuse_truth_inside
from evaluation.notes import of_kind
from evaluation.options import InputOptions
from evaluation.protocols import ScoringProtocol, get_protocol
from evaluation.results.checks.binarize import advise_by_truth
from evaluation.results.checks.identities import exchanged_videos
from evaluation.results.scores import Scores
from evaluation.results.shards import TRUTH_PLACE, asked_inputs
from evaluation.results.unseen import note_unknown_videos, unseen_notes
from evaluation.scored import PairedVideo, Scored, ScoringJob, class_notes, collect

__all__ = ["Scores", "score", "score_folders"]


def score(
    results: Source,
    ground_truth: Source,
    protocol: str | ScoringProtocol = "davis-2017",
    *,
    sequences: Collection[str] | None = None,
    unseen: Collection[str] = (),
    options: InputOptions | None = None,
    missing: str = "error",
    resize: str | None = None,
    binarize: bool = False,
    void: int | None = None,
    workers: int | None = None,
    cache: bool | str | os.PathLike[str] = False,
    progress: ProgressCallback | None = None,
) -> Scores:
    """Score predicted masks against ground truth.

    >>> import numpy as np
    >>> truth = np.zeros((5, 20, 20), np.uint8)
    >>> truth[:, 5:15, 5:15] = 1
    >>> scores = score({"cat": np.roll(truth, 2, axis=2)}, {"cat": truth}, "davis-2017")
    >>> round(scores.summary["J"], 4)  # 8 of 12 columns
    0.6667

    Args:
        results: results folder ``<sequence>/<frame>.png`` (or per-object folders
            ``<sequence>/<object>/<frame>.png``), with or without folders around it;
            a JSON file of run-length encodings; or arrays, sequence -> frame ->
            label map or {object id: mask}, or sequence -> [T, H, W].
        ground_truth: the same, or an object with `sequences`, such as a `Benchmark`.
        protocol: name, or a `ScoringProtocol`; the rules under which objects and frames
            count.
        sequences: names of the sequences to score; None for all of the ground truth.
        unseen: sequences, or ``"sequence/object"``, whose kind is not in training
            data; for protocols that average seen and unseen apart.
        options: how masks are read and matched, in place of the next four.
        missing: ``"error"``, or ``"score-as-empty"`` for frames and sequences
            without prediction.
        resize: ``"nearest"`` resizes predictions of another size; None refuses them.
        binarize: take whatever is not 0 as object 1, in both masks.
        void: ground-truth label whose pixels are left out of both masks; None
            follows the protocol.
        workers: processes, at most one a sequence; None takes as many as there are
            processors and work for them. The result does not depend on it.
        cache: keep pixel counts of finished sequences in a folder (True: the user's
            cache folder), so that unchanged sequences need no counting next time,
            and an interrupted job goes on where it was.
        progress: called from this thread as frames get done.

    Returns:
        Scores with tables, summary, notes and the inputs' fingerprint.

    Raises:
        InputError: the input is not as the benchmark wants it; says what to do.
    """
    return score_folders(
        [results],
        ground_truth,
        protocol,
        sequences=sequences,
        unseen=unseen,
        options=InputOptions.of(
            options, missing=missing, resize=resize, binarize=binarize, void=void
        ),
        workers=workers,
        cache=cache,
        progress=progress,
    )[0]


@any_name_in_tables()
def score_folders(
    results: Sequence[Source],
    ground_truth: Source,
    protocol: str | ScoringProtocol = "davis-2017",
    *,
    sequences: Collection[str] | None = None,
    unseen: Collection[str] = (),
    options: InputOptions | None = None,
    workers: int | None = None,
    cache: bool | str | os.PathLike[str] = False,
    progress: ProgressCallback | None = None,
) -> list[Scores]:
    """Score several results against one ground truth, reading each of its frames once.

    The scores are those that `score` gives for each.

    Args:
        results: what `score` takes, once or more.
        ground_truth: as for `score`, and so are all others.
        protocol: the rules.
        sequences: names of the sequences to score.
        unseen: sequences, or ``"sequence/object"``, of unseen kind.
        options: how masks are read and matched.
        workers: processes, at most one a sequence.
        cache: keep pixel counts of finished sequences.
        progress: called as frames of all results get done.

    Returns:
        Scores of each of the results, in their order.

    Raises:
        InputError: as `score`; names the results that are not as they should be.

    Example:
        >>> a, b = score_folders(["a/", "b/"], "Annotations")  # doctest: +SKIP
    """
    rules, chosen = get_protocol(protocol), InputOptions.of(options)
    whole, unseen = open_ground_truth(ground_truth), as_names(unseen)
    truth = choose_sequences(whole, sequences)
    known = whole.sequences
    opened = [align_results(one, truth, rules, chosen, known) for one in results]
    if not opened:
        raise InputError("results", "none", "at least one", "Name a results folder.")
    videos = [
        PairedVideo(pairs) for pairs in zip(*(o.pairs for o in opened), strict=True)
    ]
    labels = tuple(one.label for one in opened)
    job = ScoringJob(rules, chosen, labels, truth.label, open_cache(cache))
    general = class_notes(rules, known=bool(truth.classes))
    general += unseen_notes(unseen, whole.sequences, rules)
    sizes = [len(video.pairs[0].frames) * len(opened) for video in videos]
    with advise_by_truth(truth.sequences):
        done = run_in_order(job, videos, sizes, workers, progress)
    unseen = truth.unseen | frozenset(unseen)
    found = [
        collect(
            [scored[i] for scored in done],
            rules,
            (one.label, truth.label),
            unseen,
            [*one.notes, *general, *_note_together(one, [s[i] for s in done])],
            chosen,
        )
        for i, one in enumerate(opened)
    ]
    facts = {TRUTH_PLACE: whole.place} if whole.place else {}
    facts |= asked_inputs(chosen, len(truth.sequences), whole.of_sequences)
    return [replace(one, inputs={**one.inputs, **facts}) for one in found]


@dataclass(frozen=True)
class Aligned:
    """Results laid beside the ground truth.

    Attributes:
        label: what the results are called.
        pairs: the videos with frames to score.
        notes: what was skipped or looked odd.
    """

    label: str
    pairs: list[SequencePair]
    notes: list[str]


def _note_together(aligned: Aligned, done: Sequence[Scored]) -> list[str]:
    """Notes on what only all videos together tell."""
    pairs = aligned.pairs
    fits = {
        part.scores.name: float(part.scores.J.mean())
        for part in done
        if part.scores.J.size
    }
    notes = exchanged_videos(pairs, fits)
    said = [*aligned.notes, *(note for part in done for note in part.notes)]
    if lack_last(pairs) and not of_kind(said, "wrong-numbers"):
        notes.append(
            "all videos lack exactly their last frame: is the first one, which is "
            "given, left out, and the rest numbered as if it were there? They were "
            "scored as they are named"
        )
    return notes


def align_results(
    results: Source,
    truth: GroundTruth,
    rules: ScoringProtocol,
    options: InputOptions,
    known: Collection[str] = (),
) -> Aligned:
    """Open results and lay them beside the ground truth.

    Args:
        results: what `score` takes.
        truth: the sequences to score.
        rules: the protocol.
        options: how masks are read.
        known: names of all sequences of the ground truth, to tell of others.

    Raises:
        InputError: as `score`, of what is missing or named in two ways.
    """
    by_id = rules.matching == "by-id"
    others: list[str] | None = [] if known else None
    predictions, label = open_results(
        results,
        truth.sequences,
        by_id=by_id,
        binarize=options.binarize,
        others=others,
    )
    if label != truth.label and Path(label).is_dir():
        refuse_truth_inside(Path(label), predictions, truth.sequences)
    pairs, notes = align(truth, predictions, label, rules, options)
    notes += note_unknown_videos(unlike(known, others or []))
    notes += _note_in_progress(results, truth)
    return Aligned(label, pairs, notes)


def _note_in_progress(results: Source, truth: GroundTruth) -> list[str]:
    """A note on videos that are being predicted while they are scored."""
    if not isinstance(results, (str, os.PathLike)) or not Path(results).is_dir():
        return []
    holder = find_holder(Path(results), truth.sequences) or Path(results)
    busy: dict[str, str] = {}
    for folder in {Path(results), holder}:
        busy |= videos_in_progress(folder, truth.sequences)
    return [
        f"{name} is being predicted at this moment ({process}); its masks may be of an "
        "earlier run"
        for name, process in busy.items()
    ]


def choose_sequences(truth: GroundTruth, names: Collection[str] | None) -> GroundTruth:
    """The ground truth of some sequences; of all for None.

    Raises:
        InputError: it does not have one of them.
    """
    if names is None:
        return truth
    wanted = set(as_names(names))
    unknown = sorted(wanted - set(truth.sequences))
    if unknown:
        raise InputError(
            "sequences",
            f"{', '.join(unknown)}, not in {truth.label}",
            f"some of {', '.join(sorted(truth.sequences))}",
            "Name sequences of the ground truth.",
        )
    chosen = {name: truth.sequences[name] for name in sorted(wanted)}
    return replace(truth, sequences=chosen)
