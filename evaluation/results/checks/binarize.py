"""Advise to merge labels only where this merges no objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from evaluation.errors import InputError
from evaluation.masks.sequence import MaskSequence
from evaluation.protocols import VOID
from evaluation.results.checks.masks import (
    BINARIZE,
    FROM_ZERO,
    INVERTED,
    is_suspicious,
)

_OR_BINARIZE = f", or {BINARIZE}"


@contextmanager
def advise_by_truth(truth: Mapping[str, MaskSequence]) -> Iterator[None]:
    """Leave `BINARIZE` out of remedies if it would merge objects of any video.

    Likewise a mask that looks inverted may be one of ids from 0 on, with 255 for the
    background, if another video has several. What is advised holds for all videos, so
    that one which has a single object is no reason for it where another has several.

    Args:
        truth: the ground truth by sequence; read only when an error advises so.
    """
    try:
        yield
    except InputError as error:
        if not advises_binarize(error):
            raise
        if not several_objects(map(_labels_at_ends, truth.values())):
            raise
        raise without_binarize(error) from None


def advises_binarize(error: InputError) -> bool:
    """Whether the remedy is one for videos of a single object."""
    return _OR_BINARIZE in error.remedy or INVERTED in error.remedy


def several_objects(labels: Iterable[set[int]]) -> bool:
    """Whether there are several objects in any video, by the labels of each."""
    return any(len(own - {0, VOID}) > 1 and not is_suspicious(own) for own in labels)


def without_binarize(error: InputError) -> InputError:
    """The same error with what is right for several objects, too."""
    remedy = error.remedy.replace(_OR_BINARIZE, "").replace(INVERTED, FROM_ZERO)
    return InputError(error.where, error.found, error.expected, remedy)


def _labels_at_ends(masks: MaskSequence) -> set[int]:
    """Labels in the first and the last frame; none where they cannot be read."""
    try:
        return masks.labels_in(dict.fromkeys((masks.frames[0], masks.frames[-1])))
    except (InputError, OSError, IndexError):
        return set()
