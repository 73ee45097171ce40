"""Object-level memory: summaries of objects, and the transformer that reads them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s3fo.model.config import ModelConfig
from s3fo.model.decoder import aggregate
from s3fo.model.layers import (
    ChannelAttentionBlock,
    area_resize,
    as_maps,
    autocast_disabled,
)


class PositionalEncoding(nn.Module):
    """2-D sinusoids, positions normalised to 0..scale along each axis."""

    inv_freq: Tensor

    def __init__(self, dim: int, scale: float, temperature: float) -> None:
        super().__init__()
        self.dim = dim
        self.scale = scale
        half = 2 * math.ceil(dim / 4)
        steps = torch.arange(0, half, 2, dtype=torch.float32) / half
        self.register_buffer("inv_freq", 1 / temperature**steps)

    def forward(self, height: int, width: int) -> Tensor:
        """Return the encoding of a grid, float32 [height, width, dim]: x, then y."""
        x = self._axis(width)[None].expand(height, -1, -1)
        y = self._axis(height)[:, None].expand(-1, width, -1)
        return torch.cat([x, y], dim=-1)[..., : self.dim]

    def _axis(self, count: int) -> Tensor:
        """Return [count, d'] with sine and cosine of each frequency interleaved."""
        index = torch.arange(count, device=self.inv_freq.device, dtype=torch.float32)
        position = index / (count - 1 + 1e-6) * self.scale
        angle = position[:, None] * self.inv_freq.float()
        return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


def _as_rows(maps: Tensor) -> Tensor:
    """Turn maps [B, E, h, w] into rows [B, hw, E].

    They are laid out so: on a CPU, linear layers are many times slower on transposed
    rows of half precision.
    """
    return maps.flatten(2).transpose(1, 2).contiguous()


def _two_layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs)
    )


class ObjectSummarizer(nn.Module):
    """Pool the memory values of an object into Q weighted sums."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.embed_dim
        self.num_summaries = config.num_queries
        self.pos_enc = PositionalEncoding(dim, config.pe_scale, config.pe_temperature)
        self.input_proj = nn.Linear(config.value_dim, dim)
        self.feature_pred = _two_layers(dim, dim, dim)
        self.weights_pred = _two_layers(dim, dim, config.num_queries)

    def forward(self, masks: Tensor, value: Tensor) -> Tensor:
        """Summarise objects; the first half of the summaries sees the foreground.

        Args:
            masks: [B, K, H, W] in 0..1.
            value: [B, K, Cv, h, w].

        Returns:
            [B, K, Q, E + 1] float32: weighted sums of features, and sum of weights.
        """
        size = (value.shape[-2], value.shape[-1])
        rows = self.input_proj(value.permute(0, 1, 3, 4, 2)) + self.pos_enc(*size)
        with autocast_disabled(value.device):
            features = self.feature_pred(rows.float())
            weights = self.weights_pred(rows.float()).sigmoid()
            inside = area_resize(masks.float(), size)[..., None]
            half = self.num_summaries // 2
            weights = torch.cat(
                [weights[..., :half] * inside, weights[..., half:] * (1 - inside)], -1
            )
            weights, features = weights.flatten(2, 3), features.flatten(2, 3)
            sums = weights.transpose(2, 3) @ features
            return torch.cat([sums, weights.sum(2)[..., None]], dim=-1)


class DiscriminativeQueryAttention(nn.Module):
    """Each query takes, per head, the single most similar pixel it may look at."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.alpha = nn.Parameter(torch.ones(1, 1, dim))
        self.norm = nn.LayerNorm(dim)
        self.proj = nn.Linear(dim, dim)
        self.final = nn.Linear(dim, dim)

    def forward(
        self,
        query: Tensor,
        pixel: Tensor,
        query_pe: Tensor,
        pixel_pe: Tensor,
        blocked: Tensor,
    ) -> Tensor:
        """Update the queries.

        Args:
            query: [BK, Q, E]; query_pe likewise.
            pixel: [BK, P, E]; pixel_pe likewise.
            query_pe: positional part of the queries.
            pixel_pe: positional part of the pixels.
            blocked: [BK, Q, P], True where a query may not look.

        Returns:
            [BK, Q, E].
        """
        residual = self.norm(query)
        # Both are normalised over all channels, before they split into heads.
        q = F.normalize(residual + query_pe, dim=-1)
        p = F.normalize(pixel + pixel_pe, dim=-1)
        target = self._gather(p, self.most_similar(q, p, blocked))
        # Normalised over the queries, per channel: so the network was trained.
        scaled = F.normalize(self.proj(target * q), dim=1) * self.alpha
        return self.final(scaled + target) + residual

    def most_similar(self, query: Tensor, pixel: Tensor, blocked: Tensor) -> Tensor:
        """Return the index of the best pixel per head and query, [BK, heads, Q]."""
        with torch.no_grad():
            q = query.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            p = pixel.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            scores = (q @ p.transpose(2, 3)).masked_fill(blocked[:, None], -torch.inf)
            return scores.argmax(-1)

    def _gather(self, pixel: Tensor, index: Tensor) -> Tensor:
        """Pick head slices [BK, Q, E] of pixels [BK, P, E]."""
        slices = pixel.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        picks = index[..., None].expand(-1, -1, -1, slices.shape[-1])
        return slices.gather(2, picks).transpose(1, 2).flatten(2)


class MaskedQueryAttention(nn.Module):
    """Each query attends to all pixels it may look at (Cutie, CVPR 2024)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.cross_attn = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.norm = nn.LayerNorm(dim)

    def forward(
        self,
        query: Tensor,
        pixel: Tensor,
        query_pe: Tensor,
        pixel_pe: Tensor,
        blocked: Tensor,
    ) -> Tensor:
        """Update the queries; arguments as of `DiscriminativeQueryAttention`."""
        query = self.norm(query)
        read, _ = self.cross_attn(
            query + query_pe,
            pixel + pixel_pe,
            pixel,
            attn_mask=blocked.repeat_interleave(self.heads, dim=0),
            need_weights=False,
        )
        return query + read


class _QuerySelfAttention(nn.Module):
    """Queries of one object attend to each other; the residual is the normed input."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.norm = nn.LayerNorm(dim)

    def forward(self, query: Tensor, query_pe: Tensor) -> Tensor:
        query = self.norm(query)
        place = query + query_pe
        return query + self.self_attn(place, place, query, need_weights=False)[0]


class _FeedForward(nn.Module):
    """The feed-forward of the queries."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, query: Tensor) -> Tensor:
        return query + self.linear2(F.relu(self.linear1(self.norm(query))))


class PixelAttention(nn.Module):
    """Pixels attend to the queries of their object."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.cross_attn = nn.MultiheadAttention(dim, heads, batch_first=True)

    def forward(
        self, pixel: Tensor, query: Tensor, pixel_pe: Tensor, query_pe: Tensor
    ) -> Tensor:
        """Update pixels [BK, P, E] from queries [BK, Q, E].

        What `nn.MultiheadAttention` does, on rows that stay in their layout: it works
        on transposed ones, which take a CPU twenty times as long for three objects in
        half precision.
        """
        attention = self.cross_attn
        weights, biases = attention.in_proj_weight, attention.in_proj_bias
        inputs = (pixel + pixel_pe, query + query_pe, query)
        heads = [
            F.linear(rows, weight, bias)
            .unflatten(-1, (attention.num_heads, -1))
            .transpose(1, 2)
            for rows, weight, bias in zip(
                inputs, weights.chunk(3), biases.chunk(3), strict=True
            )
        ]
        read = F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
        return pixel + attention.out_proj(read)


class _PixelFeedForward(nn.Module):
    """The convolutional feed-forward of the pixels."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv = ChannelAttentionBlock(dim, dim)

    def forward(self, pixel: Tensor, size: tuple[int, int]) -> Tensor:
        maps = as_maps(pixel, size)
        return _as_rows(self.conv(maps))


class ObjectTransformerBlock(nn.Module):
    """Queries read pixels, talk to each other, and write back to the pixels."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim, heads = config.embed_dim, config.transformer_heads
        reader: type[nn.Module] = DiscriminativeQueryAttention
        if config.query_attention == "masked":
            reader = MaskedQueryAttention
        self.read_from_pixel = reader(dim, heads)
        self.self_attn = _QuerySelfAttention(dim, heads)
        self.ffn = _FeedForward(dim, config.transformer_ff_dim)
        self.read_from_query = PixelAttention(dim, heads)
        self.pixel_ffn = _PixelFeedForward(dim)

    def forward(
        self,
        query: Tensor,
        pixel: Tensor,
        query_pe: Tensor,
        pixel_pe: Tensor,
        blocked: Tensor,
        size: tuple[int, int],
    ) -> tuple[Tensor, Tensor]:
        """Update queries [BK, Q, E] and pixels [BK, hw, E]; size is (h, w)."""
        query = self.read_from_pixel(query, pixel, query_pe, pixel_pe, blocked)
        query = self.ffn(self.self_attn(query, query_pe))
        pixel = self.read_from_query(pixel, query, pixel_pe, query_pe)
        return query, self.pixel_ffn(pixel, size)


class ObjectTransformer(nn.Module):
    """Refine object pixels by object queries that start from the object memory."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.embed_dim
        self.query_init = nn.Embedding(config.num_queries, dim)
        self.query_emb = nn.Embedding(config.num_queries, dim)
        self.summary_to_query_init = nn.Linear(dim, dim)
        self.summary_to_query_emb = nn.Linear(dim, dim)
        self.pixel_init_proj = nn.Conv2d(dim, dim, 1)
        self.pixel_emb_proj = nn.Conv2d(dim, dim, 1)
        self.spatial_pe = PositionalEncoding(
            dim, config.pe_scale, config.pe_temperature
        )
        self.blocks = nn.ModuleList(
            ObjectTransformerBlock(config) for _ in range(config.transformer_blocks)
        )
        self.mask_pred = nn.ModuleList(
            nn.Sequential(nn.ReLU(), nn.Conv2d(dim, 1, 1))
            for _ in range(config.transformer_blocks + 1)
        )

    def forward(
        self, pixels: Tensor, object_memory: Tensor, *, selector: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Refine the pixels of all objects.

        Args:
            pixels: [B, K, E, h, w].
            object_memory: [B, K, T, Q, E + 1] summaries, summed over T here.
            selector: [B, K, 1, 1], 1 for real objects, 0 for padding.

        Returns:
            pixels [B, K, E, h, w] and query logits [B, K, n + 1, h, w].
        """
        batch, objects, dim, height, width = pixels.shape
        size = (height, width)
        query, query_pe = self.initial_queries(object_memory)
        pixel, pixel_pe = self.initial_pixels(pixels)
        logits = []
        for level, head in enumerate(self.mask_pred):
            maps = as_maps(pixel, size)
            logits.append(head(maps).view(batch, objects, *size))
            if level < len(self.blocks):
                blocked = self.blocked_pixels(logits[-1], selector)
                query, pixel = self.blocks[level](
                    query, pixel, query_pe, pixel_pe, blocked, size
                )
        return maps.view(batch, objects, dim, *size), torch.stack(logits, dim=2)

    def initial_queries(self, object_memory: Tensor) -> tuple[Tensor, Tensor]:
        """Return query and query_pe [BK, Q, E] from [B, K, T, Q, E + 1] summaries."""
        sums, area = (
            object_memory.sum(2)
            .flatten(0, 1)
            .split([object_memory.shape[-1] - 1, 1], dim=-1)
        )
        summary = sums / (area + 1e-4)
        query = self.query_init.weight + self.summary_to_query_init(summary)
        query_pe = self.query_emb.weight + self.summary_to_query_emb(summary)
        return query, query_pe

    def initial_pixels(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return pixel and pixel_pe [BK, hw, E] from pixels [B, K, E, h, w]."""
        maps = pixels.flatten(0, 1)
        encoding = self.spatial_pe(maps.shape[-2], maps.shape[-1]).flatten(0, 1)
        pixel_pe = _as_rows(self.pixel_emb_proj(maps)) + encoding
        return _as_rows(self.pixel_init_proj(maps)), pixel_pe

    def blocked_pixels(self, logits: Tensor, selector: Tensor | None) -> Tensor:
        """Say which pixels the queries may not look at, [BK, Q, hw].

        The first half of the queries sees the object's own pixels, the second half
        all others; a query that would see nothing sees everything.

        Args:
            logits: [B, K, h, w] of one level.
            selector: [B, K, 1, 1] or None.
        """
        with torch.no_grad():
            p = logits.float().sigmoid()
            odds = aggregate(p if selector is None else p * selector)
            foreground = odds[:, 1:] >= odds.amax(1, keepdim=True)
            foreground = foreground.flatten(0, 1).flatten(1)[:, None]
            half = self.query_init.num_embeddings // 2
            blocked = torch.cat([~foreground, foreground], dim=1)
            blocked = blocked & ~blocked.all(-1, keepdim=True)
            return blocked.repeat_interleave(half, dim=1)
