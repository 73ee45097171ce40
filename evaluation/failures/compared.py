"""Ground truth and prediction frame by frame, as they were compared for scoring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evaluation.alignment import align
from evaluation.errors import InputError
from evaluation.labelmap import LabelMap, Mask, split_objects
from evaluation.leniency import STRICT, Leniency, resized
from evaluation.pairing import SequencePair
from evaluation.protocols import VOID
from evaluation.sources import Source, open_ground_truth, open_results

if TYPE_CHECKING:
    from evaluation.scoring import Scores

Masks = LabelMap | Mapping[int, Mask]


class ComparedMasks:
    """The masks behind scores, predictions under the ids of their objects.

    Args:
        results: predicted masks, as for `evaluation.score`.
        ground_truth: as for `evaluation.score`.
        scores: of these results; their sequences are opened.
        leniency: what was mended for scoring.

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
        leniency: Leniency = STRICT,
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
        found, label = open_results(results, chosen)
        pairs, _ = align(truth, found, label, scores.protocol, leniency)
        self.pairs: dict[str, SequencePair] = {pair.name: pair for pair in pairs}
        self._proposals = _proposals(scores)
        self._resize = leniency.resize == "nearest"
        rules = scores.protocol
        self._merge = leniency.binarize or rules.objects == "foreground"
        self._ignored = leniency.void
        if self._ignored is None and rules.void == "ignored" and not self._merge:
            self._ignored = VOID
        self._background = VOID if rules.void == "background" else None

    def read(self, sequence: str, frame: str) -> tuple[Masks, Masks]:
        """Ground truth and prediction of an annotated frame.

        Void is left out of both, or background in the ground truth, as the protocol
        has it; a frame without prediction is predicted empty.
        """
        truth, predicted = self.pairs[sequence].read(frame)
        if predicted is None:
            predicted = {} if isinstance(truth, dict) else np.zeros_like(truth)
        if self._resize:
            predicted = _each(predicted, lambda mask: resized(mask, _shape(truth)))
        if self._merge:
            return _merged(truth), _merged(predicted)
        if self._ignored is not None and not isinstance(truth, dict):
            unclear = truth == self._ignored
            truth = np.where(unclear, 0, truth)
            predicted = _each(predicted, lambda mask: np.where(unclear, 0, mask))
        if self._background is not None:
            truth = _without(truth, self._background)
        if sequence not in self._proposals:
            return truth, predicted
        return truth, _renamed(predicted, self._proposals[sequence])


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


def _without(masks: Masks, object_id: int) -> Any:
    if isinstance(masks, Mapping):
        return {key: mask for key, mask in masks.items() if key != object_id}
    unclear = masks == object_id
    return np.where(unclear, 0, masks) if unclear.any() else masks


def _merged(masks: Masks) -> Masks:
    """Whatever is not 0 as object 1."""
    if isinstance(masks, Mapping):
        parts = list(masks.values())
        return {1: np.logical_or.reduce(parts)} if parts else {}
    return (masks != 0).astype(np.uint8)


def _each(masks: Masks, mend: Callable[[NDArray[Any]], NDArray[Any]]) -> Any:
    if isinstance(masks, Mapping):
        return {key: mend(mask) for key, mask in masks.items()}
    return mend(masks)


def _shape(masks: Masks) -> tuple[int, ...]:
    if isinstance(masks, Mapping):
        return next(iter(masks.values())).shape
    return masks.shape
