"""What the readers of mask JSON share: their result, and checks of names and masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from evaluation.formats.object_ids import ObjectIds

Frames = dict[str, dict[int, Any]]
"""Frame name -> object id -> COCO RLE."""


class FormError(Exception):
    """Something in the file is not as its form wants it; `found` says where."""

    def __init__(self, found: str, expected: str, fix: str = "") -> None:
        self.found, self.expected, self.fix = found, expected, fix


@dataclass(frozen=True)
class EncodedVideo:
    """The masks of one video as they stand in a file.

    Attributes:
        frames: frame name -> object id -> COCO RLE.
        size: (H, W) in pixels; None where the file does not say.
        classes: object id -> class and group of the class; None where the file does
            not say.
        video_id: what other files call the video; None where the file does not say.
        identified: whether its object ids say which object of the ground truth each
            is; if not, they are numbers of tracks.
        notes: what was left out of it.
        ignores: id of regions that are to be ignored; None where there are none.
        annotation_ids: annotation id -> object id, where the file has both.
    """

    frames: Frames
    size: tuple[int, int] | None = None
    classes: dict[int, tuple[str, str]] | None = None
    video_id: Any = None
    identified: bool = True
    notes: tuple[str, ...] = ()
    ignores: int | None = None
    annotation_ids: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PhraseId:
    """What files of SA-Co call a phrase of a video, where each is scored by itself."""

    video_id: object
    category_id: object


@dataclass(frozen=True)
class ListedVideo:
    """What a list of results leaves to the ground truth's own file.

    Attributes:
        name: of the video.
        frames: their names, in playing order.
        size: (H, W) in pixels; None where the file does not say.
        annotation_ids: annotation id -> object id, where the file has both.
    """

    name: str
    frames: Sequence[str]
    size: tuple[int, int] | None = None
    annotation_ids: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class JsonForm:
    """One form of mask JSON.

    Attributes:
        name: for people.
        recognises: whether a document, by the keys at its top, has this form.
        read: the videos of a document by name, in the order of the file.
        schema: a dataclass that the document is compared with to name the place of a
            fault.
    """

    name: str
    recognises: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any]], dict[str, EncodedVideo]]
    schema: type


@dataclass(frozen=True)
class Rle:
    """A COCO run-length encoding, for `JsonForm.schema`."""

    size: list[int]
    counts: Any


LEAST_SCORE = 0.5
"""Score of a track from which SA-Co/VEval counts it (`prob_thresh` of its code)."""


def note_scores(items: Iterable[object]) -> tuple[str, ...]:
    """A note where masks bring scores, and some of them are low.

    >>> note_scores([{"score": 0.9}, {"score": 0.7}, {"id": 1}])
    ()

    Args:
        items: entries of the file for one video, which may have a ``score``.
    """
    scores = (item.get("score") for item in items if isinstance(item, Mapping))
    if not any(isinstance(s, (int, float)) and s < LEAST_SCORE for s in scores):
        return ()
    return (
        f"some tracks or masks have a score below {LEAST_SCORE} and count like all "
        "others, as scores are not looked at; where tracks are matched with objects, "
        "more of them can only raise J&F. Leave out tracks that are no results",
    )


def refuse_twice(names: Sequence[str], what: str) -> None:
    """Refuse names that stand for two things: the last would win.

    Raises:
        FormError: with the first such name.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise FormError(f"two {what} {name!r}", "a name of its own for each")
        seen.add(name)


def frame_name(file: str) -> str:
    """Name of a frame from the path of its image, of any system."""
    return PurePosixPath(file.replace("\\", "/")).stem


def check_length(first: Sequence[object], second: Sequence[object], place: str) -> None:
    """Refuse lists of different lengths.

    Raises:
        FormError: with `place` and both lengths.
    """
    if len(first) != len(second):
        raise FormError(
            f"{len(second)} entries for {len(first)} frames at {place}",
            "one entry per frame, null where there is no mask",
        )


def object_id(key: Any, place: str, ids: ObjectIds) -> int:
    """An object id, which JSON has as a string where it is a key.

    Args:
        key: the id as it stands in the file.
        place: where it stands.
        ids: those of the same video so far.

    Raises:
        FormError: it is no integer, or another text stands for the same number.
    """
    try:
        return ids.number(key)
    except ValueError as error:
        raise FormError(
            f"{error} at {place}",
            "integers as object ids, each written in one way",
            "Give every object an id of its own, written alike in all frames.",
        ) from None


def check_rle(rle: object, place: str) -> object:
    """Hand back what is a COCO RLE.

    Raises:
        FormError: it is none.
    """
    if not isinstance(rle, dict) or "size" not in rle or "counts" not in rle:
        found = repr(rle)
        found = found if len(found) <= 40 else found[:37] + "..."
        raise FormError(
            f"{found} at {place}", 'COCO RLE {"size": [H, W], "counts": ...}, or null'
        )
    return rle


def add_track(frames: Frames, number: int, masks: Sequence[object], place: str) -> None:
    """Add one object's masks, one entry per frame and null where there is none.

    Raises:
        FormError: too many or few entries, something else than masks, or a second mask
            of the object in a frame.
    """
    check_length(list(frames), masks, f"{place}, segmentations")
    for frame, rle in zip(frames, masks, strict=True):
        if rle is None:
            continue
        if number in frames[frame]:
            found = f"object {number} twice in frame {frame} ({place})"
            raise FormError(found, "one mask per object and frame")
        frames[frame][number] = check_rle(rle, f"{place}, frame {frame}")


def keep_empty(
    frames: Frames, number: int, masks: Sequence[object], size: tuple[int, int] | None
) -> None:
    """Give an object without any mask an empty one, where it counts all the same.

    Args:
        frames: to which it is added, in the first one.
        number: id of the object.
        masks: its entries.
        size: (H, W) of the video.
    """
    if size is not None and frames and all(rle is None for rle in masks):
        empty = {"size": list(size), "counts": [size[0] * size[1]]}
        frames[next(iter(frames))][number] = empty
