"""Names of the fields that several modules share."""

from evaluation.attributes import ATTRIBUTES, Attribute

GROUND_TRUTH = "ground_truth"
"""Frame field of the annotated masks."""

AUDIT = "ground_truth_audit"
"""Sample field of the events in which the ground truth looks wrong."""

OBJECT_SCORES = {
    "J_mean": "J",
    "F_mean": "F",
    "J&F": "JF",
    "J_recall": "J_recall",
    "F_recall": "F_recall",
    "J_decay": "J_decay",
    "F_decay": "F_decay",
    "F_adaptive_mean": "F_adaptive",
    "J&F_adaptive": "JF_adaptive",
}
"""Column of `Scores.objects` -> attribute of the object's label."""

SEQUENCE_SCORES = {
    "J&F_adaptive": "JF_adaptive",
    "F_adaptive_mean": "F_adaptive",
    "J&F": "JF",
    "J": "J",
    "F": "F",
}
"""Mean over a sequence's objects -> end of its field's name, what is published first.
"""

OBJECT_FACTS = ("group", "proposal")
"""Columns of `Scores.objects` that are no scores, named alike on the label."""

OFFICIAL = "official_tags"
"""Attribute of `objects` with the benchmark's own tags; they describe the video."""

COMPUTED = "tags_computed"
"""Attribute of `objects` with the computed tags that hold, e.g. ``["OCC", "FM"]``."""


def shown_attributes() -> list[Attribute]:
    """Attributes that become fields of objects; tags are gathered in one list."""
    return [item for item in ATTRIBUTES.values() if item.kind != "tag"]


def thumbnail_field(eval_key: str) -> str:
    """Sample field with the path of the picture of a video's worst frame."""
    return f"{eval_key}_thumbnail"
