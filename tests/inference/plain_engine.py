"""The inference engine once more, as plainly as the specification tells it.

Tokens are concatenated, the affinity is dense, masks are handled one by one. Slow and
short: what the fast engine is compared with, on cases whose results are not stored.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from s3fo.inference.engine.config import InferenceConfig
from s3fo.model.decoder import aggregate
from s3fo.model.memory_reading import full_affinity, similarity, top_k_affinity
from s3fo.model.network import S3Network


class _Store:
    """Tokens of one kind: keys [B, Ck, N], shrinkage, selection, values, counters."""

    def __init__(self) -> None:
        self.parts: dict[object, Tensor] = {}

    def put(self, front: bool = False, **new: object) -> None:
        values = new.pop("values")
        for name, tensor in {**new, **values}.items():  # type: ignore[dict-item]
            old = self.parts.get(name)
            pair = [tensor, old] if front else [old, tensor]
            self.parts[name] = torch.cat([t for t in pair if t is not None], -1)

    def keep(self, index: slice) -> None:
        self.parts = {name: part[..., index] for name, part in self.parts.items()}

    def __len__(self) -> int:
        return self.parts["key"].shape[-1] if self.parts else 0


class PlainEngine:
    """`Propagator` in the words of the specification."""

    def __init__(self, network: S3Network, config: InferenceConfig) -> None:
        self.network, self.config = network, config
        self.ti, self.last = -1, 0
        self.ids: list[int] = []
        self.buckets: list[tuple[list[int], _Store, _Store, _Store]] = []
        self.sensory: dict[int, Tensor] = {}
        self.summaries: dict[int, Tensor] = {}
        self.last_mask = torch.zeros(0)

    @torch.no_grad()
    def step(
        self, image, mask=None, objects=None, *, idx_mask=True, end=False,
        force_permanent=False,
    ):  # fmt: skip
        c, image = self.config, torch.from_numpy(image)
        mask = None if mask is None else torch.from_numpy(mask)
        full, small = image.shape[1:], image.shape[1:]
        if mask is not None and not idx_mask and objects is None:
            objects = list(range(1, len(mask) + 1))
        if 0 < c.max_internal_size < min(full):
            small = [int(n / min(full) * c.max_internal_size) for n in full]
            image = F.interpolate(image[None], small, mode="bilinear")[0]
            if mask is not None and idx_mask:
                rows, columns = (
                    ((torch.arange(n) + 0.5) * (m / n)).long()
                    for n, m in zip(small, full, strict=True)
                )
                mask = mask[rows][:, columns]
            elif mask is not None:
                mask = F.interpolate(mask[None], small, mode="bilinear")[0]
        self.ti += 1
        pads: list[int] = []
        for n in reversed(small):
            d = -n % 32
            pads += [d // 2, d - d // 2]
        image = F.pad(image, pads)
        images = torch.stack([image, image.flip(-1)]) if c.flip_aug else image[None]
        h, w = image.shape[1] // 16, image.shape[2] // 16
        is_memory = (self.ti - self.last >= c.mem_every or mask is not None) and not end
        new = [o for o in objects or [] if o not in self.ids]
        need = mask is None or bool(self.ids and new)
        n = c.mem_every if c.stagger_updates >= c.mem_every else c.stagger_updates
        due = {int(np.round(x)) for x in np.linspace(1, c.mem_every, n)}
        update = (self.ti - self.last) in due and not end
        features = self.network.encode_image(images)
        key, shrink, select = (
            x.flatten(2) for x in self.network.project_key(features.f16)
        )
        prob = self._segment(features, key, select, h, w, update) if need else None
        if mask is not None:
            mask = F.pad(mask, pads)
            if not need and idx_mask and not objects:
                return torch.zeros(1, *image.shape[1:]).numpy()
            known = len(self.ids)
            self.ids += [o for o in objects if o not in self.ids]
            hard = [
                (mask == o).float() if idx_mask else mask[i]
                for i, o in enumerate(objects)
            ]
            if need:
                covered = (mask > 0) if idx_mask else (mask.amax(0) > 0.5)
                layers = list(torch.where(covered, 0, prob[1:]))
                for m, o in zip(hard, objects, strict=True):
                    if self.ids.index(o) < known:
                        layers[self.ids.index(o)] = m
                    else:
                        layers.append(m)
            else:
                layers = hard
            prob = torch.softmax(aggregate(torch.stack(layers), dim=0), 0)
        fg = prob[1:]
        self.last_mask = torch.stack([fg, fg.flip(-1)]) if c.flip_aug else fg[None]
        if (is_memory or force_permanent) and self.ids:
            self._memorise(images, features, key, shrink, select, force_permanent)
        top, left = pads[2], pads[0]
        prob = prob[:, top : top + small[0], left : left + small[1]]
        if tuple(small) != tuple(full):
            prob = F.interpolate(prob[None], full, mode="bilinear")[0]
        return prob.numpy()

    def delete_objects(self, objects):
        kept = [i for i, o in enumerate(self.ids) if o not in objects]
        self.ids = [self.ids[i] for i in kept]
        self.last_mask = self.last_mask[:, kept]
        for o in objects:
            for store in (self.sensory, self.summaries):
                store.pop(o, None)
            for bucket in self.buckets:
                if o in bucket[0]:
                    bucket[0].remove(o)
                    for part in bucket[1:]:
                        part.parts.pop(o, None)
        self.buckets = [bucket for bucket in self.buckets if bucket[0]]

    def _get_sensory(self, batch, h, w):
        empty = torch.zeros(batch, self.network.config.sensory_dim, h, w)
        return torch.stack([self.sensory.get(o, empty) for o in self.ids], 1)

    def _segment(self, features, key, select, h, w, update):
        batch = len(key)
        if not self.buckets:
            return torch.zeros(1, 16 * h, 16 * w)
        sensory = self._get_sensory(batch, h, w)
        result = {}
        for ids, long, permanent, temporary in self.buckets:
            stores = [s for s in (long, permanent, temporary) if len(s)]
            keys = torch.cat([s.parts["key"] for s in stores], -1)
            shrinks = torch.cat([s.parts["shrink"] for s in stores], -1)
            s = similarity(keys, shrinks, key, select)
            affinity = top_k_affinity(s, self.config.top_k)
            usage = affinity.sum(-1)[:, None]
            if len(temporary) and self.config.use_long_term:
                temporary.parts["use"] += usage[..., -len(temporary) :]
                temporary.parts["life"] += 1
            if len(long) and self.config.long_term.count_usage:
                long.parts["use"] += usage[..., : len(long)]
                long.parts["life"] += 1
            chunk = self.config.chunk_size if self.config.chunk_size >= 1 else len(ids)
            for group in (ids[i : i + chunk] for i in range(0, len(ids), chunk)):
                where = [self.ids.index(o) for o in group]
                values = [
                    torch.cat([s.parts[o] for s in stores], -1) @ affinity
                    for o in group
                ]
                pixels, _ = self.network.read_objects(
                    features.pix_feat,
                    torch.stack(values, 1).unflatten(-1, (h, w)),
                    sensory[:, where],
                    self.last_mask[:, where],
                    torch.stack([self.summaries[o] for o in group], 1)[:, :, None],
                )
                result.update({o: pixels[:, i] for i, o in enumerate(group)})
        pixels = torch.stack([result[o] for o in self.ids], 1)
        sensory, _, prob = self.network.segment(
            features, pixels, sensory, update_sensory=update
        )
        if update:
            self.sensory.update({o: sensory[:, i] for i, o in enumerate(self.ids)})
        if self.config.flip_aug:
            return (prob[0] + prob[1].flip(-1)) / 2
        return prob[0]

    def _memorise(self, images, features, key, shrink, select, force):
        h, w = images.shape[-2] // 16, images.shape[-1] // 16
        value, sensory, summaries = self.network.encode_mask(
            images, features.pix_feat, self._get_sensory(len(images), h, w),
            self.last_mask,
        )  # fmt: skip
        self.last = self.ti
        for i, o in enumerate(self.ids):
            self.sensory[o] = sensory[:, i]
            self.summaries[o] = self.summaries.get(o, 0) + summaries[:, i]
        stored = [o for bucket in self.buckets for o in bucket[0]]
        new = [o for o in self.ids if o not in stored]
        if new:
            self.buckets.append((new, _Store(), _Store(), _Store()))
        for ids, long, permanent, temporary in self.buckets:
            values = {o: value[:, self.ids.index(o)].flatten(2) for o in ids}
            if force or not len(permanent):
                permanent.put(front=True, key=key, shrink=shrink, values=values)
            else:
                counters = {"use": shrink * 0, "life": shrink * 0 + 1e-7}
                temporary.put(
                    key=key, shrink=shrink, select=select, values=values, **counters
                )
            self._forget(ids, long, temporary, h * w)

    def _forget(self, ids, long, temporary, hw):
        if not self.config.use_long_term:
            most = (self.config.max_mem_frames - 1) * hw
            if len(temporary) > most:
                temporary.keep(slice(len(temporary) - most, None))
            return
        c = self.config.long_term
        if len(temporary) < (c.max_mem_frames - 1) * hw:
            return
        if len(long) >= c.max_num_tokens - c.num_prototypes:
            kept = c.max_num_tokens - c.num_prototypes - c.buffer_tokens
            usage = long.parts["use"] / long.parts["life"]
            best = usage.topk(kept, -1).indices
            long.parts = {k: p.take_along_dim(best, -1) for k, p in long.parts.items()}
        count = len(temporary) - (c.min_mem_frames - 1) * hw
        old = {k: p[..., :count] for k, p in temporary.parts.items()}
        best = (old["use"] / old["life"]).topk(c.num_prototypes, -1).indices
        key = old["key"].take_along_dim(best, -1)
        select = old["select"].take_along_dim(best, -1)
        affinity = full_affinity(similarity(old["key"], old["shrink"], key, select))
        shrink = old["shrink"] @ affinity
        long.put(
            key=key,
            shrink=shrink,
            use=shrink * 0,
            life=shrink * 0 + 1e-7,
            values={o: old[o] @ affinity for o in ids},
        )
        temporary.keep(slice(count, None))
