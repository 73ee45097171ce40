"""How a dataset looks when it is opened: colours, fields, groups, views."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import fiftyone as fo

from evaluation.plots.errors import PIXEL_COLOURS, PIXEL_NAMES
from s3fo.datasets._fiftyone import has_layout
from s3fo.datasets.field_names import (
    AUDIT,
    GROUND_TRUTH,
    SEQUENCE_SCORES,
    thumbnail_field,
)
from s3fo.datasets.importing.stored_masks import mask_targets
from s3fo.datasets.schema import evaluations, load_predictions_info
from s3fo.datasets.views.colours import object_colour
from s3fo.datasets.views.images import renew_image_view
from s3fo.datasets.views.worst import published_field

_NEUTRAL = "#6E7687"
"""Everything that is not an object: names, figures, tags. FiftyOne writes on it in
white or black, by its theme: both have a contrast of 4.5 on it."""


_LEAST_COLOURS = 20
"""Methods may find objects that the ground truth lacks: DAVIS allows 20 proposals."""

_BOOKKEEPING = (
    "content",
    "created_at",
    "filepath",
    "frame_number",
    "id",
    "last_modified_at",
)
_ABOUT_VIDEO = (
    "objects",
    "sequence",
    "split",
    "num_objects",
    "categories",
    "attributes",
    "fps",
)
_METADATA = (
    "total_frame_count",
    "frame_width",
    "frame_height",
    "frame_rate",
    "duration",
    "encoding_str",
    "size_bytes",
    "mime_type",
)


def apply_defaults(dataset: fo.Dataset) -> None:
    """Set colours, active fields, sidebar groups and workspaces of a dataset.

    Called whenever predictions or evaluations come or go.
    """
    config = dataset.app_config
    config.color_scheme = _colour_scheme(dataset)
    config.active_fields = fo.ActiveFields(paths=_active_paths(dataset))
    config.sidebar_groups = _sidebar_groups(dataset)
    # The whole dict at once: FiftyOne cannot save a key with a dot set by itself.
    # It also saves all that was set above.
    dataset.mask_targets = _mask_targets(dataset)
    _save_workspaces(dataset)
    renew_image_view(dataset)


def rename_looks(dataset: fo.Dataset, names: Mapping[str, str]) -> None:
    """Fields that were renamed keep their colours and the meanings of their pixels.

    FiftyOne itself renames what is shown and the sidebar's groups.

    Args:
        dataset: whose fields were renamed.
        names: old path -> new path.
    """
    renamed = {
        old_name: new_name
        for paths in names.items()
        for old_name, new_name in zip(*map(both_names, paths), strict=True)
    }
    scheme = dataset.app_config.color_scheme
    for field in (scheme and scheme.fields) or ():
        field["path"] = renamed.get(field["path"], field["path"])
    dataset.mask_targets = {
        renamed.get(path, path): meanings
        for path, meanings in dataset.mask_targets.items()
    }  # saves all
    renew_image_view(dataset)


def _active_paths(dataset: fo.Dataset) -> list[str]:
    """What is shown at first: the name, the latest masks, their latest published J&F.

    One source of masks only: an object has one colour everywhere, so two sources
    laid over each other could not be told apart.
    """
    latest = [GROUND_TRUTH, *load_predictions_info(dataset)][-1]
    reference = dataset.has_frame_field(f"{latest}_mask")
    shown = f"frames.{latest}_mask" if reference else f"frames.{latest}"
    scores = [
        published
        for key in evaluations(dataset)
        if (published := published_field(dataset, key))
        and dataset.get_evaluation_info(key).config.pred_field == f"frames.{latest}"
    ]
    return ["sequence", *both_names(shown), *scores[-1:]]


def _colour_scheme(dataset: fo.Dataset) -> fo.ColorScheme:
    highest = dataset.bounds("objects.detections.index")[1] or 0
    ids = range(1, max(highest, _LEAST_COLOURS) + 1)
    colours = [{"value": str(key), "color": object_colour(key)} for key in ids]
    grey_masks = [{"intTarget": key, "color": object_colour(key)} for key in ids]
    errors = [
        {"intTarget": int(pixel), "color": code}
        for pixel, code in PIXEL_COLOURS.items()
    ]
    names = [GROUND_TRUTH, *load_predictions_info(dataset)]
    paths = [path for name in names for path in both_names(f"frames.{name}")]
    paths += ["objects", *(f"{key}_objects" for key in dataset.list_evaluations())]
    return fo.ColorScheme(
        color_by="value",
        color_pool=[_NEUTRAL],
        opacity=0.6,
        fields=[
            {"path": path, "colorByAttribute": "index", "valueColors": colours}
            for path in paths
        ]
        + [
            {"path": path, "maskTargetsColors": targets}
            for fields, targets in (
                (_mask_fields(dataset), grey_masks),
                (_error_fields(dataset), errors),
            )
            for field in fields
            for path in both_names(field)
        ],
    )


def _mask_targets(dataset: fo.Dataset) -> dict[str, dict]:
    targets: dict[str, dict] = {}
    for field in _mask_fields(dataset):
        paths = dataset.limit(3).values(f"{field}.mask_path", unwind=True)
        first = next((path for path in paths if path), None)
        if first:
            meanings = mask_targets(Path(first))
            targets.update(dict.fromkeys(both_names(field), meanings))
    pixels = {int(pixel): name for pixel, name in PIXEL_NAMES.items()}
    for field in _error_fields(dataset):
        targets.update(dict.fromkeys(both_names(field), pixels))
    return targets


def both_names(field: str) -> tuple[str, str]:
    """A frame field's path, and what the App's grid and views of frames call it.

    The grid decodes frame masks by their name without "frames.": not told there, it
    takes palette files for grey and all objects for one.
    """
    return field, field.removeprefix("frames.")


def _mask_fields(dataset: fo.Dataset) -> list[str]:
    """The frame fields that refer to mask files."""
    names = [GROUND_TRUTH, *load_predictions_info(dataset)]
    fields = [f"frames.{name}_mask" for name in names]
    return [field for field in fields if dataset.has_field(field)]


def _error_fields(dataset: fo.Dataset) -> list[str]:
    """The frame fields with error maps."""
    fields = [f"{key}_errors" for key in dataset.list_evaluations()]
    return [f"frames.{name}" for name in fields if dataset.has_frame_field(name)]


def _sidebar_groups(dataset: fo.Dataset) -> list[fo.SidebarGroupDocument]:
    schema = {
        *dataset.get_field_schema(),
        *(f"frames.{name}" for name in dataset.get_frame_field_schema()),
    } - {"metadata"}
    bookkeeping = {
        path for path in schema if path.removeprefix("frames.") in _BOOKKEEPING
    }
    masks = {path for path in schema if path.startswith("frames.")} - bookkeeping
    groups = {"tags": ["tags", "_label_tags"], "masks": sorted(masks)}
    # Before the scores: in this order FiftyOne writes on the tiles of what it opens,
    # and so do panels: name, then score.
    groups["video"] = [*_ABOUT_VIDEO, *(name for name in (AUDIT,) if name in schema)]
    for key in evaluations(dataset):
        names = (*SEQUENCE_SCORES.values(), "objects", "failures")
        fields = [*(f"{key}_{name}" for name in names), thumbnail_field(key)]
        # Named as FiftyOne does, so that it renames and deletes the group itself.
        groups[key] = [path for path in fields if path in schema]
    grouped = {path for paths in groups.values() for path in paths}
    groups["metadata"] = [f"metadata.{name}" for name in _METADATA]
    groups["other"] = sorted(schema - grouped)
    return [
        fo.SidebarGroupDocument(
            name=name, paths=paths, expanded=name not in ("metadata", "other")
        )
        for name, paths in groups.items()
    ]


def _save_workspaces(dataset: fo.Dataset) -> None:
    """Layouts to choose in the App; only those that have something to show."""
    _save_workspace(dataset, "Benchmark", ["Samples"])
    keys = dataset.list_evaluations()
    if keys:
        _save_workspace(dataset, "Evaluation", ["Samples", "vos_evaluation"])
        _save_workspace(
            dataset,
            "Compare",
            ["Samples", "vos_evaluation", "model_evaluation_panel_builtin"],
        )
    if any(dataset.has_sample_field(f"{key}_failures") for key in keys):
        _save_workspace(dataset, "Failures", ["Samples", "vos_failures"])
    if dataset.has_sample_field(AUDIT):
        _save_workspace(dataset, "Audit", ["Samples", "vos_audit"])


def _save_workspace(dataset: fo.Dataset, name: str, types: list[str]) -> None:
    """Save a layout, unless it is there already: that writes all of the dataset."""

    def own(part: str) -> str:
        return str(uuid5(NAMESPACE_OID, f"s3fo {name} {part}"))

    spaces = [
        fo.Space(
            component_id=own(f"space of {kind}"),
            children=[
                fo.Panel(component_id=own(kind), type=kind, pinned=kind == "Samples")
            ],
            # Without an active child the panel would stay blank.
            active_child=own(kind),
        )
        for kind in types
    ]
    space = spaces[0]
    if len(spaces) > 1:
        space = fo.Space(
            component_id=own("all"), children=spaces, orientation="horizontal"
        )
    if not has_layout(dataset, name, space):
        dataset.save_workspace(name, space, overwrite=True)
