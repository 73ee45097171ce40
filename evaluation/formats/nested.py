"""The plain form of masks in JSON: sequence -> frame -> object id -> COCO RLE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.formats.form import EncodedVideo, JsonForm, Rle, check_rle, object_id


@dataclass(frozen=True)
class _Nested:
    sequences: dict[str, dict[str, dict[str, Rle | None]]]


def _read(document: Mapping[str, Any]) -> dict[str, EncodedVideo]:
    return {
        str(name): EncodedVideo(
            {
                str(frame): {
                    object_id(k, f"{name}.{frame}"): check_rle(
                        rle, f"{name}.{frame}.{k}"
                    )
                    for k, rle in masks.items()
                    if rle is not None
                }
                for frame, masks in frames.items()
            }
        )
        for name, frames in document.items()
    }


NESTED = JsonForm(
    "{sequence: {frame: {object id: COCO RLE}}}", lambda document: True, _read, _Nested
)
