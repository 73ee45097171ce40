"""Errors injected into clean ground truth: which of them the audit finds.

`python -m benchmarks.audit --shared DIR --markdown benchmarks/audit.md`. One error is
injected per video and pass, of one kind and by seed, into synthetic videos and, where
there are any, into real ones; clean videos tell the false alarms.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

Frames = dict[str, np.ndarray]

TARGET = 1.0
"""False alarms per 1000 clean object frames that the audit may raise."""

RECALL = 0.8
"""Recall to reach under it."""

WITH_IMAGES = ("shifted in time", "shifted in space", "jump")
"""Kinds that are looked for in images, too; the others are measured without them."""


@dataclass(frozen=True)
class Video:
    """A video in memory with its images on disk."""

    name: str
    masks: Frames
    images: Mapping[str, Path] = field(default_factory=dict)
    fps: float = 24.0
    known_objects: tuple[Any, ...] = ()

    @property
    def frames(self) -> list[str]:
        """All frames that have masks or images."""
        return sorted({*self.masks, *self.images})

    @property
    def annotated_frames(self) -> list[str]:
        """Frames that have masks."""
        return sorted(self.masks)

    def read_annotation(self, frame: str) -> np.ndarray:
        """The label map."""
        return self.masks[frame]


@dataclass(frozen=True)
class Injected:
    """An error that was put in.

    Attributes:
        video: with the error.
        objects: ids, any of which may be reported.
        frames: names of the wrong frames.
        methods: results of methods that it is judged with, if any.
    """

    video: Video
    objects: set[int]
    frames: set[str]
    methods: Mapping[str, Any] | None = None


Injector = Callable[[Video, np.random.Generator], Injected | None]


def _copy(video: Video) -> Frames:
    return {frame: mask.copy() for frame, mask in video.masks.items()}


def _pick(
    video: Video, rng: np.random.Generator, length: int
) -> tuple[int, int] | None:
    """An object and the index of a frame, visible from 3 before to 3 after a run."""
    names = video.annotated_frames
    ids = sorted(set(np.unique(np.stack(list(video.masks.values())))) - {0})
    options = []
    for object_id in ids:
        areas = np.array([(video.masks[n] == object_id).sum() for n in names])
        large = areas > 0.0008 * video.masks[names[0]].size
        for start in range(3, len(names) - length - 3):
            if large[start - 3 : start + length + 3].all():
                options.append((int(object_id), start))
    return options[rng.integers(len(options))] if options else None


def _unit(video: Video) -> float:
    """Pixels of the video per pixel of a 480p one."""
    return min(next(iter(video.masks.values())).shape) / 480


def _dots(video: Video, rng: np.random.Generator, holes: bool) -> Injected | None:
    picked = _pick(video, rng, 1)
    if picked is None:
        return None
    object_id, start = picked
    masks, frame = _copy(video), video.annotated_frames[start]
    own = (masks[frame] == object_id).astype(np.uint8)
    reach = 2 * int(max(3, 5 * _unit(video))) + 1
    kernel = np.ones((reach, reach), np.uint8)
    free = cv2.erode(own, kernel) if holes else (masks[frame] == 0) & (
        cv2.dilate(own, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) == 0
    )  # fmt: skip
    rows, columns = np.nonzero(free)
    if len(rows) < 50:
        return None
    for place in rng.choice(len(rows), int(rng.integers(4, 11)), replace=False):
        dot = np.zeros_like(own)
        centre = (int(columns[place]), int(rows[place]))
        cv2.circle(dot, centre, int(rng.integers(0, 3)), 1, -1)
        masks[frame][(dot > 0) & (free > 0)] = 0 if holes else object_id
    return Injected(replace(video, masks=masks), {object_id}, {frame})


def specks(video: Video, rng: np.random.Generator) -> Injected | None:
    """4 to 10 dots of radius 0 to 2 around the object in one frame."""
    return _dots(video, rng, holes=False)


def pinholes(video: Video, rng: np.random.Generator) -> Injected | None:
    """4 to 10 holes of radius 0 to 2 in one frame."""
    return _dots(video, rng, holes=True)


def vanishes(video: Video, rng: np.random.Generator) -> Injected | None:
    """No mask for 1 to 3 frames."""
    length = int(rng.integers(1, 4))
    picked = _pick(video, rng, length)
    if picked is None:
        return None
    object_id, start = picked
    masks, wrong = _copy(video), video.annotated_frames[start : start + length]
    for frame in wrong:
        masks[frame][masks[frame] == object_id] = 0
    return Injected(replace(video, masks=masks), {object_id}, set(wrong))


def _stamp(
    video: Video, rng: np.random.Generator, frames: list[str], key: int
) -> Frames:
    """The masks with a disk of another object in some frames."""
    masks = _copy(video)
    height, width = masks[frames[0]].shape
    centre = (int(rng.uniform(0.2, 0.8) * width), int(rng.uniform(0.2, 0.8) * height))
    for frame in frames:
        disk = np.zeros((height, width), np.uint8)
        cv2.circle(disk, centre, int(0.08 * height), 1, -1)
        masks[frame][disk > 0] = key
    return masks


def _unused(video: Video) -> int:
    return 1 + max(int(mask.max()) for mask in video.masks.values())


def appears(video: Video, rng: np.random.Generator) -> Injected | None:
    """Another id for 1 to 3 frames in the middle of the video."""
    length = int(rng.integers(1, 4))
    start = int(rng.integers(3, len(video.masks) - length - 3))
    frames, key = video.annotated_frames[start : start + length], _unused(video)
    masks = _stamp(video, rng, frames, key)
    return Injected(replace(video, masks=masks), {key}, set(frames))


def ids_exchanged(video: Video, rng: np.random.Generator) -> Injected | None:
    """Two ids exchanged for 4 to 12 frames; videos with two objects only."""
    length = min(int(rng.integers(4, 13)), len(video.masks) - 7)
    first = _pick(video, rng, length)
    for _ in range(20):
        second = _pick(video, rng, length)
        if first and second and first[0] != second[0]:
            break
    else:
        return None
    masks = _copy(video)
    wrong = video.annotated_frames[first[1] : first[1] + length]
    for frame in wrong:
        one, other = masks[frame] == first[0], masks[frame] == second[0]
        masks[frame][one], masks[frame][other] = second[0], first[0]
    return Injected(replace(video, masks=masks), {first[0], second[0]}, set(wrong))


def jump(video: Video, rng: np.random.Generator) -> Injected | None:
    """Half of the mask lost, half as much again, or half a size off, 1 to 2 frames."""
    length, way = int(rng.integers(1, 3)), int(rng.integers(3))
    picked = _pick(video, rng, length)
    if picked is None:
        return None
    object_id, start = picked
    masks, wrong = _copy(video), video.annotated_frames[start : start + length]
    for frame in wrong:
        own = masks[frame] == object_id
        masks[frame][own] = 0
        masks[frame][_bent(own, way)] = object_id
    return Injected(replace(video, masks=masks), {object_id}, set(wrong))


def _bent(own: np.ndarray, way: int) -> np.ndarray:
    size = int(own.sum() ** 0.5)
    if way == 0:
        columns = np.nonzero(own.any(axis=0))[0]
        own = own.copy()
        own[:, : int(np.median(columns))] = False
        return own
    if way == 1:
        reach = 2 * (size // 8) + 3
        return cv2.dilate(own.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    return _moved(own, size // 2, 0)


def _moved(mask: np.ndarray, right: int, down: int) -> np.ndarray:
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    size = (mask.shape[1], mask.shape[0])
    moved = cv2.warpAffine(mask.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST)
    return moved.astype(mask.dtype)


def copied(video: Video, rng: np.random.Generator) -> Injected | None:
    """The masks of the frame before, 1 to 3 times."""
    length = int(rng.integers(1, 4))
    picked = _pick(video, rng, length)
    if picked is None:
        return None
    masks, names = _copy(video), video.annotated_frames
    wrong = names[picked[1] : picked[1] + length]
    for frame in wrong:
        masks[frame] = masks[names[picked[1] - 1]].copy()
    ids = set(np.unique(masks[wrong[0]]).tolist()) - {0}
    return Injected(replace(video, masks=masks), ids, set(wrong))


def shifted_in_time(video: Video, rng: np.random.Generator) -> Injected | None:
    """All masks 1 to 3 frames early or late."""
    if not video.images:
        return None
    lag = int(rng.choice([-3, -2, -1, 1, 2, 3]))
    names = video.annotated_frames
    places = np.clip(np.arange(len(names)) + lag, 0, len(names) - 1)
    masks = {n: video.masks[names[p]] for n, p in zip(names, places, strict=True)}
    ids = set(np.unique(np.stack(list(masks.values()))).tolist()) - {0}
    return Injected(replace(video, masks=masks), ids, set(names))


def shifted_in_space(video: Video, rng: np.random.Generator) -> Injected | None:
    """All masks 6 to 12 pixels (at 480p) off, in any direction."""
    if not video.images:
        return None
    angle, way = rng.uniform(0, 2 * np.pi), rng.uniform(6, 12) * _unit(video)
    right, down = round(way * np.cos(angle)), round(way * np.sin(angle))
    masks = {name: _moved(mask, right, down) for name, mask in video.masks.items()}
    ids = set(np.unique(np.stack(list(masks.values()))).tolist()) - {0}
    return Injected(replace(video, masks=masks), ids, set(masks))


def prompt_without_object(video: Video, rng: np.random.Generator) -> Injected | None:
    """An id in the first frame only, or one that is listed and nowhere."""
    key, first = _unused(video), video.annotated_frames[0]
    if rng.integers(2):
        masks = _stamp(video, rng, [first], key)
        return Injected(replace(video, masks=masks), {key}, {first})
    listed = (SimpleNamespace(object_id=key, category=None),)
    return Injected(replace(video, known_objects=listed), {key}, {first})


def methods_agree(video: Video, rng: np.random.Generator) -> Injected | None:
    """Two thirds of the mask lost for 3 frames; two methods have it, a pixel off."""
    picked = _pick(video, rng, 3)
    if picked is None:
        return None
    object_id, start = picked
    masks, wrong = _copy(video), video.annotated_frames[start : start + 3]
    for frame in wrong:
        rows = np.nonzero((masks[frame] == object_id).any(axis=1))[0]
        part = masks[frame][: int(rows[0] + 0.66 * len(rows))]
        part[part == object_id] = 0
    methods = {
        name: {video.name: {f: change(m, kernel) for f, m in video.masks.items()}}
        for name, change, kernel in (
            ("dilated", cv2.dilate, np.ones((2, 2), np.uint8)),
            ("shifted", lambda m, _: _moved(m, 1, 1), None),
        )
    }
    wrong_video = replace(video, masks=masks)
    return Injected(wrong_video, {object_id}, set(wrong), methods)


INJECTORS: dict[str, Injector] = {
    "specks": specks,
    "pinholes": pinholes,
    "vanishes": vanishes,
    "appears": appears,
    "ids exchanged": ids_exchanged,
    "jump": jump,
    "copied": copied,
    "shifted in time": shifted_in_time,
    "shifted in space": shifted_in_space,
    "prompt without object": prompt_without_object,
    "methods agree against it": methods_agree,
}


def synthetic(folder: Path, seed: int, short: bool) -> list[Video]:
    """Synthetic videos of 1 to 4 objects that occlude each other, leave and return."""
    from s3fo.benchmarks.synthetic import Factors, write_synthetic

    length = 30 if short else 60
    kinds = {
        "plain": Factors(objects=1, length=length),
        "crossing": Factors(objects=3, length=length, crossing=True),
        "fast": Factors(objects=2, length=length, speed=10.0),
        "absent": Factors(objects=2, length=length, absence_frames=8),
        "occluded": Factors(
            objects=2, length=length, occlusion=0.6, occlusion_frames=8
        ),
        "deforming": Factors(objects=4, length=length, deformation=1.0, rotation=0.05),
        "small": Factors(objects=3, length=length, size=0.01),
        "growing": Factors(objects=2, length=length, growth=2.0),
    }
    videos = {f"{name}-{i}": f for name, f in kinds.items() for i in range(2)}
    if short:
        videos = {name: f for name, f in videos.items() if name.endswith("0")}
    benchmark = write_synthetic(folder, videos=videos, seed=seed, size=(240, 427))
    return [
        Video(
            one.name,
            {f: np.asarray(one.read_annotation(f)) for f in one.annotated_frames},
            dict(one.images),
        )
        for one in benchmark.sequences
    ]


def davis(root: Path, resolution: str, step: int = 1) -> list[Video]:
    """DAVIS-2016 videos, one object each."""
    from evaluation.masks.label_map import read_label_map

    videos = []
    for folder in sorted((root / "Annotations" / resolution).iterdir()):
        images = root / "JPEGImages" / resolution / folder.name
        names = sorted(path.stem for path in folder.glob("*.png"))[::step]
        masks = {
            n: (np.asarray(read_label_map(folder / f"{n}.png")) > 0).astype(np.uint8)
            for n in names
        }
        videos.append(
            Video(folder.name, masks, {n: images / f"{n}.jpg" for n in names})
        )
    return videos


def mixed(root: Path) -> list[Video]:
    """Composites of real videos with 2 to 3 objects."""
    from evaluation.masks.label_map import read_label_map

    videos = []
    for folder in sorted(root.iterdir()):
        files = sorted((folder / "Annotations").rglob("*.png"))
        images = {p.stem: p for p in (folder / "JPEGImages").rglob("*.jpg")}
        masks = {p.stem: np.asarray(read_label_map(p)) for p in files}
        videos.append(Video(folder.name, masks, images))
    return videos


def datasets(
    shared: Path, folder: Path, seed: int, short: bool
) -> dict[str, list[Video]]:
    """Name -> videos; the synthetic ones everywhere."""
    found = {"synthetic": synthetic(folder, seed, short)}
    real = shared / "data"
    if real.is_dir() and not short:
        found["DAVIS-2016 train, 12 fps, 288p"] = davis(
            real / "davis2016-train", "288p"
        )
        found["DAVIS-2016 val, 480p"] = davis(real / "davis2016-val", "480p")
        found["composites of val"] = mixed(real / "multi-object" / "davis-mix")
    return found


def clean_row(name: str, videos: list[Video]) -> str:
    """False alarms and time of clean videos."""
    from evaluation.audit import audit_ground_truth

    start = time.process_time()
    audit = audit_ground_truth(videos, workers=1)
    cost = 1000 * (time.process_time() - start) / audit.n_object_frames
    kinds = ", ".join(
        f"{row.kind} {row.events}" for row in audit.by("kind").itertuples(index=False)
    )
    for row in audit.events.itertuples(index=False):
        print("  clean:", row.sequence, row.object, row.kind, row.start, row.end,
              f"{row.confidence:.2f}", row.reason)  # fmt: skip
    rate = 1000 * len(audit.events) / audit.n_object_frames
    flagged = 1000 * len(audit.frames) / audit.n_object_frames
    return (
        f"| {name} | {len(videos)} | {audit.n_object_frames} | {len(audit.events)} "
        f"| {rate:.2f} | {flagged:.1f} | {kinds or 'none'} | {cost:.1f} |"
    )


def injected_row(
    kind: str, videos: list[Video], seed: int
) -> tuple[int, int, int, int]:
    """Injected, found under its kind, found under any, events of the kind elsewhere."""
    from evaluation.audit import audit_ground_truth

    total = hit = any_hit = false = 0
    for number, video in enumerate(videos):
        rng = np.random.default_rng([seed, number, sorted(INJECTORS).index(kind)])
        wrong = INJECTORS[kind](video, rng)
        if wrong is None:
            continue
        truth: Any = [wrong.video]
        if wrong.methods:
            truth = {video.name: wrong.video.masks}
        audit = audit_ground_truth(
            truth, methods=wrong.methods, workers=1,
            images=None if kind in WITH_IMAGES else False,
        )  # fmt: skip
        frames = audit.frames
        inside = frames["object"].isin(wrong.objects) & frames["frame"].isin(
            wrong.frames
        )
        touched = audit.events["event"].isin(frames.loc[inside, "event"])
        same = audit.events["kind"] == kind
        total += 1
        hit += bool((touched & same).any())
        any_hit += bool(touched.any())
        false += int((same & ~touched).sum())
    return total, hit, any_hit, false


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="synthetic videos only")
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--markdown", type=Path, help="also write the tables there")
    parser.add_argument("--kinds", nargs="*", default=list(INJECTORS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = datasets(options.shared, Path(folder), options.seed, options.short)
        lines = tables(found, options.seed, options.kinds)
    text = "\n".join(lines) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


def tables(found: dict[str, list[Video]], seed: int, kinds: list[str]) -> list[str]:
    """Both tables as lines of Markdown."""
    lines = [
        "# Errors injected into ground truth, and those that the audit finds",
        "",
        f"Made by `python -m benchmarks.audit --seed {seed}`; "
        f"{platform.machine()}, Python {platform.python_version()}, one thread.",
        "",
        f"False alarms on clean ground truth (target: at most {TARGET:.0f} per 1000 "
        f"object frames at recall {RECALL}):",
        "",
        "| data | videos | object frames | events | events per 1000 | frames in them "
        "per 1000 | of the kinds | ms per object frame |",
        "|---|---|---|---|---|---|---|---|",
        *(clean_row(name, videos) for name, videos in found.items()),
        "",
        "One error per video, of one kind. Recall: found under its kind (under any "
        "kind). Precision: of the events of this kind, those on the error.",
        "",
        "| kind | data | injected | recall | under any kind | precision |",
        "|---|---|---|---|---|---|",
    ]
    for kind in kinds:
        for name, videos in found.items():
            total, hit, any_hit, false = injected_row(kind, videos, seed)
            if total:
                precision = f"{hit / (hit + false):.2f}" if hit + false else "-"
                lines.append(
                    f"| {kind} | {name} | {total} | {hit / total:.2f} "
                    f"| {any_hit / total:.2f} | {precision} |"
                )
                print(lines[-1], flush=True)
    return lines


if __name__ == "__main__":
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"
    cv2.setNumThreads(1)
    main()
