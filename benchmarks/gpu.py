"""Everything to settle on a GPU, in ten minutes: parity, precision, speed, memory.

    python -m benchmarks.gpu [--short] [--device cuda] [--out gpu-check]

Run it from a clone, in any image with PyTorch 2.3 or newer; nothing is downloaded, and
FiftyOne is not needed. What else it needs:

    pip install --no-deps -e . && pip install numpy pandas pillow pycocotools scipy \
        safetensors opencv-python-headless zlib-ng av filelock typer rich jinja2

Sections (`--only NAME` runs one alone; one that fails is reported and does not stop the
others):

- parity: the clips of `tests/fixtures/s3` in float32 with TF32 off, against the numbers
  of the official program.
- precision: float32, bfloat16, float16 and a compiled encoder, in J&F on a synthetic
  benchmark.
- speed: frames per second and peak memory of both networks at three sizes, with 1, 3
  and 10 objects.
- long video: time per frame and memory must not grow.
- stages: every optimised stage beside its plain form on this device; those that lose
  belong into `s3fo.model.optimised.stages.PLAIN_ON`.
- synchronisation: copies and waits per frame, by the profiler.
- two processes: one training step shared by two devices, where there are two.

It writes `gpu.json` and `gpu.md`. `--short` takes tiny networks and clips, and works on
a CPU.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.inference import encoder_rows
from benchmarks.memory import drifting_frame
from evaluation import score
from s3fo.benchmarks import write_synthetic
from s3fo.inference import predict
from s3fo.inference.build import build_propagator
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.propagator import Propagator
from s3fo.model import build_network, optimise_for_inference

ROOT = Path(__file__).resolve().parents[1]
Row = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """What is run, and where."""

    device: torch.device
    short: bool

    def wait(self) -> None:
        """Wait for the device."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def seconds(self, call: Callable[[], Any], repeats: int = 5) -> float:
        """Median wall time of a call, after one that is not counted."""
        spent = []
        for _ in range(repeats + 1):
            self.wait()
            started = time.perf_counter()
            call()
            self.wait()
            spent.append(time.perf_counter() - started)
        return float(np.median(spent[1:]))

    def restart_peak(self) -> None:
        """Start a new peak of the device's memory."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)

    def peak_mb(self) -> float | None:
        """Peak of the device's memory since; None on a CPU."""
        if self.device.type != "cuda":
            return None
        return round(torch.cuda.max_memory_allocated(self.device) / 2**20, 1)


def environment(check: Check) -> list[Row]:
    """The card and the software."""
    row: Row = {"torch": torch.__version__, "python": sys.version.split()[0]}
    if check.device.type == "cuda":
        card = torch.cuda.get_device_properties(check.device)
        row |= {
            "card": card.name,
            "memory GB": round(card.total_memory / 2**30, 1),
            "capability": f"{card.major}.{card.minor}",
            "cuda": torch.version.cuda,
            "devices": torch.cuda.device_count(),
        }
    return [row]


def parity(check: Check) -> list[Row]:
    """Recorded clips of the official program in float32."""
    for folder in (ROOT / "tests", ROOT / "tests" / "inference"):
        sys.path.insert(0, str(folder))
    import weights_recipe
    from recorded_cases import load_case, replay

    rows = []
    cases = sorted((ROOT / "tests/fixtures/s3/public").glob("o*.json"))
    for path in cases[:2] if check.short else cases:
        case = load_case(path)
        network = build_network(case.config)
        weights_recipe.fill(network, case.seed)
        network = optimise_for_inference(network.to(check.device))
        config = InferenceConfig().with_overrides(**case.overrides)
        wrong = replay(case, Propagator(network, config))
        rows.append({"case": path.stem, "equal": not wrong, "wrong": wrong[:3]})
    return rows


def precision(check: Check) -> list[Row]:
    """J&F of number formats on a synthetic benchmark."""
    forms: list[Row] = [{"precision": "float32"}, {"precision": "bfloat16"}]
    if check.device.type == "cuda":
        forms += [
            {"precision": "float16"},
            {"precision": "bfloat16", "compile_encoder": True},
        ]
    rows = []
    with tempfile.TemporaryDirectory() as root:
        size = (96, 128) if check.short else (480, 854)
        benchmark = write_synthetic(Path(root) / "data", "mini", size=size)
        sequences = list(benchmark)[: 1 if check.short else None]
        names = [sequence.name for sequence in sequences]
        benchmark = benchmark.subset(names) if check.short else benchmark
        for index, form in enumerate(forms):
            out = Path(root) / f"masks-{index}"
            started = time.perf_counter()
            predict(benchmark, out=out, device=str(check.device), **form)
            spent = time.perf_counter() - started
            truth = Path(root) / "data" / "Annotations" / "480p"
            scores = score(out, truth, sequences=names)
            rows.append(form | {"J&F": scores.summary["J&F"], "seconds": spent})
    for row in rows:
        row["against float32"] = row["J&F"] - rows[0]["J&F"]
    return rows


def _video(
    engine: Propagator, size: tuple[int, int], objects: int
) -> Callable[[], Any]:
    """Start a video; the result segments its next frame."""
    height, width = size
    mask = np.zeros(size, np.int64)
    for index in range(objects):
        left = index * width // objects
        mask[height // 4 : height // 2, left : left + width // (2 * objects)] = (
            1 + index
        )
    frames = [
        torch.from_numpy(drifting_frame(t, size)).float().to(engine.device)
        for t in range(8)
    ]
    engine.clear_memory()
    engine.step(frames[0], torch.from_numpy(mask).to(engine.device))
    state = {"t": 0}

    def step() -> Any:
        state["t"] += 1
        return engine.step(frames[state["t"] % len(frames)])

    return step


def _engine(check: Check, preset: str, **settings: Any) -> Propagator:
    half = torch.bfloat16 if check.device.type == "cuda" else None
    return build_propagator(preset, device=check.device, autocast=half, **settings)


def speed(check: Check) -> list[Row]:
    """Frames per second and peak memory."""
    presets = ("tiny",) if check.short else ("s3-small", "vitb")
    sizes = ((96, 160),) if check.short else ((480, 854), (720, 1280), (1080, 1920))
    rows = []
    for preset in presets:
        engine = _engine(check, preset)
        for size in sizes:
            for objects in (1, 3) if check.short else (1, 3, 10):
                step = _video(engine, size, objects)
                for _ in range(2 if check.short else 10):  # fills the memory
                    step()
                check.restart_peak()
                seconds = check.seconds(step, 5 if check.short else 20)
                rows.append(
                    {
                        "network": preset,
                        "size": f"{size[1]}x{size[0]}",
                        "objects": objects,
                        "frames per second": round(1 / seconds, 2),
                        "peak MB": check.peak_mb(),
                    }
                )
    return rows


def long_video(check: Check) -> list[Row]:
    """Time per frame and memory over a long video, in thirds."""
    preset = "tiny" if check.short else "s3-small"
    size, third = ((96, 160), 20) if check.short else ((480, 854), 400)
    step = _video(_engine(check, preset, use_long_term=True), size, 2)
    rows = []
    for part in (1, 2, 3):
        check.restart_peak()
        check.wait()
        started = time.perf_counter()
        for _ in range(third):
            step()
        check.wait()
        milliseconds = 1000 * (time.perf_counter() - started) / third
        rows.append(
            {
                "frames": f"{(part - 1) * third}-{part * third}",
                "ms per frame": round(milliseconds, 2),
                "peak MB": check.peak_mb(),
            }
        )
    return rows


class _Stages:
    """Measures both forms of a stage on the device; has the manners of a table."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.rows: list[Row] = []

    def row(
        self, name: str, plain: Callable[[], Any], fast: Callable[[], Any]
    ) -> tuple[float, float]:
        """Measure one stage."""
        slow, quick = self.check.seconds(plain), self.check.seconds(fast)
        self.rows.append(
            {
                "stage": name,
                "plain ms": round(1000 * slow, 3),
                "fast ms": round(1000 * quick, 3),
                "ratio": round(slow / quick, 2),
                "keep": quick <= slow,
            }
        )
        return slow, quick


def stages(check: Check) -> list[Row]:
    """Every optimised stage of the encoder beside its plain form."""
    preset = "tiny" if check.short else "vitb"
    plain = build_network(preset).eval().requires_grad_(False).to(check.device)
    table = _Stages(check)
    height, width = (96, 160) if check.short else (480, 864)
    image = torch.rand(1, 3, height, width, device=check.device)
    with torch.inference_mode():
        encoder_rows(table, plain, optimise_for_inference(plain), image)  # type: ignore[arg-type]
    return table.rows


def synchronisation(check: Check) -> list[Row]:
    """Copies and waits of one frame, by the profiler."""
    if check.device.type != "cuda":
        return [{"skipped": "needs a CUDA device"}]
    step = _video(_engine(check, "tiny" if check.short else "s3-small"), (480, 854), 3)
    for _ in range(10):
        step()
    check.wait()
    frames = 10
    activities = [
        torch.profiler.ProfilerActivity.CPU,
        torch.profiler.ProfilerActivity.CUDA,
    ]
    with torch.profiler.profile(activities=activities) as profile:
        for _ in range(frames):
            step()
    counted = {
        event.key: round(event.count / frames, 2)
        for event in profile.key_averages()
        if any(word in event.key for word in ("Synchronize", "Memcpy", "aten::item"))
    }
    return [{"event": name, "per frame": count} for name, count in counted.items()]


def two_processes(check: Check) -> list[Row]:
    """One training step on two devices against the same step on one."""
    if check.device.type != "cuda" or torch.cuda.device_count() < 2:
        return [{"skipped": "needs two CUDA devices"}]
    with tempfile.TemporaryDirectory() as folder:
        write_synthetic(Path(folder) / "data", "mini", size=(96, 128))
        losses = []
        for count in (1, 2):
            out = Path(folder) / f"{count}.json"
            script = ROOT / "tests/training/parallel_run.py"
            launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
            arguments = [str(Path(folder) / "data"), str(out), "cuda"]
            subprocess.run(
                [*launch, f"--nproc-per-node={count}", str(script), *arguments],
                check=True,
                cwd=ROOT,
            )
            losses.append(json.loads(out.read_text())["steps"][0]["total_loss"])
    return [{"one": losses[0], "two": losses[1], "apart": abs(losses[0] - losses[1])}]


SECTIONS: dict[str, Callable[[Check], list[Row]]] = {
    "environment": environment,
    "parity": parity,
    "precision": precision,
    "speed": speed,
    "long video": long_video,
    "stages": stages,
    "synchronisation": synchronisation,
    "two processes": two_processes,
}


def run(check: Check, only: list[str]) -> dict[str, list[Row]]:
    """Run the sections; one that fails is reported in its place."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    found = {}
    for name in only or list(SECTIONS):
        started = time.perf_counter()
        try:
            found[name] = SECTIONS[name](check)
        except Exception as error:
            found[name] = [{"failed": f"{type(error).__name__}: {error}"}]
        spent = time.perf_counter() - started
        print(f"{name}: {spent:.0f} s, {len(found[name])} rows", flush=True)
    return found


def as_markdown(found: dict[str, list[Row]]) -> str:
    """One table per section."""
    lines = ["# Check on a device", ""]
    for name, rows in found.items():
        columns = list(dict.fromkeys(key for row in rows for key in row))
        lines += [f"## {name}", "", "| " + " | ".join(columns) + " |"]
        lines += ["|" + "---|" * len(columns)]
        for row in rows:
            cells = [_cell(row.get(column, "")) for column in columns]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="tiny forms, any device")
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=default)
    parser.add_argument("--out", type=Path, default=Path("gpu-check"))
    parser.add_argument("--only", action="append", choices=list(SECTIONS), default=[])
    options = parser.parse_args()
    if options.device == "cpu" and not options.short:
        parser.error("no CUDA device: pass --short for the tiny form on the CPU")
    found = run(Check(torch.device(options.device), options.short), options.only)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "gpu.json").write_text(json.dumps(found, indent=1, default=str))
    (options.out / "gpu.md").write_text(as_markdown(found))
    print(f"written: {options.out}/gpu.json, {options.out}/gpu.md")
    failed = [name for name, rows in found.items() if any("failed" in r for r in rows)]
    unequal = [
        row["case"] for row in found.get("parity", []) if not row.get("equal", 1)
    ]
    for name in (*failed, *unequal):
        print(f"FAILED: {name}: {found.get(name, '')}")
    return 1 if failed or unequal else 0


if __name__ == "__main__":
    raise SystemExit(main())
