"""Frames in which all methods agree with each other against the ground truth."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from evaluation.attributes.regions import Region, regions_of
from evaluation.audit.kinds import AuditEvent, ErrorKind, confidence
from evaluation.audit.tracks import region_iou
from evaluation.errors import InputError
from evaluation.masks.alignment import align
from evaluation.masks.open import Source, open_ground_truth, open_results
from evaluation.masks.pairs import SequencePair
from evaluation.masks.prepare import prepare, video_options
from evaluation.options import InputOptions
from evaluation.protocols import get_protocol

TOGETHER = 0.8
"""IoU of any two methods from which they agree."""

AGAINST = 0.5
"""IoU of each method with the ground truth below which they are against it."""


class MethodMasks:
    """The results of two or more methods, aligned with one ground truth."""

    def __init__(
        self,
        pairs: Mapping[str, list[SequencePair]],
        options: InputOptions,
        notes: list[str],
    ) -> None:
        self._pairs, self._options = pairs, options
        self.notes = notes

    def votes(self, sequence: str) -> Votes:
        """Take the votes on one video."""
        return Votes(self._pairs[sequence], self._options)


def open_methods(
    methods: Mapping[str, Source] | None,
    ground_truth: Any,
    sequences: Collection[str],
    options: InputOptions,
) -> MethodMasks | None:
    """Open and align results; None where there are none.

    Raises:
        InputError: there is one method only, or its results do not fit.
    """
    if not methods:
        return None
    if len(methods) == 1:
        raise InputError(
            "methods",
            f"results of one method, {next(iter(methods))}",
            "two or more, whose agreement tells",
            "Name another results folder, or leave this one out.",
        )
    truth = open_ground_truth(ground_truth)
    chosen = {name: truth.sequences[name] for name in sequences}
    truth = replace(truth, sequences=chosen)
    gaps = replace(options, missing="score-as-empty")  # such frames say nothing
    pairs: dict[str, list[SequencePair]] = {name: [] for name in sequences}
    for results in methods.values():
        found, label = open_results(results, chosen, binarize=options.binarize)
        for pair in align(truth, found, label, _RULES, gaps)[0]:
            pairs[pair.name].append(pair)
    notes = _note_copies(list(methods), list(pairs.values()))
    return MethodMasks(pairs, options, notes)


def _note_copies(names: list[str], videos: list[list[SequencePair]]) -> list[str]:
    """Notes on results that are a copy of other results: they agree by themselves."""
    return [
        f"the masks of {one} and of {other} are the same, byte for byte: they agree "
        "everywhere, as one method would with itself; leave one of them out"
        for (i, one), (j, other) in combinations(enumerate(names), 2)
        if videos and all(_same_files(video[i], video[j]) for video in videos)
    ]


def _same_files(one: SequencePair, other: SequencePair) -> bool:
    a, b = one.pred, other.pred
    if a is None or b is None or not (a.of_files and b.of_files):
        return False
    return one.pred_frames == other.pred_frames and all(
        a.digest(name) == b.digest(name) for name in one.pred_frames.values()
    )


_RULES = get_protocol("vos-benchmark")
"""Every annotated frame is looked at, predictions by id."""


class Votes:
    """What the methods say of one video, frame by frame."""

    def __init__(self, pairs: list[SequencePair], options: InputOptions) -> None:
        self._pairs = pairs
        self._options = [
            video_options(pair.gt.labels_in(pair.ends()), _RULES, options, pair)
            for pair in pairs
        ]
        self._found: dict[int, list[tuple[int, float, float]]] = {}

    def look(self, index: int, frame: str, truth: Mapping[int, Region]) -> None:
        """Take in an annotated frame; frames that no method predicts say nothing."""
        answers = []
        for pair, options in zip(self._pairs, self._options, strict=True):
            if frame not in pair.pred_frames:
                return
            places = (pair.where(frame), pair.gt.where(frame))
            answers.append(
                regions_of(prepare(*pair.read(frame), _RULES, options, places)[1])
            )
        for object_id in set.intersection(*(set(one) for one in answers)):
            own = truth.get(object_id)
            theirs = [one[object_id] for one in answers]
            together = min(region_iou(a, b) for a, b in combinations(theirs, 2))
            against = max(
                0.0 if own is None else region_iou(own, one) for one in theirs
            )
            if together >= TOGETHER and against < AGAINST:
                self._found.setdefault(object_id, []).append((index, together, against))

    def events(self) -> Iterator[AuditEvent]:
        """Consecutive frames as one event each."""
        for object_id, found in sorted(self._found.items()):
            first = 0
            for place in range(1, len(found) + 1):
                if place < len(found) and found[place][0] == found[place - 1][0] + 1:
                    continue
                part, first = found[first:place], place
                together = min(one[1] for one in part)
                against = max(one[2] for one in part)
                yield AuditEvent(
                    object_id,
                    ErrorKind.METHODS_AGREE,
                    part[0][0],
                    part[-1][0] + 1,
                    f"{len(self._pairs)} methods agree at IoU {together:.2f} or more, "
                    f"and at most {against:.2f} with the ground truth",
                    confidence(1 - against, 1 - AGAINST),
                )
