"""Are scores those of the masks that failures are looked for in? A note where not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from evaluation._utils.names import counted
from evaluation.counting.overlap_counting import count_overlaps
from evaluation.masks.pairs import Masks
from evaluation.scoring_rules import RegionRule

if TYPE_CHECKING:
    import pandas as pd

_ALIKE = 1e-5
"""How far J may be off where scores were kept with fewer digits."""


class OtherJ(NamedTuple):
    """An object frame whose J in the scores is not that of its masks."""

    sequence: str
    object_id: int
    frame: str
    scored: float
    found: float


class ScoredRegions:
    """J of a video as its scores have it, to hold masks against.

    Args:
        rows: of its objects, with `object`, `frame` and `J`.
        region: how the protocol compares regions.

    Attributes:
        others: what was found so far that differs.
    """

    def __init__(self, rows: pd.DataFrame, region: RegionRule) -> None:
        self._sequence = str(rows["sequence"].iloc[0])
        self._smoothed = region == "smoothed"
        self._known: dict[str, dict[int, float]] = {}
        columns = (rows[name].tolist() for name in ("frame", "object", "J"))
        for frame, object_id, J in zip(*columns, strict=True):
            self._known.setdefault(str(frame), {})[int(object_id)] = J
        self.others: list[OtherJ] = []

    def check(self, frame: str, truth: Masks, predicted: Masks) -> None:
        """Keep the objects of a frame whose J is another one than in the scores."""
        known = self._known.get(frame)
        if not known:
            return
        found = _similarities(truth, predicted, known, self._smoothed)
        self.others += [
            OtherJ(self._sequence, object_id, frame, J, found[object_id])
            for object_id, J in known.items()
            if abs(J - found[object_id]) > _ALIKE
        ]


def _similarities(
    truth: Masks, predicted: Masks, known: Mapping[int, float], smoothed: bool
) -> dict[int, float]:
    """J of some objects of a frame."""
    shared = count_overlaps(truth, predicted)
    rows = {k: i for i, k in enumerate(shared.gt_ids.tolist())}
    columns = {k: i for i, k in enumerate(shared.track_ids.tolist())}
    found = {}
    for k in known:
        row, column = rows.get(k), columns.get(k)
        gt = 0 if row is None else int(shared.gt_area[row])
        pred = 0 if column is None else int(shared.track_area[column])
        both = 0
        if row is not None and column is not None:
            both = int(shared.intersection[row, column])
        union = gt + pred - both
        plain = both / union if union else 1.0
        found[k] = min(1.0, (both + 1) / (union + 1)) if smoothed else plain
    return found


def note_other_scores(others: Sequence[OtherJ], n_rows: int) -> list[str]:
    """A note where scores are of other masks, or of masks read by other options.

    >>> note_other_scores([OtherJ("cat", 1, "00002", 0.5, 0.25)], 9)[0][:47]
    'the scores are not of these masks: J differs in'

    Args:
        others: object frames whose J differs.
        n_rows: how many object frames were scored.
    """
    if not others:
        return []
    first = others[0]
    return [
        f"the scores are not of these masks: J differs in {len(others)} of "
        f"{counted(n_rows, 'object frame')} (first {first.sequence}/{first.object_id} "
        f"in {first.frame}: {first.scored:.3f} in the scores, {first.found:.3f} of the "
        "masks). Costs are those of the scores, kinds those of the masks: score these "
        "masks again, and pass the options that they were scored with"
    ]
