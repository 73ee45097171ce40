"""Give masks the ids by which other masks of the same videos call their objects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from evaluation.errors import InputError
from evaluation.formats.mots import MOTS_SCALE, object_ids
from evaluation.masks.label_map import LabelMap
from evaluation.masks.sequence import ArraySequence, MaskSequence, ObjectMasks
from s3fo.convert.reading import LEFT_OUT

_SHOWN = 12
"""Ids written out for one video."""


def take_ids(
    videos: Mapping[str, MaskSequence], others: Mapping[str, MaskSequence], place: Path
) -> dict[str, MaskSequence]:
    """Renumber the objects of each video as other masks of it do.

    Ids that the others have stay. Else ids become the others', both in ascending order,
    where there are as many.

    Args:
        videos: whose ids are changed.
        others: masks of the same videos, e.g. the ground truth of results.
        place: of the others, to name in an error.

    Returns:
        The videos; what was changed is remarked.

    Raises:
        InputError: the others lack a video, or do not tell which id stands for which.
    """
    renumbered = {}
    for name, masks in videos.items():
        if name not in others:
            raise InputError(
                place,
                f"no sequence {name}",
                "masks of every sequence that is converted",
                "Give the masks of these sequences (ids_from=, --ids-from), or leave "
                "this sequence out.",
            )
        ids = _settle(sorted(_ids(masks)), _ids(others[name]), name, place)
        renumbered[name] = _renumber(masks, ids, place)
    return renumbered


def take_mots_ids(
    videos: Mapping[str, MaskSequence], others: Mapping[str, MaskSequence], place: Path
) -> dict[str, MaskSequence]:
    """Give masks of MOTS the ids that other masks of MOTS get when these are converted.

    Args:
        videos: whose ids are changed, with their class in the ids.
        others: masks of the same videos likewise.
        place: of the others.

    Returns:
        The videos; what was changed is remarked. Ids that the others lack stay whole.
    """
    whole = sorted(set().union(*map(_ids, others.values())))
    known = object_ids((k, k // MOTS_SCALE) for k in whole)
    ids = {number: own for (number, _), own in known.items()}
    return {
        name: _renumber(masks, {k: ids.get(k, k) for k in sorted(_ids(masks))}, place)
        for name, masks in videos.items()
    }


def _ids(masks: MaskSequence) -> set[int]:
    """Ids of all objects of a video, 0 where masks are kept object by object."""
    if not masks.overlapping:
        return masks.labels_in(masks.frames) - {masks.ignored or 0}
    return masks.annotated_ids() - {masks.ignored}


def _renumber(masks: MaskSequence, ids: dict[int, int], place: Path) -> MaskSequence:
    """A video under other ids, which is remarked."""
    changed = {k: v for k, v in ids.items() if k != v}
    renumbered = _Renumbered(masks, ids)
    if changed:
        told = ", ".join(f"{k} became {v}" for k, v in list(changed.items())[:_SHOWN])
        more = ", ..." if len(changed) > _SHOWN else ""
        renumbered.remark(f"{masks.name}: ids as in {place}: {told}{more}")
    if masks.ignored is not None:
        renumbered.remark(f"{masks.name}: {LEFT_OUT}")
    return renumbered


def _settle(own: list[int], wanted: set[int], name: str, place: Path) -> dict[int, int]:
    """The id that each own id becomes.

    Raises:
        InputError: it cannot be told.
    """
    if set(own) <= wanted:
        return {k: k for k in own}
    if len(own) == len(wanted):
        return dict(zip(own, sorted(wanted), strict=True))
    raise InputError(
        f"{place}, sequence {name}",
        f"objects {', '.join(map(str, sorted(wanted)[:_SHOWN]))}, beside "
        f"{', '.join(map(str, own[:_SHOWN]))} in the masks that are converted",
        "as many objects, so that it can be told which id stands for which",
        "Write the masks of one side again with the ids of the other; or, where both "
        "sides are of MOTS, convert both, and the results with the ground truth of "
        "MOTS for the ids.",
    )


class _Renumbered(ArraySequence):
    """The masks of a video under other ids; what has none is left out."""

    def __init__(self, masks: MaskSequence, ids: Mapping[int, int]) -> None:
        super().__init__(masks.name, dict.fromkeys(masks.frames))
        self._stored, self._ids_of = masks, dict(ids)
        self.overlapping, self.size = masks.overlapping, masks.size
        self.of_files = masks.of_files
        for remark in masks.remarks():
            self.remark(remark)

    def where(self, frame: str, object_id: int | None = None) -> str:
        """Where the stored masks are."""
        return self._stored.where(frame, object_id)

    def renumbered(self, offset: int, drop: int | None = None) -> _Renumbered:
        """The same masks object by object, `offset` added to every id."""
        ids = {k: v + offset for k, v in self._ids_of.items() if v != drop}
        return _Renumbered(self._stored, ids)

    def annotated_ids(self) -> set[int]:
        """The ids that objects have now."""
        return set(self._ids_of.values()) if self.overlapping else set()

    def read(self, frame: str) -> LabelMap | ObjectMasks:
        """The masks of one frame."""
        masks = self._stored.read(frame)
        if isinstance(masks, dict):
            return {self._ids_of[k]: m for k, m in masks.items() if k in self._ids_of}
        table = np.zeros(2**16, np.uint16)
        table[list(self._ids_of)] = list(self._ids_of.values())
        return table[masks]
