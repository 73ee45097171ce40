"""One video, counted and scored; and what all videos come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evaluation._utils.parallel import OnStep
from evaluation.counting.cache import CountsCache
from evaluation.counting.video import SequenceCounts, count_sequence, count_together
from evaluation.errors import InputError
from evaluation.masks.names import shown
from evaluation.masks.pairs import SequencePair, SharedMasks
from evaluation.metrics.tracking.video import CLASS_RULES
from evaluation.metrics.video import SequenceScores, score_sequence
from evaluation.notes import of_kind, told_once
from evaluation.options import DEFAULT_OPTIONS, InputOptions
from evaluation.protocols import ScoringProtocol
from evaluation.results.checks.absent import (
    empty_throughout,
    hardly_covered,
    never_predicted,
    note_blank_together,
    note_blanks,
    note_ends,
)
from evaluation.results.checks.given_frame import (
    fits_given,
    gives_masks,
    names_a_cause,
    unlike_given,
)
from evaluation.results.checks.labels import check_labels, compares_ids, note_objects
from evaluation.results.checks.misreadings import better_readings
from evaluation.results.checks.odd_scores import lies_nowhere, tell_odd_scores
from evaluation.results.checks.shared_pixels import SharedPixels, note_shared
from evaluation.results.same_rules import applied_options
from evaluation.results.scores import Scores, ordered_notes, total_fingerprint
from evaluation.results.shards import note_kinds
from evaluation.results.tables import frame_table, object_table, track_table
from evaluation.results.unseen import note_unknown_objects


@dataclass(frozen=True)
class PairedVideo:
    """One video with the prediction of each of the results."""

    pairs: tuple[SequencePair, ...]

    @property
    def name(self) -> str:
        """Of the video."""
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
        empty: whether any frame without a prediction was scored as empty.
        resized: whether any prediction was resized.
        void: whether the label that the options leave out is in the ground truth.
        asked: whether a note asks how its masks are to be read.
        begun: whether masks fit the given frame, looked at where they fit no other.
        shared: frames whose predicted masks overlap, as `SharedPixels` has them.
    """

    scores: SequenceScores
    fingerprint: str
    notes: list[str]
    has_objects: bool = True
    is_copy: bool = False
    empty: bool = False
    resized: bool = False
    void: bool = False
    asked: bool = False
    begun: bool = False
    shared: SharedPixels | None = None


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
    options: InputOptions = DEFAULT_OPTIONS,
) -> Scores:
    """Lay scored videos out as tables.

    Args:
        done: the videos, in order of their names.
        rules: under which they were scored.
        labels: what the results and the ground truth are called.
        unseen: sequences and ``"sequence/object"`` of unseen kind.
        notes: to put before those of the videos.
        options: how masks were read and matched.

    Raises:
        InputError: no video has an object to score.
    """
    every = [*notes, *(note for part in done for note in part.notes)]
    notes = told_once(every, "wrong-numbers")
    kept = [part for part in done if len(part.scores.object_ids)]
    if not kept:
        raise InputError(
            labels[1],
            "; ".join(notes),
            f"objects to score under {rules.name}",
            _no_object_fix(done, rules),
        )
    notes += _note_copies(kept)
    notes += note_shared([part.shared for part in kept if part.shared], rules)
    scores = [part.scores for part in kept]
    asked = {part.scores.name for part in kept if part.asked or part.is_copy}
    filled = {part.scores.name for part in kept if part.empty}
    together = [] if filled else note_blank_together(scores, notes)
    ended = {} if together else note_ends(scores, asked | filled)
    notes += [*together, *ended.values()]
    asked |= set(ended)
    begun = {part.scores.name for part in kept if part.begun}
    notes += tell_odd_scores(scores, asked, rules, begun)
    groups = unseen if rules.average == "seen-unseen" else None
    objects = object_table(scores, rules, groups)
    notes += note_kinds(objects.get("group", ()))
    ids = {one.name: set(map(str, one.object_ids.tolist())) for one in scores}
    notes += note_unknown_objects(ids, groups or ())
    counted = done if rules.tracking != "none" else kept
    fingerprints = {part.scores.name: part.fingerprint for part in counted}
    return Scores(
        rules,
        frame_table(scores),
        objects,
        total_fingerprint(fingerprints),
        ordered_notes(notes),
        {"results": labels[0], "ground_truth": labels[1]},
        # Videos without an object to score count here, too: their tracks are wrong.
        track_columns=track_table([part.scores for part in done]),
        fingerprints=fingerprints,
        options=applied_options(
            options,
            # Overlapping objects can lack masks in frames that others have.
            empty=any(part.empty for part in done)
            or bool(of_kind(notes, "scored-as-empty")),
            resized=any(part.resized for part in done),
            void=any(part.void for part in done),
        ),
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
    masks = pair if look else None
    checked = check_labels(counts, rules, options, *labels, masks)
    checked += empty_throughout(counts, pair, rules)
    checked += [*note_blanks(counts, pair, look=look), *hardly_covered(counts)]
    asked = names_a_cause(pair.name, checked)
    if look and not asked and gives_masks(rules):
        by_id = compares_ids(counts, rules, options, pair)
        checked += unlike_given(pair, counts, by_id=by_id)
        asked = names_a_cause(pair.name, checked)
    scores = score_sequence(counts, pair, rules)
    nowhere = look and gives_masks(rules) and lies_nowhere(scores)
    if look and not asked and rules.matching != "by-id" and _fit_badly(scores):
        checked += better_readings(pair)
        asked = names_a_cause(pair.name, checked)
    notes += checked
    notes += note_objects(counts, scores, rules)
    if look and rules.matching == "by-id" and not options.binarize:
        notes += never_predicted(pair, counts, scores.object_ids.tolist())
    has_objects = bool(len(counts.object_ids))
    return Scored(
        scores,
        pair.fingerprint(),
        notes,
        has_objects,
        pair.is_copy(),
        empty=any(frame not in pair.pred_frames for frame in pair.frames),
        resized=bool(len(counts.resized)),
        void=options.void is not None and options.void in counts.gt_labels,
        asked=asked,
        begun=nowhere and fits_given(pair, scores.object_ids.tolist()),
        shared=SharedPixels.of(counts),
    )


_BADLY = 0.4
"""Mean J of matched masks below which they are looked at."""


def _fit_badly(scores: SequenceScores) -> bool:
    """Whether objects fit badly even with the masks that were matched to them."""
    J = scores.J[scores.counted & (scores.gt_area > 0)]
    return bool(J.size and J.mean() < _BADLY)


@dataclass(frozen=True)
class ScoringJob:
    """What is done with one video: count each prediction, then score it."""

    protocol: ScoringProtocol
    options: InputOptions
    results: tuple[str, ...]
    truth: str
    cache: CountsCache | None

    def __call__(self, video: PairedVideo, on_step: OnStep) -> list[Scored]:
        """Scores of the video for each of the results; `on_step` is told of frames."""
        pairs = video.sharing()
        known = [self._load(pair) for pair in pairs]
        left = [pair for pair, old in zip(pairs, known, strict=True) if old is None]
        for _ in range(len(pairs) - len(left)):
            on_step(len(pairs[0].frames))
        fresh = iter(self._count(left, on_step))
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

    def _count(
        self, pairs: list[SequencePair], on_step: OnStep
    ) -> list[SequenceCounts]:
        if len(pairs) == 1:
            return [count_sequence(pairs[0], self.protocol, self.options, on_step)]
        return count_together(pairs, self.protocol, self.options, on_step)

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
