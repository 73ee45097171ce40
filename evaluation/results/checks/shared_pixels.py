"""Tell predicted masks that overlap where the official tool reads label maps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from evaluation._utils.names import counted
from evaluation.counting.video import SequenceCounts
from evaluation.notes import Note, of_kind, without_kind
from evaluation.protocols import ScoringProtocol


@dataclass(frozen=True, order=True)
class SharedPixels:
    """Frames whose predicted masks overlap though the true ones do not.

    Attributes:
        name: the first video that has any.
        frame: its first such frame.
        objects: ids of the first two masks that overlap in it.
        n_frames: how many such frames there are.
        n_videos: in how many videos.
    """

    name: str
    frame: str
    objects: tuple[int, int]
    n_frames: int
    n_videos: int = 1

    @classmethod
    def of(cls, counts: SequenceCounts) -> SharedPixels | None:
        """Those of one video; None where it has none."""
        if not len(counts.shared):
            return None
        t, one, other = counts.shared[0].tolist()
        n_frames = len(counts.shared)
        return cls(counts.name, counts.frames[t], (one, other), n_frames)


def note_shared(found: Sequence[SharedPixels], rules: ScoringProtocol) -> list[str]:
    """One note for all videos with predicted masks that overlap.

    >>> ant = SharedPixels("ant", "00001", (1, 2), 8)
    >>> note_shared([ant], ScoringProtocol("mine", "Mine", "us"))[0][:60]
    'predicted masks overlap in 8 frames of 1 video, first object'

    Args:
        found: of each video that has any; none where overlaps are allowed.
        rules: of the scores.
    """
    if not found:
        return []
    first = min(found)
    n_frames = sum(part.n_frames for part in found)
    n_videos = sum(part.n_videos for part in found)
    one, other = first.objects
    told = (
        f"predicted masks overlap in {counted(n_frames, 'frame')} of "
        f"{counted(n_videos, 'video')}, first objects {one} and {other} of "
        f"{first.name} in frame {first.frame}: the official tool of {rules.name} reads "
        "label maps, one object per pixel, and cannot give this number. Give every "
        "pixel to one object, best to the most probable one, and score that; for files "
        "`s3fo convert RESULTS OUT --to davis --on-overlap smaller-on-top` does so by "
        "area. Without that option `convert` refuses these masks, and so does `submit`"
    )
    together = replace(first, n_frames=n_frames, n_videos=n_videos)
    return [Note(told, "shared-pixels", **asdict(together))]


def joined_shared(notes: Iterable[str], rules: ScoringProtocol) -> list[str]:
    """Notes of scores that are merged, with one on all masks that overlap.

    Args:
        notes: of all of them.
        rules: of all of them.
    """
    notes = list(notes)
    parts = [
        SharedPixels(**{**note.data, "objects": tuple(note.data["objects"])})
        for note in of_kind(notes, "shared-pixels")
    ]
    return without_kind(notes, "shared-pixels") + note_shared(parts, rules)
