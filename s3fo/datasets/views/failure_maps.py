"""Names of the maps of failures by their looks, and how they go."""

from __future__ import annotations

from typing import TypedDict

import fiftyone as fo

from s3fo.datasets.views.brain_maps import delete_map


class MapNames(TypedDict):
    """What a map of failures is called: two Brain runs and a saved view."""

    map_key: str
    index_key: str
    view: str


def failure_map_names(eval_key: str) -> MapNames:
    """The names of the map of an evaluation's failures."""
    return {
        "map_key": f"{eval_key}_failure_map",
        "index_key": f"{eval_key}_similar_failures",
        "view": f"{eval_key} failures by looks",
    }


def delete_failure_map(dataset: fo.Dataset, eval_key: str) -> None:
    """Take out the map of failures that are not there any more."""
    delete_map(dataset, **failure_map_names(eval_key))
