"""Masks of every n-th frame that are numbered one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from evaluation.errors import InputError
from s3fo.benchmarks.video import VideoSequence

_LOOKED_AT = 8
"""Masks of a video that are held against its images, evenly spread."""

_FEWEST = 2
"""Masks after the first one from which anything can be told."""


def note_renumbered(sequences: Sequence[VideoSequence]) -> list[str]:
    """A note where masks of every n-th frame may be numbered one after the other.

    They would be those of the first frames alone, in all videos, and as many as every
    n-th frame makes. Of one video that may be chance, so its images must say so, too.

    Args:
        sequences: videos with their masks, which are read for a single video alone.
    """
    steps: set[int] | None = None
    for one in sequences:
        count, there = len(one.frames), one.annotated_frames
        if not 3 <= len(there) < count or there != one.frames[: len(there)]:
            return []
        own = {n for n in range(2, count) if -(-count // n) == len(there)}
        steps = own if steps is None else steps & own
    if not steps:
        return []
    first = sequences[0]
    some = f"{len(first.annotated_frames)} of {len(first.frames)}"
    if len(sequences) > 1:
        return [
            f"all videos have masks of their first frames alone ({first.name}: {some}),"
            f" as many as one frame in {min(steps)} would make: are they masks of "
            "those, numbered anew? Then name them after their frames"
        ]
    return [
        f"{first.name}: masks are those of the first frames alone ({some}), but the "
        f"images of one frame in {step} have edges under their outlines that are "
        f"{gain:.1f} times as strong: are they masks of those, numbered anew? Then "
        "name them after their frames"
        for step, gain in _fitting(first, sorted(steps))
    ][:1]


def _fitting(video: VideoSequence, steps: Sequence[int]) -> Iterator[tuple[int, float]]:
    """Steps whose images fit the masks better than those of the first frames do."""
    # Here: it brings what audits masks, which opening does not need.
    from evaluation.audit.edges import GAIN, strength_under

    wanted = np.linspace(1, len(video.annotated_frames) - 1, _LOOKED_AT)
    places = sorted(set(wanted.round().astype(int).tolist()))
    for step in steps:
        found = []
        for place in places:
            shown = [video.frames[place], video.frames[step * place]]
            if not all(frame in video.images for frame in shown):
                continue  # of a video file
            try:
                masks = video.read_annotation(shown[0])
                pair = [strength_under(masks, video.images[frame]) for frame in shown]
            except (InputError, OSError):
                continue  # whoever reads them tells what is wrong
            if pair[0] is not None and pair[1] is not None:
                found.append((pair[0], pair[1]))
        better = sum(other > own for own, other in found)
        if better < _FEWEST or 4 * better < 3 * len(found):
            continue
        own_mean, other_mean = np.mean(found, axis=0).tolist()
        if other_mean >= GAIN * own_mean:
            yield step, other_mean / own_mean
