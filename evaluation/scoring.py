"""Score a results folder: everything from opening it to the tables."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation._utils.claims import videos_in_progress
from evaluation._utils.parallel import Tick, run_in_order
from evaluation._utils.progress import ProgressCallback
from evaluation.counting import kernels
from evaluation.counting.cache import CountsCache, open_cache
from evaluation.counting.video import SequenceCounts, count_sequence, count_together
from evaluation.errors import InputError
from evaluation.masks.alignment import align
from evaluation.masks.folders import find_holder
from evaluation.masks.names import shown
from evaluation.masks.open import GroundTruth, Source, open_ground_truth, open_results
from evaluation.masks.pairs import SequencePair, SharedMasks
from evaluation.metrics.tracking.video import CLASS_RULES
from evaluation.metrics.video import SequenceScores, score_sequence
from evaluation.options import InputOptions
from evaluation.protocols import ScoringProtocol, get_protocol
from evaluation.results.binarize_advice import advise_by_truth
from evaluation.results.label_checks import check_labels, note_objects
from evaluation.results.scores import Scores, ordered_notes, total_fingerprint
from evaluation.results.tables import frame_table, object_table, track_table

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
    whole = open_ground_truth(ground_truth)
    truth = choose_sequences(whole, sequences)
    opened = [align_results(one, truth, rules, chosen) for one in results]
    if not opened:
        raise InputError("results", "none", "at least one", "Name a results folder.")
    videos = [_Video(pairs) for pairs in zip(*(o.pairs for o in opened), strict=True)]
    labels = tuple(one.label for one in opened)
    job = _Job(rules, chosen, labels, truth.label, open_cache(cache))
    general = class_notes(rules, known=bool(truth.classes))
    slow = kernels.slowness_note()
    general += [slow] if slow else []
    general += unseen_notes(unseen, whole.sequences, rules)
    sizes = [len(video.pairs[0].frames) * len(opened) for video in videos]
    with advise_by_truth(truth.sequences):
        done = run_in_order(job, videos, sizes, workers, progress)
    unseen = truth.unseen | frozenset(unseen)
    return [
        collect(
            [scored[i] for scored in done],
            rules,
            (one.label, truth.label),
            unseen,
            [*one.notes, *general],
        )
        for i, one in enumerate(opened)
    ]


def unseen_notes(
    unseen: Collection[str], sequences: Collection[str], rules: ScoringProtocol
) -> list[str]:
    """Notes on names of unseen kinds that have no effect.

    Args:
        unseen: names of sequences, or ``"sequence/object"``.
        sequences: names of all sequences of the ground truth.
        rules: of the scores.
    """
    if not unseen:
        return []
    if rules.average != "seen-unseen":
        return [f"{rules.name} does not tell unseen kinds apart: their list has no use"]
    unknown = {name for name in unseen if name.partition("/")[0] not in sequences}
    if not unknown:
        return []
    return [
        f"{len(unknown)} of the names of unseen kinds fit no sequence of the ground "
        f"truth: {shown(unknown)}"
    ]


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


def align_results(
    results: Source, truth: GroundTruth, rules: ScoringProtocol, options: InputOptions
) -> Aligned:
    """Open results and lay them beside the ground truth.

    Raises:
        InputError: as `score`, of what is missing or named in two ways.
    """
    by_id = rules.matching == "by-id"
    predictions, label = open_results(results, truth.sequences, by_id=by_id)
    pairs, notes = align(truth, predictions, label, rules, options)
    return Aligned(label, pairs, [*notes, *_note_in_progress(results, truth)])


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


@dataclass(frozen=True)
class _Video:
    """One video with the prediction of each of the results."""

    pairs: tuple[SequencePair, ...]

    @property
    def name(self) -> str:
        return self.pairs[0].name

    def sharing(self) -> tuple[SequencePair, ...]:
        """The pairs, which read a frame of the ground truth once for all."""
        if len(self.pairs) == 1:
            return self.pairs
        truth = SharedMasks(self.pairs[0].gt)
        return tuple(replace(pair, gt=truth) for pair in self.pairs)


@dataclass(frozen=True)
class Scored:
    """One video, scored.

    Attributes:
        scores: its scores.
        fingerprint: of the masks that were read.
        notes: what a reader of the numbers should know.
        has_objects: whether there are objects, scored or not.
        is_copy: whether the predicted masks are the very files of the ground truth.
    """

    scores: SequenceScores
    fingerprint: str
    notes: list[str]
    has_objects: bool = True
    is_copy: bool = False


def _note_unknown_objects(
    scores: Sequence[SequenceScores], unseen: Collection[str]
) -> list[str]:
    """Notes on ``"sequence/object"`` of unseen kind that no sequence has."""
    ids = {one.name: set(map(str, one.object_ids.tolist())) for one in scores}
    parts = (name.rpartition("/") for name in unseen)
    return [
        f"{name}: object {own}, listed as unseen, is none of the scored objects"
        for name, _, own in sorted(parts)
        if name in ids and own not in ids[name]
    ]


def _note_copies(scored: Sequence[Scored]) -> list[str]:
    """A note where predictions are the very files of the ground truth."""
    copies = [part.scores.name for part in scored if part.is_copy]
    if not copies:
        return []
    where = "all videos" if len(copies) == len(scored) else shown(copies)
    return [
        f"in {where} the predicted masks are byte for byte the files of the ground "
        "truth: is one folder a copy of the other, or a link to it?"
    ]


def class_notes(rules: ScoringProtocol, *, known: bool) -> list[str]:
    """What to say where a protocol scores class by class, and no classes are known."""
    if rules.tracking not in CLASS_RULES or known:
        return []
    return ["no classes are known: all objects count as one class"]


def collect(
    done: Sequence[Scored],
    rules: ScoringProtocol,
    labels: tuple[str, str],
    unseen: frozenset[str],
    notes: list[str],
) -> Scores:
    """Lay scored videos out as tables.

    Args:
        done: the videos, in order of their names.
        rules: under which they were scored.
        labels: what the results and the ground truth are called.
        unseen: sequences and ``"sequence/object"`` of unseen kind.
        notes: to put before those of the videos.

    Raises:
        InputError: no video has an object to score.
    """
    notes = [*notes, *(note for part in done for note in part.notes)]
    kept = [part for part in done if len(part.scores.object_ids)]
    if not kept:
        raise InputError(
            labels[1],
            "; ".join(notes),
            f"objects to score under {rules.name}",
            _no_object_fix(done, rules),
        )
    notes += _note_copies(kept)
    scores = [part.scores for part in kept]
    groups = unseen if rules.average == "seen-unseen" else None
    if groups is not None and not groups:
        notes.append("no object is marked as unseen: the total is over seen ones only")
    notes += _note_unknown_objects(scores, groups or ())
    counted = done if rules.tracking != "none" else kept
    fingerprints = {part.scores.name: part.fingerprint for part in counted}
    return Scores(
        rules,
        frame_table(scores),
        object_table(scores, rules, groups),
        total_fingerprint(fingerprints),
        ordered_notes(notes),
        {"results": labels[0], "ground_truth": labels[1]},
        # Videos without an object to score count here, too: their tracks are wrong.
        track_columns=track_table([part.scores for part in done]),
        fingerprints=fingerprints,
    )


def score_counts(
    counts: SequenceCounts,
    pair: SequencePair,
    rules: ScoringProtocol,
    options: InputOptions,
    labels: tuple[str, str],
    *,
    look: bool = False,
) -> Scored:
    """Score one video from its pixel counts, looking at its labels first.

    Args:
        counts: of the video.
        pair: the video.
        rules: under which it was counted.
        options: how its masks were preprocessed.
        labels: what the results and the ground truth are called.
        look: whether its masks can be looked at where labels look odd.

    Raises:
        InputError: the labels must be a mistake.
    """
    # Counts from the cache know nothing of how the files were found.
    remarks = dict.fromkeys((*counts.remarks, *pair.remarks()))
    notes = [f"{pair.name}: {remark}" for remark in remarks]
    notes += check_labels(counts, rules, options, *labels, pair if look else None)
    scores = score_sequence(counts, pair, rules)
    notes += note_objects(counts, scores, rules)
    has_objects = bool(len(counts.object_ids))
    return Scored(scores, pair.fingerprint(), notes, has_objects, pair.is_copy())


@dataclass(frozen=True)
class _Job:
    """What is done with one video: count each prediction, then score it."""

    protocol: ScoringProtocol
    options: InputOptions
    results: tuple[str, ...]
    truth: str
    cache: CountsCache | None

    def __call__(self, video: _Video, tick: Tick) -> list[Scored]:
        pairs = video.sharing()
        known = [self._load(pair) for pair in pairs]
        left = [pair for pair, old in zip(pairs, known, strict=True) if old is None]
        for _ in range(len(pairs) - len(left)):
            tick(len(pairs[0].frames))
        fresh = iter(self._count(left, tick))
        return [
            score_counts(
                self._store(pair, next(fresh)) if old is None else old,
                pair,
                self.protocol,
                self.options,
                (results, self.truth),
                look=True,
            )
            for pair, old, results in zip(pairs, known, self.results, strict=True)
        ]

    def _count(self, pairs: list[SequencePair], tick: Tick) -> list[SequenceCounts]:
        if len(pairs) == 1:
            return [count_sequence(pairs[0], self.protocol, self.options, tick)]
        return count_together(pairs, self.protocol, self.options, tick)

    def _load(self, pair: SequencePair) -> SequenceCounts | None:
        if self.cache is None:
            return None
        return self.cache.load(pair, self.protocol, self.options)

    def _store(self, pair: SequencePair, counts: SequenceCounts) -> SequenceCounts:
        if self.cache is not None:
            self.cache.store(pair, self.protocol, self.options, counts)
        return counts


def _no_object_fix(done: Sequence[Scored], rules: ScoringProtocol) -> str:
    """What to do where no object is scored, though there may be some."""
    if any(part.has_objects for part in done):
        other = "trackeval-davis" if rules.name == "vos-benchmark" else "vos-benchmark"
        return (
            "Score by a protocol that counts objects from their first appearance on, "
            f"such as {other} (protocol='{other}', --protocol {other})."
        )
    return "Check that the ground truth holds object ids."


def choose_sequences(truth: GroundTruth, names: Collection[str] | None) -> GroundTruth:
    """The ground truth of some sequences; of all for None.

    Raises:
        InputError: it does not have one of them.
    """
    if names is None:
        return truth
    names = {str(name) for name in names}
    unknown = sorted(names - set(truth.sequences))
    if unknown:
        raise InputError(
            "sequences",
            f"{', '.join(unknown)}, not in {truth.label}",
            f"some of {', '.join(sorted(truth.sequences))}",
            "Name sequences of the ground truth.",
        )
    chosen = {name: truth.sequences[name] for name in sorted(names)}
    return replace(truth, sequences=chosen)
