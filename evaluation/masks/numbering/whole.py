"""A video of which only some frames are annotated, and results of all."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.masks.pairs import Masks
from evaluation.masks.sequence import MaskSequence


class WholeVideo(MaskSequence):
    """The ground truth of a video with the names of all its frames.

    Args:
        truth: masks of the annotated frames.
        frames: names of all frames.
    """

    def __init__(self, truth: MaskSequence, frames: Sequence[str]) -> None:
        super().__init__(truth.name, dict.fromkeys(frames))
        self._truth = truth

    @property
    def annotated(self) -> tuple[str, ...]:
        """Names of the frames that have masks."""
        return self._truth.frames

    def where(self, frame: str, object_id: int | None = None) -> str:
        """What to name in an error about this frame."""
        return self._truth.where(frame, object_id)

    def read(self, frame: str) -> Masks:
        """The masks of an annotated frame."""
        return self._truth.read(frame)

    def _content(self, frame: str) -> bytes:
        return self._truth.digest(frame)


def annotated_frames(gt: MaskSequence) -> tuple[str, ...]:
    """Names of the frames of the ground truth that have masks."""
    return gt.annotated if isinstance(gt, WholeVideo) else gt.frames
