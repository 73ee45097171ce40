"""Memory of the inference engine: speed and space, beside the plain formulation.

    python -m benchmarks.memory [--short] [--threads 1]

Reading: 1620 query pixels (854 x 480), three objects, top 30, usage counted. The plain
formulation is `s3fo.model.memory_reading`: dense similarity, top-k over it, a dense
affinity, one product per object. CPU-seconds are those of the process; "extra" is the
peak of resident memory above what was resident before the read.

Accuracy: the similarities of the tokens that are read, against float64.

Writing: a frame into a full working memory of three objects, beside concatenating the
values alone.

Long video: one object through 2000 small frames in long-term mode; time per frame and
resident memory must not grow once the long-term store is full.
"""

from __future__ import annotations

import argparse
import ctypes
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from s3fo.inference.build import build_propagator
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.memory import Memory
from s3fo.inference.engine.memory_read import (
    _keys,
    _most_similar,
    memory_operand,
    query_operand,
    sparse_affinity,
    sparse_readout,
    token_usage,
)
from s3fo.model.memory_reading import readout, similarity, top_k_affinity

QUERIES, OBJECTS, KEY_DIM, VALUE_DIM, TOP_K = 1620, 3, 64, 256, 30


def resident_mb(peak: bool = False) -> float:
    """Resident memory of this process now, or its peak since `forget_peak`."""
    name = "VmHWM" if peak else "VmRSS"
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise OSError(f"no {name} in /proc/self/status")


def forget_peak() -> None:
    """Give freed memory back to the system, and start a new peak."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def measure(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Best CPU-seconds of a call, and its peak of resident memory in MB above now."""
    seconds, extra = [], []
    for _ in range(repeats + 1):
        forget_peak()
        before, started = resident_mb(), time.process_time()
        call()
        seconds.append(time.process_time() - started)
        extra.append(resident_mb(peak=True) - before)
    return min(seconds[1:]), max(extra)


def plain_similarity(tokens: dict[str, Tensor]) -> Tensor:
    names = ("key", "shrinkage", "query", "selection")
    return similarity(*(tokens[name].mT for name in names))


def plain_read(tokens: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    affinity = top_k_affinity(plain_similarity(tokens), TOP_K)
    return readout(affinity, tokens["channel_major"]), affinity.sum(-1)


def fast_read(tokens: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    affinity = sparse_affinity(
        tokens["operand"], query_operand(tokens["query"], tokens["selection"]), TOP_K
    )
    values = [sparse_readout(affinity, v) for v in tokens["token_major"]]
    usage = token_usage(affinity, tokens["operand"].shape[1])
    return torch.stack(values, 1).mT, usage.squeeze(-1)


def random_tokens(count: int) -> dict[str, Tensor]:
    torch.manual_seed(count)
    key, query = torch.randn(1, count, KEY_DIM), torch.randn(1, QUERIES, KEY_DIM)
    shrinkage, selection = torch.rand(1, count, 1) + 1, torch.rand_like(query)
    values = torch.randn(OBJECTS, 1, count, VALUE_DIM)
    return {
        "key": key,
        "shrinkage": shrinkage,
        "query": query,
        "selection": selection,
        "token_major": values,
        "channel_major": values.permute(1, 0, 3, 2).contiguous(),
        "operand": memory_operand(key, shrinkage),
    }


def difference(tokens: dict[str, Tensor]) -> str:
    """Largest relative difference of the readouts, ties at the top-k edge apart.

    Where the 30th and the 31st token are equally similar to within rounding, the two
    formulations may keep different ones; such queries are counted instead.
    """
    edge = plain_similarity(tokens).topk(TOP_K + 1, dim=1).values[0, -2:]
    tied = (edge[0] - edge[1]) <= 1e-5 * edge[0].abs()
    expected, found = plain_read(tokens)[0], fast_read(tokens)[0]
    error = (expected - found).abs() / expected.abs().max()
    return f"{float(error[..., ~tied].max()):.1e} ({int(tied.sum())} ties)"


def compare_reads(counts: list[int], repeats: int) -> None:
    print("| tokens | formulation | CPU-s | extra MB | largest difference |")
    print("|---|---|---|---|---|")
    for count in counts:
        tokens = random_tokens(count)
        notes = {"plain": "", "blocks": difference(tokens)}
        for name, read in (("plain", plain_read), ("blocks", fast_read)):
            seconds, extra = measure(lambda r=read, t=tokens: r(t), repeats)
            print(f"| {count} | {name} | {seconds:.3f} | {extra:.0f} | {notes[name]} |")


def compare_accuracy(counts: list[int]) -> None:
    """Errors of the similarities that are read, against float64."""
    print("\n| tokens | mean of the keys | plain | product alone | blocks |")
    print("|---|---|---|---|---|")
    for count in counts:
        for mean in (0.0, 1.0, 3.0):
            tokens = random_tokens(count)
            tokens["key"] += mean
            tokens["query"] = tokens["query"][:, :200] + mean
            tokens["selection"] = tokens["selection"][:, :200]
            errors = similarity_errors(tokens)
            print(f"| {count} | {mean} |", " | ".join(f"{e:.1e}" for e in errors), "|")


def similarity_errors(tokens: dict[str, Tensor]) -> list[float]:
    """Largest errors: plain, the product that blocks propose with, and blocks."""
    operand = memory_operand(tokens["key"], tokens["shrinkage"])[0]
    pixels = query_operand(tokens["query"], tokens["selection"])[0]
    values, read = _most_similar(operand, _keys(operand), pixels, TOP_K)
    keys, scale = tokens["key"][0].double(), tokens["shrinkage"][0].double()
    differences = keys[read] - tokens["query"][0, :, None].double()
    weighted = differences.square() * tokens["selection"][0, :, None].double()
    exact = -weighted.sum(-1) * scale[read].squeeze(-1) / KEY_DIM**0.5
    plain = plain_similarity(tokens)[0].T.gather(1, read)
    product = (pixels[:, : operand.shape[1]] @ operand.T).gather(1, read)
    return [float((found - exact).abs().max()) for found in (plain, product, values)]


def compare_writes() -> None:
    print("\n| frame | frames kept | write, CPU-ms | concatenating values, CPU-ms |")
    print("|---|---|---|---|")
    for name, height, width, frames in (("480p", 30, 54, 5), ("720p", 46, 82, 10)):
        memory = Memory(InferenceConfig(max_mem_frames=frames))
        key, shrinkage = torch.randn(1, KEY_DIM, height, width), torch.ones(1, 1, 1, 1)
        shrinkage = shrinkage.expand(1, 1, height, width)
        values = torch.randn(1, OBJECTS, VALUE_DIM, height, width)
        kept = torch.randn(1, OBJECTS, VALUE_DIM, frames * height * width)
        oldest = height * width

        def write(m=memory, k=key, s=shrinkage, v=values) -> None:
            m.write(k, s, k.sigmoid(), v, [1, 2, 3])

        def concatenate(kept=kept, n=oldest, v=values) -> Tensor:
            return torch.cat([kept[..., :n], kept[..., 2 * n :], v.flatten(3)], -1)

        for _ in range(frames):
            write()
        fast, plain = measure(write, 5)[0], measure(concatenate, 5)[0]
        print(f"| {name} | {frames} | {1000 * fast:.1f} | {1000 * plain:.1f} |")


def drifting_frame(t: int, size: tuple[int, int] = (64, 96)) -> np.ndarray:
    """A smooth texture that drifts and changes for as long as the video goes on."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    phases = np.array([0.0, 2.1, 4.2])[:, None, None]
    waves = np.sin(x / 7 + t / 11 + phases) * np.cos(y / 5 - t / 17 + phases * t / 97)
    return (0.5 + 0.5 * waves).astype(np.float32)


def long_video(frames: int, windows: int) -> None:
    torch.manual_seed(0)
    limits = {"max_num_tokens": 1000, "buffer_tokens": 200, "num_prototypes": 64}
    engine = build_propagator("tiny", mem_every=2, use_long_term=True, long_term=limits)
    mask = np.zeros((64, 96), np.int64)
    mask[20:44, 30:60] = 1
    print("\n| frames | tokens | ms per frame (CPU, median) | resident MB |")
    print("|---|---|---|---|")
    length = frames // windows
    for window in range(windows):
        spent = []
        for t in range(window * length, (window + 1) * length):
            image, started = drifting_frame(t), time.process_time()
            engine.step(image, mask if t == 0 else None)
            spent.append(time.process_time() - started)
        (counts,) = engine.memory.token_counts
        tokens = counts.long + counts.permanent + counts.temporary
        print(
            f"| {window * length}-{(window + 1) * length} | {tokens} "
            f"| {1000 * np.median(spent):.1f} | {resident_mb():.1f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a minute at most")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.short:
        compare_reads([8100], repeats=1)
        compare_accuracy([8100])
        compare_writes()
        long_video(frames=300, windows=3)
    else:
        compare_reads([8100, 40_000], repeats=3)
        compare_accuracy([8100])
        compare_writes()
        long_video(frames=2000, windows=8)


if __name__ == "__main__":
    main()
