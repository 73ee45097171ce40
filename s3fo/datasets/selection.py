"""Datasets and views as arguments: which dataset is meant, and which of its videos."""

from __future__ import annotations

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from evaluation.errors import InputError
from s3fo.datasets._fiftyone import (
    changing_stages,
    is_of_clips,
    is_of_frames,
    is_of_patches,
    root_dataset,
)


def dataset_and_videos(
    samples: SampleCollection, verb: str
) -> tuple[fo.Dataset, list[str] | None]:
    """The dataset behind a view, and the videos that the view shows.

    Scores come from files, so a view chooses videos; it cannot choose some labels or
    frames of them.

    Args:
        samples: a dataset made by `load_benchmark`, or a view of it.
        verb: what is to be done, for messages.

    Returns:
        The dataset; names of the view's videos, None for all of a dataset.

    Raises:
        InputError: a view of parts of videos, or without any.
    """
    if isinstance(samples, fo.Dataset):
        return samples, None
    dataset = root_dataset(samples)
    parts = _kind_of_parts(samples)
    changing = changing_stages(samples)
    if not parts and changing:
        parts = f"labels, frames or values changed by {', '.join(changing)}"
    if parts:
        raise InputError(
            f"a view of {dataset.name}",
            parts,
            f"a dataset, or a view of whole videos, to {verb}",
            "Pass the dataset, or choose videos by match, select, limit and the like. "
            "Labels that were filtered become a field of their own by "
            "view.clone_frame_field(field, new_field).",
        )
    # Of the dataset, as a view may leave the field out.
    known = dict(zip(*dataset.values(["id", "sequence"]), strict=True))
    names = [known[sample] for sample in samples.values("id")]
    names = [name for name in names if name is not None]
    if not names:
        raise InputError(
            f"a view of {dataset.name}",
            "no video",
            f"at least one, to {verb}",
            "Pass the dataset, or another view of it.",
        )
    return dataset, names


def refuse_parts(samples: SampleCollection, verb: str) -> None:
    """Refuse views whose samples are no videos.

    Args:
        samples: a dataset or view.
        verb: what is to be done, for messages.

    Raises:
        InputError: a view of clips, frames or patches.
    """
    found = _kind_of_parts(samples)
    if found:
        raise InputError(
            f"a view of {root_dataset(samples).name}",
            found,
            f"a dataset, or a view of whole videos, to {verb}",
            "Pass the dataset that the view was made of.",
        )


def _kind_of_parts(view: SampleCollection) -> str | None:
    """What a view shows, if not videos."""
    kinds = {
        "patches of objects": is_of_patches,
        "clips of videos": is_of_clips,
        "frames of videos": is_of_frames,
    }
    return next((text for text, holds in kinds.items() if holds(view)), None)
