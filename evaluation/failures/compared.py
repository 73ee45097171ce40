"""Ground truth and prediction frame by frame, as they were compared for scoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from evaluation.errors import InputError
from evaluation.masks.alignment import align
from evaluation.masks.label_map import split_objects
from evaluation.masks.open import Source, open_ground_truth, open_results
from evaluation.masks.pairs import Masks, SequencePair
from evaluation.masks.prepare import prepare, video_options
from evaluation.masks.sequence import ObjectMasks
from evaluation.options import DEFAULT_OPTIONS, InputOptions

if TYPE_CHECKING:
    from evaluation.scoring import Scores


class ComparedMasks:
    """The masks behind scores, predictions under the ids of their objects.

    Args:
        results: predicted masks, as for `evaluation.score`.
        ground_truth: as for `evaluation.score`.
        scores: of these results; their sequences are opened.
        options: what they were scored with.

    Attributes:
        pairs: aligned sequences by name.

    Raises:
        InputError: the scores are of sequences that the ground truth does not have,
            or predictions are missing.
    """

    def __init__(
        self,
        results: Source,
        ground_truth: Source,
        scores: Scores,
        options: InputOptions = DEFAULT_OPTIONS,
    ) -> None:
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
        chosen = {name: truth.sequences[name] for name in sorted(scored)}
        truth = replace(truth, sequences=chosen)
        by_id = scores.protocol.matching == "by-id"
        found, label = open_results(
            results, chosen, by_id=by_id, binarize=options.binarize
        )
        pairs, _ = align(truth, found, label, scores.protocol, options)
        self.pairs: dict[str, SequencePair] = {pair.name: pair for pair in pairs}
        self._proposals = _proposals(scores)
        self._protocol, self._options = scores.protocol, options
        self._settled: dict[str, InputOptions] = {}

    def read(self, sequence: str, frame: str) -> tuple[Masks, Masks]:
        """Ground truth and prediction of an annotated frame, as `prepare` gives them.

        A frame without prediction is predicted empty.
        """
        pair = self.pairs[sequence]
        truth, predicted = prepare(
            *pair.read(frame),
            self._protocol,
            self._options_of(pair),
            (pair.where(frame), pair.gt.where(frame)),
        )
        if sequence not in self._proposals:
            return truth, predicted
        return truth, _rename(predicted, self._proposals[sequence])

    def matched(self, sequence: str) -> bool:
        """Whether predictions of a video go by the ids of objects they matched."""
        return sequence in self._proposals

    def _options_of(self, pair: SequencePair) -> InputOptions:
        """The options of one video, as they were for scoring."""
        if pair.name not in self._settled:
            labels = pair.gt.labels_in(pair.ends())
            options = video_options(labels, self._protocol, self._options, pair)
            self._settled[pair.name] = options
        return self._settled[pair.name]


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


def _rename(predicted: Masks, objects: Mapping[int, int]) -> ObjectMasks:
    """Matched proposals under the ids of their objects, the others left out."""
    if not isinstance(predicted, dict):
        predicted = split_objects(predicted, list(objects))
    return {objects[key]: mask for key, mask in predicted.items() if key in objects}
