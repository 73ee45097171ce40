"""Videos, a method and rules: predicted, corrected and scored in passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from evaluation._utils.progress import ProgressCallback
from evaluation.corrections import (
    worst_frame,
)
from evaluation.errors import InputError
from evaluation.masks.open import open_ground_truth
from evaluation.masks.sequence import MaskSequence
from evaluation.protocols import ScoringProtocol, get_protocol
from evaluation.scoring import Scores, score
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.correcting.method import CorrectedMethod, Prompting
from s3fo.inference.correcting.plans import Online, Plan, Planned
from s3fo.inference.correcting.prompted import Prompted, read_prompts
from s3fo.inference.methods.base import AnyMethod
from s3fo.inference.running.predict import list_sequences, predict

Made = Mapping[str, Sequence[Prompted]]
"""Sequence -> corrections, in order of time."""


@dataclass(frozen=True)
class Task:
    """Videos, a method and rules to score by.

    Attributes:
        benchmark: the videos.
        out: folder to write.
        method: that is corrected.
        protocol: the rules.
        truth: ground truth by sequence.
        overwrite: whether completed videos are re-run.
        workers: processes that score.
        progress: told after every frame.
    """

    benchmark: Benchmark
    out: Path
    method: AnyMethod
    protocol: ScoringProtocol
    truth: Mapping[str, MaskSequence]
    overwrite: bool
    workers: int | None
    progress: ProgressCallback | None

    @classmethod
    def of(
        cls,
        sequences: Benchmark | VideoSequence | Iterable[VideoSequence],
        out: Path,
        method: AnyMethod,
        protocol: str | ScoringProtocol | None,
        overwrite: bool,
        workers: int | None,
        progress: ProgressCallback | None,
    ) -> Task:
        """Open what is to be corrected.

        Raises:
            InputError: a protocol that does not follow objects by their ids.
        """
        benchmark = _as_benchmark(sequences)
        rules = get_protocol(protocol or benchmark.protocol)
        _check_rules(rules, benchmark)
        truth = open_ground_truth(benchmark).sequences
        return cls(benchmark, out, method, rules, truth, overwrite, workers, progress)

    def plain(self) -> Scores:
        """Predict without corrections, as `predict` does, and score."""
        folder = self.out / "corrections-0"
        self._predict(folder, self.method, self.benchmark)
        return self.score(folder)

    def run(
        self, name: str, plan: Plan, prompting: Prompting, names: Sequence[str] = ()
    ) -> tuple[Scores, Made]:
        """Predict with corrections, and score.

        Args:
            name: of the results folder.
            plan: what is corrected.
            prompting: how.
            names: of the videos; all without.
        """
        record = self.out / "prompts" / name
        method = CorrectedMethod(
            self.method, plan, prompting, self.truth, self.protocol, record
        )
        benchmark = self.benchmark.subset(names) if names else self.benchmark
        self._predict(self.out / name, method, benchmark)
        made: dict[str, Sequence[Prompted]] = {}
        for sequence in benchmark:
            written = read_prompts(record, sequence.name)
            made[sequence.name] = written.prompts if written else ()
        return self.score(self.out / name, names), made

    def score(self, folder: Path, names: Sequence[str] = ()) -> Scores:
        """Score a results folder."""
        return score(
            folder,
            self.benchmark,
            self.protocol,
            sequences=list(names) or None,
            workers=self.workers,
            cache=True,
            progress=self.progress,
        )

    def _predict(self, folder: Path, method: AnyMethod, benchmark: Benchmark) -> None:
        done = predict(
            benchmark,
            folder,
            method=method,
            overwrite=self.overwrite,
            progress=self.progress,
        )
        if done.failures:
            raise InputError(
                f"{len(done.failures)} of the videos",
                "; ".join(f"{name}: {text}" for name, text in done.failures.items()),
                "masks of every video",
                "Correct this and run it again: finished videos are kept.",
            )

    def candidates(self, scores: Scores, *, visible_only: bool) -> pd.DataFrame:
        """Counted frames of every object after its first mask, in playing order."""
        place = {
            (sequence.name, frame): index
            for sequence in self.benchmark
            for index, frame in enumerate(sequence.frames)
        }
        first = {
            (sequence.name, item.object_id): place[sequence.name, item.first_frame]
            for sequence in self.benchmark
            for item in sequence.objects
        }
        rows = scores.frames
        keys = zip(rows["sequence"], rows["object"], rows["frame"], strict=True)
        after = [
            (name, object_id) in first and place[name, frame] > first[name, object_id]
            for name, object_id, frame in keys
        ]
        kept = rows[after]
        return kept[kept["gt_area"] > 0] if visible_only else kept

    def worst(self, scores: Scores, made: Made, number: int, prompt: str) -> Planned:
        """The corrections before, and one more of each object."""
        table = self.candidates(scores, visible_only=prompt == "box")
        frames = {
            name: _by_frame([(one.frame, one.object_id) for one in prompts])
            for name, prompts in made.items()
        }
        for (name, object_id), rows in table.groupby(["sequence", "object"]):
            own = frames.setdefault(str(name), {})
            before = [frame for frame, ids in own.items() if object_id in ids]
            chosen = worst_frame(rows, before)
            if chosen is not None:
                own[chosen] = (*own.get(chosen, ()), int(str(object_id)))
        settings = {"policy": "worst", "budget": number}
        return Planned(frames, scores.fingerprints, settings)

    def online(
        self, scores: Scores, budget: int, threshold: float, prompt: str
    ) -> Online:
        """Corrections of the frames that come out below a threshold."""
        table = self.candidates(scores, visible_only=prompt == "box")
        frames = {
            str(name): _by_frame(zip(rows["frame"], rows["object"], strict=True))
            for name, rows in table.groupby("sequence")
        }
        return Online(frames, scores.fingerprints, budget, threshold)


def _as_benchmark(
    sequences: Benchmark | VideoSequence | Iterable[VideoSequence],
) -> Benchmark:
    if isinstance(sequences, Benchmark):
        return sequences
    listing = tuple(list_sequences(sequences))
    return Benchmark("videos", None, Path(), listing, "davis-2017")


def _check_rules(rules: ScoringProtocol, benchmark: Benchmark) -> None:
    """Refuse rules under which an object of the scores is none of the method's."""
    if rules.matching != "by-id":
        raise InputError(
            f"protocol {rules.name}",
            "rules that match proposals with objects",
            "rules for objects that are followed from their first masks",
            "Choose another one, e.g. --protocol davis-2017 (protocol='davis-2017').",
        )
    if rules.objects == "foreground":
        for sequence in benchmark:
            if sequence.object_ids != (1,):
                raise InputError(
                    sequence.name,
                    f"objects {', '.join(map(str, sequence.object_ids))}, which "
                    f"{rules.name} takes together as one",
                    "one object, or rules that score each",
                    "Choose other rules, e.g. --protocol davis-2017 "
                    "(protocol='davis-2017').",
                )


def _by_frame(pairs: Iterable[tuple[str, int]]) -> dict[str, tuple[int, ...]]:
    """Frame -> objects, from pairs of both."""
    frames: dict[str, tuple[int, ...]] = {}
    for frame, object_id in pairs:
        frames[frame] = (*frames.get(frame, ()), int(object_id))
    return frames
