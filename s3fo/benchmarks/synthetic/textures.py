"""Textures for synthetic videos: crops of photographs that installed packages carry."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from evaluation.errors import InputError
from evaluation.masks.pictures import read_picture

# Test images of scikit-image and scikit-learn, both installed with FiftyOne. Only
# files are read: importing those packages would cost a second.
_PHOTOGRAPHS = {
    "skimage": ("data", ["brick.png", "chelsea.png", "coffee.png", "grass.png",
                         "gravel.png", "motorcycle_left.png", "rocket.jpg"]),
    "sklearn": ("datasets/images", ["china.jpg", "flower.jpg"]),
}  # fmt: skip


@lru_cache(maxsize=1)
def photographs() -> tuple[np.ndarray, ...]:
    """The packaged photographs, each [H, W, 3] uint8 RGB.

    Raises:
        InputError: some are missing in this installation.
    """
    paths = [
        _package_folder(package) / folder / name
        for package, (folder, names) in _PHOTOGRAPHS.items()
        for name in names
    ]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise InputError(
            "packaged photographs",
            f"no {', '.join(missing)}",
            "the test images of scikit-image and scikit-learn",
            'Install both, or ask for textures="procedural".',
        )
    return tuple(_read(path) for path in paths)


def _read(path: Path) -> np.ndarray:
    pixels = read_picture(path, "Install the package anew.")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else Path(package)


def draw_texture(
    rng: np.random.Generator,
    size: tuple[int, int],
    kind: str = "photographs",
    *,
    recolour: bool = True,
) -> np.ndarray:
    """One random texture.

    Args:
        rng: decides which.
        size: (height, width), pixels.
        kind: ``"photographs"`` (a crop of one) or ``"procedural"`` (noise with the
            1/f spectrum of natural images).
        recolour: give the photograph another hue and saturation.

    Returns:
        [height, width, 3] uint8 RGB.

    Raises:
        ValueError: an unknown kind.
    """
    if kind == "photographs":
        crop = _photo_crop(rng, size)
        return _turn_colours(rng, crop) if recolour else crop
    if kind == "procedural":
        return _natural_noise(rng, size)
    raise ValueError(f"textures are 'photographs' or 'procedural', not {kind!r}")


def _photo_crop(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    photos = photographs()
    photo = photos[rng.integers(len(photos))]
    height, width = photo.shape[:2]
    # As much of the photograph as keeps the aspect, or down to half of that.
    scale = min(height / size[0], width / size[1]) * rng.uniform(0.5, 1.0)
    rows, columns = int(size[0] * scale), int(size[1] * scale)
    top = int(rng.integers(height - rows + 1))
    left = int(rng.integers(width - columns + 1))
    crop = photo[top : top + rows, left : left + columns]
    return cv2.resize(crop, size[::-1], interpolation=cv2.INTER_AREA)


def _turn_colours(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Another hue and saturation; grey photographs get a tint."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.int16)
    hsv[..., 0] = (hsv[..., 0] + rng.integers(180)) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] + rng.integers(0, 70), 0, 255)
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)


def _natural_noise(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Noise of amplitude 1/f in two random colours."""
    rows = np.fft.fftfreq(size[0])[:, None] * size[0]
    columns = np.fft.rfftfreq(size[1])[None] * size[1]
    amplitude = 1 / np.maximum(np.hypot(rows, columns), 1.0) ** 1.2
    phase = rng.uniform(0, 2 * np.pi, amplitude.shape)
    field = np.fft.irfft2(amplitude * np.exp(1j * phase), s=size)
    level = np.clip(0.5 + 0.22 * field / field.std(), 0, 1)[..., None]
    dark, bright = rng.uniform(0, 110, 3), rng.uniform(110, 255, 3)
    return (dark + (bright - dark) * level).astype(np.uint8)
