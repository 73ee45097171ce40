"""The transformers library's video trackers at test size, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

WIDTH = 128  # the memory's 64 channels are fixed, and pointers are split into them


def _vision(side: int) -> dict[str, Any]:
    return {
        "model_type": "sam2_vision_model",
        "backbone_config": {
            "model_type": "sam2_hiera_det_model",
            "hidden_size": 12,
            "image_size": [side, side],
            "embed_dim_per_stage": [12, 24, 48, 96],
            "num_attention_heads_per_stage": [1, 2, 4, 8],
            "blocks_per_stage": [1, 2, 2, 1],
            "window_size_per_stage": [8, 4, 14, 7],
            "global_attention_blocks": [2, 4],
        },
        "backbone_channel_list": [96, 48, 24, 12],
        "backbone_feature_sizes": [[side // stride] * 2 for stride in (4, 8, 16)],
        "fpn_hidden_size": WIDTH,
    }


def _shared(side: int, patch: int) -> dict[str, Any]:
    return {
        "prompt_encoder_config": {
            "hidden_size": WIDTH,
            "image_size": side,
            "patch_size": patch,
        },
        "mask_decoder_config": {
            "hidden_size": WIDTH,
            "mlp_dim": 64,
            "iou_head_hidden_dim": 32,
        },
        "memory_attention_hidden_size": WIDTH,
        "memory_attention_num_layers": 1,
        "memory_attention_rope_feat_sizes": [side // patch] * 2,
        "memory_encoder_hidden_size": WIDTH,
        "memory_encoder_output_channels": 64,
        "mask_downsampler_embed_dim": WIDTH,
        "memory_fuser_embed_dim": WIDTH,
        "memory_fuser_intermediate_dim": 64,
        "image_size": side,
    }


def _sam2() -> Any:
    from transformers import Sam2VideoConfig, Sam2VideoModel

    return Sam2VideoModel(
        Sam2VideoConfig(
            vision_config=_vision(128),
            memory_attention_feed_forward_hidden_size=64,
            **_shared(128, 16),
        )
    )


def _edgetam() -> Any:
    from transformers import EdgeTamVideoConfig, EdgeTamVideoModel

    return EdgeTamVideoModel(
        EdgeTamVideoConfig(
            vision_config=_vision(128),
            memory_attention_mlp_hidden_size=64,
            memory_attention_rope_k_sizes=[4, 4],
            perceiver_resampler_num_latents=16,
            perceiver_resampler_num_latents_2d=16,
            perceiver_resampler_mlp_intermediate_size=32,
            **_shared(128, 16),
        )
    )


def _sam3() -> Any:
    from transformers import Sam3TrackerVideoConfig, Sam3TrackerVideoModel

    return Sam3TrackerVideoModel(
        Sam3TrackerVideoConfig(
            vision_config={
                "model_type": "sam3_vision_model",
                "fpn_hidden_size": WIDTH,
                "backbone_config": {
                    "model_type": "sam3_vit_model",
                    "hidden_size": 32,
                    "intermediate_size": 64,
                    "num_hidden_layers": 2,
                    "num_attention_heads": 2,
                    "image_size": 112,
                    "patch_size": 14,
                    "window_size": 4,
                    "global_attn_indexes": [1],
                    "pretrain_image_size": 56,
                },
            },
            memory_attention_feed_forward_hidden_size=64,
            **_shared(112, 14),
        )
    )


_BUILDERS = {"sam2": _sam2, "edgetam": _edgetam, "sam3": _sam3}


def tiny_model(method: str, seed: int = 1) -> Any:
    """A model whose masks depend on its memory, as those of trained weights do.

    Fresh weights are so small that no mask depends on anything.
    """
    torch.manual_seed(seed)
    model = _BUILDERS[method]().eval().requires_grad_(False)
    for name, weight in model.named_parameters():
        if weight.ndim > 1:
            inputs = weight[0].numel()
            gain = 3 if "attention" in name or "attn" in name else 1.5
            nn.init.normal_(weight, std=gain / max(inputs, 1) ** 0.5)
    model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(20)  # always there
    return model


def save_tiny(method: str, folder: Path) -> Path:
    """Save a tiny model as the library does."""
    tiny_model(method).save_pretrained(folder)
    return folder


def save_whole_sam3(folder: Path) -> Any:
    """Save SAM 3 with its detector, as it is published; returns the model."""
    from transformers import Sam3VideoConfig, Sam3VideoModel

    tracker = _sam3().config
    layer = {
        "hidden_size": WIDTH,
        "num_layers": 1,
        "intermediate_size": 32,
        "num_attention_heads": 2,
    }
    detector = {
        "model_type": "sam3",
        "vision_config": tracker.vision_config.to_dict(),
        "text_config": {
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "vocab_size": 64,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "projection_dim": 32,
            "max_position_embeddings": 8,
        },
        "geometry_encoder_config": layer,
        "detr_encoder_config": layer,
        "detr_decoder_config": {**layer, "num_queries": 4},
        "mask_decoder_config": {"hidden_size": WIDTH, "num_attention_heads": 2},
    }
    torch.manual_seed(0)
    config = Sam3VideoConfig(detector_config=detector, tracker_config=tracker.to_dict())
    model = Sam3VideoModel(config)
    model.save_pretrained(folder)
    return model
