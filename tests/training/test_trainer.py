from __future__ import annotations

import csv
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from evaluation.errors import InputError
from s3fo.model import build_network
from s3fo.training.api import clip_maker, hold_out, train
from s3fo.training.data.clips import Clip
from s3fo.training.data.loading import clip_loader, collate
from s3fo.training.learner import Learner
from s3fo.training.losses import PointSampling
from s3fo.training.recipes import RECIPES, Phase, get_recipe
from s3fo.training.trainer import RunOptions, Trainer
from s3fo.training.validation import PropagationScore


def trainer(recipe, videos, folder: Path, **options) -> Trainer:
    torch.manual_seed(0)
    network = build_network(recipe.model)
    folder.mkdir(parents=True, exist_ok=True)
    settings = RunOptions(folder, workers=0, **options)
    return Trainer(network, recipe, clip_maker(recipe, videos, ()), settings)


def weights(run: Trainer) -> torch.Tensor:
    parameters = [p.detach().flatten() for p in run.learner.network.parameters()]
    return torch.cat(parameters)


@pytest.mark.seconds
def test_a_resumed_run_equals_an_unbroken_one(tiny_recipe, videos, tmp_path) -> None:
    recipe = tiny_recipe(ema=0.9, schedule="cosine", warm_up=2)
    whole = trainer(recipe, videos, tmp_path / "whole")
    whole.run()

    def stop_at_two(done: int, total: int, label: str) -> None:
        if first.learner.iteration == 2:
            first.stop()

    first = trainer(recipe, videos, tmp_path / "parts")
    first.run(stop_at_two)
    assert 2 <= first.learner.iteration < 4
    second = trainer(recipe, videos, tmp_path / "parts")
    second.resume()
    second.run()
    assert second.learner.iteration == whole.learner.iteration == 4
    torch.testing.assert_close(weights(second), weights(whole), rtol=0, atol=0)
    for name, value in whole.learner.mean.state.items():
        torch.testing.assert_close(
            second.learner.mean.state[name], value, rtol=0, atol=0
        )


def test_accumulated_batches_make_the_same_step(tiny_recipe, videos, tmp_path) -> None:
    """Without batch norm in training mode, one batch of 2 is two batches of 1."""
    recipe = tiny_recipe()
    losses = []
    for accumulate in (1, 2):
        run = trainer(recipe, videos, tmp_path / str(accumulate), accumulate=accumulate)
        batches = iter(clip_loader(run.maker, run.sampler(), 0))
        losses.append(run.learner.step([next(batches) for _ in range(accumulate)], 0.0))
    # Different numbers of objects may be padded; that costs below 1e-4.
    assert losses[0]["total_loss"] == pytest.approx(losses[1]["total_loss"], rel=1e-4)
    assert losses[0]["gradient_norm"] == pytest.approx(
        losses[1]["gradient_norm"], rel=1e-3
    )


@pytest.mark.slow
def test_one_clip_is_learnt_by_heart(tiny_recipe) -> None:
    """A large moving disc of noise on other noise."""
    side, rng = 96, np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    frames = rng.integers(0, 90, (3, side, side, 3), dtype=np.uint8)
    labels = np.stack(
        [(x - 40 - 6 * t) ** 2 + (y - 48 - 3 * t) ** 2 < 30**2 for t in range(3)]
    ).astype(np.uint8)
    frames[labels > 0] += np.array([120, 60, 0], np.uint8)
    batch = collate([Clip(frames, labels, 1)])
    steps = 40
    recipe = tiny_recipe(
        model="tiny",
        phases=(Phase(0, side, 3, 1, 2),),
        iterations=steps,
        learning_rate=2e-3,
        schedule="cosine",
        warm_up=5,
        points=PointSampling(2048),
    )
    torch.manual_seed(0)
    learner = Learner(build_network(recipe.model), recipe)
    for step in range(steps):
        learner.step([batch], step / steps)
    with torch.no_grad():
        found = learner.clip_model(batch).masks[0, :, 0] > 0.5
    truth = batch.labels[0, 1:, 0] > 0
    assert float((found & truth).sum() / (found | truth).sum()) > 0.97


@pytest.mark.seconds
def test_train_leaves_weights_state_and_curves(
    tiny_recipe, video_folder, videos, tmp_path
) -> None:
    from s3fo.inference.weights import load_network

    kept, held = hold_out(videos, ["two"])
    score = PropagationScore(held, protocol="davis-2017")
    seen = []
    best = train(
        tiny_recipe(iterations=2),
        tmp_path,
        videos=kept,
        workers=0,
        validate=score,
        progress=lambda done, total, label: seen.append((done, total)),
    )
    assert best == tmp_path / "best.safetensors"
    assert (tmp_path / "last.pt").exists()
    assert seen[-1] == (1000, 1000)
    rows = list(csv.DictReader((tmp_path / "curves.csv").open()))
    assert {"J&F", "J", "F"} <= {row["name"] for row in rows}
    assert list((tmp_path / "tensorboard").iterdir())
    network = load_network(best)
    assert network.config.name == "tiny_r18"
    assert not list(tmp_path.glob(".*.part"))
    again = PropagationScore(held)(network)
    # The exported weights are float16.
    validated = {r["name"]: float(r["value"]) for r in rows if r["name"] in again}
    assert again["J&F"] == pytest.approx(validated["J&F"], abs=0.02)


@pytest.mark.seconds
def test_training_goes_on_from_weights(tiny_recipe, videos, tmp_path) -> None:
    first = train(tiny_recipe(iterations=1), tmp_path / "a", videos=videos, workers=0)
    second = train(
        tiny_recipe(iterations=1, learning_rate=0.0),
        tmp_path / "b",
        videos=videos,
        init=first,
        workers=0,
    )
    one, two = load_file(first), load_file(second)
    name = "mask_decoder.pred.weight"
    torch.testing.assert_close(one[name], two[name], rtol=0, atol=0)


def test_a_run_of_another_recipe_is_not_resumed(tiny_recipe, videos, tmp_path) -> None:
    train(tiny_recipe(iterations=1), tmp_path, videos=videos, workers=0)
    with pytest.raises(InputError, match="recipe test"):
        train(tiny_recipe(name="other"), tmp_path, videos=videos, workers=0)


def test_missing_material_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match="annotated videos"):
        train("s3-small", tmp_path)
    with pytest.raises(InputError, match="one of"):
        train("no-such-recipe", tmp_path)


def test_a_batch_that_cannot_be_shared_is_refused(
    tiny_recipe, videos, tmp_path
) -> None:
    with pytest.raises(InputError, match="whole number of clips"):
        trainer(tiny_recipe(), videos, tmp_path, accumulate=3)


def test_lost_gradients_end_the_run(tiny_recipe, videos, tmp_path) -> None:
    run = trainer(tiny_recipe(learning_rate=1e-3), videos, tmp_path)
    batch = next(iter(clip_loader(run.maker, run.sampler(), 0)))
    broken = batch._replace(frames=batch.frames * float("nan"))
    before = weights(run)
    run.learner._skipped = 18
    run.learner.step([broken], 0.0)
    torch.testing.assert_close(weights(run), before)
    with pytest.raises(FloatingPointError, match="not finite"):
        run.learner.step([broken], 0.0)


def test_lost_gradients_end_a_run_with_a_gradient_scaler(
    tiny_recipe, videos, tmp_path
) -> None:
    run = trainer(tiny_recipe(learning_rate=1e-3), videos, tmp_path)
    run.learner._scaler = torch.amp.GradScaler("cpu", init_scale=8192)
    batch = next(iter(clip_loader(run.maker, run.sampler(), 0)))
    broken = batch._replace(frames=batch.frames * float("nan"))
    run.learner._skipped = 18
    run.learner.step([broken], 0.0)
    assert run.learner._skipped == 19
    run.learner.step([batch], 0.0)
    assert run.learner._skipped == 0
    run.learner._skipped = 19
    with pytest.raises(FloatingPointError, match="not finite"):
        run.learner.step([broken], 0.0)


def test_the_published_stages() -> None:
    one, two = get_recipe("vitb-stage-1"), get_recipe("vitb-stage-2-mega")
    assert one.single_object and one.iterations == 80_000 and not one.autocast
    assert one.phases == (Phase(0, 384, 3, 16, 2),)
    assert two.iterations == 175_000 and two.autocast
    assert two.phases == (Phase(0, 480, 8, 16, 3),)
    assert two.points.num_points == 12544 and one.points.num_points == 8192
    assert {"vitb-stage-2-base", "vitb-stage-2-with-mose", "s3-small"} < set(RECIPES)


@pytest.mark.parametrize(
    "numbers",
    [
        {"minutes": float("nan")}, {"minutes": 0.0}, {"minutes": float("inf")},
        {"minutes": -1.0}, {"iterations": 0}, {"accumulate": 0}, {"workers": -1},
    ],
)  # fmt: skip
def test_numbers_without_an_end_are_refused(tiny_recipe, videos, tmp_path, numbers):
    with pytest.raises(InputError, match=f"--{next(iter(numbers))}"):
        train(tiny_recipe(), tmp_path, videos=videos, **numbers)


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("sign", "ends"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_an_interrupted_run_says_so_and_goes_on(
    tiny_recipe, videos, tmp_path, sign, ends
):
    before = {number: signal.getsignal(number) for number in (sign,)}

    first = iter([True])

    def interrupt(done: int, total: int, label: str) -> None:
        if next(first, False):
            os.kill(os.getpid(), sign)

    try:
        with pytest.raises(ends):
            train(tiny_recipe(), tmp_path, videos=videos, workers=0, progress=interrupt)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    weights_file = train(tiny_recipe(), tmp_path, videos=videos, workers=0)
    assert weights_file.exists()
