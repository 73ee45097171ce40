"""FiftyOne's exporters, where they cannot write what labels hold."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.utils.coco as fouc


def let_coco_tell_instances() -> None:
    """Let exports to COCO write the id of a label's instance.

    FiftyOne 1.22 takes the instance for an attribute like any other and fails, for it
    is no JSON: no dataset of labels with instances could be exported.
    """
    original = fouc._get_attributes
    if original.__module__ == __name__:
        return

    def attributes(label: fo.Label, extra_attrs: object) -> dict[str, Any]:
        found = original(label, extra_attrs)
        return {
            name: value.id if isinstance(value, fo.Instance) else value
            for name, value in found.items()
        }

    fouc._get_attributes = attributes
