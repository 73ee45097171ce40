"""What a synthetic video is made to show, and the presets."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from evaluation.errors import InputError

MOST_DISTRACTORS = 50


@dataclass(frozen=True)
class Factors:
    """The controlled properties of one synthetic video.

    Object 1 is the one they apply to, unless said otherwise.

    Attributes:
        objects: annotated objects.
        length: frames.
        size: area of each object as a fraction of the frame.
        speed: pixels per frame, for every object.
        occlusion: fraction of the object that an occluder covers, 0..1.
        occlusion_frames: for how many frames it does.
        distractors: unannotated things that look like the object.
        similarity: how alike they look: 0 other shape and texture, 1 the same.
        deformation: radians by which the outline's waves turn against each other.
        illumination: how much darker it gets at the darkest moment, 0..1.
        absence_frames: for how many frames the object is out of view.
        growth: largest over smallest size in the video, at least 1.
        rotation: radians a frame.
        blur: exposure as a fraction of the frame time.
        crossing: the paths of all objects meet in the middle of the video.
        cast: videos of one benchmark with the same number have the same scenery and
            the same actors, so that they differ in the other factors only; None
            casts each video anew.
    """

    objects: int = 1
    length: int = 40
    size: float = 0.05
    speed: float = 3.0
    occlusion: float = 0.0
    occlusion_frames: int = 0
    distractors: int = 0
    similarity: float = 0.0
    deformation: float = 0.3
    illumination: float = 0.0
    absence_frames: int = 0
    growth: float = 1.0
    rotation: float = 0.01
    blur: float = 0.0
    crossing: bool = False
    cast: int | None = None


@dataclass(frozen=True)
class Preset:
    """A set of videos to write.

    Attributes:
        size: (height, width) of the frames, pixels.
        videos: what each sequence shows.
    """

    size: tuple[int, int]
    videos: dict[str, Factors]


_BASE = Factors()

# One factor at a time, from harmless to hard; everything else stays at its default.
_SWEEPS: dict[str, list[dict[str, float]]] = {
    "occlusion": [
        {"occlusion": fraction, "occlusion_frames": 12}
        for fraction in (0.0, 0.25, 0.5, 0.75, 1.0)
    ],
    "occlusion-frames": [
        {"occlusion": 1.0, "occlusion_frames": frames} for frames in (3, 8, 20)
    ],
    "distractors": [
        {"distractors": count, "similarity": 0.7} for count in (0, 1, 3, 6)
    ],
    "similarity": [
        {"distractors": 4, "similarity": value} for value in (0.0, 0.25, 0.5, 0.75, 1.0)
    ],
    "size": [{"size": value} for value in (0.003, 0.01, 0.02, 0.04, 0.12)],
    "speed": [{"speed": value} for value in (1.0, 3.0, 6.0, 12.0, 25.0)],
    # From 1.6 radians to either side on, waves come round to where they were.
    "deformation": [{"deformation": value} for value in (0.0, 0.4, 0.8, 1.2, 1.6)],
    "illumination": [{"illumination": value} for value in (0.0, 0.4, 0.8)],
    "absence": [{"absence_frames": frames} for frames in (0, 3, 6, 10, 15)],
    "growth": [{"growth": value} for value in (1.0, 2.0, 4.0)],
    "rotation": [{"rotation": value} for value in (0.0, 0.05, 0.15)],
    "blur": [{"blur": value, "speed": 12.0} for value in (0.0, 0.5, 1.0)],
    "length": [{"length": frames} for frames in (20, 40, 80, 120, 160)],
}

PRESETS: dict[str, Preset] = {
    "mini": Preset(
        size=(270, 480),
        videos={
            "away-and-back": Factors(objects=2, absence_frames=7, size=0.05),
            "behind-the-post": Factors(
                objects=1, occlusion=1.0, occlusion_frames=5, size=0.06
            ),
            "crossing": Factors(objects=3, crossing=True, size=0.045, speed=5.0),
            "lookalikes": Factors(objects=2, distractors=4, similarity=0.9, size=0.03),
            "near-and-far": Factors(objects=2, growth=3.0, rotation=0.05, size=0.05),
            "nightfall": Factors(objects=2, illumination=0.7, speed=8.0, blur=0.6),
        },
    ),
    "attributes": Preset(
        size=(270, 480),
        videos={
            f"{factor}-{step}": replace(_BASE, cast=cast, **levels)  # type: ignore[arg-type]
            for cast, (factor, sweep) in enumerate(_SWEEPS.items())
            for step, levels in enumerate(sweep)
        },
    ),
    "long": Preset(
        size=(180, 320),
        videos={
            "long-absence": Factors(
                objects=3, length=2000, absence_frames=400, size=0.04
            ),
            "long-occlusion": Factors(
                objects=2, length=3000, occlusion=1.0, occlusion_frames=300, growth=3.0
            ),
            "long-crowd": Factors(
                objects=4, length=4000, distractors=4, similarity=0.8, size=0.02
            ),
        },
    ),
}


def swept_factor(sequence: str) -> str | None:
    """Which factor a sequence of the ``attributes`` preset varies, else None."""
    name = sequence.rpartition("-")[0]
    return name if name in _SWEEPS else None


def check_factors(name: str, factors: Factors) -> None:
    """Refuse factors that cannot be drawn.

    Raises:
        InputError: names every value out of its range.
    """
    fractions = ("occlusion", "similarity", "illumination", "blur")
    wrong = [
        f"{key}={getattr(factors, key)}"
        for key in fractions
        if not 0 <= getattr(factors, key) <= 1
    ]
    if factors.distractors > MOST_DISTRACTORS:
        wrong.append(f"distractors={factors.distractors}")
    least = {"objects": 1, "length": 2, "growth": 1.0, "size": 1e-5}
    for item in fields(factors):
        value = getattr(factors, item.name)
        if value is not None and value < least.get(item.name, 0):
            wrong.append(f"{item.name}={value}")
    if factors.absence_frames + factors.occlusion_frames > factors.length - 4:
        wrong.append(f"absence and occlusion longer than {factors.length} frames")
    if wrong:
        raise InputError(
            name,
            ", ".join(wrong),
            f"fractions ({', '.join(fractions)}) in 0..1, counts that fit the video",
            "Change these factors.",
        )
