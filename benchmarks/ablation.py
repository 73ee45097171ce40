"""What each ingredient of S3 is worth: trained weights with one part switched off.

    python -m benchmarks.ablation VIDEOS [--weights s3-small] [--size 384] [--short]

VIDEOS is a folder with JPEGImages and Annotations. A part is switched off at inference
in a network that was trained with it, which punishes it harder than training without.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import torch

from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.weights import find_weights, load_network
from s3fo.model.network import S3Network
from s3fo.training.data.sources import training_videos
from s3fo.training.validation import PropagationScore


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
        name: what is switched off.
        change: how, in a copy of the network.
        engine: settings of the engine.
    """

    name: str
    change: Callable[[S3Network], None] = lambda network: None
    engine: InferenceConfig = field(
        default_factory=lambda: InferenceConfig(use_long_term=True)
    )


def no_semantic_embedding(network: S3Network) -> None:
    """Detail tokens never read class token and mean token."""
    for block in network.pixel_encoder.interactions:
        block.read_from_cls.forward = _normed(block.read_from_cls)


def no_spatial_dependency(network: S3Network) -> None:
    """Detail tokens never look at the ViT's patch tokens."""
    for block in network.pixel_encoder.interactions:
        for extractor in block.extractors:
            extractor.attn.forward = lambda query, *_: torch.zeros_like(query)


def no_spatial_semantic_blocks(network: S3Network) -> None:
    """Both: the ViT reaches the features only by the final sums."""
    no_semantic_embedding(network)
    no_spatial_dependency(network)


def no_discriminative_queries(network: S3Network) -> None:
    """Queries keep the object summary, and never pick pixels of the frame."""
    for block in network.object_transformer.blocks:
        module = block.read_from_pixel
        module.forward = partial(_only_norm, module)


def no_object_transformer(network: S3Network) -> None:
    """Pixels are decoded as they come out of the pixel fusion."""
    transformer = network.object_transformer
    transformer.blocks = torch.nn.ModuleList()
    transformer.mask_pred = transformer.mask_pred[:1]


def no_sensory_memory(network: S3Network) -> None:
    """The sensory state stays zero."""
    encode, segment = network.encode_mask, network.segment

    def encode_mask(image, pix_feat, sensory, masks, **_):
        value, _, summaries = encode(image, pix_feat, sensory, masks, deep_update=False)
        return value, sensory, summaries

    def segment_only(features, pixels, sensory, **options):
        _, logits, p = segment(features, pixels, sensory, **options)
        return sensory, logits, p

    network.encode_mask, network.segment = encode_mask, segment_only


VARIANTS = (
    Variant("full"),
    Variant("no semantic embedding", no_semantic_embedding),
    Variant("no spatial dependency", no_spatial_dependency),
    Variant("no spatial-semantic blocks", no_spatial_semantic_blocks),
    Variant("no discriminative queries", no_discriminative_queries),
    Variant("no object transformer", no_object_transformer),
    Variant("no sensory memory", no_sensory_memory),
    Variant("no long-term memory", engine=InferenceConfig()),
    Variant("first frame only", engine=InferenceConfig(mem_every=10**6)),
)


def _normed(module: torch.nn.Module) -> Callable[..., torch.Tensor]:
    return lambda detail, memory: module.norm(detail)


def _only_norm(module: torch.nn.Module, query: torch.Tensor, *_: object):
    return module.norm(query)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos")
    parser.add_argument("--weights", default="s3-small")
    parser.add_argument("--size", type=int, default=None)
    parser.add_argument("--only", nargs="*", help="names of the videos")
    parser.add_argument("--variants", nargs="*", help="names of the rows")
    parser.add_argument("--short", action="store_true", help="12 frames per video")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    network = load_network(find_weights(arguments.weights))
    videos = training_videos(arguments.videos, only=arguments.only)
    if arguments.short:
        videos = [video.shortened(12) for video in videos]
    for variant in VARIANTS:
        if arguments.variants and variant.name not in arguments.variants:
            continue
        changed = copy.deepcopy(network)
        variant.change(changed)
        score = PropagationScore(videos, arguments.size, engine=variant.engine)
        scores = {name: round(value, 4) for name, value in score(changed).items()}
        print(json.dumps({"variant": variant.name, **scores}), flush=True)


if __name__ == "__main__":
    main()
