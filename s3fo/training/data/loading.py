"""From clip makers to batches: which clip is made when, on which process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from s3fo.training.clip_forward import ClipBatch
from s3fo.training.data.clips import Clip, ClipMaker, ClipRequest
from s3fo.training.recipes import Recipe


class ClipDataset(Dataset[Clip]):
    """Clips by request; all randomness of a clip follows from seed and number."""

    def __init__(self, maker: ClipMaker, seed: int) -> None:
        self.maker = maker
        self.seed = seed

    def __getitem__(self, request: ClipRequest) -> Clip:
        """Make the requested clip; one with an object, if ten attempts allow."""
        size = len(self.maker)
        order = _shuffle(self.seed, request.number // size, size)
        item = int(order[request.number % size])
        rng = np.random.default_rng((self.seed, request.number))
        for _ in range(10):
            clip = self.maker(rng, item, request)
            if clip.num_objects:
                break
            item = int(rng.integers(size))
        return clip


class ClipSampler(Sampler[list[ClipRequest]]):
    """Requests of one process, step by step, endless.

    Attributes:
        recipe: shapes and object counts of the clips.
        rank: number of this process.
        world: number of processes.
        first: step to begin with.
        accumulate: batches per step and process.
        progress_at: share of the training that is done at a step.
    """

    def __init__(
        self,
        recipe: Recipe,
        progress_at: Callable[[int], float],
        *,
        rank: int = 0,
        world: int = 1,
        first: int = 0,
        accumulate: int = 1,
    ) -> None:
        self.recipe = recipe
        self.progress_at = progress_at
        self.rank, self.world = rank, world
        self.first = first
        self.accumulate = accumulate

    def __iter__(self) -> Iterator[list[ClipRequest]]:
        """Batches: `accumulate` of them make a step of this process."""
        step = self.first
        while True:
            yield from self.step(step)
            step += 1

    def step(self, step: int) -> list[list[ClipRequest]]:
        """All batches of a step for this process."""
        recipe, progress = self.recipe, self.progress_at(step)
        phase = recipe.phase_at(progress)
        rng = np.random.default_rng((recipe.seed, step, 1))
        most = recipe.max_objects
        if recipe.object_shares:
            shares = np.asarray(recipe.object_shares)
            most = 1 + int(rng.choice(len(shares), p=shares / shares.sum()))
        # Numbers never repeat, whatever the batch sizes of the phases.
        largest = max(p.batch_size for p in recipe.phases)
        requests = [
            ClipRequest(
                step * largest + i, progress, most, phase.num_frames, phase.side
            )
            for i in range(phase.batch_size)
        ]
        mine = requests[self.rank :: self.world]
        size = max(1, len(mine) // self.accumulate)
        return [mine[i : i + size] for i in range(0, size * self.accumulate, size)]


def collate(clips: Sequence[Clip]) -> ClipBatch:
    """Stack clips; frames become float in 0..1."""
    frames = torch.from_numpy(np.stack([clip.frames for clip in clips]))
    labels = torch.from_numpy(np.stack([clip.labels for clip in clips]))
    return ClipBatch(
        frames.permute(0, 1, 4, 2, 3).float() / 255,
        labels.long()[:, :, None],
        tuple(clip.num_objects for clip in clips),
    )


def clip_loader(
    maker: ClipMaker, sampler: ClipSampler, workers: int
) -> DataLoader[Clip]:
    """A loader of endless batches; `workers` processes make clips ahead of time."""
    return DataLoader(
        ClipDataset(maker, sampler.recipe.seed),
        batch_sampler=sampler,
        collate_fn=collate,
        num_workers=workers,
        worker_init_fn=_single_thread,
        persistent_workers=workers > 0,
        prefetch_factor=4 if workers else None,
    )


def _single_thread(_: int) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


@lru_cache(maxsize=2)
def _shuffle(seed: int, epoch: int, size: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch, 0)).permutation(size)
