"""Which objects were found in which frames, for FiftyOne's detection results."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

FOUND_FROM_J = 0.5
"""J from which on an object counts as found in a frame."""

_ID_BYTES = 12
_NO_ID = bytes(_ID_BYTES)
_NO_LABEL = -1


class LabelRef(NamedTuple):
    """A label and its id in the database; without id it stands for no label."""

    label: str | None
    id: str


_NOTHING = LabelRef(None, "")


class Match(NamedTuple):
    """One row of FiftyOne's detection results; None where a side is missing."""

    truth: str | None
    prediction: str | None
    j: float
    confidence: None
    truth_id: str | None
    prediction_id: str | None


class Matches:
    """Many matches in little memory: 40 bytes each.

    Benchmarks have hundreds of thousands.
    """

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._labels = array("i"), array("i")
        self._ids = bytearray(), bytearray()
        self._j = array("d")

    def add(self, matches: Iterable[Match]) -> None:
        """Append matches."""
        for match in matches:
            self._j.append(match.j)
            for labels, label in zip(
                self._labels, (match.truth, match.prediction), strict=True
            ):
                known = self._codes
                code = (
                    _NO_LABEL if label is None else known.setdefault(label, len(known))
                )
                labels.append(code)
            for ids, key in zip(
                self._ids, (match.truth_id, match.prediction_id), strict=True
            ):
                ids += bytes.fromhex(key) if key else _NO_ID

    @property
    def classes(self) -> list[str]:
        """The labels that occur, sorted."""
        return sorted(self._codes)

    def columns(self, missing: str) -> dict[str, Iterable[str | float | None]]:
        """The matches as FiftyOne stores them, made while one goes through them.

        Args:
            missing: what to write where there is no label.
        """
        return {
            "ytrue": self._read_labels(0, missing),
            "ypred": self._read_labels(1, missing),
            "confs": (None for _ in self._j),
            "ytrue_ids": self._read_ids(0),
            "ypred_ids": self._read_ids(1),
            "ious": iter(self._j),
        }

    def _read_labels(self, side: int, missing: str) -> Iterator[str]:
        names = {code: label for label, code in self._codes.items()}
        names[_NO_LABEL] = missing
        return (names[code] for code in self._labels[side])

    def _read_ids(self, side: int) -> Iterator[str | None]:
        ids = self._ids[side]
        for start in range(0, len(ids), _ID_BYTES):
            key = bytes(ids[start : start + _ID_BYTES])
            yield None if key == _NO_ID else key.hex()


def match_frame(
    truths: Mapping[int, LabelRef],
    predictions: Mapping[int, LabelRef],
    scores: Mapping[int, tuple[float, float]],
) -> list[Match]:
    """Which objects of a frame were found.

    Args:
        truths: the objects seen in the frame, by object id.
        predictions: the objects predicted in the frame.
        scores: J and F of the objects that count in the frame.

    Returns:
        One row for an object found; for one that was not, a row for the ground
        truth missed and one for the wrong prediction, where they exist.
    """
    rows = []
    for object_id, (j, _) in scores.items():
        truth = truths.get(object_id, _NOTHING)
        prediction = predictions.get(object_id, _NOTHING)
        if truth.id and prediction.id and j >= FOUND_FROM_J:
            sides = [(truth, prediction)]
        else:
            sides = [(truth, _NOTHING), (_NOTHING, prediction)]
        rows += [
            Match(left.label, right.label, j, None, left.id or None, right.id or None)
            for left, right in sides
            if left.id or right.id
        ]
    return rows


def outcome(matches: list[Match]) -> dict[str, str]:
    """Label id -> ``"tp"``, ``"fp"`` or ``"fn"``, as FiftyOne's filters expect."""
    found: dict[str, str] = {}
    for match in matches:
        complete = match.truth_id and match.prediction_id
        if match.truth_id:
            found[match.truth_id] = "tp" if complete else "fn"
        if match.prediction_id:
            found[match.prediction_id] = "tp" if complete else "fp"
    return found
