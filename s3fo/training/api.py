"""`train`: one call from folders to a checkpoint."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

from evaluation._utils.atomic import require_writable
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.inference.weights import find_weights
from s3fo.model.checkpoint import (
    convert_objects,
    load_vit,
    load_weights,
    read_file,
    read_metadata,
)
from s3fo.model.config import SpatialSemanticConfig, get_config
from s3fo.model.network import S3Network, build_network
from s3fo.model.vit import VisionTransformer
from s3fo.training.backbones import (
    VIT_PREFIX,
    VITS_FOCUS,
    fingerprint,
    load_vits,
    vit_entries,
)
from s3fo.training.data.clips import ClipMaker, MixedClips, StillClips, VideoClips
from s3fo.training.data.sources import StillImage, TrainingVideo
from s3fo.training.parallel import join_processes
from s3fo.training.recipes import Recipe, get_recipe
from s3fo.training.run_files import STATE_FILE, require_room
from s3fo.training.trainer import RunOptions, Trainer, Validate

PathLikeStr = str | PathLike[str]


def train(
    recipe: str | Recipe,
    out: PathLikeStr,
    *,
    videos: Sequence[TrainingVideo] = (),
    stills: Sequence[StillImage] = (),
    init: PathLikeStr | None = None,
    resume: bool = True,
    backbone: str | None = None,
    backbone_file: PathLikeStr | None = None,
    iterations: int | None = None,
    minutes: float | None = None,
    accumulate: int = 1,
    workers: int = 1,
    device: str = "auto",
    validate: Validate | None = None,
    progress: ProgressCallback | None = None,
) -> Path:
    """Train S3 and leave checkpoints, curves and the exact state in `out`.

    Started by ``torchrun``, all its processes train together.

    Args:
        recipe: name of a recipe (see `s3fo.training.recipes.RECIPES`), or one.
        out: folder of the run.
        videos: annotated videos, see `training_videos`.
        stills: images with masks, see `still_images`.
        init: weights to start from.
        resume: go on where an earlier run in `out` stopped, if there is one.
        backbone: name of the frozen ViT; default that of the recipe's model.
        backbone_file: file with the ViT's weights.
        iterations: steps, instead of the recipe's number.
        minutes: training time budget, by which the schedule is planned.
        accumulate: batches per step and process; saves memory.
        workers: processes that make clips ahead of time; 0: this process makes them.
        device: "auto", "cpu" or "cuda".
        validate: scores a network now and then; the best weights are kept.
        progress: told about every step.

    Returns:
        The weights to use: ``best.safetensors`` if there was validation, else
        ``last.safetensors``.

    Raises:
        InputError: material is missing or broken, a number is out of range, or the
            run cannot be resumed.
        KeyboardInterrupt, SystemExit: Ctrl-C or SIGTERM ended the run; its state is
            saved, and the same call goes on.
    """
    recipe = get_recipe(recipe)
    _check_numbers(iterations, minutes, accumulate, workers)
    if iterations is not None:
        recipe = replace(recipe, iterations=iterations)
    maker = clip_maker(recipe, videos, stills)
    target = _device(device)
    processes = join_processes(target)
    if target.type == "cuda":
        target = torch.device("cuda", processes.local_rank)
    torch.manual_seed(recipe.seed)
    network = build_for(recipe)
    identity = _load_start(network, init, backbone, backbone_file)
    options = RunOptions(
        folder=Path(out),
        minutes=minutes,
        accumulate=accumulate,
        workers=workers,
        device=target,
    )
    require_room(require_writable(options.folder), network)
    options.folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(
        network,
        recipe,
        maker,
        options,
        processes=processes,
        backbone=identity,
        validate=validate,
    )
    if resume and (options.folder / STATE_FILE).exists():
        trainer.resume()
    trainer.run(progress)
    if trainer.stopped_by is not None and not trainer.finished:
        # Saved, but unfinished: who waits for the weights must know.
        if trainer.stopped_by == signal.SIGTERM:
            raise SystemExit(128 + signal.SIGTERM)
        raise KeyboardInterrupt
    best = options.folder / "best.safetensors"
    return best if best.exists() else options.folder / "last.safetensors"


def _check_numbers(
    iterations: int | None, minutes: float | None, accumulate: int, workers: int
) -> None:
    """Refuse numbers with which a run would never end, or not begin."""
    wanted = {
        "iterations": (iterations, iterations is None or iterations >= 1, "at least 1"),
        "minutes": (
            minutes,
            minutes is None or (math.isfinite(minutes) and minutes > 0),
            "a number of minutes above 0",
        ),
        "accumulate": (accumulate, accumulate >= 1, "at least 1"),
        "workers": (workers, workers >= 0, "at least 0"),
    }
    for name, (value, fits, expected) in wanted.items():
        if not fits:
            raise InputError(
                f"{name} (--{name})", str(value), expected, f"Give --{name} {expected}."
            )


def build_for(recipe: Recipe) -> S3Network:
    """The network a recipe trains, with fresh weights.

    Raises:
        InputError: a ViT is to be fine-tuned that the model does not have.
    """
    config = get_config(recipe.model, single_object=recipe.single_object)
    if recipe.finetune:
        if not isinstance(config.encoder, SpatialSemanticConfig):
            raise InputError(
                f"recipe {recipe.name}",
                f"a ViT to fine-tune in {config.name}",
                "a model with spatial-semantic blocks",
                "Leave `finetune` empty.",
            )
        encoder = replace(
            config.encoder,
            finetune=recipe.finetune,
            gradients_through_frozen=recipe.gradients_through_frozen,
        )
        config = replace(config, encoder=encoder)
    return build_network(config)


def clip_maker(
    recipe: Recipe, videos: Sequence[TrainingVideo], stills: Sequence[StillImage]
) -> ClipMaker:
    """The clips a recipe is trained on.

    Raises:
        InputError: the recipe needs material that is not given.
    """
    if recipe.material != "stills":
        _require(videos, recipe, "annotated videos", "videos")
    if recipe.material != "videos":
        _require(stills, recipe, "images with masks", "stills")
    synthetic = StillClips(stills, recipe.stills)
    if recipe.material == "stills":
        return synthetic
    longest = max(phase.num_frames for phase in recipe.phases)
    real = VideoClips(videos, recipe.videos, longest)
    if recipe.material == "videos":
        return real
    return MixedClips(
        real,
        synthetic,
        real_share=recipe.real_share,
        moving_share=recipe.moving_share,
        distractor_share=recipe.distractor_share,
        occluded_share=recipe.occluded_share,
    )


def _load_start(
    network: S3Network,
    init: PathLikeStr | None,
    backbone: str | None,
    backbone_file: PathLikeStr | None,
) -> tuple[str, str] | None:
    """What `load_start` does; damaged or foreign files raise InputError."""
    try:
        return load_start(network, init, backbone, backbone_file)
    except InputError:
        raise
    except (ValueError, OSError, KeyError, AttributeError, RuntimeError) as error:
        files = [str(file) for file in (init, backbone_file) if file is not None]
        raise InputError(
            " or ".join(files) or "the weights to start from",
            f"weights that do not fit ({error})",
            "weights of this recipe's network (--init) or of its ViT (--backbone-file)",
            "Give another file, or copy it again.",
        ) from error


def load_start(
    network: S3Network,
    init: PathLikeStr | None,
    backbone: str | None,
    backbone_file: PathLikeStr | None,
) -> tuple[str, str] | None:
    """Put what training starts from into a network: trained weights, frozen ViT.

    Args:
        network: to load into, in place.
        init: weights to start from; the ViT inside them is kept.
        backbone: name of the ViT for a network that starts without weights.
        backbone_file: the ViT's weights, where they are not found by name.

    Returns:
        Name and fingerprint of the ViT; None for a network without a frozen one.
    """
    chosen = backbone is not None or backbone_file is not None
    name = None
    if init is None or chosen or not vit_entries(_state(init)):
        name = load_backbone(network, backbone, backbone_file)
    if init is not None:
        load_initial(network, init)
    if not isinstance(network.config.encoder, SpatialSemanticConfig):
        return None
    vit = network.get_submodule(VIT_PREFIX.rstrip("."))
    return name or _backbone_of(init), fingerprint(vit.state_dict())


def load_backbone(
    network: S3Network, name: str | None, file: PathLikeStr | None
) -> str | None:
    """Put the pre-trained ViT into a network.

    Args:
        network: nothing happens if it has no frozen ViT.
        name: of the ViT; default ``vits-focus`` for the small model.
        file: the ViT's weights, where they are not found by name.

    Returns:
        The name of the ViT.

    Raises:
        InputError: the network needs another ViT than the known ones, as a file.
    """
    encoder = network.config.encoder
    if not isinstance(encoder, SpatialSemanticConfig):
        return None
    if encoder.vit.width != 384 and file is None:
        raise InputError(
            network.config.name,
            "no weights of its ViT",
            "the pre-trained ViT the network is built on",
            "Pass the ViT's weights as a file (backbone_file).",
        )
    name = name or (VITS_FOCUS if file is None else Path(file).stem)
    vit = network.pixel_encoder.vit_module
    assert isinstance(vit, VisionTransformer)
    load_vit(vit, load_vits(name, file))
    return name


def load_initial(network: S3Network, weights: PathLikeStr) -> None:
    """Start from trained weights; a frozen ViT they lack is kept.

    From one object to several, the new input channels start orthogonal and random.

    Raises:
        CheckpointError: weights of another network.
    """
    state = convert_objects(
        _state(weights),
        single_object=network.config.single_object,
        orthogonal=True,
    )
    load_weights(network, state, ignore=(VIT_PREFIX,))


def _state(weights: PathLikeStr) -> Mapping[str, Tensor]:
    content = read_file(find_weights(weights))
    return content.get("weights", content)


def _backbone_of(weights: PathLikeStr | None) -> str:
    """What a weights file calls its ViT; the file's own name where it does not say."""
    assert weights is not None
    path = find_weights(weights)
    named = read_metadata(path) if path.suffix == ".safetensors" else {}
    return named.get("backbone") or path.stem


def hold_out(
    videos: Iterable[TrainingVideo], names: Iterable[str]
) -> tuple[list[TrainingVideo], list[TrainingVideo]]:
    """Split videos into those to train on and those to validate on, by name."""
    kept = set(names)
    rest = [v for v in videos if v.sequence.name not in kept]
    return rest, [v for v in videos if v.sequence.name in kept]


def _require(
    material: Sequence[object], recipe: Recipe, what: str, argument: str
) -> None:
    if not material:
        raise InputError(
            argument,
            "none",
            f"{what} for the recipe '{recipe.name}'",
            f"Give a folder of {what}.",
        )


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
