"""Quality per second of our own settings: frame size, number format, memory.

    python -m benchmarks.frontier DAVIS_TRAIN [--out runs/frontier] [--device cpu]

Every setting segments the videos of `benchmarks.validation`: none of a benchmark's val
split. The settings take turns on each video, in one thread, so that a busy machine
slows all of them alike: compare the ratios rather than the seconds. These are
CPU-seconds of the process on a CPU, else seconds of a clock; reading frames and writing
masks is included. Settings that differ in memory only share the encoded frames, and
each is charged with the seconds of encoding them. Frames are seen whole (`zoom=1`):
windows follow the masks, so that no two settings would share one.

It writes `settings.json`, `settings.md` and `settings.csv`. The last is what
`evaluation/leaderboard/published/settings.csv` holds of this device, from which `s3fo
recommend` and the report take it. An interrupted call goes on where it was; `--short`
takes four small frames per video and two settings.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from benchmarks.validation import PROTOCOL, write_validation
from evaluation import score
from evaluation._utils.machine import hardware
from evaluation.leaderboard.settings import ENGINE, REFERENCE, mark_frontier
from s3fo.benchmarks import Benchmark
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.methods.s3 import S3Method
from s3fo.inference.presets import GENERIC, get_preset
from s3fo.inference.running.predict import segment_video
from s3fo.model.network import ImageFeatures

MODEL = "s3-small"
Options = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """One way to run the network.

    Attributes:
        size: short side in pixels at which it works.
        precision: its number format.
        memory: what is remembered, in words.
        options: the same as options of `S3Method`.
    """

    size: int
    precision: str
    memory: str = REFERENCE["memory"]
    options: Options = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.size}-{self.precision}-{self.memory}".replace(" ", "-")

    def engine(self) -> InferenceConfig:
        """Settings of the engine."""
        options = dict(self.options)
        preset = get_preset(str(options.pop("memory", GENERIC)))
        return preset.engine.with_overrides(**options)

    def build(self, device: str) -> S3Method:
        """The method with this setting."""
        return S3Method(
            weights=MODEL,
            size=self.size,
            precision=self.precision,
            device=device,
            zoom=1,
            **self.options,
        )


MEMORIES: dict[str, Options] = {
    "first frame only": {"mem_every": 10**6},
    "every 10 frames": {"mem_every": 10},
    "every 3 frames": {"mem_every": 3},
    "last 5 frames": {"memory": "davis"},
    "top 15": {"top_k": 15},
}
SETTINGS = (
    Setting(384, "bfloat16"),
    *(Setting(384, "bfloat16", words, given) for words, given in MEMORIES.items()),
    *(Setting(size, "bfloat16") for size in (256, 480)),
    Setting(256, "float32"),
)


class Clock:
    """CPU-seconds of this process, or seconds of a clock where a device computes."""

    def __init__(self, device: str) -> None:
        self._device = device
        self.read = time.process_time if device == "cpu" else self._wall

    def _wall(self) -> float:
        if self._device.startswith("cuda"):
            torch.cuda.synchronize()
        return time.perf_counter()


class SharedEncoder:
    """Encodes every frame of a video once for settings that differ in memory only.

    Attributes:
        saved: seconds that the setting at hand would have spent on encoding.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: list[tuple[ImageFeatures, float]] = []

    def encode_for(self, method: S3Method) -> None:
        """Take the place of the method's encoder, from its first frame on."""
        self.saved, self._next = 0.0, 0
        engine = method._engine
        encode = engine.network.encode_image
        engine._encode_image = partial(self._encode, encode)

    def _encode(
        self, encode: Callable[[Tensor], ImageFeatures], image: Tensor
    ) -> ImageFeatures:
        self._next += 1
        if self._next <= len(self._known):
            features, seconds = self._known[self._next - 1]
            self.saved += seconds
            return features
        started = self._clock.read()
        features = encode(image)
        self._known.append((features, self._clock.read() - started))
        return features


def measure(
    videos: Sequence[VideoSequence], settings: Sequence[Setting], out: Path, device: str
) -> None:
    """Seconds per setting and video, into `out`, beside the masks."""
    clock = Clock(device)
    for video in videos:
        for _, group in groupby(settings, key=lambda item: (item.size, item.precision)):
            encoder = SharedEncoder(clock)
            for setting in group:
                if not (out / setting.name / video.name).is_dir():
                    measure_video(video, setting, encoder, out, device)


def measure_video(
    video: VideoSequence,
    setting: Setting,
    encoder: SharedEncoder,
    out: Path,
    device: str,
) -> None:
    """Segment a video, and note the seconds that it took."""
    method, clock = setting.build(device), Clock(device)
    encoder.encode_for(method)
    started = clock.read()
    segment_video(video, method, out / setting.name, video.frames)
    seconds = clock.read() - started + encoder.saved
    kept = out / f"{setting.name}.json"
    spent = json.loads(kept.read_text()) if kept.is_file() else {}
    kept.write_text(json.dumps(spent | {video.name: seconds}))
    print(f"{video.name} {setting.name}: {seconds / len(video.frames):.3f}", flush=True)


def rows(
    benchmark: Benchmark,
    settings: Sequence[Setting],
    out: Path,
    device: str,
) -> pd.DataFrame:
    """One row per setting: what it costs and what it reaches."""
    frames = sum(len(video.frames) for video in benchmark)
    seconds = {}
    for setting in settings:
        spent = json.loads((out / f"{setting.name}.json").read_text())
        seconds[setting.name] = sum(spent[video.name] for video in benchmark) / frames
    usual = settings[0].name
    made = []
    for setting in settings:
        engine = setting.engine()
        scores = score(out / setting.name, benchmark, PROTOCOL, workers=1)
        made.append(
            {
                "model": MODEL,
                "device": device,
                "size": setting.size,
                "precision": setting.precision,
                "memory": setting.memory,
                "options": " ".join(
                    f"{key}={value}" for key, value in setting.options.items()
                ),
                **{key: getattr(engine, key) for key in ENGINE},
                "seconds": round(seconds[setting.name], 4),
                "cost": round(seconds[setting.name] / seconds[usual], 4),
                "J&F": round(scores.summary["J&F"], 4),
                "objects": len(scores.objects),
                "frames": frames,
            }
        )
    return pd.DataFrame(made)


def as_markdown(table: pd.DataFrame, device: str) -> str:
    """The table for people, the cheapest first."""
    best = mark_frontier(table)["frontier"]
    lines = [
        f"`{MODEL}` on {device} ({hardware()['processor']}), "
        f"one thread, {table['frames'].iloc[0]} frames, {table['objects'].iloc[0]} "
        "objects",
        "",
        "| size | precision | memory | seconds per frame | cost | J&F | frontier |",
        "|---|---|---|---|---|---|---|",
    ]
    for index in np.argsort(table["cost"], kind="stable"):
        row = table.iloc[index]
        lines.append(
            f"| {row['size']} | {row['precision']} | {row['memory']} "
            f"| {row['seconds']:.3f} | {row['cost']:.2f} | {row['J&F']:.3f} "
            f"| {'yes' if best.iloc[index] else ''} |"
        )
    return "\n".join(lines) + "\n"


def run(
    train: Path, out: Path, device: str, *, short: bool = False, part: str = ""
) -> pd.DataFrame | None:
    """Measure, and write the three files unless only a part was measured."""
    settings = SETTINGS[:2] if short else SETTINGS
    if short:
        benchmark = write_validation(train, out / "videos", 4, (64, 96))
        shortened = tuple(video.only(video.frames[:4]) for video in benchmark)
        benchmark = replace(benchmark, sequences=shortened)
    else:
        benchmark = write_validation(train, out / "videos")
    if part:
        settings = [item for item in settings if part in item.name]
    measure(list(benchmark), settings, out, device)
    if part:
        return None
    table = rows(benchmark, settings, out, device)
    table.to_csv(out / "settings.csv", index=False)
    (out / "settings.json").write_text(table.to_json(orient="records", indent=1))
    (out / "settings.md").write_text(as_markdown(table, device))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", type=Path, metavar="DAVIS_TRAIN")
    parser.add_argument("--out", type=Path, default=Path("runs/frontier"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--part",
        default="",
        help="measure only settings whose name holds this, e.g. 480-bfloat16; "
        "a call without it writes the tables",
    )
    parser.add_argument("--short", action="store_true", help="a few frames")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = run(
        arguments.train,
        arguments.out,
        arguments.device,
        short=arguments.short,
        part=arguments.part,
    )
    if table is not None:
        print(as_markdown(table, arguments.device))


if __name__ == "__main__":
    main()
