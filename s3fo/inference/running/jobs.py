"""Videos to segment, what came of each, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation._utils.progress import ProgressCallback
from evaluation.runs.schema import VideoRecord
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.running.pace import Pace

Job = tuple[VideoSequence, tuple[str, ...]]


@dataclass(frozen=True)
class Outcome:
    """What came of one video: busy elsewhere, failed, done here, or done elsewhere."""

    job: Job
    busy: bool = False
    failure: str = ""
    record: VideoRecord | None = None

    @property
    def name(self) -> str:
        """Of the video."""
        return self.job[0].name


class Reporter:
    """Turns finished frames into progress: all videos, this video, pace."""

    def __init__(
        self,
        jobs: Sequence[Job],
        todo: Sequence[Job],
        progress: ProgressCallback | None,
    ) -> None:
        self._total = sum(len(sequence.frames) for sequence, _ in jobs)
        ahead = sum(len(sequence.frames) for sequence, _ in todo)
        self._done = self._total - ahead
        self._pace = Pace(ahead)
        self._progress = progress

    def begin(self, sequence: VideoSequence) -> None:
        """Turn to a video."""
        self._sequence, self._frame = sequence, 0

    def frame_done(self) -> None:
        """Count a frame of it."""
        self._frame += 1
        self._done += 1
        self._pace.frame_done()
        length = len(self._sequence.frames)
        self._tell(f"{self._sequence.name} {self._frame}/{length}, {self._pace}")

    def finish(self, outcome: Outcome) -> None:
        """Count the frames of a video that will not be seen here."""
        sequence = outcome.job[0]
        rest = len(sequence.frames) - self._frame
        if outcome.busy or not rest:
            return
        self._pace.skip(rest)
        self._done += rest
        how = "failed" if outcome.failure else "done by another process"
        self._tell(f"{sequence.name} {how}, {self._pace}")

    def wait(self, holder: str, videos: int) -> None:
        """Nothing is left but what other processes are at."""
        self._tell(f"waiting for {videos} videos, the first with {holder}")

    def _tell(self, label: str) -> None:
        if self._progress:
            self._progress(self._done, self._total, label)
