"""Turns factors into a scene: who is there, how they move, what covers them."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from s3fo.benchmarks.synthetic.factors import MOST_DISTRACTORS, Factors
from s3fo.benchmarks.synthetic.scene import Actor, Motion, Outline, Scene
from s3fo.benchmarks.synthetic.textures import draw_texture

_TEXTURE_SIDE = 192
# Frames that an object takes to leave or return, an occluder to come or go.
_PASSAGE = 6


def build_scene(
    name: str,
    factors: Factors,
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    textures: str = "photographs",
    antialias: bool = True,
) -> Scene:
    """Compose the scene that shows the factors.

    Everybody in it has dice of their own: scenes from equal generators that differ
    in one factor differ in nothing else.

    Args:
        name: name of the sequence.
        factors: what it shows.
        size: (height, width), pixels.
        rng: decides everything that the factors leave open.
        textures: see `draw_texture`.
        antialias: soft edges in the frames.
    """
    height, width = size
    scenery, camera, post, *others = rng.spawn(3 + factors.objects + MOST_DISTRACTORS)
    background = draw_texture(
        scenery, (height * 3 // 2, width * 3 // 2), textures, recolour=False
    )
    objects = [
        _object(number + 1, factors, size, dice, textures)
        for number, dice in enumerate(others[: factors.objects])
    ]
    if factors.absence_frames:
        objects[0] = _send_away(objects[0], factors, size)
    distractors = [
        _distractor(objects[0], factors, size, dice, textures)
        for dice in others[factors.objects :][: factors.distractors]
    ]
    actors = [*distractors, *reversed(objects)]
    if factors.occlusion_frames and factors.occlusion:
        actors.append(_occluder(objects[0], factors, size, post, textures))
    return Scene(
        name=name,
        size=size,
        length=factors.length,
        background=background,
        camera=_camera(factors.length, size, camera),
        actors=tuple(actors),
        light=_light(factors),
        shutter=factors.blur,
        antialias=antialias,
        factors=asdict(factors),
    )


def _object(
    object_id: int,
    factors: Factors,
    size: tuple[int, int],
    rng: np.random.Generator,
    textures: str,
) -> Actor:
    return Actor(
        object_id,
        _outline(rng),
        draw_texture(rng, (_TEXTURE_SIDE, _TEXTURE_SIDE), textures),
        _motion(factors, size, rng, phase=object_id),
    )


def _distractor(
    model: Actor,
    factors: Factors,
    size: tuple[int, int],
    rng: np.random.Generator,
    textures: str,
) -> Actor:
    """Something like `model`, as much as the similarity says."""
    other = _outline(rng)
    alike = factors.similarity
    outline = Outline(
        alike * model.outline.amplitudes + (1 - alike) * other.amplitudes,
        alike * model.outline.phases + (1 - alike) * other.phases,
    )
    texture = draw_texture(rng, (_TEXTURE_SIDE, _TEXTURE_SIDE), textures)
    mixed = alike * model.texture.astype(np.float32) + (1 - alike) * texture
    quiet = replace(factors, crossing=False)
    return Actor(0, outline, mixed.astype(np.uint8), _motion(quiet, size, rng, phase=0))


def _outline(rng: np.random.Generator) -> Outline:
    order = np.arange(2, 7)
    return Outline(rng.uniform(0.1, 0.45, 5) / order, rng.uniform(0, 2 * np.pi, 5))


def _motion(
    factors: Factors, size: tuple[int, int], rng: np.random.Generator, *, phase: int
) -> Motion:
    """A smooth path inside the frame at constant speed."""
    height, width = size
    time = np.arange(factors.length)
    angle = rng.uniform(0, 2 * np.pi) + factors.rotation * (-1) ** phase * time
    radius = np.sqrt(factors.size * height * width / np.pi)
    # One slow swing between 1/sqrt(growth) and sqrt(growth) times the radius.
    swing = np.sin(2 * np.pi * (time / factors.length + 0.23 * phase))
    radii = radius * factors.growth ** (swing / 2)
    x, y = _path(factors, size, rng, margin=0.8 * radius)
    return Motion(
        x,
        y,
        radii,
        angle,
        factors.deformation * np.sin(2 * np.pi * (time / 25 + 0.3 * phase)),
    )


def _path(
    factors: Factors,
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    margin: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows [T] of a walk through random places, `speed` pixels a frame."""
    height, width = size
    low = np.minimum(margin, np.array([width, height]) * 0.4)
    high = np.array([width, height]) - low
    distance = factors.speed * (factors.length - 1)
    places = rng.uniform(low, high, (int(distance / (0.2 * width)) + 6, 2))
    middle = distance / 2
    if factors.crossing:
        # Straight through the centre at half time.
        centre = np.array([width, height]) / 2
        direction = places[0] - centre
        direction *= np.hypot(*(high - centre)) / max(np.hypot(*direction), 1.0)
        places = np.array([centre + direction, centre, centre - direction])
        middle = distance / 2 - np.hypot(*direction)
    corners = _smooth(places)
    walked = np.concatenate([[0], np.hypot(*np.diff(corners, axis=0).T).cumsum()])
    at = np.arange(factors.length) * factors.speed
    if factors.crossing:
        at = at - middle
    x, y = (np.interp(at, walked, axis) for axis in corners.T)
    return x, y


def _smooth(places: np.ndarray) -> np.ndarray:
    """A dense curve [M, 2] through the places (Catmull-Rom spline)."""
    padded = np.concatenate([places[:1], places, places[-1:]])
    share = np.linspace(0, 1, 24, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(
            b
            + 0.5 * share * (c - a)
            + share**2 * (a - 2.5 * b + 2 * c - 0.5 * d)
            + share**3 * (1.5 * (b - c) + 0.5 * (d - a))
        )
    return np.concatenate([*pieces, places[-1:]])


def _send_away(actor: Actor, factors: Factors, size: tuple[int, int]) -> Actor:
    """Let it leave sideways and return after `absence_frames`."""
    motion = actor.motion
    gone_from, gone_to = _interval(factors.length, factors.absence_frames)
    width = size[1]
    reach = 1.8 * float(motion.radius.max())
    side = 1 if motion.x[gone_from] > width / 2 else -1
    outside = width + reach if side > 0 else -reach
    knots = [gone_from - _PASSAGE - 1, gone_from, gone_to - 1, gone_to + _PASSAGE]
    away = np.interp(np.arange(factors.length), knots, [0, 1, 1, 0])
    x = (1 - away) * motion.x + away * outside
    return replace(actor, motion=replace(motion, x=x))


def _occluder(
    actor: Actor,
    factors: Factors,
    size: tuple[int, int],
    rng: np.random.Generator,
    textures: str,
) -> Actor:
    """A post that slides over the actor and covers the wanted fraction of it."""
    time = np.arange(factors.length)
    covered_from, covered_to = _interval(factors.length, factors.occlusion_frames)
    half_width = 1.7 * float(actor.motion.radius.max())
    edge = np.array(
        [
            _covering_edge(actor, index, factors.occlusion)
            for index in range(factors.length)
        ]
    )
    knots = [covered_from - _PASSAGE - 1, covered_from, covered_to - 1]
    distance = np.interp(time, [*knots, covered_to + _PASSAGE], [1, 0, 0, 1])
    x = edge - half_width - distance * (size[1] + half_width)
    still = np.zeros(factors.length)
    middle = np.full(factors.length, size[0] / 2)
    motion = Motion(x, middle, still + half_width, still, still)
    tall = 2.5 * size[0] / half_width
    outline = Outline(np.zeros(0), np.zeros(0), stretch=(1.0, tall), square=True)
    texture = draw_texture(rng, (_TEXTURE_SIDE, _TEXTURE_SIDE), textures)
    return Actor(0, outline, texture, motion)


def _covering_edge(actor: Actor, index: int, fraction: float) -> float:
    """Column such that `fraction` of the actor's area lies left of it."""
    x, y = actor.polygon(index).T
    if fraction >= 1:
        return float(x.max() + 2)
    columns = np.linspace(x.min(), x.max(), 200)
    # Area left of a column, by clipping the polygon there (Green's theorem).
    area = []
    for column in columns:
        clipped = np.minimum(x, column)
        area.append(abs(np.sum(clipped * (np.roll(y, -1) - np.roll(y, 1)))) / 2)
    return float(np.interp(fraction, np.array(area) / area[-1], columns))


def _interval(length: int, frames: int) -> tuple[int, int]:
    """`frames` frames in the middle of the video, as [from, to)."""
    start = (length - frames) // 2
    return start, start + frames


def _camera(length: int, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A slow drift [length, 2] that stays within the background."""
    height, width = size
    room = np.array([width, height]) / 4
    time = np.arange(length)[:, None] / max(length, 60)
    phase = rng.uniform(0, 2 * np.pi, 2)
    return np.asarray(room * (1 + 0.8 * np.sin(2 * np.pi * time * (1, 0.7) + phase)))


def _light(factors: Factors) -> np.ndarray:
    """Brightness [length], darkest in the middle."""
    time = np.arange(factors.length) / max(factors.length - 1, 1)
    return np.asarray(1 - factors.illumination * np.sin(np.pi * time) ** 2)
