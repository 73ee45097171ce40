"""S3's features as a description of looks: pooled, comparable, refused where wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation import object_attributes
from evaluation.attributes.regions import Box, Region, region_of
from evaluation.errors import InputError
from s3fo.benchmarks.synthetic import Factors, write_synthetic
from s3fo.inference import S3Features
from s3fo.model import build_network, save_weights


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> S3Features:
    """Random weights will do for what does not depend on training."""
    network = build_network("tiny")
    vit = network.pixel_encoder.vit_module
    for parameter in vit.blocks.parameters():
        if parameter.ndim == 1:
            parameter.data.normal_(1, 0.1)
    path = save_weights(network, tmp_path_factory.mktemp("weights") / "own.safetensors")
    return S3Features(path, model="tiny", side=96, device="cpu")


def halves() -> tuple[np.ndarray, list[Region]]:
    """A picture of two textures, and a region in each."""
    image = np.random.default_rng(0).integers(0, 80, (96, 160, 3)).astype(np.uint8)
    image[:, 80:, 0] += 150
    masks = np.zeros((2, 96, 160), bool)
    masks[0, 20:70, 10:60] = masks[1, 20:70, 100:150] = True
    regions = [region_of(mask) for mask in masks]
    return image, [region for region in regions if region]


def test_descriptors_are_of_length_one(features: S3Features) -> None:
    descriptors = features(*halves())
    assert descriptors.shape == (2, 48) and descriptors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), 1, rtol=1e-5)
    assert features(halves()[0], []).shape == (0, 48)


def test_a_region_is_the_mean_of_its_parts(features: S3Features) -> None:
    image, _ = halves()
    upper, lower = Box(0, 32, 48, 96), Box(48, 32, 96, 96)
    whole = Box(0, 32, 96, 96)
    regions = [
        Region(box, np.ones((box.height, box.width), bool))
        for box in (upper, lower, whole)
    ]
    one, two, both = features(image, regions)
    span = np.stack([one, two])
    rest = both - np.linalg.lstsq(span.T, both, rcond=None)[0] @ span
    assert np.abs(rest).max() < 1e-5


def test_small_regions_count_by_what_they_cover(features: S3Features) -> None:
    """Two pixels of a patch, one of the next: two thirds and one third of them."""
    image, _ = halves()
    patch, neighbour = Box(0, 0, 16, 16), Box(0, 16, 16, 32)
    small = Region(Box(3, 14, 4, 17), np.ones((1, 3), bool))
    whole = [Region(box, np.ones((16, 16), bool)) for box in (patch, neighbour)]
    first, second, mixed = features(image, [*whole, small])
    assert first @ mixed > second @ mixed


def test_the_name_says_what_was_compared(features: S3Features) -> None:
    assert features.name == "S3 features (own, 96 pixels)"


def test_networks_without_a_vit_are_refused(tmp_path: Path) -> None:
    path = save_weights(build_network("tiny_r18"), tmp_path / "cutie.safetensors")
    with pytest.raises(InputError, match="spatial-semantic"):
        S3Features(path, model="tiny_r18", device="cpu")


@pytest.mark.seconds
def test_trained_features_see_similar_objects(tmp_path: Path) -> None:
    """From other shape and texture to the same ones: similarity grows all the way."""
    try:
        trained = S3Features(device="cpu")
    except (InputError, RuntimeError) as error:
        pytest.skip(f"needs the shipped weights and their ViT: {error}")
    sweep = {
        f"{step}": Factors(distractors=4, similarity=alike, length=6, cast=3)
        for step, alike in enumerate((0.0, 0.25, 0.5, 0.75, 1.0))
    }
    benchmark = write_synthetic(tmp_path, videos=sweep, size=(135, 240), workers=1)
    objects = object_attributes(benchmark, extractor=trained, workers=1).objects
    values = objects.sort_values("sequence")["background_similarity"].tolist()
    assert values == sorted(values) and values[-1] - values[0] > 0.15
