"""A propagator that sees a window round its object, or the whole frame if unsure."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from s3fo.inference.engine.propagator import Propagator, State
from s3fo.inference.engine.window import SMALLEST, Window, WindowChooser

_FOUND = 0.4
"""Share of an object's size that must be found for it to be surely in the window."""

_SHRINKING = 0.98
"""By which the remembered size of an object falls from frame to frame, at most."""

_LEAST = 16
"""Pixels of an object below which it may be anywhere."""


class WindowState(NamedTuple):
    """What was known of a video at some frame; see `WindowedPropagator.save_state`."""

    engine: State
    chooser: WindowChooser | None
    window: Window | None
    probabilities: Tensor | None
    area: float


class WindowedPropagator:
    """Feeds an engine with windows of frames, and puts its masks back in their place.

    A video that begins with one object is seen through windows round it. Frames to be
    memorised are seen whole, so that what else is in view is known as background, and
    so are those with given masks, and all while more objects are followed.

    Args:
        engine: that follows the objects.
        zoom: largest factor by which a window is enlarged beyond what whole frames
            are; 1 or less switches windows off.
    """

    def __init__(self, engine: Propagator, zoom: float) -> None:
        self.engine = engine
        self._most = zoom
        self.clear_memory()

    def clear_memory(self) -> None:
        """Forget the video: the next frame starts another one."""
        self.engine.clear_memory()
        self._chooser: WindowChooser | None = None
        self._window: Window | None = None
        self._probabilities: Tensor | None = None
        self._area = 0.0

    def save_state(self) -> WindowState:
        """Keep all that is known of the video, to go back to it."""
        chooser = copy.copy(self._chooser)
        last = self._window, self._probabilities, self._area
        return WindowState(self.engine.save_state(), chooser, *last)

    def restore_state(self, state: WindowState) -> None:
        """Go back to a state, which can be gone back to again."""
        self.engine.restore_state(state.engine)
        self._chooser = copy.copy(state.chooser)
        self._window, self._probabilities = state.window, state.probabilities
        self._area = state.area

    def takes(self, mask: np.ndarray | None, size: tuple[int, int]) -> bool:
        """Whether windows are of use from this frame on, or are used already.

        Args:
            mask: [H, W] object ids given for the frame, if any.
            size: height and width at which whole frames are seen.
        """
        if self._chooser is not None:
            return True
        config = self.engine.config
        if self._most <= 1 or config.flip_aug or config.max_internal_size > 0:
            return False
        if mask is None or len(self.engine.objects) or min(size) < SMALLEST:
            return False
        return len(np.setdiff1d(mask, [0])) == 1

    def step(
        self,
        image: Tensor,
        mask: np.ndarray | None,
        objects: Sequence[int],
        size: tuple[int, int],
        *,
        end: bool = False,
    ) -> Tensor:
        """Segment the next frame, or take over masks that are given for it.

        Args:
            image: [3, H, W] RGB in 0..1.
            mask: [H, W] object ids.
            objects: the ids in `mask`.
            size: height and width at which whole frames are seen.
            end: last frame of the video.

        Returns:
            [K + 1, H, W] probabilities, background first.
        """
        first = self._chooser is None
        chooser = self._chooser or self._start(mask, image, size)
        given = None
        if mask is not None:
            given = torch.from_numpy(mask.astype(np.float32)).to(image.device)[None]
        if first:
            assert given is not None
            window = chooser.next(given[0].cpu().numpy() > 0)
            if window != chooser.whole:
                # The whole frame is memorised, too: a lost object is sought there.
                self._window = chooser.whole
                self._see(image, given, objects)
                self._move_to(window, (given > 0).float())
            self._window = window
        else:
            assert self._probabilities is not None
            found = self._surely_found() if mask is None else None
            window = chooser.next(found, whole=self.engine.memorises_next)
            self._move_to(window, self._probabilities[1:])
        return self._see(image, given, objects, end=end, permanent=first)

    def _start(
        self, mask: np.ndarray | None, image: Tensor, size: tuple[int, int]
    ) -> WindowChooser:
        """Choose windows for the object of a first mask [H, W]."""
        assert mask is not None, "`takes` is asked first"
        height, width = mask.shape
        self._area = float((mask > 0).sum())
        self._chooser = WindowChooser(
            (height, width), size[0] / height, self._most, mask > 0
        )
        return self._chooser

    def _surely_found(self) -> np.ndarray | None:
        """Mask [H, W] bool of the object in the last frame, if it was surely found."""
        if len(self.engine.objects) != 1:
            return None
        assert self._probabilities is not None
        mask = (self._probabilities[1] > self._probabilities[0]).cpu().numpy()
        area = float(mask.sum())
        sure = area >= max(_FOUND * self._area, _LEAST)
        self._area = max(area, _SHRINKING * self._area)
        return mask if sure else None

    def _move_to(self, window: Window, objects: Tensor) -> None:
        """See another part of the frames; `objects` [K, H, W] are those of the last."""
        assert self._window is not None
        if window != self._window:
            grid = window.cells_in(self._window).to(objects.device)
            change = window.zoom / self._window.zoom
            self.engine.change_window(grid, change, window.cut(objects).clamp(0, 1))
        self._window = window

    def _see(
        self,
        image: Tensor,
        given: Tensor | None,
        objects: Sequence[int],
        *,
        end: bool = False,
        permanent: bool = False,
    ) -> Tensor:
        """Segment the window of a frame; probabilities [K + 1, H, W] of the frame."""
        window = self._window
        assert window is not None
        mask = None
        if given is not None:
            mask = window.cut(given, "nearest-exact")[0].long()
        seen = self.engine.step(
            window.cut(image),
            mask,
            objects if mask is not None else None,
            end=end,
            force_permanent=permanent,
        )
        shape = image.shape[1], image.shape[2]
        self._probabilities = window.put_back(seen, shape)
        return self._probabilities
