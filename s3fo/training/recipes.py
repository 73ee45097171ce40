"""Named training recipes: the published stages, and the small model of this project."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from evaluation.errors import InputError
from s3fo.training.data.augmentation import ColourJitter
from s3fo.training.data.clips import StillStyle, VideoStyle
from s3fo.training.losses import PointSampling

Schedule = Literal["constant", "poly", "step", "cosine"]


@dataclass(frozen=True)
class Phase:
    """A stretch of training with clips of one shape.

    Attributes:
        start: share of the training at which it begins.
        side: of the square crops, in pixels; a multiple of 32.
        num_frames: length T of a clip.
        batch_size: clips of a step, over all processes.
        num_ref_frames: most memory frames that a frame reads from.
    """

    start: float
    side: int
    num_frames: int
    batch_size: int
    num_ref_frames: int


@dataclass(frozen=True)
class Recipe:
    """Everything that defines a training run, apart from the data and the machine.

    Attributes:
        name: of the recipe.
        model: preset of the network.
        material: "stills" (synthetic clips), "videos", or "mixed" (both).
        phases: shapes of the clips, in order; the first starts at 0.
        iterations: optimiser steps.
        max_objects: most objects of a clip.
        single_object: train the one-object form of the network.
        finetune: spatial-semantic blocks whose ViT blocks train too.
        gradients_through_frozen: let gradients pass frozen ViT blocks to fine-tuned
            ones before them; the published training does not.
        object_shares: share of the steps whose clips hold at most 1, 2, ... objects.
            All clips of a step share this limit, so no padding is computed. Empty:
            every clip holds up to `max_objects`.
        learning_rate: of AdamW, at its highest.
        schedule: how the rate falls.
        milestones: shares of the training at which a "step" schedule divides by 10.
        warm_up: steps over which the rate rises from 0.
        weight_decay: of all parameters but object-query embeddings.
        encoder_rate: factor on the rate of the pixel encoder.
        clip_norm: largest global gradient norm.
        autocast: train in bfloat16 (CPU) or float16 with a gradient scaler (GPU).
        points: how supervised points are drawn.
        deep_update_prob: chance of a deep sensory update at a memory frame.
        ema: decay of the running mean of the weights; None for none.
        sync_batch_norm: share batch statistics between processes.
        stills: how still images become clips.
        videos: how videos become clips.
        real_share: share of real clips in mixed material.
        moving_share: share of the objects pasted over real clips that are real too.
        distractor_share: share of those taken from the clip's own video.
        occluded_share: share of the real clips over which an unlabelled object lies.
        seed: of everything random.
    """

    name: str
    model: str
    material: Literal["stills", "videos", "mixed"]
    phases: tuple[Phase, ...]
    iterations: int
    max_objects: int = 3
    single_object: bool = False
    finetune: tuple[int, ...] = ()
    gradients_through_frozen: bool = False
    object_shares: tuple[float, ...] = ()
    learning_rate: float = 1e-4
    schedule: Schedule = "constant"
    milestones: tuple[float, ...] = ()
    warm_up: int = 0
    weight_decay: float = 0.001
    encoder_rate: float = 0.1
    clip_norm: float = 3.0
    autocast: bool = False
    points: PointSampling = field(default_factory=PointSampling)
    deep_update_prob: float = 0.2
    ema: float | None = None
    sync_batch_norm: bool = True
    stills: StillStyle = field(default_factory=StillStyle)
    videos: VideoStyle = field(default_factory=VideoStyle)
    real_share: float = 0.6
    moving_share: float = 0.0
    distractor_share: float = 0.0
    occluded_share: float = 0.25
    seed: int = 14159265

    def phase_at(self, progress: float) -> Phase:
        """The phase that covers a share of the training."""
        return [phase for phase in self.phases if progress >= phase.start][-1]


_COLOUR = ColourJitter(0.2, 0.2, 0.2, 0.03)
_COLOUR_PER_FRAME = ColourJitter(0.1, 0.1, 0.05)


def _published_stage_2(name: str, iterations: int, drops: tuple[int, int]) -> Recipe:
    return Recipe(
        name=name,
        model="vitb",
        material="videos",
        phases=(Phase(0, 480, 8, 16, 3),),
        iterations=iterations,
        learning_rate=5e-5,
        schedule="step",
        milestones=tuple(drop / iterations for drop in drops),
        autocast=True,
        points=PointSampling(12544),
    )


_SMALL = Recipe(
    name="s3-small",
    model="s3-small",
    material="mixed",
    phases=(Phase(0, 224, 3, 6, 2), Phase(0.75, 288, 4, 4, 3)),
    iterations=3000,
    object_shares=(0.65, 0.25, 0.1),
    learning_rate=8e-4,
    schedule="cosine",
    warm_up=60,
    encoder_rate=1.0,
    autocast=True,
    points=PointSampling(4096),
    ema=0.995,
    sync_batch_norm=False,
    stills=StillStyle(
        sequence_scale=(0.6, 1.6),
        frame_degrees=12,
        frame_scale=(0.85, 1.18),
        frame_shear=6,
        frame_shift=0.08,
        part_probability=0.3,
        occluder_probability=0.2,
        most_pasted=1,
        sequence_colour=_COLOUR,
        frame_colour=_COLOUR_PER_FRAME,
    ),
    videos=VideoStyle(
        max_skip=((0, 4), (0.2, 6), (0.4, 9), (0.6, 14), (0.8, 6)),
        degrees=15,
        shear=10,
        crop_scale=(0.12, 0.75),
        sequence_colour=_COLOUR,
        frame_colour=_COLOUR_PER_FRAME,
    ),
)

# Goes on from the weights of "s3-small": larger, longer clips and wider gaps.
_SMALL_STAGE_2 = replace(
    _SMALL,
    name="s3-small-stage-2",
    phases=(Phase(0, 256, 4, 6, 3), Phase(0.55, 320, 5, 6, 3)),
    learning_rate=5e-4,
    ema=0.997,
    seed=2,
    videos=replace(_SMALL.videos, max_skip=((0, 8), (0.25, 12), (0.5, 15), (0.85, 8))),
)

# Again from those weights: what a network sees in few videos must vary more.
_SMALL_STAGE_3 = replace(
    _SMALL_STAGE_2,
    name="s3-small-stage-3",
    phases=(Phase(0, 288, 4, 6, 3), Phase(0.6, 320, 5, 6, 3)),
    learning_rate=6e-4,
    weight_decay=0.02,
    moving_share=0.5,
    seed=3,
    videos=replace(
        _SMALL_STAGE_2.videos,
        degrees=20,
        shear=12,
        frame_degrees=6,
        frame_scale=(0.88, 1.14),
        frame_shift=0.05,
        sequence_colour=ColourJitter(0.35, 0.35, 0.35, 0.08),
        frame_colour=ColourJitter(0.2, 0.15, 0.1),
        grey_probability=0.1,
    ),
)

# Again: occluders and similar distractors, in longer clips.
_SMALL_STAGE_4 = replace(
    _SMALL_STAGE_3,
    name="s3-small-stage-4",
    phases=(Phase(0, 288, 5, 6, 3), Phase(0.5, 320, 6, 6, 4)),
    learning_rate=5e-4,
    moving_share=0.7,
    distractor_share=0.5,
    occluded_share=0.45,
    seed=4,
)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        # FSS, DUTS-TR, DUTS-TE, ECSSD, BIG (x5) and HRSOD (x5).
        Recipe(
            name="vitb-stage-1",
            model="vitb",
            material="stills",
            phases=(Phase(0, 384, 3, 16, 2),),
            iterations=80_000,
            max_objects=1,
            single_object=True,
        ),
        # DAVIS (x2) and YouTube-VOS; then with MOSE; then with BURST and OVIS too.
        _published_stage_2("vitb-stage-2-base", 125_000, (100_000, 115_000)),
        _published_stage_2("vitb-stage-2-with-mose", 125_000, (100_000, 115_000)),
        _published_stage_2("vitb-stage-2-mega", 175_000, (140_000, 165_000)),
        _SMALL,
        _SMALL_STAGE_2,
        _SMALL_STAGE_3,
        _SMALL_STAGE_4,
    )
}


def get_recipe(recipe: str | Recipe) -> Recipe:
    """A recipe by name, or the recipe itself.

    Raises:
        InputError: there is no recipe of this name.
    """
    if isinstance(recipe, Recipe):
        return recipe
    if recipe not in RECIPES:
        raise InputError(
            "recipe",
            f"'{recipe}'",
            f"one of {', '.join(RECIPES)}",
            "Pass one of these recipes.",
        )
    return RECIPES[recipe]
