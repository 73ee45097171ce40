"""`Propagator`: carry given masks through a video, frame by frame."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evaluation.errors import InputWarning
from s3fo.inference.engine.appearance import Appearance, AppearanceLimit
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.frame_size import internal_size
from s3fo.inference.engine.frames import (
    GivenMasks,
    Padding,
    check_frame,
    check_mask,
    resize,
    to_tensor,
)
from s3fo.inference.engine.memory import Memory
from s3fo.inference.engine.objects import Array, ObjectManager
from s3fo.inference.engine.reach import Reach
from s3fo.model.decoder import aggregate
from s3fo.model.network import ImageFeatures, S3Network

_SOON = 2
"""Frames after a memory write at which a frame is memorised already: one in which parts
were out of reach, so that they are known as background from then on."""


class _View(NamedTuple):
    """A padded frame as the network sees it; with its mirror image, a batch of 2."""

    images: Tensor
    features: ImageFeatures
    key: Tensor
    shrinkage: Tensor
    selection: Tensor

    @property
    def appearance(self) -> Appearance:
        """What its tokens look like, without the mirror image."""
        return Appearance(self.key[0], self.shrinkage[0], self.selection[0])


class State(NamedTuple):
    """What an engine knew of a video at some frame; see `Propagator.save_state`."""

    objects: ObjectManager
    memory: Memory
    reach: Reach
    appearance: AppearanceLimit
    last_mask: Tensor | None
    time: int
    last_write: int


class Propagator:
    """Inference engine: feed frames in order, get the probabilities of all objects.

    Attributes:
        objects: which object lives in which channel.
        memory: what is remembered of the video.

    Args:
        network: put in evaluation mode.
        config: what to remember, and how much.
        autocast: half-precision type for the network on its device; None computes in
            float32. Memory reads and the competition of objects stay float32.
        compile_encoder: compile the image encoder, once per frame size.
    """

    def __init__(
        self,
        network: S3Network,
        config: InferenceConfig | None = None,
        *,
        autocast: torch.dtype | None = None,
        compile_encoder: bool = False,
    ) -> None:
        self.network = network.eval()
        self.config = config or InferenceConfig()
        self.autocast = autocast
        encode = network.encode_image
        self._encode_image = torch.compile(encode) if compile_encoder else encode
        self.clear_memory()

    @property
    def device(self) -> torch.device:
        """Where the network lives."""
        return self.network.pixel_mean.device

    @property
    def memorises_next(self) -> bool:
        """Whether the next frame is to be memorised, unless it is the last one."""
        return self._time + 1 - self._last_write >= self.config.mem_every

    def clear_memory(self) -> None:
        """Forget the video: the next frame starts another one."""
        self.objects = ObjectManager()
        self.memory = Memory(self.config)
        self._reach = Reach()
        self._appearance = AppearanceLimit()
        self._last_mask: Tensor | None = None
        self._restart_clock()

    def clear_non_permanent(self) -> None:
        """Forget all tokens but the permanent ones, and restart the clock."""
        self.memory.forget_temporary()
        self._restart_clock()

    def clear_sensory(self) -> None:
        """Forget the sensory states, and restart the clock."""
        self.memory.forget_sensory()
        self._restart_clock()

    def save_state(self) -> State:
        """Keep all that is known of the video, to go back to it.

        It costs a copy of the memory.
        """
        return State(
            copy.deepcopy(self.objects),
            copy.deepcopy(self.memory),
            copy.deepcopy(self._reach),
            copy.deepcopy(self._appearance),
            self._last_mask,
            self._time,
            self._last_write,
        )

    def restore_state(self, state: State) -> None:
        """Go back to a state, which can be gone back to again."""
        self.objects = copy.deepcopy(state.objects)
        self.memory = copy.deepcopy(state.memory)
        self._reach = copy.deepcopy(state.reach)
        self._appearance = copy.deepcopy(state.appearance)
        self._last_mask = state.last_mask
        self._time, self._last_write = state.time, state.last_write

    def update_config(self, **overrides: object) -> None:
        """Change settings such as mem_every, top_k or limits while a video runs.

        Raises:
            InputError: unknown setting, bad value, or one that cannot change now.
        """
        self.config = self.config.changed_while_running(**overrides)
        self.memory.configure(self.config)

    def delete_objects(self, object_ids: Sequence[int]) -> None:
        """Forget objects; the channels of the others close up.

        Raises:
            InputError: an id is not tracked.
        """
        kept = self.objects.delete(object_ids)
        self.memory.keep_objects(self.objects.ids)
        self._reach.forget(object_ids)
        self._appearance.forget(object_ids)
        if self._last_mask is not None:
            self._last_mask = self._last_mask[:, kept]

    def change_window(self, cells: Tensor, zoom: float, masks: Tensor) -> None:
        """See another part of the frames, or another size of it, from now on.

        Memory tokens have no place and stay as they are.

        Args:
            cells: [1, h, w, 2] in -1..1 (x, y): where the tokens of the new part lie in
                the part seen so far.
            zoom: factor by which the new part is enlarged beyond that.
            masks: [K, H, W] probabilities of the tracked objects in the last frame, as
                they are in the new part.
        """
        self.memory.move_sensory(cells)
        self._reach.rescale(zoom * zoom)
        self._appearance.move(cells)
        self._last_mask = self._with_mirror(masks)

    @torch.no_grad()
    def step(
        self,
        image: Array,
        mask: Array | None = None,
        objects: Sequence[int] | None = None,
        *,
        idx_mask: bool = True,
        end: bool = False,
        force_permanent: bool = False,
    ) -> Array:
        """Segment the next frame, or take over masks that are given for it.

        Args:
            image: [3, H, W] RGB in 0..1.
            mask: [H, W] object ids, or with `idx_mask` False [n, H, W] soft masks in
                0..1. Tracked objects that it leaves out are segmented as usual.
            objects: the ids in `mask`; by default its non-zero labels, or 1..n.
            idx_mask: whether `mask` holds ids.
            end: last frame of the video: it is not memorised, but for new objects.
            force_permanent: memorise this frame, and never forget it.

        Returns:
            [K + 1, H, W] probabilities, background first, then `self.objects.ids`; the
            same kind of array as `image`, on its device. Before any object is known
            zeros [1, H, W]; for a mask without objects zeros of the padded size, and
            the frame is skipped.

        Raises:
            InputError: shapes, ids or the number of masks do not fit.
        """
        frame = to_tensor(image)
        check_frame(frame)
        size = (frame.shape[-2], frame.shape[-1])
        small = internal_size(size, self.config.max_internal_size)
        padding = Padding.to_stride(small, self.network.config.stride)
        given = None
        if mask is not None:
            given = self._given_masks(mask, objects, idx_mask, size, small)
        self._time += 1
        if given is not None and not given.object_ids:
            warnings.warn(
                "a mask without objects was ignored", InputWarning, stacklevel=2
            )
            return _like(image, padding.pad(torch.zeros(1, *small)))
        probabilities = self._advance(
            padding.pad(resize(frame.to(self.device, torch.float32), small)),
            given and given.padded(padding),
            end=end,
            permanent=force_permanent,
        )
        return _like(image, resize(padding.unpad(probabilities), size))

    def _given_masks(
        self,
        mask: np.ndarray | Tensor,
        object_ids: Sequence[int] | None,
        idx_mask: bool,
        size: tuple[int, int],
        small: tuple[int, int],
    ) -> GivenMasks:
        masks = to_tensor(mask)
        check_mask(masks, size, idx_mask=idx_mask)
        read = GivenMasks.from_ids if idx_mask else GivenMasks.from_channels
        return read(masks.to(self.device), object_ids, small)

    def _advance(
        self, image: Tensor, given: GivenMasks | None, *, end: bool, permanent: bool
    ) -> Tensor:
        """Process a padded frame [3, H, W]; probabilities [K + 1, H, W]."""
        elapsed = self._time - self._last_write
        memorise = (elapsed >= self.config.mem_every or given is not None) and not end
        # Should frames come after all, nothing could follow objects without it.
        memorise |= given is not None and not self.objects.has_all(given.object_ids)
        update_sensory = elapsed in self.config.sensory_steps and not end
        with torch.autocast(
            self.device.type, self.autocast, enabled=self.autocast is not None
        ):
            view = self._look(image)
            probabilities = None
            if given is None or self._leaves_objects_open(given):
                probabilities = self._segment(view, update_sensory=update_sensory)
                probabilities, limited = self._limited(view, probabilities)
                memorise |= limited and elapsed >= _SOON and not end
            if given is not None:
                probabilities = self._take_over(given, probabilities)
            assert probabilities is not None
            self._last_mask = self._with_mirror(probabilities[1:])
            if memorise or permanent:
                self._memorise(view, permanent=permanent)
            if given is not None and self.config.appearance_gap:
                channels = self.objects.channels(given.object_ids)
                masks = probabilities[1:][channels]
                self._appearance.remember(view.appearance, masks, given.object_ids)
        return probabilities

    def _leaves_objects_open(self, given: GivenMasks) -> bool:
        tracked = set(self.objects.ids)
        return bool(tracked) and tracked != set(given.object_ids)

    def _look(self, image: Tensor) -> _View:
        images = self._with_mirror(image)
        features = self._encode_image(images)
        return _View(images, features, *self.network.project_key(features.f16))

    def _segment(self, view: _View, *, update_sensory: bool) -> Tensor:
        """Probabilities [K + 1, H, W] of the objects tracked so far."""
        ids = self.objects.ids
        if not self.memory.has_entries:
            return view.images.new_zeros(len(ids) + 1, *view.images.shape[-2:])
        sensory = self._sensory(view)
        sensory, _, probabilities = self.network.segment(
            view.features,
            self._read(view, sensory),
            sensory,
            update_sensory=update_sensory,
        )
        if update_sensory:
            self.memory.update_sensory(ids, sensory)
        if self.config.flip_aug:
            return (probabilities[0] + probabilities[1].flip(-1)) / 2
        return probabilities[0]

    def _limited(self, view: _View, probabilities: Tensor) -> tuple[Tensor, bool]:
        """Take off the objects what is too far from them, or new and unlike them.

        Returns:
            The probabilities [K + 1, H, W], and whether that is worth memorising.
        """
        config, ids, limited = self.config, self.objects.ids, False
        if self._last_mask is None:
            return probabilities, False
        last = self._last_mask[0]
        if config.reach:
            probabilities, limited = self._reach.limit(
                probabilities, last, ids, config.reach
            )
        if config.appearance_gap:
            probabilities = self._appearance.limit(
                probabilities, last, ids, view.appearance, config.appearance_gap
            )
        return probabilities, limited

    def _read(self, view: _View, sensory: Tensor) -> Tensor:
        """Object pixels [B, K, E, h, w]; objects compete within their chunk only."""
        assert self._last_mask is not None
        pixels: dict[int, Tensor] = {}
        for ids, readout in self.memory.read(view.key, view.selection):
            size = self.config.chunk_size if self.config.chunk_size > 0 else len(ids)
            for start in range(0, len(ids), size):
                chunk = ids[start : start + size]
                channels = self.objects.channels(chunk)
                read, _ = self.network.read_objects(
                    view.features.pix_feat,
                    readout[:, start : start + size],
                    sensory[:, channels],
                    self._last_mask[:, channels],
                    self.memory.summaries(chunk),
                )
                pixels |= dict(zip(chunk, read.unbind(1), strict=True))
        return torch.stack([pixels[object_id] for object_id in self.objects.ids], 1)

    def _take_over(self, given: GivenMasks, predicted: Tensor | None) -> Tensor:
        """Probabilities with given masks in place of the predicted ones."""
        tracked = len(self.objects)
        channels = self.objects.register(given.object_ids)
        masks = given.channels.new_zeros(len(self.objects), *given.claimed.shape)
        if predicted is not None:
            masks[:tracked] = predicted[1:] * ~given.claimed
        masks[channels] = given.channels
        return aggregate(masks, dim=0).softmax(dim=0)

    def _memorise(self, view: _View, *, permanent: bool) -> None:
        ids = self.objects.ids
        if not ids:
            return
        assert self._last_mask is not None
        values, sensory, summaries = self.network.encode_mask(
            view.images, view.features.pix_feat, self._sensory(view), self._last_mask
        )
        self.memory.write(
            view.key,
            view.shrinkage,
            view.selection,
            values,
            ids,
            permanent=permanent,
        )
        self.memory.add_summaries(ids, summaries)
        self.memory.update_sensory(ids, sensory)
        self._last_write = self._time

    def _sensory(self, view: _View) -> Tensor:
        """Sensory states [B, K, Cs, h, w], zeros for new objects."""
        batch, _, height, width = view.key.shape
        channels = self.network.config.sensory_dim
        unknown = view.key.new_zeros(batch, channels, height, width)
        return self.memory.sensory(self.objects.ids, unknown)

    def _with_mirror(self, maps: Tensor) -> Tensor:
        """Add the batch axis to [C, H, W], and the mirror image if it is asked for."""
        if self.config.flip_aug:
            return torch.stack([maps, maps.flip(-1)])
        return maps[None]

    def _restart_clock(self) -> None:
        self._time = -1
        self._last_write = 0


def _like(given: Array, result: Tensor) -> Array:
    """The result as the same kind of array as what was given."""
    if isinstance(given, Tensor):
        return result.to(given.device)
    return result.cpu().numpy()
