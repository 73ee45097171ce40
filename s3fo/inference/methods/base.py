"""What the predict loop asks of a method: the contract `Method`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from s3fo.benchmarks.video import VideoSequence

if TYPE_CHECKING:
    from evaluation.corrections.clicks import Box, Click


class Method(Protocol):
    """Follows objects through one video at a time.

    Write a class with these attributes and calls, and `predict` runs it; see
    `s3fo.inference.methods.registry` for how it gets a name. No base class is needed.

    One that writes more than masks also has ``has_written(sequence) -> bool``: whether
    all of that is there. A video that lacks it is done again.

    Attributes:
        name: e.g. ``"flow"``.
        device: where it computes, e.g. ``"cpu"``; for the run record.
        settings: everything that changes its results; JSON-able, kept in the run
            record. A result folder is only added to with equal settings.
    """

    name: str
    device: str
    settings: Mapping[str, Any]

    def start(self, sequence: VideoSequence) -> None:
        """Forget the previous video. No annotation may be read from `sequence`."""
        ...

    def step(
        self, image: np.ndarray, prompt: np.ndarray | None, *, last: bool = False
    ) -> np.ndarray:
        """Segment the next frame.

        The first call of a video always has a prompt.

        Args:
            image: [H, W, 3] uint8 RGB, the same size throughout a video.
            prompt: [H, W] label map with the objects that first appear here, and
                only these; None if there are none.
            last: no further frame follows.

        Returns:
            [H, W] label map of all objects known so far: uint8 or uint16, 0 for
            background, else the ids of the prompts.

        Example:
            >>> class Copy:
            ...     name, device, settings = "copy", "cpu", {}
            ...     def start(self, sequence):
            ...         self.masks = None
            ...     def step(self, image, prompt, *, last=False):
            ...         if prompt is not None:
            ...             old = prompt if self.masks is None else self.masks
            ...             self.masks = np.where(prompt > 0, prompt, old)
            ...         return self.masks
        """
        ...


@dataclass(frozen=True)
class ObjectPrompt:
    """A further prompt for one object that is followed already.

    Attributes:
        mask: [H, W] bool, the object in this frame; all False where it is not there.
        clicks: all clicks into this frame so far.
        box: around the object in this frame.
    """

    mask: NDArray[np.bool_] | None = None
    clicks: tuple[Click, ...] = ()
    box: Box | None = None


@runtime_checkable
class CorrectableMethod(Protocol):
    """A `Method` that can be corrected on the way, without beginning anew.

    Attributes:
        correction_prompts: kinds of prompts that `correct` takes: of ``"mask"``,
            ``"clicks"``, ``"box"``; none says that it cannot be corrected after all.
    """

    @property
    def correction_prompts(self) -> tuple[str, ...]:
        """Kinds of prompts that `correct` takes."""
        ...

    def expect_correction(self) -> None:
        """The next frame may be corrected: keep what is needed to do it over."""
        ...

    def correct(
        self,
        image: np.ndarray,
        prompts: Mapping[int, ObjectPrompt],
        *,
        last: bool = False,
    ) -> np.ndarray:
        """Segment the frame over that `step` has just segmented, by further prompts.

        May be called several times for one frame; each call takes the place of the
        one before. Nothing is remembered of masks that were replaced, as far as the
        method can forget them.

        Args:
            image: [H, W, 3] uint8 RGB, as given to `step`.
            prompts: by object id, of one kind; other objects are followed as before.
            last: no further frame follows.

        Returns:
            [H, W] label map, as of `step`.
        """
        ...


@runtime_checkable
class VideoMethod(Protocol):
    """Segments whole videos at once: a program, say, that reads folders.

    One that starts other processes also has ``stop()``, which ends them: it is called
    when the user interrupts a run.

    Attributes:
        name: as of a `Method`.
        device: as of a `Method`.
        settings: as of a `Method`.
        parallel: how many videos it can segment at the same time, in threads.
    """

    name: str
    device: str
    settings: Mapping[str, Any]
    parallel: int

    def segment(
        self, sequence: VideoSequence, frames: Sequence[str], folder: Path
    ) -> None:
        """Segment one video.

        No annotation of `sequence` may be read but by its `read_prompt`.

        Args:
            sequence: the video.
            frames: names of the frames that are wanted.
            folder: empty; ``<frame>.png`` of each wanted frame is written here.

        Raises:
            InputError: the video cannot be segmented.
        """
        ...


AnyMethod: TypeAlias = Method | VideoMethod
"""What `predict` can run."""
