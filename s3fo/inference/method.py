"""What the predict loop asks of a method, and the methods it knows by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from evaluation.errors import InputError
from s3fo.benchmarks.video import VideoSequence

METHOD_NAMES = ("s3", "flow", "copy")


class Method(Protocol):
    """Follows objects through one video at a time.

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
            [H, W] label map of all objects known so far.
        """
        ...


def build_method(name: str, **options: Any) -> Method:
    """Make a method by its name.

    Args:
        name: one of `METHOD_NAMES`.
        options: passed on unless None, e.g. ``size``, ``weights``, ``device``; see
            `CopyBaseline`, `FlowBaseline` and `s3fo.inference.s3`.

    Raises:
        InputError: an unknown name, or an option that the method does not have.
    """
    from s3fo.inference import baselines

    given = {key: value for key, value in options.items() if value is not None}
    if name == "s3":
        from s3fo.inference.s3 import S3Method

        return S3Method(**given)
    makers: dict[str, Callable[..., Method]] = {
        "copy": baselines.CopyBaseline,
        "flow": baselines.FlowBaseline,
    }
    if name not in makers:
        raise InputError(
            f"method {name!r}", "an unknown name", ", ".join(METHOD_NAMES), "Name one."
        )
    given.pop("device", None)  # they run on the CPU
    known = list(inspect.signature(makers[name]).parameters)
    unknown = sorted(given.keys() - set(known))
    if unknown:
        raise InputError(
            f"method {name!r}",
            ", ".join(unknown),
            f"options it has: {', '.join(['device', *known])}",
            "Leave out what only S3 has.",
        )
    return makers[name](**given)
