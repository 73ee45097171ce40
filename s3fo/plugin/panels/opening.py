"""Opening a video at a frame: `plan_frame` says what is seen, `show_frame` does it.

A plan is plain data and is tested as such. FiftyOne's operators cannot move the player
of an mp4 file, so the plan is carried out by ``show_frame`` in the plugin's
``js/app.js``; that polls until the player is ready. Neither writes to the dataset.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import fiftyone as fo
from fiftyone import ViewField

from s3fo.datasets.field_names import AUDIT, GROUND_TRUTH, SEQUENCE_SCORES
from s3fo.datasets.reading.tables import (
    predicted_index,
    prediction_field,
    vos_evaluations,
)
from s3fo.datasets.views.images import IMAGE_VIEW, has_videos, opening_view
from s3fo.datasets.views.shown import count_stages
from s3fo.datasets.views.worst import published_field
from s3fo.plugin.context import Context
from s3fo.plugin.shared.outcome import PLUGIN

Filter = dict[str, Any]
"""What FiftyOne's sidebar keeps of a filter."""


@dataclass(frozen=True)
class FramePlan:
    """What a person is to see.

    Attributes:
        id: of the sample to open: a video, or its first image where there is no mp4.
        frame: number of the frame to show, from 1.
        fields: paths that are shown; all others are hidden.
        filters: path -> filter of the labels that are shown of it.
        focus: what the panels beside the player tell of first: ``object``, its number,
            and ``event``, the id of a failure; None where nothing was chosen.
    """

    id: str
    frame: int
    fields: tuple[str, ...]
    filters: dict[str, Filter]
    focus: dict[str, int | str | None]


def plan_frame(
    dataset: fo.Dataset,
    sample_id: str,
    frame: int,
    eval_keys: Sequence[str],
    *,
    object_id: int | None = None,
    event_id: str | None = None,
    active: Iterable[str] = (),
    truth: bool = False,
) -> FramePlan:
    """What to open, and what to show in it: the masks of some methods, at a frame.

    Args:
        dataset: evaluated.
        sample_id: of the video.
        frame: number of the frame, from 1.
        eval_keys: evaluations whose predictions are shown, and no other masks.
        object_id: show the labels of this object alone; None shows all.
        event_id: the failure of it that was clicked, if one was.
        active: paths that are shown now; those of the video stay, but for scores.
        truth: whether the ground truth is shown, too.

    Raises:
        InputError: there is no such evaluation.
    """
    videos = has_videos(dataset)
    prefix = "frames." if videos else ""
    methods = {key: prediction_field(dataset, key) for key in eval_keys}
    own = set(dataset.get_field_schema())
    others = {
        f"{key}_{score}"
        for key in vos_evaluations(dataset)
        for score in SEQUENCE_SCORES.values()
    }
    kept = [path for path in active if path.split(".")[0] in own - others]
    scores = [field for key in eval_keys if (field := published_field(dataset, key))]
    shown = [*([GROUND_TRUTH] if truth else []), *methods.values()]
    masks = [
        f"{prefix}{field}"
        for name in shown
        for field in _fields(dataset, name, object_id)
    ]
    filters: dict[str, Filter] = {}
    if object_id is not None:
        indices = {GROUND_TRUTH: object_id}
        for key, name in methods.items():
            indices[name] = predicted_index(dataset, key, sample_id, object_id)
        filters = {
            f"{prefix}{name}.detections.index": exactly(index)
            for name, index in indices.items()
        }
    return FramePlan(
        sample_id if videos else _first_image(dataset, sample_id),
        frame,
        tuple(dict.fromkeys([*(kept or ["sequence"]), *scores, *masks])),
        filters,
        {"object": object_id, "event": event_id},
    )


def exactly(number: int) -> Filter:
    """The sidebar's filter for one number."""
    rest = dict.fromkeys(("exclude", "isMatching", "none", "nan", "inf", "ninf"), False)
    return {**rest, "range": [number, number]}


def _fields(dataset: fo.Dataset, name: str, object_id: int | None) -> list[str]:
    """The fields with a method's masks; of one object its labels in any case.

    Mask files hold all objects together: there an object is told by its box.
    """
    if not dataset.has_frame_field(f"{name}_mask"):
        return [name]
    return [f"{name}_mask", *([] if object_id is None else [name])]


def _first_image(dataset: fo.Dataset, sample_id: str) -> str:
    """The first frame of a video, by which FiftyOne knows its images."""
    first = dataset.select(sample_id).match_frames(ViewField("frame_number") == 1)
    return str(first.values("frames.id", unwind=True)[0])


def plan_clips(dataset: fo.Dataset, eval_key: str) -> tuple[str, ...]:
    """What clips of an evaluation's failures show: video, kind and cost, its masks."""
    return ("sequence", f"{eval_key}_failures", *_masks(dataset, eval_key))


def plan_grid(dataset: fo.Dataset, eval_key: str) -> tuple[str, ...]:
    """What the grid shows of a method: video, its published J&F, its masks alone."""
    published = published_field(dataset, eval_key)
    scores = [published] if published else []
    return ("sequence", *scores, *_masks(dataset, eval_key))


def plan_audit_clips(dataset: fo.Dataset) -> tuple[str, ...]:
    """What clips of the audit show: video, kind and object, the ground truth alone."""
    return ("sequence", AUDIT, *_paths(dataset, GROUND_TRUTH))


def _masks(dataset: fo.Dataset, eval_key: str) -> list[str]:
    """Paths of the masks that an evaluation scored."""
    return _paths(dataset, prediction_field(dataset, eval_key))


def _paths(dataset: fo.Dataset, name: str) -> list[str]:
    """Paths of a method's masks, or of the ground truth's."""
    prefix = "frames." if has_videos(dataset) else ""
    return [f"{prefix}{field}" for field in _fields(dataset, name, None)]


def show_frame(ctx: Context, plan: FramePlan) -> None:
    """Carry out a plan; the present view gives way where it lacks the video."""
    params = asdict(plan)
    dataset = ctx.dataset
    if has_videos(dataset):
        if ctx.has_custom_view and not len(ctx.view.select(plan.id)):
            ctx.ops.clear_view()
            params["stages"] = 0
    elif ctx.request_params.get("view_name") != IMAGE_VIEW:
        view = opening_view(dataset)
        ctx.ops.set_view(view)
        params["stages"] = count_stages(view)
    ctx.trigger(f"{PLUGIN}/show_frame", params)


def seek(ctx: Context, frame: int) -> None:
    """Move the player of the video, or clip, that is open."""
    params = {"id": str(ctx.current_sample), "frame": frame}
    ctx.trigger(f"{PLUGIN}/show_frame", params)


def show_media(ctx: Context, field: str = "filepath") -> None:
    """Show the files of a media field in the grid; by default the videos."""
    ctx.trigger(f"{PLUGIN}/show_media", {"field": field})


def restore_media(ctx: Context) -> None:
    """Show worst frames on a page that is loaded again in a view of them.

    FiftyOne keeps the view, but not which files it shows. Nothing happens elsewhere.
    """
    if len(ctx.dataset.app_config.media_fields) > 1:
        ctx.trigger(f"{PLUGIN}/restore_media")


def show_all_videos(ctx: Context) -> None:
    """Show the whole dataset again, as it is when it is opened."""
    view = opening_view(ctx.dataset)
    if len(ctx.dataset.app_config.media_fields) > 1:
        show_media(ctx)
    ctx.ops.clear_view()
    ctx.ops.clear_sidebar_filters()
    if isinstance(view, fo.DatasetView):
        ctx.ops.set_view(view)
    groups = [
        {"name": group.name, "paths": list(group.paths), "expanded": group.expanded}
        for group in ctx.dataset.app_config.sidebar_groups or ()
    ]
    stages = count_stages(view) if isinstance(view, fo.DatasetView) else 0
    if groups:
        params = {"groups": groups, "stages": stages}
        ctx.trigger(f"{PLUGIN}/restore_sidebar", params)
    active = ctx.dataset.app_config.active_fields
    if active is not None:
        ctx.ops.set_active_fields(active.paths)
