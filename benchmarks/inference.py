"""Speed and space of one frame, every fast stage beside its straightforward form.

    python -m benchmarks.inference [--short] [--preset vitb] [--threads 1]
    python -m benchmarks.inference --predict

Both forms run in the same process, in turns, on the same inputs: CPU-seconds are the
least of the repeats, the difference is the largest one of the outputs over their
largest absolute value. A frame encodes the image, reads five frames of memory (top 30),
segments, and memorises. "Extra" is the peak of resident memory during the frame, above
what was resident before.

The straightforward forms: explicit softmax attention, `grid_sample` deformable
sampling, a full multi-head attention to two tokens, feature maps of all channels up to
stride 4, a dense affinity with top-k.

Weights are the recipe of the parity fixtures where they are at hand, random otherwise.

`--predict` is another measurement: what a frame of `s3fo predict` costs with the
shipped model, from JPEG file to mask file.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

import s3fo.model.deformable_attention as deformable_attention
import s3fo.model.vit as vit
from benchmarks.memory import drifting_frame, forget_peak, resident_mb
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import open_folders
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.engine.memory_read import (
    memory_operand,
    query_operand,
    sparse_affinity,
    sparse_readout,
)
from s3fo.inference.methods.s3 import S3Method
from s3fo.inference.running.predict import segment_video
from s3fo.model import S3Network, build_network, optimise_for_inference
from s3fo.model.deformable_attention import reference_points
from s3fo.model.memory_reading import readout, similarity, top_k_affinity
from s3fo.model.optimised.network import InferenceNetwork
from s3fo.model.optimised.stages import (
    embed_semantics,
    gather_context,
    run_blocks,
)
from s3fo.model.spatial_semantic import SpatialSemanticEncoder, level_sizes

RECIPE = Path(__file__).parents[2] / "shared/fixtures/s3/weights_recipe.py"
MEMORY_FRAMES, TOP_K = 5, 30


def explicit_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Softmax attention with its [B, heads, N, N] matrix."""
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    return scores.softmax(dim=-1) @ value


@contextmanager
def straightforward_layers() -> Iterator[None]:
    """Put the straightforward forms of the layers in place."""
    fast = vit.attend, deformable_attention.sample_by_rows
    vit.attend = explicit_attention
    deformable_attention.sample_by_rows = deformable_attention.sample_by_grid
    try:
        yield
    finally:
        vit.attend, deformable_attention.sample_by_rows = fast


class Scene:
    """A frame, a memory of five frames, and the state of the objects."""

    def __init__(self, network: S3Network, height: int, width: int, objects: int):
        config = network.config
        h, w = height // 16, width // 16
        torch.manual_seed(1)
        self.image = torch.rand(1, 3, height, width)
        cells = torch.rand(1, objects, height // 32, width // 32)
        self.masks = torch.nn.functional.interpolate(cells, (height, width))
        self.sensory = torch.randn(1, objects, config.sensory_dim, h, w) / 4
        self.keys, self.shrinkage, self.values = [], [], []
        features = network.encode_image(self.image)
        value, _, self.object_memory = network.encode_mask(
            self.image, features.pix_feat, self.sensory, self.masks
        )
        for shift in range(MEMORY_FRAMES):  # the same frame, moved
            f16, value = features.f16.roll(shift, -1), value.roll(1, -1)
            key, shrinkage, _ = network.project_key(f16)
            self.keys.append(key.flatten(2))
            self.shrinkage.append(shrinkage.flatten(2))
            self.values.append(value.flatten(3))
        self.key = torch.cat(self.keys, -1)
        self.shrink = torch.cat(self.shrinkage, -1)
        self.value = torch.cat(self.values, -1)
        # What the engine keeps instead, from one frame to the next.
        self.operand = memory_operand(self.key.mT, self.shrink.mT)
        self.rows = self.value.permute(0, 3, 1, 2).flatten(2).contiguous()


def dense_read(scene: Scene, key: Tensor, selection: Tensor) -> Tensor:
    scores = similarity(scene.key, scene.shrink, key.flatten(2), selection.flatten(2))
    read = readout(top_k_affinity(scores, TOP_K), scene.value)
    return read.unflatten(-1, key.shape[-2:])


def sparse_read(scene: Scene, key: Tensor, selection: Tensor) -> Tensor:
    query = query_operand(key.flatten(2).mT, selection.flatten(2).mT)
    read = sparse_readout(sparse_affinity(scene.operand, query, TOP_K), scene.rows)
    read = read.mT.unflatten(1, scene.value.shape[1:3])
    return read.unflatten(-1, key.shape[-2:])


Read = Callable[[Scene, Tensor, Tensor], Tensor]


def one_frame(network: S3Network, scene: Scene, read: Read) -> Tensor:
    """Encode, read, segment and memorise; probabilities [1, K + 1, H, W]."""
    features = network.encode_image(scene.image)
    key, _, selection = network.project_key(features.f16)
    pixels, _ = network.read_objects(
        features.pix_feat,
        read(scene, key, selection),
        scene.sensory,
        scene.masks,
        scene.object_memory[:, :, None],
    )
    sensory, _, probabilities = network.segment(features, pixels, scene.sensory)
    network.encode_mask(scene.image, features.pix_feat, sensory, probabilities[:, 1:])
    return probabilities


class Table:
    """Rows of a Markdown table: straightforward and fast form of one stage."""

    def __init__(self, repeats: int) -> None:
        self.repeats = repeats
        print("| stage | straightforward | fast | ratio | largest difference |")
        print("|---|---|---|---|---|")

    def row(
        self, name: str, plain: Callable[[], Any], fast: Callable[[], Any]
    ) -> tuple[float, float]:
        """Measure both forms in turns; print and return CPU-seconds."""
        seconds: list[list[float]] = [[], []]
        outputs: list[Any] = [None, None]
        for _ in range(self.repeats):
            for side, call in enumerate((plain, fast)):
                with straightforward_layers() if side == 0 else _nothing():
                    started = time.process_time()
                    outputs[side] = call()
                    seconds[side].append(time.process_time() - started)
        slow, quick = min(seconds[0]), min(seconds[1])
        apart = difference(*outputs)
        print(
            f"| {name} | {slow:.3f} | {quick:.3f} | {slow / quick:.2f} | {apart} |",
            flush=True,
        )
        return slow, quick


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def difference(one: Any, other: Any) -> str:
    """Largest difference over the largest absolute value, over all outputs."""
    if isinstance(one, Tensor):
        one, other = [one], [other]
    worst = 0.0
    for a, b in zip(one, other, strict=True):
        worst = max(worst, float((a - b).abs().max() / a.abs().max()))
    return f"{worst:.1e}"


def encoder_rows(
    table: Table, plain: S3Network, fast: S3Network, image: Tensor
) -> None:
    """Measure the four rewritten parts of the image encoder."""
    encoder = plain.pixel_encoder
    assert isinstance(encoder, SpatialSemanticEncoder)
    assert isinstance(fast, InferenceNetwork) and fast.fast_encoder is not None
    image = plain.normalise(image)
    size = (image.shape[-2] // 16, image.shape[-1] // 16)
    blocks, ranges = encoder.blocks(), range(len(encoder.config.ranges))

    vit_blocks = [block for index in ranges for block in encoder.vit_blocks(index)]
    tokens = encoder.vit_module.embed(image)
    table.row(
        "ViT",
        lambda: reduce(lambda tokens, block: block(tokens), vit_blocks, tokens),
        lambda: run_blocks(vit_blocks, tokens),
    )
    maps = encoder.interact(image)
    detail = encoder.detail_tokens(maps.half, maps.quarter)
    patches = maps.vit[0].flatten(2).mT
    reference = reference_points(level_sizes(size), image.device)
    calls = [extractor for block in blocks for extractor in block.extractors]

    def gathered() -> Tensor:
        context = detail.clone()
        for extractor in calls:
            gather_context(extractor, context, reference, patches, size)
        return context

    table.row(
        f"spatial dependency, {len(calls)} calls",
        lambda: reduce(
            lambda tokens, call: call(tokens, reference, patches, size), calls, detail
        ),
        gathered,
    )
    memory = patches[:, :2]
    table.row(
        f"semantic embedding, {len(blocks)} calls",
        lambda: [block.read_from_cls(detail, memory) for block in blocks],
        lambda: [embed_semantics(b.read_from_cls, detail, memory) for b in blocks],
    )
    project = plain.mask_decoder.decoder_feat_proc
    table.row(
        "detail of strides 8 and 4",
        lambda: project(*encoder.merge(maps)[1:]),
        lambda: fast.fast_encoder.fold(
            maps.stem,
            maps.half.flatten(2).mT,
            [level.flatten(2).mT for level in maps.vit],
            size,
        ),
    )


def frame_rows(table: Table, plain: S3Network, fast: S3Network, scene: Scene) -> None:
    """Measure the steps of a frame and the whole of it."""
    features = plain.encode_image(scene.image)
    key, _, selection = plain.project_key(features.f16)
    visual = dense_read(scene, key, selection)
    arguments = (features.pix_feat, visual, scene.sensory, scene.masks)
    memory = scene.object_memory[:, :, None]
    pixels, _ = plain.read_objects(*arguments, memory)
    mask = (scene.image, features.pix_feat, scene.sensory, scene.masks)
    table.row(
        "encode image",
        lambda: plain.encode_image(scene.image),
        lambda: fast.encode_image(scene.image),
    )
    table.row(
        "memory read",
        lambda: dense_read(scene, key, selection),
        lambda: sparse_read(scene, key, selection),
    )
    table.row(
        "object transformer",
        lambda: plain.read_objects(*arguments, memory)[0],
        lambda: fast.read_objects(*arguments, memory)[0],
    )
    table.row(
        "segment",
        lambda: plain.segment(features, pixels, scene.sensory),
        lambda: fast.segment(features, pixels, scene.sensory),
    )
    table.row(
        "encode mask",
        lambda: plain.encode_mask(*mask),
        lambda: fast.encode_mask(*mask),
    )
    slow, quick = table.row(
        "**whole frame**",
        lambda: one_frame(plain, scene, dense_read),
        lambda: one_frame(fast, scene, sparse_read),
    )
    print(f"\nWhole frame: {slow:.2f} -> {quick:.2f} CPU-s, {slow / quick:.2f} x")


def extra_memory(plain: S3Network, fast: S3Network, scene: Scene) -> None:
    """Compare the peak of resident memory during a frame."""
    peaks = []
    for network, read in ((plain, dense_read), (fast, sparse_read)):
        with straightforward_layers() if network is plain else _nothing():
            forget_peak()
            before = resident_mb()
            one_frame(network, scene, read)
            peaks.append(resident_mb(peak=True) - before)
    print(
        f"Extra memory: {peaks[0]:.0f} -> {peaks[1]:.0f} MB, "
        f"{peaks[1] / peaks[0]:.2f} x (resident before: {before:.0f} MB)\n"
    )


def recipe_network(preset: str) -> S3Network:
    """Build a network with the fixtures' weights, or with random ones."""
    torch.manual_seed(0)
    network = build_network(preset).eval().requires_grad_(False)
    if RECIPE.is_file():
        spec = importlib.util.spec_from_file_location("weights_recipe", RECIPE)
        assert spec and spec.loader
        recipe = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(recipe)
        recipe.fill(network, 0)
    return network


def drifting_video(folder: Path, frames: int) -> VideoSequence:
    """Write a video of 854 x 480 JPEG files and the first mask of one object."""
    for t in range(frames):
        image = (255 * drifting_frame(t, (480, 854))).astype(np.uint8)
        path = folder / "images" / "drift" / f"{t:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image.transpose(1, 2, 0))
    mask = np.zeros((480, 854), np.uint8)
    mask[160:320, 250:600] = 1
    write_label_map(folder / "masks" / "drift" / "00000.png", mask)
    (sequence,) = open_folders(folder / "images", folder / "masks")
    return sequence


def predict_rows(repeats: int, frames: int = 15, size: int = 384) -> None:
    """Measure whole frames of `predict`: decode, shrink, segment, enlarge, write.

    CPU-seconds are those of the whole process, the median over the frames (every fifth
    writes to memory; the first, with the given mask, is left out), and of that the
    least of the repeats.
    """
    spent: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    with TemporaryDirectory() as root:
        video = drifting_video(Path(root), frames)
        for repeat, precision in product(range(repeats), spent):
            method = S3Method(precision=precision, size=size, memory="davis")
            clock: list[float] = []
            segment_video(
                video,
                method,
                Path(root) / f"{precision}-{repeat}",
                video.frames,
                lambda clock=clock: clock.append(time.process_time()),
            )
            spent[precision].append(float(np.median(np.diff(clock))))
    print(f"\n### predict, s3-small, 854 x 480 at --size {size}, 1 object\n")
    print("| precision | CPU-s per frame | ratio |")
    print("|---|---|---|")
    single = min(spent["float32"])
    for precision, seconds in spent.items():
        least = min(seconds)
        print(f"| {precision} | {least:.3f} | {single / least:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a tiny network, seconds")
    parser.add_argument("--preset", default="vitb")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--predict", action="store_true", help="frames of predict")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.predict:
        return predict_rows(options.repeats)
    preset = "tiny" if options.short else options.preset
    cases = [(480, 864, 1), (480, 864, 3), (736, 1312, 1)]
    if options.short:
        cases = [(96, 192, 1), (96, 192, 3)]
    elif preset == "s3-small":
        cases = [(384, 704, 1), (384, 704, 3)]
    plain = recipe_network(preset)
    fast = optimise_for_inference(plain)
    with torch.inference_mode():
        for height, width, objects in cases:
            scene = Scene(fast, height, width, objects)
            print(f"\n### {preset}, {width} x {height}, {objects} object(s)\n")
            table = Table(options.repeats)
            if objects == 1:
                encoder_rows(table, plain, fast, scene.image)
            frame_rows(table, plain, fast, scene)
            extra_memory(plain, fast, scene)


if __name__ == "__main__":
    main()
