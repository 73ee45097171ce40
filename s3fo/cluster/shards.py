"""Which videos of a benchmark, or of a folder of masks, make up a shard.

The split depends on names, frames and objects only, so that task i of n predicts and
evaluates the same videos of a benchmark.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation._utils.names import as_names
from evaluation._utils.shards import Shard
from evaluation.errors import InputError
from evaluation.masks.open import open_ground_truth
from evaluation.masks.sequence import MaskSequence

if TYPE_CHECKING:
    from s3fo.benchmarks import Benchmark, VideoSequence


def shard_names(
    source: Benchmark | str | Path,
    shard: Shard | str,
    names: Collection[str] | None = None,
) -> list[str]:
    """Names of the sequences of one shard, balanced by frames and objects.

    Args:
        source: a benchmark, or ground truth as `evaluation.score` takes it.
        shard: ``"2/4"``, or a `Shard`.
        names: divide only these sequences; None for all.

    Returns:
        Names in the order of the source; empty where there are fewer sequences than
        shards.

    Raises:
        InputError: there is no such shard or sequence, or the source cannot be read.

    Example:
        >>> shard_names(benchmark, "1/3")  # doctest: +SKIP
        ['bear', 'cows']
    """
    part = Shard.parse(shard) if isinstance(shard, str) else shard
    return part.choose(sequence_costs(source, names))


@dataclass(frozen=True)
class Chosen:
    """The sequences that one command works on.

    Attributes:
        names: in the order of the source; None for all.
        shard: which part of the work they are; None where it is not divided.
        n_sequences: of all shards together; 0 where the work is not divided.
    """

    names: tuple[str, ...] | None = None
    shard: Shard | None = None
    n_sequences: int = 0


def choose_sequences(
    source: Benchmark | str | Path,
    names: Collection[str] | None = None,
    shard: str | None = None,
) -> Chosen:
    """What a command works on, by its options or by the array job that it runs in.

    Args:
        source: as for `shard_names`.
        names: of sequences that were asked for; none or None for all.
        shard: ``"2/4"``; None takes that of the scheduler's array job, unless
            sequences are named.

    Raises:
        InputError: there is no such shard or sequence.
    """
    named = as_names(names) if names else None
    part: Shard | None = None
    if shard is not None:
        part = Shard.parse(shard)
    elif named is None:
        part = Shard.from_environment()
    if part is None and named is None:
        return Chosen()
    costs = sequence_costs(source, named)
    if part is None:
        return Chosen(tuple(costs))
    return Chosen(tuple(part.choose(costs)), part, len(costs))


def sequence_costs(
    source: Benchmark | str | Path, names: Collection[str] | None = None
) -> dict[str, int]:
    """Cost of each sequence: frames, times one more than the objects.

    Objects are those that a list or the first annotated frame tells of; no other frame
    is read.
    """
    videos: dict[str, VideoSequence] | dict[str, MaskSequence]
    if isinstance(source, (str, Path)):
        videos = dict(open_ground_truth(source).sequences)
    else:
        videos = {video.name: video for video in source}
    unknown = sorted(set(names or ()) - set(videos))
    if unknown:
        raise InputError(
            "sequences",
            ", ".join(unknown),
            f"some of {', '.join(videos)}",
            "Name sequences of the benchmark.",
        )
    wanted = videos if names is None else set(names)
    return {
        name: len(video.frames) * (1 + _count_objects(video))
        for name, video in videos.items()
        if name in wanted
    }


def _count_objects(video: VideoSequence | MaskSequence) -> int:
    """Objects, as far as a list or one frame tells."""
    if isinstance(video, MaskSequence):
        return len(video.annotated_ids() or video.labels_in(video.frames[:1]))
    if video.known_objects is not None or video.load_objects is not None:
        return len(video.objects)
    if video.object_masks is not None:
        return _count_objects(video.object_masks)
    first = video.annotated_frames[:1]
    return len(video.read_object_masks(first[0])) if first else 0
