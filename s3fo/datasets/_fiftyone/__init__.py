"""What rests on FiftyOne's private API, its database driver and its stored form.

One place to look when a release of FiftyOne breaks something. Nothing else in the
product uses names of FiftyOne that begin with an underscore, imports pymongo or bson,
or makes documents by hand; ``tests/datasets/test_fiftyone_contract.py`` says, function
by function, which behaviour of FiftyOne is relied on.
"""

from s3fo.datasets._fiftyone.database import (
    Document,
    Update,
    dataset_id,
    estimated_sample_count,
    find_labels,
    frame_fields,
    insert_frame_documents,
    label_shapes,
    last_deletion,
    last_frame_change,
    last_sample_change,
    plain_values,
    root_dataset,
    set_label_tags,
    update_documents,
)
from s3fo.datasets._fiftyone.documents import (
    detection_document,
    detections_document,
    segmentation_document,
)
from s3fo.datasets._fiftyone.exports import let_coco_tell_instances
from s3fo.datasets._fiftyone.fields import FieldKind, add_fields
from s3fo.datasets._fiftyone.ids import Id, derived_id, has_id, is_of, new_id
from s3fo.datasets._fiftyone.reloading import reload_changes
from s3fo.datasets._fiftyone.runs import (
    Scenario,
    delete_empty_sidebar_group,
    extended_json,
    rename_sidebar_group,
    replace_results,
    update_scenarios,
    write_note,
)
from s3fo.datasets._fiftyone.views import (
    LabelFilter,
    changing_stages,
    clips_of,
    count_stages,
    filters_frames,
    has_layout,
    is_grouped_by_field,
    is_of_clips,
    is_of_frames,
    is_of_patches,
    label_filters,
    shown_dataset,
)

let_coco_tell_instances()

__all__ = [
    "Document",
    "FieldKind",
    "Id",
    "LabelFilter",
    "Scenario",
    "Update",
    "add_fields",
    "changing_stages",
    "clips_of",
    "count_stages",
    "dataset_id",
    "delete_empty_sidebar_group",
    "derived_id",
    "detection_document",
    "detections_document",
    "estimated_sample_count",
    "extended_json",
    "filters_frames",
    "find_labels",
    "frame_fields",
    "has_id",
    "has_layout",
    "insert_frame_documents",
    "is_grouped_by_field",
    "is_of",
    "is_of_clips",
    "is_of_frames",
    "is_of_patches",
    "label_filters",
    "label_shapes",
    "last_deletion",
    "last_frame_change",
    "last_sample_change",
    "new_id",
    "plain_values",
    "reload_changes",
    "rename_sidebar_group",
    "replace_results",
    "root_dataset",
    "segmentation_document",
    "set_label_tags",
    "shown_dataset",
    "update_documents",
    "update_scenarios",
    "write_note",
]
