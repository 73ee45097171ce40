"""Trains a few steps and writes the losses; run alone or by torchrun.

Usage: parallel_run.py VIDEO_FOLDER OUT.json [cpu | cuda]
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import torch

from s3fo.model import build_network
from s3fo.training.api import clip_maker
from s3fo.training.data.loading import clip_loader
from s3fo.training.data.sources import training_videos
from s3fo.training.losses import PointSampling
from s3fo.training.parallel import join_processes
from s3fo.training.recipes import Phase, Recipe
from s3fo.training.trainer import RunOptions, Trainer


def main(videos: str, out: str, kind: str = "cpu") -> None:
    torch.set_num_threads(1)
    processes = join_processes(torch.device(kind))
    device = torch.device(f"cuda:{processes.local_rank}" if kind == "cuda" else kind)
    recipe = Recipe(
        name="parallel",
        model="tiny",
        material="videos",
        phases=(Phase(0, 64, 4, 4, 2),),
        iterations=2,
        max_objects=1,
        learning_rate=1e-3,
        points=PointSampling(256),
    )
    torch.manual_seed(0)
    network = build_network("tiny")
    maker = clip_maker(recipe, training_videos(videos), ())
    folder = Path(tempfile.mkdtemp())
    options = RunOptions(folder, workers=0, device=device)
    trainer = Trainer(network, recipe, maker, options, processes=processes)
    batches = iter(clip_loader(maker, trainer.sampler(), 0))
    steps = [
        trainer.learner.step([next(batches)], i / recipe.iterations)
        for i in range(recipe.iterations)
    ]
    if processes.is_main_process:
        Path(out).write_text(json.dumps({"world": processes.world, "steps": steps}))


if __name__ == "__main__":
    main(*sys.argv[1:])
