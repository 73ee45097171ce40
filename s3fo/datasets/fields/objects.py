"""Which object each label of a video is: by `index`, else by `instance`, else by text.

FiftyOne itself keeps no order here: an index may be any integer, -1 often stands for
"none", and trackers leave it out. An index that labels of different objects share is no
id; that is told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from evaluation.errors import InputError
from s3fo.datasets.fields.masks import ObjectLabel

Key: TypeAlias = int | str
"""What tells an object from the others of its video: its `index`, the id of its
`instance`, or its text (which begins with `TEXT`)."""

TEXT = "label "

Frames: TypeAlias = Mapping[str, Sequence[ObjectLabel] | None]
"""The labels of each frame, by what to call the frame in messages."""

_LAST_NUMBER = re.compile(r"(\d+)\D*$")


class Identified(NamedTuple):
    """The objects of a video.

    Attributes:
        keys: of each frame, the key of each of its labels.
        notes: what had to be decided.
    """

    keys: dict[str, list[Key]]
    notes: list[str]


def frame_text(name: str, number: int | None) -> str:
    """A frame as messages call it: by the player's number, too, where it has one."""
    return f"frame {name}" if number is None else f"frame {number} ({name})"


def identify(
    video: str, frames: Frames, *, by_text: bool = False, numbered: bool = False
) -> Identified:
    """Tell the objects of a video apart.

    Labels that have only an instance are the object whose index other labels of that
    instance have. Two labels of one index in a frame are parts of one object, unless
    their instances or texts differ: then the index is none.

    Args:
        video: its name.
        frames: its labels.
        by_text: where nothing else does, tell objects apart by the number at the end
            of `label`, or by the whole text.
        numbered: whether messages name frames by the player's numbers, too.

    Raises:
        InputError: a label that nothing tells apart from others.
    """
    shared = _shared_indices(frames)
    by_instance = {
        instance: int(label.index)
        for label in _all(frames)
        if (instance := instance_of(label)) is not None
        and label.index is not None
        and label.index not in shared
    }
    keys: dict[str, list[Key]] = {}
    for number, (name, labels) in enumerate(frames.items(), start=1):
        keys[name] = []
        for label in labels or ():
            instance = instance_of(label)
            if label.index is not None and label.index not in shared:
                keys[name].append(int(label.index))
            elif instance is not None:
                keys[name].append(by_instance.get(instance, instance))
            elif by_text:
                keys[name].append(_text_key(video, label))
            else:
                place = frame_text(name, number if numbered else None)
                raise _unknown(f"{video}, {place}", label, by_text)
    if by_text:
        _check_texts(video, frames, keys, shared)
    return Identified(keys, [*_notes(video, frames, shared, keys)])


def instance_of(label: ObjectLabel) -> str | None:
    """Id of the instance of a label; None if it has none."""
    instance = getattr(label, "instance", None)  # labels made by hand may lack it
    return None if instance is None else str(instance.id)


def _all(frames: Frames) -> Iterator[ObjectLabel]:
    return (label for labels in frames.values() for label in labels or ())


def _shared_indices(frames: Frames) -> set[int]:
    """Indices that labels of different objects have.

    -1 mostly says "none", and so does 0 if nothing else is used: twice in a frame they
    are not taken for parts of one object, and -1 not for one that changes.
    """
    every = _by_index(list(_all(frames)))
    none = {index for index in every if index < 0 or set(every) == {0}}
    shared = {index for index in every if index < 0 and _differ(every[index])}
    for labels in frames.values():
        for index, own in _by_index(labels or ()).items():
            if len(own) > 1 and (index in none or _differ(own)):
                shared.add(index)
    return shared


def _by_index(labels: Sequence[ObjectLabel]) -> dict[int, list[ObjectLabel]]:
    found: dict[int, list[ObjectLabel]] = {}
    for label in labels:
        if label.index is not None:
            found.setdefault(int(label.index), []).append(label)
    return found


def _differ(labels: Sequence[ObjectLabel]) -> bool:
    """Whether labels are of different objects by their instances, else their texts."""
    instances = {instance_of(label) for label in labels}
    if None not in instances:
        return len(instances) > 1
    return len({label.label for label in labels}) > 1


def _text_key(video: str, label: ObjectLabel) -> Key:
    # The name of a sequence may end with a number of its own.
    match = _LAST_NUMBER.search((label.label or "").removeprefix(video))
    return int(match.group(1)) if match else f"{TEXT}{label.label}"


def _has_text_key(label: ObjectLabel, shared: set[int]) -> bool:
    no_index = label.index is None or label.index in shared
    return no_index and instance_of(label) is None


def _check_texts(
    video: str, frames: Frames, keys: Mapping[str, Sequence[Key]], shared: set[int]
) -> None:
    """Refuse texts that do not tell objects apart, or stand beside indices.

    Raises:
        InputError: two of one text in a frame, or labels with and without an id.
    """
    kinds = {_has_text_key(label, shared) for label in _all(frames)}
    for name, labels in frames.items():
        own = keys[name]
        for label, key in zip(labels or (), own, strict=True):
            if not _has_text_key(label, shared):
                continue
            if len(kinds) > 1:
                raise _unknown(f"{video}, frame {name}", label, True)
            if own.count(key) > 1:
                raise InputError(
                    f"sequence {video}, frame {name}",
                    f"two masks with '{TEXT}{label.label}' in one frame, and "
                    + ("no index" if label.index is None else f"index {label.index}"),
                    "the object's id as `index`, an `instance` for each object, or "
                    "the id at the end of `label`",
                    "Set `index`, the same through a video.",
                )


def _unknown(where: str, label: ObjectLabel, by_text: bool) -> InputError:
    index = "without index and instance"
    if label.index is not None:
        index = f"with index {label.index}, as other objects have, and no instance"
    return InputError(
        where,
        f"a label ({label.label}) {index}",
        "one or the other, the same through a video"
        + (", in all labels of a video or in none" if by_text else ""),
        "Set `index` to the id of the object; a label with neither index nor instance "
        "belongs to none.",
    )


def _notes(
    video: str, frames: Frames, shared: set[int], keys: Mapping[str, Sequence[Key]]
) -> Iterator[str]:
    if shared:
        listed = ", ".join(map(str, sorted(shared)[:5]))
        yield (
            f"{video}: index {listed} is that of several objects, so they were told "
            "apart by instance or text"
        )
    parted = [
        name for name in frames if any(n > 1 for n in Counter(keys[name]).values())
    ]
    if parted:
        yield (
            f"{video}: several labels of one object in {len(parted)} frames "
            f"({', '.join(parted[:3])}) were joined as its parts"
        )
    indices: dict[str, set[int]] = {}
    for label in _all(frames):
        instance = instance_of(label)
        if instance and label.index is not None and label.index not in shared:
            indices.setdefault(instance, set()).add(int(label.index))
    several = [sorted(own) for own in indices.values() if len(own) > 1]
    if several:
        yield (
            f"{video}: labels of one instance have the indices {several[0]}; the index "
            "counts"
        )
    yield from _contradicting_texts(video, frames, shared)


def _contradicting_texts(video: str, frames: Frames, shared: set[int]) -> Iterator[str]:
    """A note where texts tell objects apart, and otherwise than indices do.

    That is so where no two labels of a frame have one text, one index has several
    texts, and one of these several indices: as where labels are numbered anew in every
    frame. Texts that are classes, and wrong in some frames, meet in other frames.
    """
    texts: dict[int, set[str]] = {}
    indices: dict[str, set[int]] = {}
    for labels in frames.values():
        own = [label.label or "" for label in labels or ()]
        if len(set(own)) < len(own):
            return
        for text, label in zip(own, labels or (), strict=True):
            if label.index is not None and label.index not in shared:
                texts.setdefault(int(label.index), set()).add(text)
                indices.setdefault(text, set()).add(int(label.index))
    for index, own_texts in sorted(texts.items()):
        both = [text for text in sorted(own_texts) if len(indices[text]) > 1]
        if len(own_texts) > 1 and both:
            listed = ", ".join(map(repr, sorted(own_texts)[:3]))
            others = ", ".join(map(str, sorted(indices[both[0]])))
            yield (
                f"{video}: labels of index {index} are {listed}, and {both[0]!r} has "
                f"the indices {others}: are they numbered anew in every frame? The "
                "index counts; set it to the id of the object"
            )
            return
