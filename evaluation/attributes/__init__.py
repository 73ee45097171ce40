"""Attributes: what makes each object of a benchmark hard to follow.

Occlusion, similarity, length and their kin, per object and per frame, measured from
ground truth (and images for appearance): continuous score first, tag second.
"""

from evaluation.attributes.appearance import ColourTexture, FeatureExtractor
from evaluation.attributes.definitions import (
    ATTRIBUTES,
    OFFICIAL,
    Attribute,
    attribute_title,
)
from evaluation.attributes.measure import object_attributes
from evaluation.attributes.tables import Attributes

__all__ = [
    "ATTRIBUTES",
    "OFFICIAL",
    "Attribute",
    "Attributes",
    "ColourTexture",
    "FeatureExtractor",
    "attribute_title",
    "object_attributes",
]
